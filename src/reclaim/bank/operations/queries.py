"""Reads of the people who run the bank: applications, and how platforms do. Each read of staff is audited."""

from __future__ import annotations

import datetime
import hmac
from collections import Counter
from dataclasses import dataclass

from django.db.models import Count, Q, Sum
from django.utils import timezone

from reclaim.bank.feedback.models import Feedback
from reclaim.bank.feedback.queries import acknowledge_by, ordinary_types_of, overdue, owed_by
from reclaim.bank.ledger.models import LedgerRecord
from reclaim.bank.ledger.queries import extra_types_of, in_the_feed_of
from reclaim.bank.operations.models import Application
from reclaim.bank.placements.models import CheckDay
from reclaim.bank.placements.queries import checks_today
from reclaim.bank.platforms.key_text import is_key
from reclaim.bank.platforms.models import ErrorHour, Platform, PlatformKey
from reclaim.bank.platforms.queries import has_a_list, vetted_platforms
from reclaim.protocol.stopncii_v1 import FeedbackValue
from reclaim.sitekit import audit
from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.secrets import mac

MOST_COUNTED = 10_000
"""More than so many is said as «more than»: a page must not count millions."""
HOURS = 24
ENDED_SHOWN = 50


# Applications


def pickup_mac(secret: str) -> bytes:
    """What the bank keeps of an applicant's secret."""
    return mac("platform-pickup", secret.encode())


def application_of(number: str) -> Application | None:
    """The application with this number, for anybody who has it: the number opens nothing."""
    return Application.objects.select_related("platform").filter(number=number).first()


def access_own_application(number: str, secret: str) -> Application | None:
    """The application with this number, for who shows its secret."""
    application = application_of(number)
    if application is None or not is_key(secret):
        return None
    same = hmac.compare_digest(bytes(application.pickup_mac), pickup_mac(secret))
    return application if same else None


def access_applications(member: Member) -> tuple[list[Application], list[Application]]:
    """Applications that wait for somebody, the oldest first; and the latest that do not."""
    audit.record(member.actor, "applications.read", "applications")
    rows = Application.objects.select_related("vetted_by", "consented_by", "declined_by")
    waiting = (Application.State.ASKED, Application.State.VETTED, Application.State.CONSENTED)
    ended = rows.exclude(state__in=waiting).order_by("-changed_at")
    return list(rows.filter(state__in=waiting).order_by("asked_at")), list(ended[:ENDED_SHOWN])


def access_application(member: Member, number: str) -> Application | None:
    """One application, for a member of the staff."""
    rows = Application.objects.select_related("vetted_by", "consented_by", "declined_by", "platform")
    application = rows.filter(number=number).first()
    if application is not None:
        audit.record(member.actor, "application.read", f"application:{application.pk}")
    return application


def waiting_in(state: Application.State) -> int:
    """How many applications are in a state."""
    return Application.objects.filter(state=state).count()


# Platforms


@dataclass(frozen=True)
class Watched:
    """How one platform does."""

    platform: Platform
    fetches: bool
    """Whether a key of it can fetch now."""
    behind: int
    """Records that changed since what it has stored; at most ``MOST_COUNTED`` + 1. None where it has no list."""
    behind_seconds: int
    """How long the oldest of them has waited for it."""
    owed: int
    """Withdrawals that it has not acknowledged."""
    overdue: int
    """Those of them whose clock has run out."""
    acknowledge_by: datetime.datetime | None
    """When the clock of the oldest runs out."""
    refused: int
    """Requests within a day that were answered 400 to 499."""
    failed: int
    """From 500 on."""
    said: int
    """Signals in place that it has decided on, or is reviewing."""
    blocked: int
    not_blocked: int
    keys: int
    """Keys that open something now."""
    first_expiry: datetime.datetime | None
    """When the first of them ends."""
    extra: list[str]
    """The extra types of which it has been given signals."""
    checks: CheckDay
    """How many checks of placements it asked for today."""

    def as_json(self) -> dict[str, object]:
        """For monitoring: numbers, and times as RFC 3339."""
        return {
            "name": self.platform.name,
            "last_fetch": _moment(self.platform.last_fetch_at),
            "fetches": self.fetches,
            "behind": self.behind,
            "behind_seconds": self.behind_seconds,
            "open_withdrawals": self.owed,
            "overdue_withdrawals": self.overdue,
            "acknowledge_by": _moment(self.acknowledge_by),
            "refused_in_a_day": self.refused,
            "failed_in_a_day": self.failed,
            "signals_with_feedback": self.said,
            "blocked": self.blocked,
            "not_blocked": self.not_blocked,
            "keys": self.keys,
            "first_key_expires": _moment(self.first_expiry),
            "extra_types": self.extra,
            "placement_checks_today": self.checks.checks,
            "placement_matches_today": self.checks.matches,
            "placement_checks_refused_today": self.checks.refused,
        }


def _moment(at: datetime.datetime | None) -> str | None:
    return at.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def access_watched(member: Member) -> list[Watched]:
    """How every platform does, for a member of the staff: those with overdue withdrawals first."""
    audit.record(member.actor, "platforms.read", "platforms")
    return watched_platforms()


