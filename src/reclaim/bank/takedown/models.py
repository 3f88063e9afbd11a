"""Hosts, pages and the links of case files to them; requests, their clocks and their replies.

A *page* is an address in the bank once, however many case files have a *link* to it: it is looked at once for all of
them. What a practitioner reads about a link is its own: nothing in it tells whether another case file has one too.
"""

from __future__ import annotations

import datetime
import uuid

from django.db import models
from django.utils import timezone

from reclaim.bank.takedown.sealing import Use, unseal


class Host(models.Model):
    """A name at which pages are, what is known about who answers for it, and when it may be asked next."""

    name = models.CharField(max_length=253, unique=True)
    """Lower case, in ASCII (IDNA); or an IP address."""
    domain = models.CharField(max_length=253, blank=True)
    """The part of the name that somebody registered."""
    registrar = models.CharField(max_length=200, blank=True)
    registrar_abuse = models.EmailField(blank=True)
    network = models.CharField(max_length=200, blank=True)
    """Who has the network in which it answers: the hosting provider, or a proxy in front of it."""
    network_abuse = models.EmailField(blank=True)
    country = models.CharField(max_length=2, blank=True)
    """Of the network: ISO 3166-1."""
    facts_from = models.CharField(max_length=4, choices=[("rdap", "RDAP")], blank=True)
    """That registries said so; empty while they have not."""
    asked_at = models.DateTimeField(null=True)
    """When registries were last asked."""
    fault = models.CharField(max_length=300, blank=True)
    """Why registries could not be asked the last time: a sentence."""
    due_at = models.DateTimeField(null=True)
    """The earliest ``next_check_at`` of its pages."""
    free_at = models.DateTimeField(default=timezone.now)
    """Before that nobody asks it: it is being asked, was just asked, or said ``Retry-After``."""

    class Meta:
        indexes = [
            models.Index(fields=["due_at", "free_at"], name="hosts_due"),
            models.Index(fields=["asked_at"], name="hosts_by_age_of_facts"),
        ]


class TypedFacts(models.Model):
    """What an organisation typed in about who answers for a host. Nobody else's links go by it, or show it: it says
    that somebody is helped, and a wrong address in it would get others' requests."""

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="typed")
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.CASCADE, related_name="+")
    registrar = models.CharField(max_length=200, blank=True)
    registrar_abuse = models.EmailField(blank=True)
    network = models.CharField(max_length=200, blank=True)
    network_abuse = models.EmailField(blank=True)
    country = models.CharField(max_length=2, blank=True)
    """Of the network: ISO 3166-1."""
    typed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["host", "organisation"], name="one_typed_facts_a_host_and_organisation")
        ]


