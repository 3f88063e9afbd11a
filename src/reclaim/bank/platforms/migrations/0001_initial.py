import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Platform",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, unique=True)),
                ("vetted_at", models.DateTimeField(auto_now_add=True)),
                ("granted", models.JSONField(default=list)),
                ("revoked_at", models.DateTimeField(null=True)),
                ("last_fetch_at", models.DateTimeField(null=True)),
                ("covered_position", models.BigIntegerField(default=0)),
                ("covered_until", models.BigIntegerField(default=0)),
                ("told_position", models.BigIntegerField(default=0)),
                ("told_at_last_start", models.BigIntegerField(default=0)),
                ("confirmed_position", models.BigIntegerField(default=0)),
                ("takes_videos", models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name="ExtraCopy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "platform",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="extra_copies",
                        to="platforms.platform",
                    ),
                ),
                ("type", models.CharField(max_length=11)),
                ("since", models.DateTimeField(auto_now_add=True)),
                ("covered_position", models.BigIntegerField(default=0)),
                ("told_position", models.BigIntegerField(default=0)),
                ("told_at_last_start", models.BigIntegerField(default=0)),
                ("confirmed_position", models.BigIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("platform", "type"), name="one_extra_copy_a_platform_and_type")
                ],
            },
        ),
        migrations.CreateModel(
            name="PlatformKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "platform",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="keys", to="platforms.platform"
                    ),
                ),
                ("scopes", models.JSONField(default=list)),
                ("label", models.CharField(blank=True, max_length=80)),
                ("addresses", models.JSONField(default=list)),
                ("mac", models.BinaryField(max_length=32, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(null=True)),
                ("last_used_on", models.DateField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="ErrorHour",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "platform",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="error_hours", to="platforms.platform"
                    ),
                ),
                ("hour", models.DateTimeField()),
                ("refused", models.PositiveIntegerField(default=0)),
                ("failed", models.PositiveIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("platform", "hour"), name="one_error_count_a_platform_and_hour")
                ],
            },
        ),
    ]
