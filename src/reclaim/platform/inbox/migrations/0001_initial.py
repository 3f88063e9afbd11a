import uuid

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("platform_subscription", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="UploadKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mac", models.BinaryField(max_length=32, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="Rules",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("two_to_block", models.BooleanField(default=False)),
                (
                    "two_to_let_through",
                    models.CharField(
                        choices=[("never", "No"), ("close", "If the match is close"), ("always", "Always")],
                        default="never",
                        max_length=6,
                    ),
                ),
                ("two_for_appeals", models.BooleanField(default=False)),
                (
                    "undo_minutes",
                    models.PositiveSmallIntegerField(
                        default=15,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(120),
                        ],
                    ),
                ),
                (
                    "answer_after_minutes",
                    models.PositiveSmallIntegerField(
                        default=0,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(120),
                        ],
                    ),
                ),
                (
                    "appeal_days",
                    models.PositiveSmallIntegerField(
                        default=14,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(90),
                        ],
                    ),
                ),
                (
                    "break_after_minutes",
                    models.PositiveSmallIntegerField(
                        default=50,
                        validators=[
                            django.core.validators.MinValueValidator(20),
                            django.core.validators.MaxValueValidator(120),
                        ],
                    ),
                ),
                (
                    "break_minutes",
                    models.PositiveSmallIntegerField(
                        default=10,
                        validators=[
                            django.core.validators.MinValueValidator(5),
                            django.core.validators.MaxValueValidator(60),
                        ],
                    ),
                ),
                (
                    "hourly_minutes",
                    models.PositiveSmallIntegerField(
                        default=0,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(60),
                        ],
                    ),
                ),
                ("hourly_cap_is_hard", models.BooleanField(default=False)),
                ("views", models.BooleanField(default=True)),
                (
                    "review_distance",
                    models.PositiveSmallIntegerField(
                        default=31,
                        validators=[
                            django.core.validators.MinValueValidator(31),
                            django.core.validators.MaxValueValidator(60),
                        ],
                    ),
                ),
                (
                    "partly_altered",
                    models.CharField(
                        choices=[("review", "A person looks"), ("label", "Our own systems are told, and nobody looks")],
                        default="review",
                        max_length=6,
                    ),
                ),
                ("sources", models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name="Upload",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("picture", "Picture"), ("video", "Video")], default="picture", max_length=7
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("clear", "Clear"), ("held", "Held"), ("blocked", "Blocked")], max_length=8
                    ),
                ),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("quality", models.PositiveSmallIntegerField()),
                ("poor", models.BooleanField()),
                ("adult", models.BooleanField(null=True)),
                ("width", models.PositiveSmallIntegerField(null=True)),
                ("height", models.PositiveSmallIntegerField(null=True)),
                ("moments", models.JSONField(default=list)),
                ("received_at", models.DateTimeField(auto_now_add=True)),
                ("answer_from", models.DateTimeField(null=True)),
                ("carried_out_at", models.DateTimeField(null=True)),
                ("copy_until", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Match",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                (
                    "upload",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="matches", to="platform_inbox.upload"
                    ),
                ),
                (
                    "signal",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="matches",
                        to="platform_subscription.knownsignal",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("blocked", "Blocked"),
                            ("not-blocked", "Not Blocked"),
                            ("withdrawn", "Withdrawn"),
                            ("labelled", "Labelled"),
                            ("not-confirmed", "Not Confirmed"),
                        ],
                        default="open",
                        max_length=13,
                    ),
                ),
                ("holds", models.BooleanField(default=True)),
                ("distance", models.PositiveSmallIntegerField(null=True)),
                ("query_percent", models.FloatField(null=True)),
                ("video_percent", models.FloatField(null=True)),
                ("turn", models.CharField(max_length=12)),
                ("quality", models.PositiveSmallIntegerField()),
                ("relation", models.JSONField(null=True)),
                ("unchecked", models.BooleanField(default=False)),
                ("of_a_source", models.BooleanField(default=False)),
                ("found_at", models.DateTimeField(auto_now_add=True)),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "together",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="followers",
                        to="platform_inbox.match",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["status", "found_at"], name="platform_in_status_8dc564_idx")],
                "constraints": [
                    models.UniqueConstraint(fields=("upload", "signal"), name="platform_one_match_a_signal"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("holds", False),
                            models.Q(
                                ("of_a_source", False),
                                ("turn", "original"),
                                ("unchecked", False),
                                models.Q(("distance", None), ("distance__lte", 31), _connector="OR"),
                            ),
                            _connector="OR",
                        ),
                        name="platform_only_the_same_holds",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Candidate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "upload",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="candidates",
                        to="platform_inbox.upload",
                    ),
                ),
                (
                    "signal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="candidates",
                        to="platform_subscription.knownsignal",
                    ),
                ),
                ("pairs", models.JSONField()),
                ("frame", models.JSONField()),
                ("part", models.JSONField(null=True)),
                ("at", models.FloatField(null=True)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("next_try_at", models.DateTimeField(auto_now_add=True, db_index=True)),
                ("found_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("upload", "signal"), name="platform_one_candidate_a_signal")
                ],
            },
        ),
        migrations.CreateModel(
            name="Appeal",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                (
                    "upload",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="appeals", to="platform_inbox.upload"
                    ),
                ),
                ("text", models.CharField(max_length=2000)),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "Open"), ("upheld", "Upheld"), ("overturned", "Overturned")],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("answer", models.CharField(blank=True, max_length=1000)),
                ("received_at", models.DateTimeField(auto_now_add=True)),
                ("decided_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "open")), fields=("upload",), name="platform_one_open_appeal"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "match",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="decisions", to="platform_inbox.match"
                    ),
                ),
                (
                    "appeal",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="decisions",
                        to="platform_inbox.appeal",
                    ),
                ),
                (
                    "verdict",
                    models.CharField(choices=[("blocked", "Blocked"), ("not-blocked", "Not Blocked")], max_length=12),
                ),
                ("reviewer", models.CharField(max_length=80)),
                ("actor", models.CharField(max_length=80)),
                ("by_lead", models.BooleanField(default=False)),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("not-the-same", "It is not what was reported"),
                            ("not-intimate", "It is what was reported, and nothing intimate"),
                            ("allowed-here", "It is what was reported, and allowed here"),
                            ("cannot-tell", "I cannot tell"),
                            ("other", "Another reason"),
                        ],
                        max_length=12,
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=500)),
                ("decided_at", models.DateTimeField(auto_now_add=True)),
                ("undone_at", models.DateTimeField(null=True)),
                ("undone_by", models.CharField(blank=True, max_length=80)),
                ("undone_why", models.CharField(blank=True, max_length=500)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("appeal", None), ("undone_at", None)),
                        fields=("match", "actor"),
                        name="platform_one_standing_decision",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("undone_at", None)),
                        fields=("appeal", "actor"),
                        name="platform_one_word_on_an_appeal",
                    ),
                ],
            },
        ),
    ]
