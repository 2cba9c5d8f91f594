from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("attendance", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="dayrecord",
            name="leave",
            field=models.CharField(
                blank=True,
                choices=[("whole", "whole day"), ("first_half", "first half"), ("second_half", "second half")],
                help_text="How much of the day is leave.",
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="leave",
            name="part",
            field=models.CharField(
                choices=[("whole", "whole day"), ("first_half", "first half"), ("second_half", "second half")],
                default="whole",
                help_text="A half is cut in the middle of the shift: who is on leave for the first half is due from there on.",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="decision",
            name="kind",
            field=models.CharField(
                choices=[
                    ("late", "late"),
                    ("early_exit", "early exit"),
                    ("missing_out", "no exit"),
                    ("missing_in", "no entry"),
                    ("off_shift", "off shift"),
                    ("low_confidence", "low confidence"),
                    ("auto_closed", "closed by itself"),
                    ("lates_half_day", "half day for lates"),
                    ("worked_on_leave", "worked on leave"),
                    ("absent_half", "absent for half"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="flag",
            name="kind",
            field=models.CharField(
                choices=[
                    ("late", "late"),
                    ("early_exit", "early exit"),
                    ("missing_out", "no exit"),
                    ("missing_in", "no entry"),
                    ("off_shift", "off shift"),
                    ("low_confidence", "low confidence"),
                    ("auto_closed", "closed by itself"),
                    ("lates_half_day", "half day for lates"),
                    ("worked_on_leave", "worked on leave"),
                    ("absent_half", "absent for half"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="leave",
            name="kind",
            field=models.CharField(default="leave", help_text="Such as annual, sick or unpaid.", max_length=40),
        ),
    ]
