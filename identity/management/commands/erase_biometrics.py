"""`manage.py erase_biometrics`: erase everything a person could be recognised by, and prove it."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from identity.models import Employee
from identity.services.erasure import erase_biometrics


class Command(BaseCommand):
    help = "Erase a person's templates, remote faces, photos and snapshots. Payroll rows stay. Ends with 1 if unproven."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--site", required=True, help="Slug of the site.")
        parser.add_argument("--employee", required=True, help="Code of the employee.")

    def handle(self, *args: object, **options: object) -> None:
        employee = Employee.objects.filter(site__slug=options["site"], code=options["employee"]).first()
        if employee is None:
            raise CommandError(f"There is no employee {options['employee']} at {options['site']}.")
        erased = erase_biometrics(employee=employee, at=timezone.now())
        self.stdout.write(
            f"Erased {erased.templates} templates, {erased.photos} photos, {erased.snapshots} snapshots, "
            f"{erased.remote_faces} remote faces; {erased.held} pictures held as evidence stay."
        )
        if not erased.is_proven:
            raise CommandError("Still found: " + "; ".join(erased.traces))
        self.stdout.write("A search for this face finds nothing anywhere.")
