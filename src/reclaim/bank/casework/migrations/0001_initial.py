import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("cases", "0001_initial"),
        ("organisations", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="CaseFile",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("designation", models.CharField(db_index=True, max_length=40)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="case_files",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to="organisations.team"),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to="organisations.practitioner"
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="case_files",
                        to="cases.case",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="cases.case"
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("phone", "Telephone"),
                            ("chat", "Chat"),
                            ("form", "Web form"),
                            ("code", "The person's code"),
                            ("referral", "Referral"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "Open"), ("waiting", "Waiting"), ("closed", "Closed")],
                        default="open",
                        max_length=7,
                    ),
                ),
                ("country", models.CharField(blank=True, max_length=2)),
                ("language", models.CharField(default="en", max_length=12)),
                ("opened_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("touched_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("closed_at", models.DateTimeField(null=True)),
                ("adult_confirmed_at", models.DateTimeField(null=True)),
                ("happened", models.JSONField(default=list)),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("threatened", "Threatened"),
                            ("shared", "Shared"),
                            ("both", "Shared, and more is threatened"),
                            ("unknown", "Not known"),
                        ],
                        default="unknown",
                        max_length=10,
                    ),
                ),
                ("since", models.DateField(null=True)),
                ("places", models.JSONField(default=list)),
                (
                    "made_with_ai",
                    models.CharField(
                        choices=[("yes", "Yes"), ("no", "No"), ("unknown", "Not known")],
                        default="unknown",
                        max_length=7,
                    ),
                ),
                ("at_risk", models.JSONField(default=list)),
                (
                    "police",
                    models.CharField(
                        choices=[
                            ("told", "Yes, told already"),
                            ("wanted", "Not yet, the person wants to"),
                            ("unwanted", "No, the person does not want to"),
                            ("unknown", "Not asked"),
                        ],
                        default="unknown",
                        max_length=8,
                    ),
                ),
                ("safety", models.JSONField(default=dict)),
                (
                    "risk",
                    models.CharField(
                        choices=[("none", "Calm"), ("watch", "Watch"), ("urgent", "Urgent")],
                        default="none",
                        max_length=6,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("removed", "Everything found is gone"),
                            ("partly", "Some of it is gone"),
                            ("prevented", "It was not shared"),
                            ("advised", "Advice was enough"),
                            ("referred", "Somebody else helps now"),
                            ("stopped", "The person did not want to go on"),
                            ("unreached", "The person could not be reached"),
                            ("mistaken", "Opened by mistake"),
                        ],
                        max_length=9,
                    ),
                ),
                ("reach_sealed", models.BinaryField(null=True)),
                ("words_sealed", models.BinaryField(null=True)),
                ("reason_sealed", models.BinaryField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organisation", "-touched_at", "-id"], name="case_files_in_order"),
                    models.Index(
                        condition=models.Q(("status", "closed"), _negated=True),
                        fields=["organisation", "-touched_at", "-id"],
                        name="case_files_at_work",
                    ),
                    models.Index(
                        condition=models.Q(("status", "closed"), _negated=True),
                        fields=["owner", "-touched_at", "-id"],
                        name="case_files_of_owner",
                    ),
                    models.Index(
                        condition=models.Q(("status", "closed"), _negated=True),
                        fields=["team", "-touched_at", "-id"],
                        name="case_files_of_team",
                    ),
                    models.Index(
                        condition=models.Q(("status", "closed")), fields=["closed_at"], name="case_files_to_erase"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "case"), name="one_case_file_a_case_and_organisation"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", False), ("status", "closed")),
                            models.Q(models.Q(("status", "closed"), _negated=True), ("closed_at", None)),
                            _connector="OR",
                        ),
                        name="closed_at_a_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Note",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                (
                    "case_file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="notes", to="casework.casefile"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("work", "Work"), ("supervision", "Supervision"), ("person", "Person")],
                        default="work",
                        max_length=11,
                    ),
                ),
                (
                    "practitioner",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to="organisations.practitioner"
                    ),
                ),
                ("by_person", models.BooleanField(default=False)),
                ("written_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "replaces",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="replaced_by",
                        to="casework.note",
                    ),
                ),
                ("sealed", models.BinaryField()),
            ],
            options={
                "ordering": ["-written_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="Task",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                (
                    "case_file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tasks", to="casework.casefile"
                    ),
                ),
                (
                    "practitioner",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to="organisations.practitioner"
                    ),
                ),
                ("due_on", models.DateField()),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("done_at", models.DateTimeField(null=True)),
                ("sealed", models.BinaryField()),
            ],
            options={
                "ordering": ["due_on", "made_at", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("done_at", None)), fields=["practitioner", "due_on"], name="tasks_to_do"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "case_file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="events", to="casework.casefile"
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "practitioner",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to="organisations.practitioner"
                    ),
                ),
                ("by_person", models.BooleanField(default=False)),
                ("kind", models.CharField(max_length=40)),
                ("facts", models.JSONField(default=dict)),
            ],
            options={
                "indexes": [models.Index(fields=["case_file", "-id"], name="events_in_order")],
            },
        ),
        migrations.CreateModel(
            name="Handover",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                (
                    "case_file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="handovers", to="casework.casefile"
                    ),
                ),
                (
                    "offered_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="handovers_offered",
                        to="organisations.practitioner",
                    ),
                ),
                (
                    "practitioner",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="handovers",
                        to="organisations.practitioner",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="handovers",
                        to="organisations.team",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("offered", "Offered"),
                            ("accepted", "Accepted"),
                            ("declined", "Declined"),
                            ("taken back", "Taken Back"),
                        ],
                        default="offered",
                        max_length=10,
                    ),
                ),
                ("offered_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("answered_at", models.DateTimeField(null=True)),
                ("sealed", models.BinaryField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "offered")), fields=["practitioner"], name="handovers_to_somebody"
                    ),
                    models.Index(condition=models.Q(("state", "offered")), fields=["team"], name="handovers_to_a_team"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "offered")), fields=("case_file",), name="one_handover_at_a_time"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("practitioner", None), ("team__isnull", False)),
                            models.Q(("practitioner__isnull", False), ("team", None)),
                            _connector="OR",
                        ),
                        name="to_a_colleague_or_a_team",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answered_at", None), ("state", "offered")),
                            models.Q(models.Q(("state", "offered"), _negated=True), ("answered_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="answered_at_a_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "case_file",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="invitation", to="casework.casefile"
                    ),
                ),
                (
                    "practitioner",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to="organisations.practitioner"
                    ),
                ),
                ("token_mac", models.BinaryField(max_length=32, unique=True)),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("expires_at", models.DateTimeField(db_index=True)),
                ("used_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Working",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "practitioner",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="organisations.practitioner"
                    ),
                ),
                ("since", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                ("postponed_until", models.DateTimeField(null=True)),
            ],
        ),
    ]