def watched_platforms() -> list[Watched]:
    """How every platform does: those with overdue withdrawals first, then by what they owe, then by name."""
    watched = [watch(platform) for platform in vetted_platforms()]
    return sorted(watched, key=lambda each: (-each.overdue, -each.owed, each.platform.name.casefold()))


def access_watched_platform(member: Member, key: int) -> tuple[Watched, list[PlatformKey]] | None:
    """How one platform does, and its keys, those that open something first."""
    platform = Platform.objects.filter(pk=key).first()
    if platform is None:
        return None
    audit.record(member.actor, "platform.read", f"platform:{platform.pk}")
    keys = sorted(platform.keys.all(), key=lambda each: (not usable(each), -each.pk))
    return watch(platform), keys


def usable(key: PlatformKey) -> bool:
    """Whether a key opens something now, its platform having access."""
    return key.revoked_at is None and key.expires_at > timezone.now()


def watch(platform: Platform) -> Watched:
    """How a platform does now."""
    now = timezone.now()
    # Everything up to there it has stored; a platform that takes some types alone is told of all that it asked for.
    behind = (
        LedgerRecord.objects.filter(in_the_feed_of(platform), position__gt=platform.told_position)
        .exclude(status=LedgerRecord.Status.ERASED)
        .filter(type__in=ordinary_types_of(platform))
        .order_by("position")
    )
    if not has_a_list(platform):
        behind = behind.none()
    oldest = behind.values_list("modified_at", flat=True).first()
    owed = owed_by(platform)
    first_owed = owed.order_by("withdrawn_at").values_list("withdrawn_at", flat=True).first()
    errors = platform.error_hours.filter(hour__gt=now - datetime.timedelta(hours=HOURS))
    counts = errors.aggregate(refused=Sum("refused"), failed=Sum("failed"))
    words = Feedback.objects.filter(platform=platform, record__status=LedgerRecord.Status.ACTIVE)
    said = Counter(dict(words.values_list("value").annotate(signals=Count("pk"))))
    keys = [key for key in platform.keys.all() if usable(key)]
    return Watched(
        platform=platform,
        fetches=platform.revoked_at is None and any(PlatformKey.Scope.FETCH in key.scopes for key in keys),
        behind=behind[: MOST_COUNTED + 1].count(),
        behind_seconds=max(0, int(now.timestamp()) - oldest) if oldest is not None else 0,
        owed=owed[: MOST_COUNTED + 1].count(),
        overdue=overdue(platform)[: MOST_COUNTED + 1].count(),
        acknowledge_by=_clock(platform, first_owed),
        refused=counts["refused"] or 0,
        failed=counts["failed"] or 0,
        said=said.total(),
        blocked=said[FeedbackValue.BLOCKED],
        not_blocked=said[FeedbackValue.NOT_BLOCKED],
        keys=len(keys),
        first_expiry=min((key.expires_at for key in keys), default=None),
        extra=sorted(extra_types_of(platform)),
        checks=checks_today(platform),
    )


def given_signals(platform: Platform) -> int:
    """How many signals in place a platform was given."""
    given = Q(type__in=ordinary_types_of(platform), position__lte=platform.told_position)
    for copy in platform.extra_copies.all():
        given |= Q(type=copy.type, position__lte=copy.told_position)
    return LedgerRecord.objects.filter(given, in_the_feed_of(platform), status=LedgerRecord.Status.ACTIVE).count()


def _clock(platform: Platform, withdrawn_at: datetime.datetime | None) -> datetime.datetime | None:
    """When a withdrawal is overdue. The clock of what was withdrawn before a platform came begins with its vetting."""
    return acknowledge_by(max(withdrawn_at, platform.vetted_at)) if withdrawn_at else None


@dataclass(frozen=True)
class Bar:
    """One hour of a chart, in units of its drawing."""

    hour: datetime.datetime
    refused: int
    failed: int
    x: float
    refused_height: float
    failed_height: float
    refused_y: float
    failed_y: float


CHART_HEIGHT, BAR_STEP = 100, 10


def errors_by_hour(platform: Platform) -> list[Bar]:
    """Requests of a platform that were refused or failed, in each of the last 24 hours, as bars stacked from below."""
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    first = now - datetime.timedelta(hours=HOURS - 1)
    counted: dict[datetime.datetime, ErrorHour] = {
        each.hour: each for each in platform.error_hours.filter(hour__gte=first)
    }
    hours = [first + datetime.timedelta(hours=passed) for passed in range(HOURS)]
    found = [(hour, counted[hour].refused, counted[hour].failed) if hour in counted else (hour, 0, 0) for hour in hours]
    unit = CHART_HEIGHT / max(1, *(refused + failed for _, refused, failed in found))
    return [
        Bar(
            hour=hour,
            refused=refused,
            failed=failed,
            x=place * BAR_STEP,
            refused_height=round(refused * unit, 1),
            failed_height=round(failed * unit, 1),
            refused_y=round(CHART_HEIGHT - refused * unit, 1),
            failed_y=round(CHART_HEIGHT - (refused + failed) * unit, 1),
        )
        for place, (hour, refused, failed) in enumerate(found)
    ]
