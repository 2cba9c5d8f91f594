"""`manage.py make_keys`: the two keys of a production installation, for its environment or as secret files."""

from __future__ import annotations

import argparse
from pathlib import Path

from django.core.management.base import BaseCommand

from factoryai.embedded import folder

SETTINGS = {"secret.key": "FACTORYAI_SECRET_KEY", "field.key": "FACTORYAI_FIELD_KEY"}


class Command(BaseCommand):
    help = "Print fresh values of FACTORYAI_SECRET_KEY and FACTORYAI_FIELD_KEY, or write them into a folder once."
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--into", type=Path, help="write secret.key and field.key (0600) here; existing ones stay")

    def handle(self, *args: object, **options: object) -> None:
        if options["into"] is None:
            for name, generate in folder.KEY_FILES.items():
                self.stdout.write(f"{SETTINGS[name]}={generate()}")
            return
        options["into"].mkdir(mode=folder.PRIVATE_FOLDER, parents=True, exist_ok=True)
        made = folder.make_keys(options["into"])
        self.stdout.write(
            f"Made {' and '.join(made)} in {options['into']}." if made else "Both keys are there already."
        )
