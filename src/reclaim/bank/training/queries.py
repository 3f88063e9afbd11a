"""Reads of a training, and the only ways to a trainee, a play and a group."""

from __future__ import annotations

import email
import email.policy
import hmac
import uuid
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation

from reclaim.bank.takedown.models import TakedownRequest
from reclaim.bank.takedown.outside import Outside
from reclaim.bank.training import scenarios
from reclaim.bank.training.models import Certificate, Decision, Group, Play, Sandbox, Trainee
from reclaim.bank.training.scenarios import Scenario, Track
from reclaim.sitekit.access import Access, check_for
from reclaim.sitekit.readable import ALPHABET, bare_text
from reclaim.sitekit.secrets import mac

TRAINEE_COOKIE = "t"
FACILITATOR_COOKIE = "f"
CODE_LETTERS = 8
"""Of a group's and of a facilitator's code: 40 bits, with limited tries."""
MOST_MAILS = 100


def is_sandbox() -> bool:
    """Whether this database is a sandbox's. ``False`` where it is older than sandboxes."""
    return Sandbox._meta.db_table in connection.introspection.table_names() and Sandbox.objects.exists()


def own_scenarios() -> Path:
    """Where a sandbox keeps translated scenarios: a folder for each language."""
    return Path(settings.DATA) / "scenarios"


def code_mac(code: str) -> bytes:
    """What is stored of a code that somebody types."""
    return mac("training code", bare_text(code[:100]).encode(errors="surrogatepass"))


def code_of(group: uuid.UUID) -> str:
    """A group's code: «ABCD-1234». It follows from the group's number under the site's secret."""
    drawn = mac("training group", group.bytes)
    letters = "".join(ALPHABET[byte % len(ALPHABET)] for byte in drawn[:CODE_LETTERS])
    return f"{letters[:4]}-{letters[4:]}"


def token_mac(token: str) -> bytes:
    """What is stored of a trainee's cookie."""
    return mac("training token", token[:100].encode(errors="surrogatepass"))


def facilitator_token() -> str:
    """What a facilitator's cookie has, until the sandbox is started again; empty before its first start."""
    row = Sandbox.objects.first()
    return mac("training facilitator", bytes(row.code_mac)).hex() if row and row.code_mac else ""


def trainee_of(request: HttpRequest) -> Trainee | None:
    """The trainee whose cookie came."""
    token = request.COOKIES.get(TRAINEE_COOKIE, "")
    found = Trainee.objects.filter(token_mac=token_mac(token)) if token else Trainee.objects.none()
    return found.select_related("group", "practitioner", "certificate").first()


def is_facilitator(request: HttpRequest) -> bool:
    """Whether a facilitator's cookie of this start came."""
    sent, known = request.COOKIES.get(FACILITATOR_COOKIE, ""), facilitator_token()
    return bool(known) and hmac.compare_digest(sent.encode(errors="replace"), known.encode())


@check_for(Access.TRAINEE)
def _check_trainee(request: HttpRequest) -> HttpResponse | None:
    translation.activate("en")
    found = trainee_of(request)
    if found is None:
        return redirect("training-home")
    request.trainee = found  # type: ignore[attr-defined]
    return None


@check_for(Access.FACILITATOR)
def _check_facilitator(request: HttpRequest) -> HttpResponse | None:
    translation.activate("en")
    return None if is_facilitator(request) else redirect("training-facilitator")


def access_trainee(request: HttpRequest) -> Trainee:
    """The trainee of this request; the route's access check has already found them."""
    trainee: Trainee = request.trainee  # type: ignore[attr-defined]
    return trainee


def access_play(trainee: Trainee, key: uuid.UUID) -> Play:
    """A play of the trainee's own. Raises ``Http404``."""
    found = trainee.plays.select_related("case_file").filter(pk=key).first()
    if found is None:
        raise Http404
    return found


def access_group(key: uuid.UUID) -> Group:
    """A group, for a facilitator. Raises ``Http404``."""
    found = Group.objects.filter(pk=key).first()
    if found is None:
        raise Http404
    return found


def scenarios_of(group: Group) -> dict[str, Scenario]:
    """The scenarios of a group's track, in order and in its language."""
    known = scenarios.scenarios(group.language, own_scenarios())
    return {key: known[key] for key in track_of(group).scenarios if key in known}


