import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("platforms", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Allowance",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "platform",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lookup_allowance",
                        to="platforms.platform",
                    ),
                ),
                ("a_day", models.PositiveIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="LookupDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "platform",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lookup_days", to="platforms.platform"
                    ),
                ),
                ("day", models.DateField()),
                ("lookups", models.PositiveIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("platform", "day"), name="one_count_a_platform_and_day")
                ],
            },
        ),
        migrations.CreateModel(
            name="Lookup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("platform", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="platforms.platform")),
                ("at", models.DateTimeField(auto_now_add=True, db_index=True)),
                ("near", models.BinaryField(max_length=32)),
                ("asked", models.BinaryField(max_length=32)),
                ("missed", models.BooleanField()),
            ],
            options={
                "indexes": [models.Index(fields=["platform", "near", "at"], name="lookup_look_platfor_055f00_idx")],
            },
        ),
        migrations.CreateModel(
            name="LookupAlarm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "platform",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lookup_alarms",
                        to="platforms.platform",
                    ),
                ),
                ("raised_at", models.DateTimeField(auto_now_add=True)),
                ("versions", models.PositiveIntegerField()),
                ("stopped", models.BooleanField(default=False)),
                ("closed_at", models.DateTimeField(null=True)),
                ("closed_by", models.CharField(blank=True, max_length=100)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at", None)), fields=("platform",), name="one_open_alarm_a_platform"
                    )
                ],
            },
        ),
    ]
