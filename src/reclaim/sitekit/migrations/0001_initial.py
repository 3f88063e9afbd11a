from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(auto_now_add=True, db_index=True)),
                ("actor", models.CharField(max_length=100)),
                ("action", models.CharField(max_length=60)),
                ("target", models.CharField(max_length=100)),
            ],
            options={
                "indexes": [models.Index(fields=["target"], name="sitekit_aud_target_9f0666_idx")],
            },
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.FloatField(db_index=True)),
                ("rule", models.CharField(max_length=40)),
                ("key", models.BinaryField(max_length=32)),
                ("refused", models.BooleanField(default=False)),
            ],
            options={
                "indexes": [models.Index(fields=["rule", "key", "at"], name="sitekit_att_rule_228446_idx")],
            },
        ),
        migrations.CreateModel(
            name="DailySalt",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("salt", models.BinaryField(max_length=32)),
            ],
        ),
    ]
