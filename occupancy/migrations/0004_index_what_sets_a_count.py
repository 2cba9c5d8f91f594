"""An index of the few logs that set a count among the many that move it."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("occupancy", "0003_add_stays_and_lines")]

    operations = [
        migrations.AddIndex(
            model_name="log",
            index=models.Index(condition=models.Q(("step", 0)), fields=["zone", "at_us", "id"], name="log_zone_set"),
        ),
    ]
