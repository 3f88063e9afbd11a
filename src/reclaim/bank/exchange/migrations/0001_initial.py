import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("platforms", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Snapshot",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                (
                    "platform",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="snapshots", to="platforms.platform"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("wanted", "Wanted"), ("making", "Making"), ("ready", "Ready")],
                        default="wanted",
                        max_length=6,
                    ),
                ),
                ("asked_at", models.DateTimeField(auto_now_add=True)),
                ("beat_at", models.DateTimeField(null=True)),
                ("tries", models.PositiveIntegerField(default=0)),
                ("made_at", models.DateTimeField(null=True)),
                ("ledger", models.UUIDField(null=True)),
                ("position", models.BigIntegerField(default=0)),
                ("second", models.BigIntegerField(default=0)),
                ("rows", models.PositiveBigIntegerField(default=0)),
                ("parts", models.JSONField(default=list)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "ready"), _negated=True),
                        fields=("platform",),
                        name="one_snapshot_in_the_making_a_platform",
                    )
                ],
            },
        ),
    ]
