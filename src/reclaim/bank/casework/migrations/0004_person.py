import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0001_initial"),
        ("casework", "0003_person_reads"),
    ]

    operations = [
        migrations.AddField(
            model_name="casefile",
            name="person",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="cases.case"
            ),
        ),
    ]
