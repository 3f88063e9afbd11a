"""What screening remembers: an operator's own harmless values, and for a day what each network sent, as sketches."""

from __future__ import annotations

from django.db import models


class HarmlessValue(models.Model):
    """A value that many people have and that harms nobody, added by an operator."""

    class Type(models.TextChoices):
        """What kind of signal."""

        PDQ = "pdq"
        MD5 = "md5"

    type = models.CharField(max_length=3, choices=Type.choices)
    value = models.CharField(max_length=64)
    what = models.CharField(max_length=80)
    """What it shows, in the operator's words."""
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["type", "value"], name="one_row_a_harmless_value")]


class Sending(models.Model):
    """One case or addition, as far as bulk patterns need it, for a day: no signal, no case, no address."""

    at = models.FloatField(db_index=True)
    """Epoch seconds."""
    network_key = models.BinaryField(max_length=32)
    """MAC of the network under the day's salt."""
    items = models.PositiveIntegerField()
    sketches = models.BinaryField()
    """Of some of its signals, one after the other; see ``sketches``."""
    circles = models.BooleanField(default=False)
    """Whether it was what made its network's day look like somebody circling a picture."""

    class Meta:
        indexes = [models.Index(fields=["network_key", "at"])]
