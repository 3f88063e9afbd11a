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
            name="Feedback",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("platform", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="platforms.platform")),
                (
                    "record",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="feedback", to="ledger.ledgerrecord"
                    ),
                ),
                (
                    "value",
                    models.CharField(
                        choices=[
                            ("Unknown", "Unknown"),
                            ("None", "None"),
                            ("QualityUnknown", "QualityUnknown"),
                            ("PendingReview", "PendingReview"),
                            ("Blocked", "Blocked"),
                            ("NotBlocked", "NotBlocked"),
                            ("Withdrawn", "Withdrawn"),
                            ("Deleted", "Deleted"),
                        ],
                        max_length=16,
                    ),
                ),
                ("tags", models.JSONField(default=list)),
                ("distance", models.PositiveSmallIntegerField(null=True)),
                ("count", models.PositiveIntegerField(default=1)),
                (
                    "action",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("none", "None"),
                            ("hidden", "Hidden"),
                            ("removed", "Removed"),
                            ("account-restricted", "Account Restricted"),
                            ("other", "Other"),
                        ],
                        max_length=18,
                    ),
                ),
                (
                    "decided_by",
                    models.CharField(blank=True, choices=[("person", "Person"), ("machine", "Machine")], max_length=7),
                ),
                ("said_position", models.BigIntegerField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("platform", "record"), name="one_feedback_a_platform")],
            },
        ),
        migrations.CreateModel(
            name="Acknowledgement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("platform", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="platforms.platform")),
                (
                    "record",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="acknowledgements",
                        to="ledger.ledgerrecord",
                    ),
                ),
                ("at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("platform", "record"), name="one_acknowledgement_a_platform")
                ],
            },
        ),
    ]
