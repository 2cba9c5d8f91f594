"""`manage.py restore`: put an archive of `backup` back, whole or not at all."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from factoryai.backup.errors import BackupError
from factoryai.backup.services import restore_backup


class Command(BaseCommand):
    help = (
        "Put a backup in the place of what is here: database and pictures, brought up to this version. Everything must "
        "be stopped. What makes no sense is refused before anything is changed."
    )
    requires_system_checks = ()  # they ask the database, which may be what has to be restored

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="an archive that `manage.py backup` wrote")
        parser.add_argument("--force", action="store_true", help="replace an installation that has data already")

    def handle(self, *args: Any, file: Path, force: bool, **options: Any) -> None:
        try:
            done = restore_backup(source=file.absolute(), at=timezone.now(), is_forced=force)
        except BackupError as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"Restored as of {done.made_at}, with {done.pictures} pictures.")
        if missing := len(done.check.missing):
            self.stdout.write(f"{missing} pictures had been purged while the backup was made; their rows say so now.")
        for name in done.kept:
            self.stdout.write(f"What was here before is kept as {name}; remove it when all is well.")
        self.stdout.write("Who was erased since then is back: repeat those erasures (docs/privacy.md).")
