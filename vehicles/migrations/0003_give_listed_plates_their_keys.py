"""Entries that were written without a match key never met a read: they get the key of their plate."""

import re

from django.db import migrations
from django.utils import timezone

STATES = (
    "AN|AP|AR|AS|BR|CG|CH|DD|DL|DN|GA|GJ|HP|HR|JH|JK|KA|KL|LA|LD|"
    "MH|ML|MN|MP|MZ|NL|OD|OR|PB|PY|RJ|SK|TG|TN|TR|TS|UA|UK|UP|WB"
)
LETTERS = "[A-HJ-NP-Z]"
FAMILIES = (
    (rf"({STATES})([0-9]{{1,2}})({LETTERS}{{0,3}})([0-9]{{1,4}})", (1, 3)),
    (rf"([0-9]{{2}})BH([0-9]{{4}})({LETTERS}{{1,2}})", ()),
    (r"([0-9]{1,3})(CD|CC|UN)([0-9]{1,4})", (0, 2)),
    (rf"([0-9]{{2}})({LETTERS})([0-9]{{6}})([A-Z])", ()),
    (rf"T([0-9]{{2}})([0-9]{{2}})({STATES})([0-9]{{4}})({LETTERS}{{1,2}})", ()),
    (rf"({STATES})([0-9]{{1,2}})([A-J])([0-9]{{4}})TC([0-9]{{4}})", (1,)),
    (rf"({STATES})(VA)({LETTERS}{{2}})([0-9]{{1,4}})", (3,)),
)
"""Shapes of marks: standard, Bharat, diplomatic, military, temporary, trade, vintage; and which of their parts are
numbers, in which a zero in front says nothing."""


def key_of(plate):
    """Return the key of a mark; of any other plate its letters and digits, as plates of a site's own format have it."""
    text = re.sub(r"[^A-Z0-9]", "", plate.upper())
    for spelling in (text, text.removeprefix("IND")):
        for shape, numbers in FAMILIES:
            if match := re.fullmatch(shape, spelling):
                return "-".join(
                    str(int(part)) if place in numbers else part for place, part in enumerate(match.groups())
                )
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
