"""Entries that were written without a match key never met a read: they get the key of their plate."""

import re

from django.db import migrations
from django.utils import timezone

STATES = (
    "AN|AP|AR|AS|BR|CG|CH|DD|DL|DN|GA|GJ|HP|HR|JH|JK|KA|KL|LA|LD|"
    "MH|ML|MN|MP|MZ|NL|OD|OR|PB|PY|RJ|SK|TG|TN|TR|TS|UA|UK|UP|WB"
)
STANDARD = re.compile(rf"({STATES})([0-9]{{1,2}})([A-HJ-NP-Z]{{0,3}})([0-9]{{1,4}})")


def key_of(plate):
    """Return the key of a standard mark; of any other plate its letters and digits, until it is saved again."""
    text = re.sub(r"[^A-Z0-9]", "", plate.upper())
    if match := STANDARD.fullmatch(text):
        state, office, series, number = match.groups()
        return f"{state}-{int(office)}-{series}-{int(number)}"
    return text


def give_keys(apps, schema_editor):
    entries = apps.get_model("vehicles", "ListEntry").objects
    for entry in entries.filter(match_key="").order_by("pk"):
        entry.match_key = key_of(entry.plate) or f"entry {entry.pk}"
        same = entries.filter(site=entry.site, list=entry.list, match_key=entry.match_key, removed_at=None)
        if entry.removed_at is None and same.exists():
            entry.removed_at = timezone.now()
        entry.save(update_fields=["match_key", "removed_at"])


class Migration(migrations.Migration):
    dependencies = [("vehicles", "0002_keep_what_the_list_said")]
    operations = [migrations.RunPython(give_keys, migrations.RunPython.noop)]
