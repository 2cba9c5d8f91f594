"""The constraint begins with what a repeat is looked for by; its index is used for that, too."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("occupancy", "0004_index_what_sets_a_count")]

    operations = [
        migrations.RemoveConstraint(model_name="log", name="one_log_per_event"),
        migrations.AddConstraint(
            model_name="log",
            constraint=models.UniqueConstraint(fields=("source", "event_id", "zone"), name="one_log_per_event"),
        ),
    ]
