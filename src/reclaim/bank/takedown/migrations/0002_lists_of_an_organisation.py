"""Requests and clocks know their organisation, so that what is due is one walk through an index; replies are read."""

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import OuterRef, Subquery


def _fill(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """From the link."""
    link, request, clock = (apps.get_model("takedown", name) for name in ("Link", "TakedownRequest", "RunningClock"))
    of_link = link.objects.filter(pk=OuterRef("link")).values("organisation")[:1]
    request.objects.update(organisation=Subquery(of_link))
    of_request = request.objects.filter(pk=OuterRef("request")).values("organisation")[:1]
    clock.objects.update(organisation=Subquery(of_request))


def _organisation(*, null: bool) -> "models.ForeignKey[object, object]":
    return models.ForeignKey(
        null=null,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="organisations.organisation",
    )


class Migration(migrations.Migration):
    """Not in one transaction: PostgreSQL changes no table of which rows were just changed."""

    atomic = False
    dependencies = [("takedown", "0001_initial"), ("organisations", "0001_initial")]
    operations = [
        migrations.AddField("takedownrequest", "organisation", _organisation(null=True)),
        migrations.AddField("runningclock", "organisation", _organisation(null=True)),
        migrations.RunPython(_fill, migrations.RunPython.noop),
        migrations.AlterField("takedownrequest", "organisation", _organisation(null=False)),
        migrations.AlterField("runningclock", "organisation", _organisation(null=False)),
        migrations.AddField("reply", "read_at", models.DateTimeField(null=True)),
        migrations.AddIndex(
            "takedownrequest",
            models.Index(
                fields=["organisation", "remind_at"],
                condition=models.Q(remind_at__isnull=False),
                name="requests_due_of",
            ),
        ),
        migrations.AddIndex(
            "takedownrequest",
            models.Index(fields=["organisation"], condition=models.Q(state="unknown"), name="requests_unknown"),
        ),
        migrations.RemoveIndex("runningclock", "clocks_by_end"),
        migrations.AddIndex("runningclock", models.Index(fields=["organisation", "ends_at"], name="clocks_by_end")),
        migrations.AddIndex(
            "reply",
            models.Index(
                fields=["arrived_at"],
                condition=models.Q(request__isnull=False, read_at=None),
                name="replies_to_read",
            ),
        ),
    ]