def track_of(group: Group) -> Track:
    """The group's track."""
    return scenarios.tracks()[group.track]


@dataclass(frozen=True)
class Progress:
    """Where one trainee is in one scenario."""

    scenario: Scenario
    play: Play | None
    points: int
    most: int

    @property
    def finished(self) -> bool:
        """Whether every step was taken."""
        return self.play is not None and self.play.finished_at is not None

    @property
    def waits_at(self) -> int:
        """The number of the step that waits, from 1."""
        return self.play.at + 1 if self.play else 1

    @property
    def percent(self) -> int | None:
        """Of the points that could be had so far; ``None`` before a decision."""
        return round(100 * self.points / self.most) if self.most else None


def _progress(trainee: Trainee, known: dict[str, Scenario]) -> list[Progress]:
    plays = {play.scenario: play for play in trainee.plays.all()}
    found = []
    for key, scenario in known.items():
        play = plays.get(key)
        made = list(play.decisions.all()) if play else []
        found.append(Progress(scenario, play, sum(each.points for each in made), sum(each.most for each in made)))
    return found


def progress_of(trainee: Trainee) -> list[Progress]:
    """How far a trainee is, in the track's order."""
    own = Trainee.objects.prefetch_related(Prefetch("plays", Play.objects.prefetch_related("decisions")))
    return _progress(own.get(pk=trainee.pk), scenarios_of(trainee.group))


@dataclass(frozen=True)
class Row:
    """One trainee, as a facilitator sees them."""

    trainee: Trainee
    progress: list[Progress]
    finished: int
    percent: int | None


def rows_of(group: Group) -> list[Row]:
    """Everybody in a group and where they are, in a fixed number of queries."""
    known = scenarios_of(group)
    plays = Prefetch("plays", Play.objects.prefetch_related("decisions"))
    rows = []
    for trainee in group.trainees.select_related("certificate").prefetch_related(plays).order_by("joined_at", "pk"):
        progress = _progress(trainee, known)
        most, points = sum(each.most for each in progress), sum(each.points for each in progress)
        finished = sum(each.finished for each in progress)
        rows.append(Row(trainee, progress, finished, round(100 * points / most) if most else None))
    return rows


def moved_on(group: Group) -> int:
    """How many steps of a group's plays the facilitator moved on."""
    return Decision.objects.filter(play__trainee__group=group, choice="").count()


def chosen(group: Group, scenario: Scenario) -> list[tuple[str, list[tuple[str, int]]]]:
    """For each step of a scenario the texts of its choices, and how many of the group chose each."""
    counted: dict[tuple[int, str], int] = {}
    made = Decision.objects.filter(play__trainee__group=group, play__scenario=scenario.key)
    for number, choice in made.values_list("number", "choice"):
        counted[number, choice] = counted.get((number, choice), 0) + 1
    return [
        (step.title, [(choice.text, counted.get((number, choice.key), 0)) for choice in step.choices])
        for number, step in enumerate(scenario.steps)
    ]


def certificate_by(code: str) -> Certificate | None:
    """The certificate with a code that somebody typed."""
    bare = bare_text(code[:100])
    parts = "-".join(bare[at : at + 4] for at in range(0, len(bare), 4))
    return Certificate.objects.filter(code=parts).first() if bare else None


@dataclass(frozen=True)
class Mail:
    """What would have been sent."""

    to: str
    subject: str
    text: str


def outbox_of(trainee: Trainee) -> list[Mail]:
    """Mails that a trainee «sent», the latest first. They lie in a file; nothing was sent."""
    outside: Outside = settings.OUTSIDE
    if outside.outbox is None or trainee.practitioner_id is None:
        return []
    own = set(TakedownRequest.objects.filter(sent_by=trainee.practitioner_id).values_list("message_id", flat=True))
    found: list[Mail] = []
    for path in sorted(outside.outbox.glob("*.log"), reverse=True):
        # One mail a file, which ends in a line of dashes.
        message = email.message_from_bytes(path.read_bytes().rsplit(b"\n---", 1)[0], policy=email.policy.default)
        if message["Message-ID"] in own:
            body = message.get_body(("plain",))
            text = body.get_content() if body is not None else ""
            found.append(Mail(str(message["To"]), str(message["Subject"]), text))
        if len(found) >= MOST_MAILS:
            break
    return found
