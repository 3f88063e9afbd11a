"""Cases: what the bank keeps of a person, which is next to nothing."""

from __future__ import annotations

import uuid

from django.db import models


class Case(models.Model):
    """A person's case. Its number and PIN are not here: only a MAC of one and a hash of the other."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    number_mac = models.BinaryField(max_length=32, unique=True)
    pin_hash = models.CharField(max_length=200)
    made_on = models.DateField(auto_now_add=True)
    answer_mac = models.BinaryField(max_length=32, null=True)
    """MAC of the signals that the case was made of, while its number and PIN may be asked for again with the page's
    receipt; see ``create_case``."""
    answer_until = models.DateTimeField(null=True)


class CaseSignal(models.Model):
    """One picture of a case, by number: the person sees «picture 3», nobody sees a name."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="signals")
    source = models.OneToOneField("ledger.Source", on_delete=models.PROTECT)
    number = models.PositiveIntegerField()
    added_on = models.DateField(auto_now_add=True)
    withdrawn_on = models.DateField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "number"], name="one_picture_a_number")]
        ordering = ["number"]
