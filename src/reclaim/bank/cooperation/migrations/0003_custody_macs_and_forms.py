from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cooperation", "0002_peerorganisation_listed")]

    operations = [
        migrations.AddField(
            model_name="evidencepack",
            name="custody_steps",
            field=models.PositiveIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="evidencepack",
            name="custody_mac",
            field=models.CharField(default="", max_length=64),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="custodyentry",
            name="mac",
            field=models.CharField(default="", max_length=64),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="legaldemand",
            name="form",
            field=models.UUIDField(null=True, unique=True),
        ),
    ]
