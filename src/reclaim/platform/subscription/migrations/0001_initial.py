import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Subscription",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("checkpoint", models.TextField(blank=True)),
                ("synced_at", models.DateTimeField(null=True)),
                ("extra_checkpoint", models.TextField(blank=True)),
                ("extra_types", models.JSONField(default=list)),
                ("version", models.BigIntegerField(default=0)),
                ("store", models.UUIDField(default=uuid.uuid4)),
            ],
        ),
        migrations.CreateModel(
            name="KnownSignal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("type", models.CharField(max_length=12)),
                ("value", models.CharField(max_length=64)),
                ("frames", models.JSONField(null=True)),
                ("descriptors", models.BinaryField(null=True)),
                ("labels", models.JSONField(default=list)),
                ("feedback", models.JSONField(default=list)),
                ("blocked", models.PositiveIntegerField(default=0)),
                ("not_blocked", models.PositiveIntegerField(default=0)),
                ("quality", models.PositiveSmallIntegerField(null=True)),
                ("provenance", models.JSONField(default=list)),
                ("trust", models.PositiveSmallIntegerField(null=True)),
                ("review_only", models.BooleanField(default=False)),
                ("generation", models.BigIntegerField()),
                ("received_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "indexes": [
                    models.Index(models.F("id"), condition=models.Q(("review_only", True)), name="platform_review_only")
                ],
                "constraints": [models.UniqueConstraint(fields=("type", "value"), name="platform_one_row_a_signal")],
            },
        ),
        migrations.CreateModel(
            name="RemovedSignal",
            fields=[
                ("signal", models.BigIntegerField(primary_key=True, serialize=False)),
                ("version", models.BigIntegerField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="PendingAcknowledgement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("type", models.CharField(max_length=12)),
                ("value", models.CharField(max_length=64)),
                ("acknowledge_by", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("type", "value"), name="platform_one_ack_a_signal")],
            },
        ),
    ]
