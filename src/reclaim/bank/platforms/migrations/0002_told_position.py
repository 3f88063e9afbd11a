from typing import Any

from django.db import migrations, models


def told_is_at_least_what_was_covered(apps: Any, schema_editor: Any) -> None:
    apps.get_model("platforms", "Platform").objects.update(told_position=models.F("covered_position"))


class Migration(migrations.Migration):
    dependencies = [("platforms", "0001_initial")]

    operations = [
        migrations.RenameField("platform", "covered_at_last_start", "told_at_last_start"),
        migrations.AddField("platform", "told_position", models.BigIntegerField(default=0)),
        migrations.RunPython(told_is_at_least_what_was_covered, migrations.RunPython.noop),
    ]
