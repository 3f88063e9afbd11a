"""Writes of a training. Actors in the audit trail are «trainee:…» and «facilitator»."""

from __future__ import annotations

import datetime
import secrets

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from reclaim.bank.casework.models import CaseFile
from reclaim.bank.casework.services import erase
from reclaim.bank.ledger.models import LedgerClock, Source
from reclaim.bank.organisations.models import Organisation, Practitioner
from reclaim.bank.organisations.services import add_organisation, add_practitioner, remove_practitioner
from reclaim.bank.peers.models import Peer
from reclaim.bank.platforms.models import Platform
from reclaim.bank.takedown.outside import Outside
from reclaim.bank.training import scenarios, world
from reclaim.bank.training.models import Certificate, Decision, Group, Play, Sandbox, Trainee
from reclaim.bank.training.queries import (
    CODE_LETTERS,
    code_mac,
    code_of,
    moved_on,
    own_scenarios,
    progress_of,
    scenarios_of,
    token_mac,
)
from reclaim.bank.training.scenarios import Scenario
from reclaim.bank.vault import people
from reclaim.bank.vault.services import make_pair
from reclaim.sitekit import audit
from reclaim.sitekit.accounts.models import Member
from reclaim.sitekit.accounts.services import add_member
from reclaim.sitekit.events import log_event
from reclaim.sitekit.readable import ALPHABET
from reclaim.sitekit.roles import Role

MOST_GROUPS = 200
MOST_TRAINEES = 200
"""In one group."""
KEPT_FOR = datetime.timedelta(days=30)
"""After which a group is forgotten, with all that its trainees did; certificates stay."""
LONGEST_NAME, LONGEST_NICKNAME = 60, 24
ORGANISATION = "Practice Helpline"
OPERATOR, OVERSEER = "practice operator", "practice overseer"
_CERTIFICATE_LETTERS = 12


class TrainingError(ValueError):
    """This cannot be done so; the message is a sentence that says what to do."""


_OF_A_BANK = (Source, Platform, Peer, Member, Organisation, CaseFile)


def holds_a_bank() -> bool:
    """Whether a bank has used this database, however old: nothing is asked but whether there is a row."""
    tables = set(connection.introspection.table_names())
    if Sandbox._meta.db_table in tables and Sandbox.objects.exists():
        return False
    return any(kind._meta.db_table in tables and kind._default_manager.exists() for kind in _OF_A_BANK)


def make_sandbox() -> bool:
    """Make an untouched database a sandbox's, for good; ``False`` if a bank has used it."""
    with transaction.atomic():
        clock = LedgerClock.objects.select_for_update().get(pk=1)
        if Sandbox.objects.exists():
            return True
        if clock.position or clock.synthetic or holds_a_bank():
            return False
        Sandbox.objects.create(pk=1)
        audit.record("operator", "sandbox.make", "sandbox")
    return True


def new_facilitator_code() -> str:
    """Make the facilitator's code anew; returns it, and keeps its MAC alone. Cookies got for the one before end."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LETTERS))
    with transaction.atomic():
        Sandbox.objects.filter(pk=1).update(code_mac=code_mac(code))
        audit.record("operator", "sandbox.code", "sandbox")
    return f"{code[:4]}-{code[4:]}"


def is_facilitators_code(code: str) -> bool:
    """Whether somebody typed this start's code."""
    return Sandbox.objects.filter(pk=1, code_mac=code_mac(code)).exists()


def _name(text: str, longest: int, what: str) -> str:
    text = " ".join(text.split())
    if not 1 <= len(text) <= longest or not text.isprintable() or not any(letter.isalnum() for letter in text):
        raise TrainingError(f"{what} has 1 to {longest} printable characters, with a letter or a digit among them.")
    return text


def new_group(name: str, track: str, language: str) -> Group:
    """Begin a group. Raises ``TrainingError``."""
    name = _name(name, LONGEST_NAME, "A group's name")
    if track not in scenarios.tracks() or language not in scenarios.languages(own_scenarios()):
        raise TrainingError("Choose a track and a language from the lists.")
    with transaction.atomic():
        if Group.objects.count() >= MOST_GROUPS:
            raise TrainingError("There are many groups here. End one first.")
        group = Group(name=name, track=track, language=language)
        group.code_mac = code_mac(code_of(group.pk))
        group.save(force_insert=True)
        audit.record("facilitator", "group.make", f"group:{group.pk}")
    return group


