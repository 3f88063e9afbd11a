import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cooperation", "0003_custody_macs_and_forms"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="legaldemand",
            name="ban_proposed_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="bans_proposed",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="legaldemand",
            name="ban_released_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="bans_released",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="legaldemand",
            name="ban_until",
            field=models.DateField(null=True),
        ),
        migrations.AddConstraint(
            model_name="legaldemand",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ban_proposed_by", None), ("ban_released_by", None), ("ban_until", None)),
                    models.Q(
                        ("ban_proposed_by__isnull", False), ("ban_released_by", None), ("ban_until__isnull", False)
                    ),
                    models.Q(
                        ("ban_proposed_by__isnull", False),
                        ("ban_until", models.F("forbidden_until")),
                        ("forbidden_until__isnull", False),
                        models.Q(("ban_released_by", models.F("ban_proposed_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="two_people_end_a_ban",
            ),
        ),
    ]
