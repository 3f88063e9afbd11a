import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("ledger", "0001_initial"),
        ("organisations", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Case",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("number_mac", models.BinaryField(max_length=32, unique=True)),
                ("pin_hash", models.CharField(max_length=200)),
                ("made_on", models.DateField(auto_now_add=True)),
                ("last_number", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="CaseItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="items", to="cases.case"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("kind", models.CharField(choices=[("picture", "Picture"), ("video", "Video")], max_length=7)),
                (
                    "made_with_ai",
                    models.CharField(
                        choices=[("yes", "Yes"), ("no", "No"), ("unsaid", "Unsaid")], default="unsaid", max_length=6
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("in place", "In Place"),
                            ("held", "Held"),
                            ("refused", "Refused"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="in place",
                        max_length=9,
                    ),
                ),
                ("held_for", models.JSONField(default=list)),
                (
                    "refused_for",
                    models.CharField(
                        blank=True,
                        choices=[("harmless", "Harmless"), ("unclear", "Unclear"), ("mistaken", "Mistaken")],
                        max_length=8,
                    ),
                ),
                ("added_on", models.DateField(auto_now_add=True)),
                ("withdrawn_on", models.DateField(null=True)),
                ("refused_on", models.DateField(null=True)),
            ],
            options={
                "ordering": ["number"],
                "constraints": [
                    models.UniqueConstraint(fields=("case", "number"), name="one_item_a_number"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "withdrawn"), models.Q(("withdrawn_on", None), _negated=True)),
                            models.Q(models.Q(("state", "withdrawn"), _negated=True), ("withdrawn_on", None)),
                            _connector="OR",
                        ),
                        name="withdrawn_on_a_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("state", "refused"),
                                models.Q(("refused_on", None), _negated=True),
                                models.Q(("refused_for", ""), _negated=True),
                            ),
                            models.Q(
                                models.Q(("state", "refused"), _negated=True), ("refused_on", None), ("refused_for", "")
                            ),
                            _connector="OR",
                        ),
                        name="refused_on_a_day_for_a_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CaseSignal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="signals", to="cases.caseitem"
                    ),
                ),
                ("source", models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, to="ledger.source")),
            ],
        ),
        migrations.CreateModel(
            name="Answer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("receipt_mac", models.BinaryField(max_length=32, unique=True)),
                ("content_mac", models.BinaryField(max_length=32)),
                ("case", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="cases.case")),
                ("told", models.JSONField()),
                ("until", models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="Consent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="consents", to="cases.case"
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="consents",
                        to="organisations.organisation",
                    ),
                ),
                ("code_mac", models.BinaryField(max_length=32, null=True, unique=True)),
                ("code_until", models.DateTimeField(null=True)),
                ("opened_at", models.DateTimeField(null=True)),
                ("last_read_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("case", "organisation"), name="one_consent_an_organisation"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("code_mac__isnull", True), ("code_until__isnull", True), ("opened_at__isnull", False)
                            ),
                            models.Q(
                                ("code_mac__isnull", False), ("code_until__isnull", False), ("opened_at__isnull", True)
                            ),
                            _connector="OR",
                        ),
                        name="a_code_or_its_use",
                    ),
                ],
            },
        ),
    ]
