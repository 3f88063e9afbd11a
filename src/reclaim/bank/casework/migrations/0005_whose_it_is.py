from typing import Any

from django.db import migrations
from django.db.models import F


def whose_it_is(apps: Any, schema_editor: Any) -> None:
    """Whoever lets an organisation see their case has their rights from now on."""
    case_files = apps.get_model("casework", "CaseFile").objects.using(schema_editor.connection.alias)
    case_files.exclude(case=None).update(person=F("case"))


class Migration(migrations.Migration):
    # Apart from the column: PostgreSQL changes no table whose rows were written in the same transaction.
    dependencies = [
        ("casework", "0004_person"),
    ]

    operations = [migrations.RunPython(whose_it_is, migrations.RunPython.noop)]
