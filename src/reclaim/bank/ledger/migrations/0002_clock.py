"""The one row of the ledger's clock."""

from django.db import migrations


def make_clock(apps, schema_editor):  # type: ignore[no-untyped-def]
    """Add the row, once."""
    apps.get_model("ledger", "LedgerClock").objects.get_or_create(pk=1)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]
    operations = [migrations.RunPython(make_clock, migrations.RunPython.noop)]
