"""`manage.py add_demo`: the demonstration's site, people and cameras in an installation that `up` does not run."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from factoryai.embedded import cameras, folder, logins, staff


class Command(BaseCommand):
    help = "Add the demonstration: a site, logins, cameras, employees and their week. Doing it twice does no harm."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--cameras",
            default=cameras.DEMO_PREFIX,
            metavar="rtsp://HOST:8554/",
            help="where the scenes are served (python -m streaming.rtsp.server); else the camera process plays them",
        )

    def handle(self, *args: object, **options: Any) -> None:
        folder.prepare(settings.DATA_DIR)
        site = logins.turn_demo_on(settings.DATA_DIR)
        at = timezone.now()
        cameras.add_demo_cameras(site, options["cameras"], at=at)
        staff.add_staff(site, at=at)
        staff.enrol_staff(site, at=at)
        for login in logins.demo_logins(settings.DATA_DIR):
            self.stdout.write(f"{login.username:<8} {login.password or '(password changed since)':<26} {login.role}")
