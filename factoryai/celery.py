"""The Celery application: `celery -A factoryai worker`, `celery -A factoryai beat`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "factoryai.settings")

app = Celery("factoryai")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
