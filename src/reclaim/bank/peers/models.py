"""Peers: other banks, and servers that speak as banks do; what they say, and what this bank says to other banks."""

from __future__ import annotations

from django.db import models


class Peer(models.Model):
    """Another bank, or a server that speaks as one, whose signals this bank takes in."""

    class Kind(models.TextChoices):
        """What it speaks."""

        RECLAIM = "reclaim"
        """Another bank of this software: signed statements, both ways."""
        STOPNCII = "stopncii"
        """StopNCII v1: this bank is one of its platforms."""
        NCMEC = "ncmec"
        """NCMEC hash sharing v2: this bank is one of its members."""

    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.RECLAIM)
    url = models.CharField(max_length=300, blank=True)
    """Its base address; empty for a bank whose statements come through others alone."""
    bank_id = models.UUIDField(null=True, unique=True)
    """Of a Reclaim bank: follows from its public key."""
    public_key = models.BinaryField(max_length=32, null=True)
    """Of a Reclaim bank: Ed25519. Nothing is believed in its name that this key has not signed."""
    sealed_keys = models.TextField(blank=True)
    """What opens a StopNCII or NCMEC server to this bank, sealed under the site's secret."""
    most_signals = models.PositiveIntegerField(default=1_000_000)
    """How many of its signals are in this bank at most, so that no peer can flood it."""
    active_assertions = models.BigIntegerField(default=0)
    """How many of its assertions are active; who changes them under the ledger's lock keeps the count."""
    known_assertions = models.BigIntegerField(default=0)
    """How many there are of it, those that are over among them."""
    added_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)
    checkpoint = models.TextField(blank=True)
    """How far it was read, in the words of its wire."""
    told_position = models.BigIntegerField(default=0)
    """Platforms' words up to this position of the ledger's clock have been passed back to it."""
    tried_at = models.DateTimeField(null=True)
    synced_at = models.DateTimeField(null=True)
    """When it was last read to its end."""
    fault = models.CharField(max_length=300, blank=True)
    """Why it could not be read the last time: a sentence."""
    refused = models.BigIntegerField(default=0)
    """How much of what it said was not taken: unfit signals, bad signatures, more than its limit."""
    strangers = models.BigIntegerField(default=0)
    """Statements of banks that this one does not know, passed over."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(models.Q(kind="reclaim") & models.Q(bank_id__isnull=False, public_key__isnull=False))
                | (~models.Q(kind="reclaim") & models.Q(bank_id=None, public_key=None) & ~models.Q(url="")),
                name="a_bank_has_a_key_and_a_server_an_address",
            ),
        ]


class Assertion(models.Model):
    """A bank's or a server's word that a signal is in it, or no longer: the latest that is known here.

    The signal itself is the ledger record's alone, so it ends there and leaves nothing here. The row stays: an older
    word that comes by again finds a later one, and is passed over.
    """

    origin = models.ForeignKey(Peer, on_delete=models.CASCADE, null=True, related_name="assertions")
    """Whose word it is; ``None`` for this bank's own."""
    name = models.CharField(max_length=64)
    """What the origin calls it. Of a Reclaim bank a random UUID, which says nothing about the signal."""
    version = models.BigIntegerField()
    """The origin's count; the highest is the latest."""
    active = models.BooleanField()
    record = models.ForeignKey("ledger.LedgerRecord", on_delete=models.SET_NULL, null=True, related_name="assertions")
    source = models.OneToOneField("ledger.Source", on_delete=models.SET_NULL, null=True, related_name="assertion")
    """What keeps the signal in this bank for a peer; ``None`` for this bank's own, and for what is not taken in."""
    quality = models.PositiveSmallIntegerField(null=True)
    made_with_ai = models.BooleanField(default=False)
    person = models.BooleanField(default=False)
    """Whether a person reported it there, and not a platform alone."""
    signature = models.BinaryField(max_length=64, null=True)
    """Of a Reclaim bank."""
    position = models.BigIntegerField(unique=True, null=True)
    """Its place among the statements that other banks are given; ``None`` for what is not passed on."""
    note = models.CharField(max_length=300, blank=True)
    """Of an NCMEC server: what a vote on the entry has to name."""
    generation = models.IntegerField(default=0)
    """Of a StopNCII server: the fetch from the beginning that named it last."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["origin", "name"], name="one_assertion_a_name"),
            models.UniqueConstraint(fields=["name"], condition=models.Q(origin=None), name="one_own_assertion_a_name"),
            models.UniqueConstraint(
                fields=["record"], condition=models.Q(origin=None), name="one_own_assertion_a_record"
            ),
            models.CheckConstraint(
                condition=models.Q(signature=None, position=None)
                | models.Q(signature__isnull=False, position__isnull=False),
                name="passed_on_means_signed",
            ),
        ]
        indexes = [
            # With the key, so that a long list is walked through from one transaction to the next.
            models.Index(fields=["origin", "active", "id"]),
            # Of this bank's own those whose record was deleted: none, most of the time.
            models.Index(
                fields=["id"], condition=models.Q(origin=None, active=True, record=None), name="own_without_a_record"
            ),
        ]


class Word(models.Model):
    """A bank's word on what one of its platforms decided about an asserted signal; the latest that is known here."""

    origin = models.ForeignKey(Peer, on_delete=models.CASCADE, null=True, related_name="words")
    """``None`` for this bank's own."""
    name = models.UUIDField()
    version = models.BigIntegerField()
    about = models.ForeignKey(Assertion, on_delete=models.CASCADE, related_name="words")
    platform = models.UUIDField()
    """A name for the platform that its bank alone can tell from its own."""
    decision = models.CharField(max_length=12)
    reason = models.CharField(max_length=16, blank=True)
    signature = models.BinaryField(max_length=64)
    position = models.BigIntegerField(unique=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["origin", "name"], name="one_word_a_name"),
            models.UniqueConstraint(fields=["name"], condition=models.Q(origin=None), name="one_own_word_a_name"),
        ]


class StatementClock(models.Model):
    """The one row that every writer of statements locks, after the ledger's."""

    position = models.BigIntegerField(default=0)
    version = models.BigIntegerField(default=0)
    """The last version of this bank's own statements. It never falls behind the wall clock in milliseconds, so that a
    bank that was restored from a backup goes on with later ones."""
    read_position = models.BigIntegerField(default=0)
    """Changes of the ledger up to this position are in this bank's statements."""


class Withdrawal(models.Model):
    """A signal that a person of this bank has withdrawn. No peer brings it back while no person here has it.

    The value is gone; this is its MAC under the site's secret.
    """

    mac = models.BinaryField(max_length=32, unique=True)


class Debt(models.Model):
    """A deletion that a StopNCII server has not been told yet. Its name for the signal is the value, sealed here."""

    peer = models.ForeignKey(Peer, on_delete=models.CASCADE, related_name="debts")
    name = models.CharField(max_length=64)
    """Of the assertion."""
    sealed = models.TextField()
    record = models.ForeignKey("ledger.LedgerRecord", on_delete=models.SET_NULL, null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["peer", "name"], name="one_debt_a_name")]


__all__ = ["Assertion", "Debt", "Peer", "StatementClock", "Withdrawal", "Word"]
