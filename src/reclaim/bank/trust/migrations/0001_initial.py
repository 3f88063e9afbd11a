import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("ledger", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Correction",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "record",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="correction", to="ledger.ledgerrecord"
                    ),
                ),
                (
                    "decision",
                    models.CharField(
                        choices=[
                            ("keep", "Keep it for review only"),
                            ("restore", "Restore it"),
                            ("withdraw", "Take it out: reported by mistake"),
                        ],
                        max_length=8,
                    ),
                ),
                ("position", models.BigIntegerField()),
                ("at", models.DateTimeField(auto_now=True)),
                ("by", models.CharField(max_length=40)),
            ],
        ),
    ]
