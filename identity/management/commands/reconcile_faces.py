"""`manage.py reconcile_faces`: bring Rekognition's collections and the rows here together."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from factoryai.sites.models import Site
from identity.services import engines
from identity.services.reconcile import reconcile_faces


class Command(BaseCommand):
    help = "Enrol there what is missing, delete there what is to go, and report faces that nobody here knows."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--site", help="Slug; without it every site.")
        parser.add_argument("--dry-run", action="store_true", help="Only report.")
        parser.add_argument(
            "--remove-unknown", action="store_true", help="Delete faces there that no row here knows. No way back."
        )

    def handle(self, *args: object, **options: object) -> None:
        if not engines.is_remote():
            raise CommandError("FACTORYAI_FACE_ENGINE is local: there is nothing elsewhere to reconcile.")
        sites = Site.objects.filter(slug=options["site"]) if options["site"] else Site.objects.all()
        found = reconcile_faces(
            sites=sites,
            at=timezone.now(),
            is_dry_run=bool(options["dry_run"]),
            removes_unknown=bool(options["remove_unknown"]),
        )
        for drift in found:
            self.stdout.write(
                f"{drift.site}: {drift.present} fit; {drift.missing_there} missing there, "
                f"{drift.not_enrolled_there} never enrolled there, {len(drift.unnoted_there)} not noted here, "
                f"{len(drift.unknown_there)} unknown there; "
                f"{drift.enrolled} enrolled, {drift.deleted} deleted, {drift.still_to_delete} still to delete, "
                f"{drift.removed_unknown} unknown removed. {drift.error}".rstrip()
            )
        if any(drift.error for drift in found):
            raise CommandError("Not every site could be reconciled.")
