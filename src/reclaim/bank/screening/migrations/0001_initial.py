from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="HarmlessValue",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("type", models.CharField(choices=[("pdq", "Pdq"), ("md5", "Md5")], max_length=3)),
                ("value", models.CharField(max_length=64)),
                ("what", models.CharField(max_length=80)),
                ("added_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("type", "value"), name="one_row_a_harmless_value")],
            },
        ),
        migrations.CreateModel(
            name="Sending",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.FloatField(db_index=True)),
                ("network_key", models.BinaryField(max_length=32)),
                ("items", models.PositiveIntegerField()),
                ("sketches", models.BinaryField()),
                ("circles", models.BooleanField(default=False)),
            ],
            options={
                "indexes": [models.Index(fields=["network_key", "at"], name="screening_s_network_a1ee5b_idx")],
            },
        ),
    ]
