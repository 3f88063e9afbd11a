import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=20, unique=True)),
                ("country", models.CharField(blank=True, max_length=2)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("images", "Intimate images"),
                            ("support", "Support"),
                            ("legal", "Legal advice"),
                            ("cyber-police", "Police and reporting"),
                            ("crisis", "Crisis line"),
                            ("removal", "Removal, under 18"),
                            ("children", "Children and young people"),
                            ("search", "Search engine"),
                            ("emergency", "Emergency number"),
                            ("police", "Police number"),
                            ("ambulance", "Ambulance number"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "audience",
                    models.CharField(
                        choices=[("under 18", "under 18"), ("adults", "adults"), ("everybody", "everybody")],
                        max_length=10,
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=120)),
                ("phone", models.CharField(blank=True, max_length=20)),
                ("text", models.CharField(blank=True, max_length=20)),
                ("word", models.CharField(blank=True, max_length=40)),
                ("address", models.CharField(blank=True, max_length=500)),
                (
                    "hours",
                    models.CharField(
                        blank=True,
                        choices=[("always", "always"), ("daily", "daily"), ("weekdays", "weekdays")],
                        max_length=10,
                    ),
                ),
                ("open", models.CharField(blank=True, max_length=20)),
                ("languages", models.JSONField(default=list)),
                ("free", models.BooleanField(default=False)),
                ("sources", models.JSONField(default=list)),
                ("read_on", models.DateField()),
                ("confidence", models.CharField(choices=[("S", "S"), ("P", "P"), ("M", "M")], max_length=1)),
                (
                    "state",
                    models.CharField(choices=[("shown", "Shown"), ("hidden", "Hidden")], default="shown", max_length=6),
                ),
                ("edited", models.BooleanField(default=False)),
                ("changed_by", models.CharField(default="system", max_length=40)),
                ("changed_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "indexes": [models.Index(fields=["country", "kind"], name="directory_e_country_0ba417_idx")],
            },
        ),
        migrations.CreateModel(
            name="Change",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="changes", to="directory.entry"
                    ),
                ),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("by", models.CharField(max_length=40)),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("added", "Added"),
                            ("edited", "Edited"),
                            ("checked", "Checked"),
                            ("hidden", "Hidden"),
                            ("shown", "Shown"),
                            ("updated", "Updated"),
                        ],
                        max_length=8,
                    ),
                ),
                ("why", models.CharField(max_length=300)),
                ("facts", models.JSONField(default=dict)),
            ],
        ),
        migrations.CreateModel(
            name="Standing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.BigIntegerField(default=0)),
                ("files", models.CharField(blank=True, max_length=64)),
            ],
        ),
    ]
