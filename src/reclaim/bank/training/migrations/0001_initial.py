import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("casework", "0001_initial"),
        ("cooperation", "0001_initial"),
        ("organisations", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Sandbox",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("code_mac", models.BinaryField(default=bytes, max_length=32)),
            ],
        ),
        migrations.CreateModel(
            name="Group",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=60)),
                ("track", models.CharField(max_length=20)),
                ("language", models.CharField(default="en", max_length=20)),
                ("code_mac", models.BinaryField(max_length=32, unique=True)),
                ("made_at", models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name="Certificate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=14, unique=True)),
                ("track", models.CharField(max_length=20)),
                ("scenarios", models.JSONField()),
                ("score", models.PositiveSmallIntegerField()),
                ("day", models.DateField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("score__lte", 100)), name="at_most_a_hundred_percent")
                ],
            },
        ),
        migrations.CreateModel(
            name="Trainee",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="trainees", to="training.group"
                    ),
                ),
                ("nickname", models.CharField(max_length=24)),
                ("token_mac", models.BinaryField(max_length=32, unique=True)),
                ("joined_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "practitioner",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to="organisations.practitioner"
                    ),
                ),
                ("secret", models.CharField(max_length=43)),
                (
                    "certificate",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to="training.certificate"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("group", "nickname"), name="one_nickname_a_group")],
            },
        ),
        migrations.CreateModel(
            name="Play",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                (
                    "trainee",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="plays", to="training.trainee"
                    ),
                ),
                ("scenario", models.CharField(max_length=40)),
                ("at", models.PositiveSmallIntegerField(default=0)),
                ("days", models.PositiveIntegerField(default=0)),
                ("begun_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "case_file",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to="casework.casefile"),
                ),
                (
                    "demand",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to="cooperation.legaldemand"
                    ),
                ),
                ("made_up", models.JSONField(default=dict)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("trainee", "scenario"), name="one_play_a_scenario")],
            },
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "play",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="decisions", to="training.play"
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("choice", models.CharField(blank=True, max_length=40)),
                ("points", models.PositiveSmallIntegerField(default=0)),
                ("most", models.PositiveSmallIntegerField(default=0)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "ordering": ["number"],
                "constraints": [
                    models.UniqueConstraint(fields=("play", "number"), name="one_decision_a_step"),
                    models.CheckConstraint(
                        condition=models.Q(("points__lte", models.F("most"))), name="points_within_the_most"
                    ),
                ],
            },
        ),
    ]
