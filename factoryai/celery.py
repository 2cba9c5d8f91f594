"""The Celery application: `celery -A factoryai worker`, `celery -A factoryai beat`."""

import os

from celery import Celery
from celery.apps.worker import Worker
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "factoryai.settings")

app = Celery("factoryai")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def add_pulse(sender: Worker, **kwargs: object) -> None:
    from factoryai.jobs.pulse import WorkerPulse

    sender.app.steps["consumer"].add(WorkerPulse)
