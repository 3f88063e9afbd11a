"""Referrals, officers and evidence packs, legal demands, plans of recovery. What is said of a person is sealed."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

# Referrals


class OrganisationKey(models.Model):
    """An organisation takes part in referrals: what others seal to it, and what opens that."""

    organisation = models.OneToOneField("organisations.Organisation", on_delete=models.PROTECT, related_name="key")
    number = models.UUIDField(unique=True, default=uuid.uuid4)
    """What other banks call the organisation; also the name of its key in the vault."""
    recipient = models.CharField(max_length=80)
    """Public, of age."""
    sealed_identity = models.BinaryField()
    """Secret, of age; sealed under the vault's key named ``number``, which its practitioners share."""
    made_at = models.DateTimeField(auto_now_add=True)


class PeerOrganisation(models.Model):
    """An organisation of another bank, as that bank's signed list has it."""

    peer = models.ForeignKey("peers.Peer", on_delete=models.CASCADE, related_name="organisations")
    number = models.UUIDField()
    name = models.CharField(max_length=80)
    country = models.CharField(max_length=2)
    languages = models.JSONField(default=list)
    hours = models.CharField(max_length=200, blank=True)
    remit = models.CharField(max_length=300, blank=True)
    recipient = models.CharField(max_length=80)
    listed = models.BooleanField(default=True)
    """Whether the latest list names it. One with which there was a referral is kept without that, so that it cannot
    come back with another key unnoticed."""
    new_key_at = models.DateTimeField(null=True)
    """When it came with another key than before: somebody should call and compare."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["peer", "number"], name="one_peer_organisation_a_number")]


class PeerList(models.Model):
    """How far a peer's list was read."""

    peer = models.OneToOneField("peers.Peer", on_delete=models.CASCADE, related_name="organisation_list")
    made_at = models.BigIntegerField(default=0)
    """Of the list, epoch seconds: an older one never comes after it."""
    read_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(null=True)


class ReferralConsent(models.Model):
    """What a person agreed to: which parts of what is known may go to which organisation."""

    class How(models.TextChoices):
        """How the person said it."""

        PHONE = "phone"
        """By telephone or in a chat, to the practitioner."""
        CODE = "code"
        """With a one-time code of their case page."""

    case_file = models.ForeignKey("casework.CaseFile", on_delete=models.CASCADE, related_name="referral_consents")
    how = models.CharField(max_length=5, choices=How.choices)
    case = models.ForeignKey("cases.Case", on_delete=models.SET_NULL, null=True)
    """With a code: whose case page made it. When that case ends its consent, this ends too."""
    parts = models.JSONField()
    """``protocol.referral.Part``."""
    sealed_words = models.BinaryField()
    """What was agreed to, in words; under the case file's key."""
    recorded_by = models.ForeignKey("organisations.Practitioner", on_delete=models.PROTECT)
    agreed_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["case_file"], condition=Q(how="code", withdrawn_at=None), name="consents_by_code")
        ]


class Referral(models.Model):
    """A case file that was referred to another organisation; the sender's side."""

    class State(models.TextChoices):
        """Where it stands."""

        WAITING = "waiting"
        ACCEPTED = "accepted"
        DECLINED = "declined"
        RETURNED = "returned"
        WITHDRAWN = "withdrawn"
        """The other organisation is told to erase it."""
        ERASED = "erased"
        """It says that it has."""
        FAILED = "failed"
        """It could not be delivered."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    case_file = models.ForeignKey("casework.CaseFile", on_delete=models.SET_NULL, null=True, related_name="referrals")
    consent = models.OneToOneField(ReferralConsent, on_delete=models.SET_NULL, null=True, related_name="referral")
    """``None`` once it was erased with its case file: the referral then ends too."""
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="referrals")
    sent_by = models.ForeignKey("organisations.Practitioner", on_delete=models.PROTECT)
    peer = models.ForeignKey("peers.Peer", on_delete=models.PROTECT, null=True, related_name="referrals")
    """Whose organisation it goes to; ``None`` for one of this bank."""
    to_number = models.UUIDField()
    to_name = models.CharField(max_length=80)
    to_country = models.CharField(max_length=2)
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    sealed_copy = models.BinaryField(null=True)
    """What was told, under the case file's key."""
    sealed_reply = models.TextField(blank=True)
    """The answer's words, sealed to the organisation (base64)."""
    fault = models.CharField(max_length=300, blank=True)
    """Why it could not be delivered: a sentence."""
    sent_at = models.DateTimeField(auto_now_add=True)
    delivered_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["organisation", "-sent_at"], name="referrals_of_organisation")]