class Page(models.Model):
    """An address, looked at once for all case files that have a link to it."""

    class Seen(models.TextChoices):
        """What was last seen for sure."""

        NOTHING = ""
        UP = "up"
        GONE = "gone"

    class Outcome(models.TextChoices):
        """What a look ended in."""

        UP = "up"
        GONE = "gone"
        WALLED = "walled"
        """It wants a sign-in, a payment or a proof of age: what is behind cannot be told."""
        REFUSED = "refused"
        """The site refuses programs, or asks to be left alone."""
        FAILED = "failed"
        """No answer, or none that can be read."""
        FORBIDDEN = "forbidden"
        """An address that this bank never asks: within a private network, or on a port of its own."""

    mac = models.BinaryField(max_length=32, unique=True)
    """Of the address without known tracking parameters, under the site's secret: how a duplicate is found."""
    sealed_url = models.TextField()
    """That address."""
    host = models.ForeignKey(Host, on_delete=models.PROTECT, related_name="pages")
    seen = models.CharField(max_length=4, choices=Seen.choices, default=Seen.NOTHING, blank=True)
    gone_since = models.DateTimeField(null=True)
    """The first of the looks in a row that found it gone."""
    outcome = models.CharField(max_length=9, choices=Outcome.choices, blank=True)
    """Of the last look; empty before the first."""
    status = models.PositiveSmallIntegerField(null=True)
    """The HTTP status of the last look, if there was an answer."""
    checked_at = models.DateTimeField(null=True)
    next_check_at = models.DateTimeField(null=True)
    """``None``: nobody wants it looked at."""
    looks = models.PositiveSmallIntegerField(default=0)
    """Since something last changed: the intervals grow with it."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(seen="gone", gone_since__isnull=False) | ~models.Q(seen="gone"),
                name="gone_has_a_time",
            )
        ]
        indexes = [models.Index(fields=["host", "next_check_at"], name="pages_due")]

    @property
    def url(self) -> str:
        """The address. Raises ``sealing.NotOursError``."""
        return unseal(Use.URL, self.sealed_url)


class Link(models.Model):
    """A case file's pointer to a page."""

    class State(models.TextChoices):
        """Where it stands for this case file."""

        NEW = "new"
        """Nobody has asked for it to be taken down, and nobody has seen it yet."""
        UP = "up"
        """It is there, and nobody has asked."""
        ASKED = "asked"
        DOWN = "down"
        """Two looks apart found it gone, or a practitioner said so."""
        RELISTED = "relisted"
        """It was down and is there again."""
        GIVEN_UP = "given-up"
        """A practitioner decided that nobody asks any more."""

    OPEN = (State.NEW, State.UP, State.ASKED, State.RELISTED)
    """States in which the picture is, or may be, still there."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    case_file = models.ForeignKey("casework.CaseFile", on_delete=models.CASCADE, related_name="links")
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="links")
    """The case file's, here too so that lists of an organisation's links are one walk through one index."""
    page = models.ForeignKey(Page, on_delete=models.PROTECT, related_name="links")
    sealed_url = models.TextField()
    """The address as this case file has it, tracking parameters and all."""
    host = models.CharField(max_length=253)
    """The name of the page's host: what lists are searched by."""
    platform = models.CharField(max_length=60, blank=True)
    """The slug of the platform's contact, if its host is known as one."""
    state = models.CharField(max_length=8, choices=State.choices, default=State.NEW)
    found_on = models.DateTimeField(default=timezone.now)
    """When it was added."""
    first_down_on = models.DateTimeField(null=True)
    relisted_on = models.DateTimeField(null=True)
    """When it was last found there again."""
    relists = models.PositiveSmallIntegerField(default=0)
    added_by = models.ForeignKey("organisations.Practitioner", on_delete=models.SET_NULL, null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case_file", "page"], name="one_link_a_page_and_case_file")]
        indexes = [
            models.Index(fields=["case_file", "-found_on"], name="links_of_case_file"),
            models.Index(fields=["organisation", "-found_on"], name="links_of_organisation"),
            models.Index(fields=["organisation", "state", "-found_on"], name="links_by_state"),
            models.Index(fields=["organisation", "host", "-found_on"], name="links_by_host"),
        ]

    @property
    def url(self) -> str:
        """The address. Raises ``sealing.NotOursError``."""
        return unseal(Use.URL, self.sealed_url)

    @property
    def typed(self) -> TypedFacts | None:
        """What its organisation typed in about its host."""
        return next((each for each in self.page.host.typed.all() if each.organisation_id == self.organisation_id), None)

    @property
    def checked_at(self) -> datetime.datetime | None:
        """The last look since this case file has the link. Earlier ones were another's, and are not told."""
        at = self.page.checked_at
        return at if at is not None and at >= self.found_on else None

    @property
    def next_check_at(self) -> datetime.datetime | None:
        """When it is looked at next."""
        return self.page.next_check_at

    @property
    def outcome(self) -> str:
        """``Page.Outcome`` of that last look; empty if there was none."""
        return self.page.outcome if self.checked_at else ""


class TakedownRequest(models.Model):
    """One request for one link, by one route. Nothing of it leaves before a practitioner presses «send»."""

    class Route(models.TextChoices):
        """To whom, and how."""

        FORM = "form"
        MAIL = "mail"
        API = "api"
        SEARCH = "search"
        HOST = "host"
        REGISTRAR = "registrar"
        REGULATOR = "regulator"

    class State(models.TextChoices):
        """How far it is."""

        DRAFT = "draft"
        SENDING = "sending"
        """Handed to the mail server just now."""
        UNKNOWN = "unknown"
        """The bank stopped while sending: it may have gone. Somebody looks before anybody presses again."""
        SENT = "sent"
        ANSWERED = "answered"
        REFUSED = "refused"
        DONE = "done"
        """Nothing more is expected of it."""

    ASKED = (State.SENT, State.ANSWERED, State.REFUSED)
    """It has gone out, and the link's fate is open as far as it goes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    link = models.ForeignKey(Link, on_delete=models.CASCADE, related_name="requests")
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    """The link's, here too for the same reason."""
    route = models.CharField(max_length=9, choices=Route.choices)
    law = models.CharField(max_length=80, blank=True)
    """The key of the law's row that the text names; empty for none."""
    language = models.CharField(max_length=12)
    to = models.CharField(max_length=300)
    """A mail address, or the address of a form."""
    sealed_subject = models.TextField()
    sealed_text = models.TextField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.DRAFT)
    drafted_by = models.ForeignKey(
        "organisations.Practitioner", on_delete=models.SET_NULL, null=True, related_name="drafted_requests"
    )
    sent_by = models.ForeignKey(
        "organisations.Practitioner", on_delete=models.SET_NULL, null=True, related_name="sent_requests"
    )
    drafted_at = models.DateTimeField(default=timezone.now)
    sending_since = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    message_id = models.CharField(max_length=200, blank=True)
    """Of the mail, as ``<…@…>``; empty for what was sent elsewhere."""
    fault = models.CharField(max_length=300, blank=True)
    """Why the mail server did not take it the last time: a sentence."""
    remind_at = models.DateTimeField(null=True)
    """When the next step is due: its first clock ends, or ``services.PATIENCE`` is over; ``None`` when none is."""
    reminded_at = models.DateTimeField(null=True)
    """When that was written into the timeline."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=("draft", "sending", "unknown")) | models.Q(sent_at__isnull=False),
                name="what_was_sent_has_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(state="sending", sending_since__isnull=False) | ~models.Q(state="sending"),
                name="sending_has_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["link", "-drafted_at"], name="requests_of_link"),
            models.Index(fields=["remind_at"], condition=models.Q(remind_at__isnull=False), name="requests_due"),
            models.Index(
                fields=["organisation", "remind_at"],
                condition=models.Q(remind_at__isnull=False),
                name="requests_due_of",
            ),
            models.Index(fields=["organisation"], condition=models.Q(state="unknown"), name="requests_unknown"),
            models.Index(fields=["sending_since"], condition=models.Q(state="sending"), name="requests_on_their_way"),
        ]

    @property
    def subject(self) -> str:
        """One line. Raises ``sealing.NotOursError``."""
        return unseal(Use.TEXT, self.sealed_subject)

    @property
    def text(self) -> str:
        """What it says. Raises ``sealing.NotOursError``."""
        return unseal(Use.TEXT, self.sealed_text)

    @property
    def by_mail(self) -> bool:
        """Whether the bank sends it. Otherwise a practitioner fills in the form, and says so."""
        return "@" in self.to and "/" not in self.to


class RunningClock(models.Model):
    """A time that a law gives whoever was asked."""

    request = models.ForeignKey(TakedownRequest, on_delete=models.CASCADE, related_name="clocks")
    organisation = models.ForeignKey("organisations.Organisation", on_delete=models.PROTECT, related_name="+")
    law = models.CharField(max_length=80)
    """The key of the law's row."""
    law_name = models.CharField(max_length=200)
    country = models.CharField(max_length=2)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    basis = models.CharField(max_length=600)
    """Why it runs from when to when: a sentence."""
    authority = models.CharField(max_length=300, blank=True)
    reviewed = models.BooleanField()
    """Whether somebody has checked that row of the law."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "law", "starts_at"], name="one_clock_a_law_and_start"),
            models.CheckConstraint(condition=models.Q(ends_at__gte=models.F("starts_at")), name="clocks_run_forward"),
        ]
        indexes = [models.Index(fields=["organisation", "ends_at"], name="clocks_by_end")]


class Reply(models.Model):
    """What came back about a request, or a message that fits none, which a supervisor looks through."""

    request = models.ForeignKey(TakedownRequest, on_delete=models.CASCADE, null=True, related_name="replies")
    arrived_at = models.DateTimeField(default=timezone.now)
    automatic = models.BooleanField(default=False)
    """A machine wrote it: a receipt, an absence, an error of delivery (RFC 3834)."""
    bounced = models.BooleanField(default=False)
    """The message could not be delivered."""
    sealed_from = models.TextField()
    sealed_subject = models.TextField()
    sealed_text = models.TextField()
    cut = models.BooleanField(default=False)
    """It was longer than is kept."""
    attachments = models.JSONField(default=list)
    """What was attached and is not kept: media types."""
    mac = models.BinaryField(max_length=32, unique=True)
    """Of the whole message: the same one is filed once."""
    typed_by = models.ForeignKey("organisations.Practitioner", on_delete=models.SET_NULL, null=True)
    """Who filed it by hand; ``None`` for one that came by mail."""
    read_at = models.DateTimeField(null=True)
    """When whoever works on the case file had it before them; ``None`` while it waits."""

    class Meta:
        indexes = [
            models.Index(
                fields=["arrived_at"],
                condition=models.Q(request__isnull=False, read_at=None),
                name="replies_to_read",
            ),
            models.Index(fields=["request", "arrived_at"], name="replies_of_request"),
            models.Index(fields=["arrived_at"], condition=models.Q(request=None), name="replies_to_nothing"),
        ]

    @property
    def sender(self) -> str:
        """Who says that they wrote it. Raises ``sealing.NotOursError``."""
        return unseal(Use.TEXT, self.sealed_from)

    @property
    def subject(self) -> str:
        """One line. Raises ``sealing.NotOursError``."""
        return unseal(Use.TEXT, self.sealed_subject)

    @property
    def text(self) -> str:
        """What it says, without mark-up. Raises ``sealing.NotOursError``."""
        return unseal(Use.TEXT, self.sealed_text)
