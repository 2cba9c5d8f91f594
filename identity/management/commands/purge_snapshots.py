"""`manage.py purge_snapshots`: delete old snapshots and say what was freed."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from factoryai.rest import Refusal
from identity.services.purge import purge_snapshots


class Command(BaseCommand):
    help = "Delete snapshots older than their retention (90 days unless a site says otherwise)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--older-than-days", type=int, help="Stands for every retention rule.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would be deleted, delete nothing.")
        parser.add_argument("--accept-clock", action="store_true", help="The clock is right although it jumped.")

    def handle(self, *args: object, **options: object) -> None:
        try:
            report = purge_snapshots(
                at=timezone.now(),
                older_than_days=options["older_than_days"],
                is_dry_run=options["dry_run"],
                accepts_clock=options["accept_clock"],
            )
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} ({refusal.code}; --accept-clock runs it now)") from refusal
        would = "Would delete" if options["dry_run"] else "Deleted"
        self.stdout.write(
            f"{would} {report.deleted} of {report.planned} planned, {report.freed_mb:.2f} MB; "
            f"{report.held} held, {report.missing} missing, {report.failed} failed."
        )