def join(code: str, nickname: str) -> tuple[Trainee, str]:
    """Join the group with this code; returns the trainee and what their cookie has. Raises ``TrainingError``."""
    nickname = _name(nickname, LONGEST_NICKNAME, "A nickname")
    taken = TrainingError("Somebody in this group has this nickname. Choose another one.")
    token = secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            group = Group.objects.select_for_update().filter(code_mac=code_mac(code)).first()
            if group is None:
                raise TrainingError("No group has this code. Ask the facilitator for it.")
            if group.trainees.count() >= MOST_TRAINEES:
                raise TrainingError(f"A group has at most {MOST_TRAINEES} people. Ask the facilitator for another one.")
            trainee = Trainee.objects.create(
                group=group, nickname=nickname, token_mac=token_mac(token), secret=secrets.token_urlsafe(32)
            )
            audit.record(f"trainee:{trainee.pk}", "group.join", f"group:{group.pk}")
    except IntegrityError as error:
        raise taken from error
    return trainee, token


def _member(name: str, role: Role) -> Member:
    """A practice account that nobody can sign in to by a password."""
    found = Member.objects.filter(name=name).first()
    if found is None:
        add_member(name, role, "training")
        found = Member.objects.get(name=name)
        found.set_unusable_password()
        found.one_time_until = None
        found.save(update_fields=["password", "one_time_until"])
    return found


def practice_member(role: Role) -> Member:
    """The practice operator or overseer, whom all trainees share."""
    return _member(OPERATOR if role is Role.OPERATOR else OVERSEER, role)


def practitioner_of(trainee: Trainee) -> Practitioner:
    """The trainee's own practice practitioner, made on first use. In the caller's transaction."""
    if trainee.practitioner is not None:
        return trainee.practitioner
    organisation = Organisation.objects.filter(name=ORGANISATION).first() or add_organisation(
        ORGANISATION, "GB", ["en"], remit="Made up, for training.", actor="training"
    )
    # Not the nickname: that is somebody's own words, and pages show this name to colleagues.
    name = f"practice {trainee.pk.hex[:12]}"
    practitioner, _ = add_practitioner(organisation, name, Role.PRACTITIONER, actor="training")
    practitioner.member.set_unusable_password()
    practitioner.member.one_time_until = None
    practitioner.member.save(update_fields=["password", "one_time_until"])
    make_pair(people.name_of(practitioner), trainee.secret)
    trainee.practitioner = practitioner
    trainee.save(update_fields=["practitioner"])
    return practitioner


def _scenario(trainee: Trainee, key: str) -> Scenario:
    found = scenarios_of(trainee.group).get(key)
    if found is None:
        raise TrainingError("This scenario is not in your track. Choose one from the list.")
    return found


def _locked(play: Play) -> Play:
    found = Play.objects.select_for_update(of=("self",)).select_related(
        "trainee__group", "trainee__practitioner__member", "trainee__practitioner__organisation", "case_file"
    )
    again = found.filter(pk=play.pk).first()
    if again is None:
        raise TrainingError("The facilitator has begun anew. Start the scenario again.")
    return again


def begin(trainee: Trainee, key: str) -> Play:
    """Begin a scenario, or go on with it. Raises ``TrainingError``."""
    scenario = _scenario(trainee, key)
    with transaction.atomic():
        # One at a time: of two presses, one makes the made-up world.
        locked = Trainee.objects.select_for_update(of=("self",)).select_related("group", "practitioner__organisation")
        own = locked.filter(pk=trainee.pk).first()
        if own is None:
            raise TrainingError("The facilitator has ended this group.")
        found = own.plays.filter(scenario=key).first()
        if found is not None:
            return found
        play = Play(trainee=own, scenario=key)
        if scenario.seed:
            world.seed(play, scenario, practitioner_of(own), practice_member(Role.OPERATOR))
        play.save(force_insert=True)
        _arrive(play, scenario)
        play.save()
        audit.record(f"trainee:{own.pk}", "scenario.begin", f"scenario:{key}")
    log_event("a scenario was begun")
    return play


def _arrive(play: Play, scenario: Scenario) -> None:
    """What has happened when the step is reached that waits now; or that the play is over."""
    if play.at < len(scenario.steps):
        world.happen(play, scenario.steps[play.at].world, play.trainee.practitioner)
    else:
        play.finished_at = timezone.now()


