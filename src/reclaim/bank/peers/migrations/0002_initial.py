import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("ledger", "0001_initial"),
        ("peers", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Assertion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "origin",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="assertions",
                        to="peers.peer",
                    ),
                ),
                ("name", models.CharField(max_length=64)),
                ("version", models.BigIntegerField()),
                ("active", models.BooleanField()),
                (
                    "record",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="assertions",
                        to="ledger.ledgerrecord",
                    ),
                ),
                (
                    "source",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="assertion",
                        to="ledger.source",
                    ),
                ),
                ("quality", models.PositiveSmallIntegerField(null=True)),
                ("made_with_ai", models.BooleanField(default=False)),
                ("person", models.BooleanField(default=False)),
                ("signature", models.BinaryField(max_length=64, null=True)),
                ("position", models.BigIntegerField(null=True, unique=True)),
                ("note", models.CharField(blank=True, max_length=300)),
                ("generation", models.IntegerField(default=0)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["origin", "active", "id"], name="peers_asser_origin__b5548c_idx"),
                    models.Index(
                        condition=models.Q(("active", True), ("origin", None), ("record", None)),
                        fields=["id"],
                        name="own_without_a_record",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("origin", "name"), name="one_assertion_a_name"),
                    models.UniqueConstraint(
                        condition=models.Q(("origin", None)), fields=("name",), name="one_own_assertion_a_name"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("origin", None)), fields=("record",), name="one_own_assertion_a_record"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("position", None), ("signature", None)),
                            models.Q(("position__isnull", False), ("signature__isnull", False)),
                            _connector="OR",
                        ),
                        name="passed_on_means_signed",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Word",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "origin",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="words", to="peers.peer"
                    ),
                ),
                ("name", models.UUIDField()),
                ("version", models.BigIntegerField()),
                (
                    "about",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="words", to="peers.assertion"
                    ),
                ),
                ("platform", models.UUIDField()),
                ("decision", models.CharField(max_length=12)),
                ("reason", models.CharField(blank=True, max_length=16)),
                ("signature", models.BinaryField(max_length=64)),
                ("position", models.BigIntegerField(unique=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("origin", "name"), name="one_word_a_name"),
                    models.UniqueConstraint(
                        condition=models.Q(("origin", None)), fields=("name",), name="one_own_word_a_name"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Debt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "peer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="debts", to="peers.peer"
                    ),
                ),
                ("name", models.CharField(max_length=64)),
                ("sealed", models.TextField()),
                (
                    "record",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to="ledger.ledgerrecord"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("peer", "name"), name="one_debt_a_name")],
            },
        ),
    ]
