import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("casework", "0001_initial"),
        ("organisations", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Host",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=253, unique=True)),
                ("domain", models.CharField(blank=True, max_length=253)),
                ("registrar", models.CharField(blank=True, max_length=200)),
                ("registrar_abuse", models.EmailField(blank=True, max_length=254)),
                ("network", models.CharField(blank=True, max_length=200)),
                ("network_abuse", models.EmailField(blank=True, max_length=254)),
                ("country", models.CharField(blank=True, max_length=2)),
                ("facts_from", models.CharField(blank=True, choices=[("rdap", "RDAP")], max_length=4)),
                ("asked_at", models.DateTimeField(null=True)),
                ("fault", models.CharField(blank=True, max_length=300)),
                ("due_at", models.DateTimeField(null=True)),
                ("free_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["due_at", "free_at"], name="hosts_due"),
                    models.Index(fields=["asked_at"], name="hosts_by_age_of_facts"),
                ],
            },
        ),
        migrations.CreateModel(
            name="TypedFacts",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "host",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="typed", to="takedown.host"
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="organisations.organisation"
                    ),
                ),
                ("registrar", models.CharField(blank=True, max_length=200)),
                ("registrar_abuse", models.EmailField(blank=True, max_length=254)),
                ("network", models.CharField(blank=True, max_length=200)),
                ("network_abuse", models.EmailField(blank=True, max_length=254)),
                ("country", models.CharField(blank=True, max_length=2)),
                ("typed_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("host", "organisation"), name="one_typed_facts_a_host_and_organisation"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Page",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mac", models.BinaryField(max_length=32, unique=True)),
                ("sealed_url", models.TextField()),
                (
                    "host",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="pages", to="takedown.host"
                    ),
                ),
                (
                    "seen",
                    models.CharField(
                        blank=True, choices=[("", "Nothing"), ("up", "Up"), ("gone", "Gone")], default="", max_length=4
                    ),
                ),
                ("gone_since", models.DateTimeField(null=True)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("up", "Up"),
                            ("gone", "Gone"),
                            ("walled", "Walled"),
                            ("refused", "Refused"),
                            ("failed", "Failed"),
                            ("forbidden", "Forbidden"),
                        ],
                        max_length=9,
                    ),
                ),
                ("status", models.PositiveSmallIntegerField(null=True)),
                ("checked_at", models.DateTimeField(null=True)),
                ("next_check_at", models.DateTimeField(null=True)),
                ("looks", models.PositiveSmallIntegerField(default=0)),
            ],
            options={
                "indexes": [models.Index(fields=["host", "next_check_at"], name="pages_due")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("gone_since__isnull", False), ("seen", "gone")),
                            models.Q(("seen", "gone"), _negated=True),
                            _connector="OR",
                        ),
                        name="gone_has_a_time",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Link",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                (
                    "case_file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="links", to="casework.casefile"
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="links",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "page",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="links", to="takedown.page"
                    ),
                ),
                ("sealed_url", models.TextField()),
                ("host", models.CharField(max_length=253)),
                ("platform", models.CharField(blank=True, max_length=60)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("new", "New"),
                            ("up", "Up"),
                            ("asked", "Asked"),
                            ("down", "Down"),
                            ("relisted", "Relisted"),
                            ("given-up", "Given Up"),
                        ],
                        default="new",
                        max_length=8,
                    ),
                ),
                ("found_on", models.DateTimeField(default=django.utils.timezone.now)),
                ("first_down_on", models.DateTimeField(null=True)),
                ("relisted_on", models.DateTimeField(null=True)),
                ("relists", models.PositiveSmallIntegerField(default=0)),
                (
                    "added_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to="organisations.practitioner"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["case_file", "-found_on"], name="links_of_case_file"),
                    models.Index(fields=["organisation", "-found_on"], name="links_of_organisation"),
                    models.Index(fields=["organisation", "state", "-found_on"], name="links_by_state"),
                    models.Index(fields=["organisation", "host", "-found_on"], name="links_by_host"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("case_file", "page"), name="one_link_a_page_and_case_file")
                ],
            },
        ),
        migrations.CreateModel(
            name="TakedownRequest",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                (
                    "link",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="requests", to="takedown.link"
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="organisations.organisation"
                    ),
                ),
                (
                    "route",
                    models.CharField(
                        choices=[
                            ("form", "Form"),
                            ("mail", "Mail"),
                            ("api", "Api"),
                            ("search", "Search"),
                            ("host", "Host"),
                            ("registrar", "Registrar"),
                            ("regulator", "Regulator"),
                        ],
                        max_length=9,
                    ),
                ),
                ("law", models.CharField(blank=True, max_length=80)),
                ("language", models.CharField(max_length=12)),
                ("to", models.CharField(max_length=300)),
                ("sealed_subject", models.TextField()),
                ("sealed_text", models.TextField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("sending", "Sending"),
                            ("unknown", "Unknown"),
                            ("sent", "Sent"),
                            ("answered", "Answered"),
                            ("refused", "Refused"),
                            ("done", "Done"),
                        ],
                        default="draft",
                        max_length=8,
                    ),
                ),
                (
                    "drafted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="drafted_requests",
                        to="organisations.practitioner",
                    ),
                ),
                (
                    "sent_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="sent_requests",
                        to="organisations.practitioner",
                    ),
                ),
                ("drafted_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("sending_since", models.DateTimeField(null=True)),
                ("sent_at", models.DateTimeField(null=True)),
                ("answered_at", models.DateTimeField(null=True)),
                ("message_id", models.CharField(blank=True, max_length=200)),
                ("fault", models.CharField(blank=True, max_length=300)),
                ("remind_at", models.DateTimeField(null=True)),
                ("reminded_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["link", "-drafted_at"], name="requests_of_link"),
                    models.Index(
                        condition=models.Q(("remind_at__isnull", False)), fields=["remind_at"], name="requests_due"
                    ),
                    models.Index(
                        condition=models.Q(("remind_at__isnull", False)),
                        fields=["organisation", "remind_at"],
                        name="requests_due_of",
                    ),
                    models.Index(
                        condition=models.Q(("state", "unknown")), fields=["organisation"], name="requests_unknown"
                    ),
                    models.Index(
                        condition=models.Q(("state", "sending")), fields=["sending_since"], name="requests_on_their_way"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ("draft", "sending", "unknown")), ("sent_at__isnull", False), _connector="OR"
                        ),
                        name="what_was_sent_has_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("sending_since__isnull", False), ("state", "sending")),
                            models.Q(("state", "sending"), _negated=True),
                            _connector="OR",
                        ),
                        name="sending_has_a_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RunningClock",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="clocks",
                        to="takedown.takedownrequest",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="organisations.organisation"
                    ),
                ),
                ("law", models.CharField(max_length=80)),
                ("law_name", models.CharField(max_length=200)),
                ("country", models.CharField(max_length=2)),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("basis", models.CharField(max_length=600)),
                ("authority", models.CharField(blank=True, max_length=300)),
                ("reviewed", models.BooleanField()),
            ],
            options={
                "indexes": [models.Index(fields=["organisation", "ends_at"], name="clocks_by_end")],
                "constraints": [
                    models.UniqueConstraint(fields=("request", "law", "starts_at"), name="one_clock_a_law_and_start"),
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gte", models.F("starts_at"))), name="clocks_run_forward"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Reply",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "request",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="replies",
                        to="takedown.takedownrequest",
                    ),
                ),
                ("arrived_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("automatic", models.BooleanField(default=False)),
                ("bounced", models.BooleanField(default=False)),
                ("sealed_from", models.TextField()),
                ("sealed_subject", models.TextField()),
                ("sealed_text", models.TextField()),
                ("cut", models.BooleanField(default=False)),
                ("attachments", models.JSONField(default=list)),
                ("mac", models.BinaryField(max_length=32, unique=True)),
                (
                    "typed_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to="organisations.practitioner"
                    ),
                ),
                ("read_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("read_at", None), ("request__isnull", False)),
                        fields=["arrived_at"],
                        name="replies_to_read",
                    ),
                    models.Index(fields=["request", "arrived_at"], name="replies_of_request"),
                    models.Index(
                        condition=models.Q(("request", None)), fields=["arrived_at"], name="replies_to_nothing"
                    ),
                ],
            },
        ),
    ]
