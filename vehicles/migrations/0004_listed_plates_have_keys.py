import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("vehicles", "0003_give_listed_plates_their_keys")]

    operations = [
        migrations.AlterField(
            model_name="listentry",
            name="added_at",
            field=models.DateTimeField(default=django.utils.timezone.now),
        ),
        migrations.AddConstraint(
            model_name="listentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("match_key", ""), _negated=True), name="a_listed_plate_has_a_key"
            ),
        ),
    ]