class ReceivedReferral(models.Model):
    """A referral to an organisation of this bank; the receiver's side. The row stays when its content is erased."""

    class State(models.TextChoices):
        """Where it stands."""

        WAITING = "waiting"
        ACCEPTED = "accepted"
        DECLINED = "declined"
        RETURNED = "returned"
        ENDED = "ended"
        """The person no longer agrees: the case file that was opened for it has to be erased."""
        ERASED = "erased"

    name = models.UUIDField()
    """The sender's number of it."""
    peer = models.ForeignKey("peers.Peer", on_delete=models.PROTECT, null=True, related_name="received_referrals")
    organisation = models.ForeignKey(
        "organisations.Organisation", on_delete=models.PROTECT, related_name="received_referrals"
    )
    from_number = models.UUIDField()
    from_name = models.CharField(max_length=80)
    from_country = models.CharField(max_length=2)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    sealed = models.TextField(blank=True)
    """The content, sealed to the organisation (base64); empty once erased."""
    case_file = models.ForeignKey(
        "casework.CaseFile", on_delete=models.SET_NULL, null=True, related_name="received_referrals"
    )
    received_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now_add=True)
    answered_by = models.ForeignKey("organisations.Practitioner", on_delete=models.SET_NULL, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["peer", "name"], name="one_received_referral_a_name"),
            models.UniqueConstraint(fields=["name"], condition=Q(peer=None), name="one_own_referral_a_name"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "accepted"]) | Q(sealed=""), name="what_ended_keeps_nothing"
            ),
        ]
        indexes = [models.Index(fields=["organisation", "state", "-received_at"], name="received_of_organisation")]


class OutgoingMessage(models.Model):
    """A signed message that a peer has not taken yet."""

    name = models.UUIDField(primary_key=True)
    peer = models.ForeignKey("peers.Peer", on_delete=models.CASCADE, related_name="outgoing_messages")
    referral = models.UUIDField(db_index=True)
    kind = models.CharField(max_length=10)
    body = models.BinaryField()
    made_at = models.DateTimeField()
    tries = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(db_index=True)


class SeenMessage(models.Model):
    """The name of a message that was taken, until it would be refused as expired anyway."""

    peer = models.ForeignKey("peers.Peer", on_delete=models.CASCADE)
    name = models.UUIDField()
    until = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["peer", "name"], name="a_message_counts_once")]


# The police


class Officer(models.Model):
    """Somebody of an authority to whom evidence may be sealed, once a second person has made sure of the key."""

    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="officers")
    name = models.CharField(max_length=120)
    agency = models.CharField(max_length=120)
    country = models.CharField(max_length=2)
    recipient = models.CharField(max_length=80)
    """The officer's public key of age."""
    added_by = models.ForeignKey("organisations.Practitioner", on_delete=models.PROTECT, related_name="officers_added")
    added_at = models.DateTimeField(auto_now_add=True)
    checked_by = models.ForeignKey(
        "organisations.Practitioner", on_delete=models.PROTECT, null=True, related_name="officers_checked"
    )
    checked_at = models.DateTimeField(null=True)
    checked_how = models.CharField(max_length=300, blank=True)
    """How it was made sure that the key is this officer's."""
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "recipient"], condition=Q(ended_at=None), name="one_officer_a_key"
            ),
            models.CheckConstraint(
                condition=Q(checked_by=None, checked_at=None, checked_how="")
                | (Q(checked_by__isnull=False, checked_at__isnull=False) & ~Q(checked_how="")),
                name="checked_by_somebody_in_some_way",
            ),
            models.CheckConstraint(
                condition=Q(checked_by=None) | ~Q(checked_by=models.F("added_by")), name="two_people_for_a_key"
            ),
        ]


