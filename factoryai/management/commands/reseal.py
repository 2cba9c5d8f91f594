"""`manage.py reseal`: seal every secret in the database and every picture again with the newest of the field keys."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.core.management.base import BaseCommand
from django.db import models, transaction

from factoryai.sealing import SealedTextField
from identity.services.snapshots import reseal_snapshots


class Command(BaseCommand):
    help = (
        "Seal every secret again with the first key of FACTORYAI_FIELD_KEY. Put the next key in front of the old one, "
        "restart, run this, then remove the old one. Running it twice does no harm."
    )

    def handle(self, *args: object, **options: object) -> None:
        for model, names in sealed_fields():
            count = reseal(model, names)
            self.stdout.write(f"{model._meta.verbose_name_plural}: {count} sealed with the newest key.")
        self.stdout.write(f"picture files: {reseal_snapshots()} sealed with the newest key.")


def sealed_fields() -> Iterator[tuple[type[models.Model], list[str]]]:
    """Yield every model that keeps secrets, with the names of the fields that do."""
    for model in apps.get_models():
        names = [field.name for field in model._meta.local_concrete_fields if isinstance(field, SealedTextField)]
        if names:
            yield model, names


def reseal(model: type[models.Model], names: list[str]) -> int:
    """Write the fields ``names`` of every row again, one short transaction a row; return how many rows."""
    keys = list(model._base_manager.values_list("pk", flat=True))
    for key in keys:
        with transaction.atomic():
            row = model._base_manager.select_for_update().only(*names).filter(pk=key).first()
            if row is not None:
                model._base_manager.filter(pk=key).update(**{name: getattr(row, name) for name in names})
    return len(keys)
