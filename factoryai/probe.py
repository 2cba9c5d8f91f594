"""`python -m factoryai.probe web|worker|beat|cameras`: whether the service in this container does its work.

Exit code 0 is healthy; else one line says why. Only what a part needs is imported, for it runs every minute.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Mapping

WEB = ("127.0.0.1", 8000)
PING_WITHIN_S = 8.0


def check_web() -> str:
    from factoryai.embedded.readiness import read_health

    name = os.environ.get("FACTORYAI_HOSTS", "localhost").split(",")[0].strip()
    report = read_health(*WEB, name)
    if report is None:
        return "the health page does not answer"
    return "the database is down" if report["status"] == "down" else ""


def check_worker() -> str:
    from factoryai.celery import app

    name = f"celery@{socket.gethostname()}"
    return "" if app.control.ping(destination=[name], timeout=PING_WITHIN_S) else f"{name} does not answer a ping"


def check_beat() -> str:
    _set_up()
    from django.utils import timezone

    from factoryai.jobs.services import is_scheduler_running

    return "" if is_scheduler_running(timezone.now()) else "the scheduler has not been heard of lately"


def check_cameras() -> str:
    """A process without a camera is healthy when none is free: then others have them all."""
    _set_up()
    from django.utils import timezone

    from streaming.models import Camera, CameraStatus

    now, here = timezone.now(), socket.gethostname()
    if CameraStatus.objects.filter(worker__contains=here, leased_until__gte=now).exists():
        return ""
    free = list(Camera.objects.takeable("", now).values_list("slug", flat=True)[:5])
    return f"nobody takes {', '.join(free)}" if free else ""


CHECKS: Mapping[str, Callable[[], str]] = {
    "web": check_web,
    "worker": check_worker,
    "beat": check_beat,
    "cameras": check_cameras,
}


def _set_up() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "factoryai.settings")
    django.setup()


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in CHECKS:
        sys.stderr.write(f"One of: {', '.join(CHECKS)}\n")
        return 2
    complaint = CHECKS[arguments[0]]()
    sys.stdout.write(f"{complaint or 'ok'}\n")
    return 1 if complaint else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