class EvidencePack(models.Model):
    """An evidence pack that was made. The file itself is not kept: it went, sealed, to whoever made it."""

    class How(models.TextChoices):
        """How the person allowed it."""

        PHONE = "phone"
        WRITING = "writing"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    case_file = models.ForeignKey("casework.CaseFile", on_delete=models.CASCADE, related_name="evidence_packs")
    officer = models.ForeignKey(Officer, on_delete=models.PROTECT, related_name="packs")
    made_by = models.ForeignKey("organisations.Practitioner", on_delete=models.PROTECT)
    allowed_how = models.CharField(max_length=7, choices=How.choices)
    sealed_words = models.BinaryField()
    """What the person allowed, under the case file's key."""
    made_at = models.DateTimeField()
    links = models.PositiveIntegerField()
    pictures = models.PositiveIntegerField()
    """Screenshots in it."""
    manifest_digest = models.CharField(max_length=64)
    """SHA-256 of the manifest."""
    file_digest = models.CharField(max_length=64)
    """SHA-256 of the sealed file."""
    file_bytes = models.PositiveIntegerField()
    custody_steps = models.PositiveIntegerField()
    """How many steps its chain of custody has."""
    custody_mac = models.CharField(max_length=64)
    """Over that number and the last step's MAC, under the site's own key, so that a last step that was dropped shows.
    That of an earlier number stands nowhere, nor can it be made from what stands here."""


class CustodyEntry(models.Model):
    """One step of a pack's chain of custody. Rows are only ever added, and each holds the digest and the MAC of the one
    before."""

    class Kind(models.TextChoices):
        """What happened."""

        MADE = "made"
        HANDED = "handed over"
        RECEIVED = "receipt confirmed"
        CHECKED = "checked"
        RECALLED = "no longer allowed"
        """The person takes their word back; what was handed over cannot be taken back by us."""

    pack = models.ForeignKey(EvidencePack, on_delete=models.CASCADE, related_name="custody")
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    kind = models.CharField(max_length=20, choices=Kind.choices)
    by = models.CharField(max_length=200)
    """Who did it, as the entry tells it."""
    note = models.CharField(max_length=300, blank=True)
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    """SHA-256 of this entry and ``previous``: whoever has the chain checks it so."""
    mac = models.CharField(max_length=64)
    """Over this entry and the MAC of the one before, under the site's own key; of the first, over the digests of the
    pack. Whoever writes to the database alone cannot make it."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["pack", "number"], name="one_custody_entry_a_number")]
        ordering = ["number"]


# Legal demands


class LegalDemand(models.Model):
    """What an authority or a court asked this bank for, and what became of it."""

    class State(models.TextChoices):
        """Where it stands."""

        LOGGED = "logged"
        PROPOSED = "proposed"
        """One person proposes an answer."""
        ANSWERED = "answered"
        """Another has consented."""

    class Answer(models.TextChoices):
        """What is answered."""

        NOTHING = "nothing", "nothing is held"
        REFUSED = "refused", "refused"
        PART = "part", "part of it was given"

    class Notice(models.TextChoices):
        """Whether the person may be told."""

        DUE = "due"
        FORBIDDEN = "forbidden"
        """Until ``forbidden_until``, or without an end that was named."""
        GIVEN = "given"
        NOBODY = "nobody"
        """It concerns nobody whom the bank could tell."""

    form = models.UUIDField(null=True, unique=True)
    """The form that it was logged with, so that a form that is sent twice logs once; ``None`` without a form."""
    received_on = models.DateField()
    sender = models.CharField(max_length=200)
    country = models.CharField(max_length=2)
    basis = models.CharField(max_length=300)
    """The law and the article that it names."""
    sealed_asked = models.TextField()
    """What it asks for, and of whom; under the bank's own key."""
    scope = models.CharField(max_length=20)
    """A word of ``demands.SCOPES``: what kind of thing is asked for."""
    deadline = models.DateField(null=True)
    notice = models.CharField(max_length=9, choices=Notice.choices)
    forbidden_until = models.DateField(null=True)
    notice_given_on = models.DateField(null=True)
    ban_until = models.DateField(null=True)
    """The last day of the ban that one person proposes; it becomes ``forbidden_until`` when another consents."""
    ban_proposed_by = models.ForeignKey(
        "accounts.Member", on_delete=models.PROTECT, null=True, related_name="bans_proposed"
    )
    ban_released_by = models.ForeignKey(
        "accounts.Member", on_delete=models.PROTECT, null=True, related_name="bans_released"
    )
    logged_by = models.ForeignKey("accounts.Member", on_delete=models.PROTECT, related_name="demands_logged")
    logged_at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.LOGGED)
    answer = models.CharField(max_length=7, choices=Answer.choices, blank=True)
    sealed_reasons = models.TextField(blank=True)
    proposed_by = models.ForeignKey(
        "accounts.Member", on_delete=models.PROTECT, null=True, related_name="demands_proposed"
    )
    proposed_at = models.DateTimeField(null=True)
    given_digest = models.CharField(max_length=64, blank=True)
    """SHA-256 of exactly what was given; what it was is not kept here."""
    released_by = models.ForeignKey(
        "accounts.Member", on_delete=models.PROTECT, null=True, related_name="demands_released"
    )
    released_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="logged", proposed_by=None, released_by=None, answer="", given_digest="")
                | Q(state="proposed", proposed_by__isnull=False, released_by=None) & ~Q(answer="")
                | Q(state="answered", proposed_by__isnull=False, released_by__isnull=False) & ~Q(answer=""),
                name="an_answer_is_proposed_then_released",
            ),
            models.CheckConstraint(
                condition=Q(released_by=None) | ~Q(released_by=models.F("proposed_by")), name="two_people_for_an_answer"
            ),
            models.CheckConstraint(
                condition=Q(answer="part") & ~Q(given_digest="") | ~Q(answer="part") & Q(given_digest=""),
                name="what_is_given_has_a_digest",
            ),
            models.CheckConstraint(
                condition=~Q(notice="given") | Q(notice_given_on__isnull=False), name="notice_given_on_a_day"
            ),
            models.CheckConstraint(
                condition=Q(ban_until=None, ban_proposed_by=None, ban_released_by=None)
                | Q(ban_until__isnull=False, ban_proposed_by__isnull=False, ban_released_by=None)
                | Q(ban_proposed_by__isnull=False, forbidden_until__isnull=False, ban_until=models.F("forbidden_until"))
                & ~Q(ban_released_by=models.F("ban_proposed_by")),
                name="two_people_end_a_ban",
            ),
        ]
        ordering = ["-received_on", "-pk"]


