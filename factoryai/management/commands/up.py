"""`manage.py up`: everything on one machine, no other service needed."""

from __future__ import annotations

import argparse
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from factoryai.embedded.cameras import parse_camera
from factoryai.embedded.errors import CannotStartError
from factoryai.embedded.start import Wishes, have_keys, start


class Command(BaseCommand):
    help = "Start everything on this machine: database, broker, web, jobs and cameras. Ctrl-C stops it all."
    requires_system_checks = ()  # they judge keys, which are made first

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 opens it to the network")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--data-dir", type=Path, help="folder of the database, the keys and the logs")
        parser.add_argument("--no-demo", action="store_true", help="no demonstration: no made-up cameras and people")
        parser.add_argument(
            "--camera",
            action="append",
            default=[],
            metavar="NAME=rtsp://…",
            help="a camera to show, as often as needed; user:password@ in the address is kept encrypted",
        )

    def handle(self, *args: object, **options: object) -> None:
        try:
            wishes = Wishes(
                host=options["host"],
                port=options["port"],
                is_demo=not options["no_demo"],
                cameras=[parse_camera(text) for text in options["camera"]],
            )
            have_keys(options["data_dir"], self._say)
            self.check()
            start(wishes, self._say)
        except CannotStartError as refusal:
            raise CommandError(str(refusal)) from refusal
        except KeyboardInterrupt:
            self._say("Stopped before everything was started.")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
