from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="KeyPair",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reader", models.CharField(max_length=60, unique=True)),
                ("public_key", models.BinaryField(max_length=32)),
                ("mac", models.BinaryField(max_length=32)),
                ("locked", models.BinaryField(blank=True)),
                ("made_at", models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name="WrappedKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("case_file", models.UUIDField()),
                ("reader", models.CharField(max_length=60)),
                ("wrapped", models.BinaryField(max_length=120)),
                ("mac", models.BinaryField(max_length=32)),
                ("made_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "indexes": [models.Index(fields=["reader"], name="wrapped_keys_of_a_reader")],
                "constraints": [
                    models.UniqueConstraint(fields=("case_file", "reader"), name="one_wrapped_key_a_reader")
                ],
            },
        ),
    ]
