import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Preferences",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "blur",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (12, "Strong: light and dark areas, no shapes"),
                            (24, "Medium: where something is"),
                            (40, "Weak: rough outlines"),
                        ],
                        default=12,
                    ),
                ),
                (
                    "size",
                    models.PositiveSmallIntegerField(
                        choices=[(192, "Small"), (320, "Medium"), (512, "Large")], default=320
                    ),
                ),
                (
                    "hide_after",
                    models.PositiveSmallIntegerField(
                        default=60,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(600),
                        ],
                    ),
                ),
                ("shortcuts", models.BooleanField(default=True)),
                ("goes_on", models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name="Shift",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("started_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                ("works_since", models.DateTimeField()),
                ("was_reminded", models.BooleanField(default=False)),
                ("postponed_until", models.DateTimeField(null=True)),
                ("breaks_due", models.PositiveSmallIntegerField(default=0)),
                ("breaks_taken", models.PositiveSmallIntegerField(default=0)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)), fields=("member",), name="review_one_shift_at_a_time"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Look",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "shift",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="looks", to="platform_review.shift"
                    ),
                ),
                ("began_at", models.DateTimeField()),
                ("seconds", models.PositiveSmallIntegerField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="BreakWeek",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("monday", models.DateField(unique=True)),
                ("due", models.PositiveIntegerField(default=0)),
                ("taken", models.PositiveIntegerField(default=0)),
            ],
        ),
    ]