def decide(play: Play, number: int, key: str) -> Decision:
    """Decide at a step (from 0). A second decision at the same step changes nothing. Raises ``TrainingError``."""
    with transaction.atomic():
        found = _locked(play)
        scenario = _scenario(found.trainee, found.scenario)
        made = found.decisions.filter(number=number).first()
        if made is not None:
            return made
        if number != found.at or number >= len(scenario.steps):
            raise TrainingError("Another step waits. Go on from there.")
        step = scenario.steps[number]
        choice = step.choice(key)
        if choice is None:
            raise TrainingError("Choose one of the answers.")
        made = Decision.objects.create(
            play=found, number=number, choice=choice.key, points=choice.points, most=step.most
        )
        world.happen(found, choice.world, found.trainee.practitioner, choice.reply)
        found.at += 1
        _arrive(found, scenario)
        found.save()
        audit.record(f"trainee:{found.trainee_id}", "scenario.decide", f"scenario:{found.scenario}")
    return made


def move_on(group: Group, seen: int) -> int | None:
    """Move everyone who is in a scenario one step on; the step counts for nothing. Returns how many.

    ``seen``: ``moved_on`` of the page that it was pressed on. ``None``, and nobody is moved, where somebody has moved
    them on since: of two presses, one counts.
    """
    moved = 0
    with transaction.atomic():
        Group.objects.select_for_update().filter(pk=group.pk).first()
        if moved_on(group) != seen:
            return None
        for play in Play.objects.filter(trainee__group=group, finished_at=None).order_by("pk"):
            found = _locked(play)
            if found.finished_at is not None:
                # Its trainee took the last step in this moment.
                continue
            Decision.objects.create(play=found, number=found.at)
            found.at += 1
            _arrive(found, _scenario(found.trainee, found.scenario))
            found.save()
            moved += 1
        audit.record("facilitator", "group.move-on", f"group:{group.pk}")
    return moved


def reset(group: Group) -> None:
    """Forget what everybody in a group did; they stay in it and begin anew. Certificates stay."""
    with transaction.atomic():
        Group.objects.select_for_update().get(pk=group.pk)
        for play in Play.objects.select_related("case_file", "demand").filter(trainee__group=group):
            if play.case_file is not None:
                erase(play.case_file, "facilitator")
            if play.demand is not None:
                play.demand.delete()
            # A made-up case is erased by the tick, as every case of which all was withdrawn.
            world.happen(play, ["withdrawn"], None)
        Play.objects.filter(trainee__group=group).delete()
        group.trainees.update(certificate=None)
        audit.record("facilitator", "group.reset", f"group:{group.pk}")


def end(group: Group, actor: str = "facilitator") -> None:
    """End a group: everybody in it, and what they did, is forgotten. Certificates stay."""
    with transaction.atomic():
        reset(group)
        for trainee in group.trainees.select_related("practitioner__member", "practitioner__organisation"):
            if trainee.practitioner is not None:
                remove_practitioner(trainee.practitioner, actor)
        group.delete()
        audit.record(actor, "group.end", "group:ended")


def forget_old_groups() -> int:
    """End groups that are older than ``KEPT_FOR``; returns how many."""
    old = list(Group.objects.filter(made_at__lt=timezone.now() - KEPT_FOR)[:50])
    for group in old:
        end(group, "system")
    return len(old)


def forget_old_mails() -> int:
    """Erase mails of the outbox that are as old; returns how many."""
    outside: Outside = settings.OUTSIDE
    old = (timezone.now() - KEPT_FOR).timestamp()
    files = list(outside.outbox.glob("*.log")) if outside.outbox is not None else []
    gone = [file for file in files if file.stat().st_mtime < old]
    for file in gone:
        file.unlink(missing_ok=True)
    return len(gone)


def give_certificate(trainee: Trainee) -> Certificate:
    """A certificate for a whole track, once. Raises ``TrainingError`` while something is open."""
    progress = progress_of(trainee)
    most = sum(each.most for each in progress)
    if not progress or not all(each.finished for each in progress):
        raise TrainingError("The certificate is there when every scenario of your track is finished.")
    if not most:
        raise TrainingError(
            "Nothing was decided: everyone was moved on at each step. Ask the facilitator to begin anew."
        )
    with transaction.atomic():
        own = Trainee.objects.select_for_update(of=("self",)).select_related("certificate").get(pk=trainee.pk)
        if own.certificate is not None:
            return own.certificate
        letters = "".join(secrets.choice(ALPHABET) for _ in range(_CERTIFICATE_LETTERS))
        own.certificate = Certificate.objects.create(
            code="-".join(letters[at : at + 4] for at in range(0, len(letters), 4)),
            track=trainee.group.track,
            scenarios=[each.scenario.key for each in progress],
            score=round(100 * sum(each.points for each in progress) / most),
            day=timezone.now().date(),
        )
        own.save(update_fields=["certificate"])
        audit.record(f"trainee:{own.pk}", "certificate.give", "certificate")
    return own.certificate
