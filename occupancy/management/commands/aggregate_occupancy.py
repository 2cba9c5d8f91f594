"""`manage.py aggregate_occupancy`: sum the people inside anew."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from factoryai.sites.models import Site
from occupancy.services.sums import sum_again


class Command(BaseCommand):
    help = "Sum hours, days and months anew from the raw logs. Doing it twice gives the same sums."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="first", type=date.fromisoformat, help="first local day, YYYY-MM-DD")
        parser.add_argument("--to", dest="last", type=date.fromisoformat, help="last local day, YYYY-MM-DD")
        parser.add_argument("--site", help="slug; all sites without it")

    def handle(self, *args: Any, **options: Any) -> None:
        sites = list(Site.objects.filter(slug=options["site"]) if options["site"] else Site.objects.all())
        if not sites:
            raise CommandError(f"There is no site {options['site']}.")
        counts = sum_again(at=timezone.now(), sites=sites, first=options["first"], last=options["last"])
        self.stdout.write(", ".join(f"{count} {name}" for name, count in counts.items()))
