"""`manage.py check_snapshots`: compare the rows of snapshots with their files."""

from __future__ import annotations

import sys

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from identity.services.snapshots import Check, check_snapshots


class Command(BaseCommand):
    help = "Report files without a row, rows without a file, and what the product never wrote. Ends with 1 if any."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--repair", action="store_true", help="Remove orphans, close rows without a file.")

    def handle(self, *args: object, **options: object) -> None:
        check = check_snapshots(at=timezone.now(), is_repair=bool(options["repair"]))
        for word, names in named(check):
            for name in names:
                self.stdout.write(f"{word}: {name}")
        self.stdout.write(
            f"{check.rows} rows, {check.files} files; {len(check.missing)} rows without a file, {len(check.orphans)} "
            f"files without a row ({check.orphan_bytes / 1_000_000:.2f} MB), {len(check.stuck)} never finished, "
            f"{len(check.foreign)} foreign; {check.repaired} repaired."
        )
        if not check.is_clean and not options["repair"]:
            sys.exit(1)


def named(check: Check) -> list[tuple[str, list[str]]]:
    """Return what was found with a word for it."""
    return [
        ("row without a file", check.missing),
        ("file without a row", check.orphans),
        ("never finished", check.stuck),
        ("foreign", check.foreign),
    ]
