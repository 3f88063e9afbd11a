import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("peers", "0001_initial"),
        ("platforms", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="LedgerClock",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.BigIntegerField(default=0)),
                ("second", models.BigIntegerField(default=0)),
                ("in_second", models.IntegerField(default=0)),
                ("identity", models.UUIDField(default=uuid.uuid4)),
                ("synthetic", models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name="LedgerRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("pdq", "Pdq"),
                            ("md5", "Md5"),
                            ("vpdq", "Vpdq"),
                            ("descriptors", "Descriptors"),
                            ("source", "Source"),
                        ],
                        max_length=11,
                    ),
                ),
                ("value", models.CharField(max_length=64, null=True)),
                ("frames", models.JSONField(null=True)),
                ("descriptors", models.BinaryField(null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "Active"), ("withdrawn", "Withdrawn"), ("erased", "Erased")],
                        default="active",
                        max_length=10,
                    ),
                ),
                ("position", models.BigIntegerField(unique=True)),
                ("modified_at", models.BigIntegerField()),
                ("withdrawn_at", models.DateTimeField(null=True)),
                (
                    "only_for",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="canaries",
                        to="platforms.platform",
                    ),
                ),
                ("trust", models.PositiveSmallIntegerField(default=50)),
                ("review_only", models.BooleanField(default=False)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["modified_at", "position"], name="ledger_ledg_modifie_61337e_idx"),
                    models.Index(condition=models.Q(("status", "withdrawn")), fields=["position"], name="tombstones"),
                    models.Index(
                        condition=models.Q(("type__in", ["descriptors", "source"])),
                        fields=["position"],
                        name="extra_types",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("type", "value"), name="one_record_a_signal"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "erased"), ("value", None)),
                            models.Q(
                                models.Q(("status", "erased"), _negated=True), models.Q(("value", None), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="erased_means_no_value",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("frames__isnull", False),
                                ("type", "vpdq"),
                                models.Q(("status", "erased"), _negated=True),
                            ),
                            models.Q(
                                ("frames__isnull", True),
                                models.Q(
                                    models.Q(("type", "vpdq"), _negated=True), ("status", "erased"), _connector="OR"
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="a_kept_vpdq_has_frames",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("descriptors__isnull", False), ("status", "active"), ("type", "descriptors")),
                            models.Q(
                                ("descriptors__isnull", True),
                                models.Q(
                                    models.Q(("type", "descriptors"), _negated=True),
                                    models.Q(("status", "active"), _negated=True),
                                    _connector="OR",
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="active_descriptors_have_bytes",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Source",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                (
                    "record",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sources",
                        to="ledger.ledgerrecord",
                    ),
                ),
                (
                    "platform",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, to="platforms.platform"),
                ),
                ("peer", models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, to="peers.peer")),
                ("quality", models.PositiveSmallIntegerField(null=True)),
                ("of_source", models.BooleanField(default=False)),
                ("made_with_ai", models.BooleanField(default=False)),
                (
                    "state",
                    models.CharField(
                        choices=[("active", "Active"), ("held", "Held"), ("ended", "Ended")],
                        default="active",
                        max_length=6,
                    ),
                ),
                ("added_position", models.BigIntegerField(default=0)),
                ("withdrawn_position", models.BigIntegerField(null=True)),
                ("made_tombstone", models.BooleanField(default=False)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("record", "platform"), name="one_source_a_platform"),
                    models.CheckConstraint(
                        condition=models.Q(("platform", None), ("peer", None), _connector="OR"),
                        name="a_platform_or_a_peer",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "ended"),
                            models.Q(("state", "held"), ("record", None)),
                            models.Q(("state", "active"), models.Q(("record", None), _negated=True)),
                            _connector="OR",
                        ),
                        name="held_means_no_record",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HeldSignal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "source",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="held", to="ledger.source"
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("pdq", "Pdq"),
                            ("md5", "Md5"),
                            ("vpdq", "Vpdq"),
                            ("descriptors", "Descriptors"),
                            ("source", "Source"),
                        ],
                        max_length=11,
                    ),
                ),
                ("value", models.CharField(max_length=64)),
                ("frames", models.JSONField(null=True)),
                ("descriptors", models.BinaryField(null=True)),
            ],
        ),
    ]