# Recovery


class RecoveryPlan(models.Model):
    """What a person and a practitioner agreed to do, one step after the other, until the person ends it."""

    case_file = models.OneToOneField("casework.CaseFile", on_delete=models.CASCADE, related_name="recovery_plan")
    made_by = models.ForeignKey("organisations.Practitioner", on_delete=models.PROTECT)
    made_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)


class PlanStep(models.Model):
    """One step of a plan."""

    class State(models.TextChoices):
        """Where it stands."""

        OPEN = "open", "to do"
        DONE = "done", "done"
        UNWANTED = "unwanted", "not wanted"

    plan = models.ForeignKey(RecoveryPlan, on_delete=models.CASCADE, related_name="steps")
    key = models.CharField(max_length=40)
    """Of ``plans.STEPS``."""
    service = models.CharField(max_length=20, blank=True)
    """The key of a row of the directory."""
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "key"], name="one_plan_step_a_key")]
        ordering = ["pk"]


class CheckIn(models.Model):
    """A day on which a practitioner asks how the person is, by a way that the person called safe. Nothing does it by
    itself."""

    class State(models.TextChoices):
        """Where it stands."""

        AGREED = "agreed"
        DONE = "done"
        UNREACHED = "unreached", "nobody answered"

    plan = models.ForeignKey(RecoveryPlan, on_delete=models.CASCADE, related_name="check_ins")
    due_on = models.DateField()
    sealed_channel = models.BinaryField()
    """How, and what to say to whoever else answers; under the case file's key."""
    state = models.CharField(max_length=9, choices=State.choices, default=State.AGREED)
    done_by = models.ForeignKey("organisations.Practitioner", on_delete=models.SET_NULL, null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["due_on", "pk"]
        indexes = [models.Index(fields=["due_on"], condition=Q(state="agreed"), name="check_ins_to_come")]
