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
    last_number = models.PositiveIntegerField(default=0)
    """The last number given to anything that was sent for this case, taken or not: numbers go on and never repeat."""


class CaseItem(models.Model):
    """What the person counts: «picture 3», «video 4». Nobody sees a name."""

    class Kind(models.TextChoices):
        """What it is."""

        PICTURE = "picture"
        VIDEO = "video"

    class State(models.TextChoices):
        """Where it stands."""

        IN_PLACE = "in place"
        HELD = "held"
        """A person at the bank looks at its signals before they go into any feed."""
        REFUSED = "refused"
        """That person did not let them in."""
        WITHDRAWN = "withdrawn"

    class MadeWithAi(models.TextChoices):
        """Whether the person says that it was made or changed with AI."""

        YES = "yes"
        NO = "no"
        UNSAID = "unsaid"

    class Refusal(models.TextChoices):
        """Why a held item was not let in."""

        HARMLESS = "harmless"
        """Its signal is that of something which many people have, such as a logo or a blank page."""
        UNCLEAR = "unclear"
        """It came in a way that cannot be told from an attempt to harm others."""
        MISTAKEN = "mistaken"
        """It was in the bank, and platforms found something else with it. No reason not to let something in."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="items")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=7, choices=Kind.choices)
    made_with_ai = models.CharField(max_length=6, choices=MadeWithAi.choices, default=MadeWithAi.UNSAID)
    state = models.CharField(max_length=9, choices=State.choices, default=State.IN_PLACE)
    held_for = models.JSONField(default=list)
    """Why it is held: the words of ``bank.screening``. Empty once somebody has decided."""
    refused_for = models.CharField(max_length=8, choices=Refusal.choices, blank=True)
    added_on = models.DateField(auto_now_add=True)
    withdrawn_on = models.DateField(null=True)
    refused_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "number"], name="one_item_a_number"),
            models.CheckConstraint(
                condition=(models.Q(state="withdrawn") & ~models.Q(withdrawn_on=None))
                | (~models.Q(state="withdrawn") & models.Q(withdrawn_on=None)),
                name="withdrawn_on_a_day",
            ),
            models.CheckConstraint(
                condition=(models.Q(state="refused") & ~models.Q(refused_on=None) & ~models.Q(refused_for=""))
                | (~models.Q(state="refused") & models.Q(refused_on=None) & models.Q(refused_for="")),
                name="refused_on_a_day_for_a_reason",
            ),
        ]
        ordering = ["number"]


class CaseSignal(models.Model):
    """One signal of an item. A picture has one, a video the MD5 of its file and mostly a vPDQ."""

    item = models.ForeignKey(CaseItem, on_delete=models.CASCADE, related_name="signals")
    source = models.OneToOneField("ledger.Source", on_delete=models.PROTECT)


class Answer(models.Model):
    """What was answered to a page's receipt, for as long as the page may ask for it again."""

    receipt_mac = models.BinaryField(max_length=32, unique=True)
    content_mac = models.BinaryField(max_length=32)
    """MAC of what was sent: the same receipt with anything else is refused."""
    case = models.ForeignKey(Case, on_delete=models.CASCADE)
    told = models.JSONField()
    """Numbers and reasons, as in ``services.Told``; never the case's number or PIN, which come from the receipt."""
    until = models.DateTimeField(db_index=True)


class Consent(models.Model):
    """A person lets an organisation see the case. Revoked means deleted: the audit trail alone remembers it."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="consents")
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.CASCADE, related_name="consents")
    code_mac = models.BinaryField(max_length=32, unique=True, null=True)
    """MAC of the one-time code; ``None`` once it was used."""
    code_until = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)
    """When the organisation used the code; it sees nothing before."""
    last_read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "organisation"], name="one_consent_an_organisation"),
            models.CheckConstraint(
                condition=models.Q(code_mac__isnull=True, code_until__isnull=True, opened_at__isnull=False)
                | models.Q(code_mac__isnull=False, code_until__isnull=False, opened_at__isnull=True),
                name="a_code_or_its_use",
            ),
        ]
