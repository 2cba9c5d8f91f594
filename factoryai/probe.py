"""Whether a service does its work: `python -m factoryai.probe web 8000|scenes 8554|worker|beat|cameras`.

Exit code 0 is healthy; else one line says why. Only what a part needs is imported, for it runs every minute.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from factoryai.pulse import last_beat

PING_WITHIN_S = 8.0
STILL_AFTER_S = 90.0
"""As `factoryai.embedded.liveness` has it."""


def check_web(port: int) -> str:
    from factoryai.embedded.readiness import read_health

    name = os.environ.get("FACTORYAI_HOSTS", "localhost").split(",")[0].strip()
    report = read_health("127.0.0.1", port, name)
    if report is None:
        return "the health page does not answer"
    return "the database is down" if report["status"] == "down" else ""


def stands_still() -> str:
    """Judge the file that the main loop of a service touches, where `FACTORYAI_PULSE` names one."""
    path = os.environ.get("FACTORYAI_PULSE", "")
    if not path:
        return ""
    beat_at = last_beat(Path(path))
    if beat_at is None:
        return "its main loop has not begun"
    age_s = time.time() - beat_at
    return f"its main loop has stood still for {age_s:.0f} s" if age_s > STILL_AFTER_S else ""


def check_scenes(port: int) -> str:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=3) as connection:
            connection.sendall(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
            return "" if connection.recv(100).startswith(b"RTSP/1.0 200") else "what listens is no camera"
    except OSError as error:
        return f"no camera answers ({type(error).__name__})"


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
    "worker": check_worker,
    "beat": check_beat,
    "cameras": check_cameras,
}


def _set_up() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "factoryai.settings")
    django.setup()


def complaint_of(arguments: Sequence[str]) -> str | None:
    """Return what is wrong with the service that the arguments name, empty for nothing; None for a wrong call."""
    match arguments:
        case ["scenes", port] if port.isdecimal():
            return check_scenes(int(port))
        case ["web", port] if port.isdecimal():
            return check_web(int(port))
        case [name] if name in CHECKS:
            return stands_still() or CHECKS[name]()
    return None


def main() -> int:
    complaint = complaint_of(sys.argv[1:])
    if complaint is None:
        sys.stderr.write(f"Write web or scenes and the port, or one of: {', '.join(CHECKS)}\n")
        return 2
    sys.stdout.write(f"{complaint or 'ok'}\n")
    return 1 if complaint else 0


if __name__ == "__main__":
    sys.exit(main())
