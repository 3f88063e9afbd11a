import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("platforms", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Canary",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "platform",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="platforms.platform",
                    ),
                ),
                ("platform_name", models.CharField(max_length=80)),
                ("value", models.CharField(max_length=64, unique=True)),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("placed", models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name="CanaryFigures",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("signals", models.BigIntegerField(default=0)),
                ("placed", models.BigIntegerField(default=0)),
                ("waiting", models.BigIntegerField(default=0)),
            ],
        ),
    ]
