from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Peer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[("reclaim", "Reclaim"), ("stopncii", "Stopncii"), ("ncmec", "Ncmec")],
                        default="reclaim",
                        max_length=8,
                    ),
                ),
                ("url", models.CharField(blank=True, max_length=300)),
                ("bank_id", models.UUIDField(null=True, unique=True)),
                ("public_key", models.BinaryField(max_length=32, null=True)),
                ("sealed_keys", models.TextField(blank=True)),
                ("most_signals", models.PositiveIntegerField(default=1000000)),
                ("active_assertions", models.BigIntegerField(default=0)),
                ("known_assertions", models.BigIntegerField(default=0)),
                ("added_at", models.DateTimeField(auto_now_add=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("checkpoint", models.TextField(blank=True)),
                ("told_position", models.BigIntegerField(default=0)),
                ("tried_at", models.DateTimeField(null=True)),
                ("synced_at", models.DateTimeField(null=True)),
                ("fault", models.CharField(blank=True, max_length=300)),
                ("refused", models.BigIntegerField(default=0)),
                ("strangers", models.BigIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "reclaim"), ("bank_id__isnull", False), ("public_key__isnull", False)),
                            models.Q(
                                models.Q(("kind", "reclaim"), _negated=True),
                                ("bank_id", None),
                                ("public_key", None),
                                models.Q(("url", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="a_bank_has_a_key_and_a_server_an_address",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StatementClock",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.BigIntegerField(default=0)),
                ("version", models.BigIntegerField(default=0)),
                ("read_position", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Withdrawal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mac", models.BinaryField(max_length=32, unique=True)),
            ],
        ),
    ]
