"""`manage.py backup`: one archive of everything, made while everything runs."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from factoryai.backup.errors import BackupError
from factoryai.backup.services import make_backup


class Command(BaseCommand):
    help = (
        "Write the database and the pictures into one archive, as of now, while everything runs. What is sealed stays "
        "sealed: keep field.key as well, in another place."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the archive to write, such as /srv/backups/monday.tar")
        parser.add_argument(
            "--with-keys", action="store_true", help="put the keys in as well: whoever has them reads all"
        )
        parser.add_argument("--force", action="store_true", help="replace the file when it exists")

    def handle(self, *args: Any, file: Path, with_keys: bool, force: bool, **options: Any) -> None:
        try:
            made = make_backup(target=file.absolute(), at=timezone.now(), with_keys=with_keys, is_forced=force)
        except BackupError as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{file}: {made.size_bytes / 1_000_000:.1f} MB, {made.pictures} pictures.")
        if made.has_keys:
            self.stdout.write("It holds the keys: whoever has this file reads everything in it.")
        else:
            self.stdout.write("The keys are not in it: keep field.key elsewhere, for only it opens what is sealed.")
