from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="UsedPuzzle",
            fields=[
                ("signature", models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                ("receipt_mac", models.BinaryField(max_length=32)),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="IntakeCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mac", models.BinaryField(max_length=32, unique=True)),
                ("organisation", models.CharField(max_length=80)),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField(db_index=True)),
                ("used_receipt_mac", models.BinaryField(max_length=32, null=True)),
                ("revoked", models.BooleanField(default=False)),
            ],
        ),
    ]
