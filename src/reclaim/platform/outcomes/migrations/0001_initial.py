import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("platform_subscription", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Outcome",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "signal",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="outcome",
                        to="platform_subscription.knownsignal",
                    ),
                ),
                (
                    "decision",
                    models.CharField(
                        choices=[("pending", "pending"), ("blocked", "blocked"), ("not-blocked", "not-blocked")],
                        default="pending",
                        max_length=11,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=12)),
                ("distance", models.PositiveSmallIntegerField(null=True)),
                ("count", models.PositiveIntegerField(default=1)),
                ("measure", models.CharField(blank=True, max_length=18)),
                ("by_machine", models.BooleanField(default=False)),
                ("changed_at", models.DateTimeField()),
                ("delivered", models.CharField(default="", max_length=11)),
                ("delivered_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["changed_at"], name="platform_ou_changed_3d82b0_idx")],
            },
        ),
    ]
