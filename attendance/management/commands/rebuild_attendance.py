"""Derives day records again from the facts: `manage.py rebuild_attendance --from 2026-03-01 --to 2026-03-31`."""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from attendance.services.rebuild import rebuild_site
from factoryai.sites.models import Site


class Command(BaseCommand):
    help = "Derive day records again from punches, rosters and calendars. Locked days stay as they are."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="first", type=dt.date.fromisoformat, required=True, metavar="DATE")
        parser.add_argument("--to", dest="last", type=dt.date.fromisoformat, required=True, metavar="DATE")
        parser.add_argument("--site", help="the slug of one site; without it all of them")

    def handle(self, *args: Any, first: dt.date, last: dt.date, site: str | None, **options: Any) -> None:
        if last < first:
            raise CommandError("--to lies before --from.")
        sites = Site.objects.filter(is_active=True)
        if site and not (sites := sites.filter(slug=site)):
            raise CommandError(f"There is no site {site}.")
        for one in sites:
            done = rebuild_site(site=one, first=first, last=last, at=timezone.now())
            self.stdout.write(f"{one.slug}: {done.people} people, {done.written} days written, {done.deleted} deleted")
