"""`manage.py make_keys`: the keys of a production installation, for its environment or as the files of its services."""

from __future__ import annotations

import argparse
from pathlib import Path

from django.core.management.base import BaseCommand

from factoryai.embedded import folder

SETTINGS = {"secret.key": "FACTORYAI_SECRET_KEY", "field.key": "FACTORYAI_FIELD_KEY"}


class Command(BaseCommand):
    help = "Print fresh values of FACTORYAI_SECRET_KEY and FACTORYAI_FIELD_KEY, or write all secrets into a folder."
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--into", type=Path, help="write the files that docker-compose.yml reads; existing ones stay"
        )

    def handle(self, *args: object, **options: object) -> None:
        if options["into"] is None:
            for name, generate in folder.KEY_FILES.items():
                self.stdout.write(f"{SETTINGS[name]}={generate()}")
            return
        made = folder.make_service_secrets(options["into"])
        self.stdout.write(f"{options['into']}: {'made ' + ', '.join(made) if made else 'everything is there already'}.")
