import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("platforms", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Application",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=24, unique=True)),
                ("pickup_mac", models.BinaryField(max_length=32)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "Asked"),
                            ("vetted", "Vetted"),
                            ("consented", "Consented"),
                            ("joined", "Joined"),
                            ("declined", "Declined"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="asked",
                        max_length=10,
                    ),
                ),
                ("asked_at", models.DateTimeField(auto_now_add=True)),
                ("changed_at", models.DateTimeField(auto_now_add=True)),
                ("name", models.CharField(max_length=80)),
                ("web", models.CharField(max_length=200)),
                ("contact", models.CharField(max_length=200)),
                ("country", models.CharField(max_length=2)),
                ("kind", models.CharField(max_length=20)),
                ("people", models.CharField(max_length=20)),
                ("media", models.JSONField(default=list)),
                ("review", models.TextField()),
                ("wanted", models.JSONField(default=list)),
                ("addresses", models.JSONField(default=list)),
                ("granted", models.JSONField(default=list)),
                (
                    "vetted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                (
                    "consented_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "declined_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("declined_because", models.TextField(blank=True)),
                ("synthetic", models.BooleanField(default=False)),
                (
                    "platform",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="applications",
                        to="platforms.platform",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["state", "changed_at"], name="operations__state_866e66_idx")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("consented_by", None),
                            models.Q(
                                models.Q(("vetted_by", None), _negated=True),
                                models.Q(("consented_by", models.F("vetted_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="who_consents_is_not_who_vetted",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["consented", "joined"]), _negated=True),
                            models.Q(("consented_by", None), _negated=True),
                            ("synthetic", True),
                            _connector="OR",
                        ),
                        name="nobody_joins_without_consent",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "vetted"), _negated=True),
                            models.Q(("vetted_by", None), _negated=True),
                            _connector="OR",
                        ),
                        name="somebody_has_vetted_it",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Invention",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("made", models.PositiveIntegerField(default=0)),
                ("moved_at", models.DateTimeField(null=True)),
            ],
        ),
    ]
