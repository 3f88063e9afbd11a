import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("ledger", "0001_initial"),
        ("platforms", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Placement",
            fields=[
                (
                    "source",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="placement",
                        serialize=False,
                        to="ledger.source",
                    ),
                ),
                ("sealed", models.BinaryField(max_length=1024)),
            ],
        ),
        migrations.CreateModel(
            name="CheckDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "platform",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="placement_days",
                        to="platforms.platform",
                    ),
                ),
                ("day", models.DateField()),
                ("checks", models.PositiveIntegerField(default=0)),
                ("matches", models.PositiveIntegerField(default=0)),
                ("refused", models.PositiveIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("platform", "day"), name="one_check_count_a_platform_and_day")
                ],
            },
        ),
        migrations.CreateModel(
            name="CheckedSignal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("asked", models.BinaryField(max_length=32)),
                ("day", models.DateField(db_index=True)),
                ("checks", models.PositiveIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("asked", "day"), name="one_check_count_a_value_and_day")
                ],
            },
        ),
    ]
