"""Plans of recovery: steps, and check-ins that the person agreed to. Nobody is ever called by a program."""

from __future__ import annotations

import datetime
import json
from collections.abc import Collection
from dataclasses import dataclass
from importlib.resources import files

from django.db import transaction
from django.utils import timezone

from reclaim.bank.casework.models import CaseFile
from reclaim.bank.casework.services import add_event
from reclaim.bank.cooperation.models import CheckIn, PlanStep, RecoveryPlan
from reclaim.bank.cooperation.queries import day_of
from reclaim.bank.directory.queries import services_in
from reclaim.bank.directory.rows import Kind, Service
from reclaim.bank.organisations.models import Practitioner
from reclaim.bank.vault import services as vault
from reclaim.bank.vault.keys import Unlocked
from reclaim.sitekit import audit

LONGEST_CHANNEL = 1000
MOST_CHECK_INS = 30
"""Check-ins of one plan that are to come."""
FURTHEST = datetime.timedelta(days=366)


class PlanError(Exception):
    """This cannot be done so; the message says what to do."""


@dataclass(frozen=True)
class Step:
    """A step that can be agreed on."""

    key: str
    area: str
    title: str
    text: str
    kinds: tuple[Kind, ...]


def _load() -> dict[str, Step]:
    rows = json.loads(files(__package__).joinpath("data", "recovery.json").read_text(encoding="utf-8"))["steps"]
    found = [
        Step(row["key"], row["area"], row["title"], row["text"], tuple(Kind(each) for each in row["kinds"]))
        for row in rows
    ]
    return {step.key: step for step in found}


STEPS = _load()


def services_for(step: Step, case_file: CaseFile) -> list[Service]:
    """Services of the directory that help with a step, where the person lives."""
    return services_in(case_file.country, kinds=step.kinds)[:40] if step.kinds and case_file.country else []


def _locked(case_file: CaseFile) -> RecoveryPlan:
    plan = RecoveryPlan.objects.select_for_update().filter(case_file=case_file).first()
    if plan is None or plan.ended_at is not None:
        raise PlanError("There is no plan, or the person has ended it. Begin one with the person.")
    return plan


def choose_steps(practitioner: Practitioner, case_file: CaseFile, keys: Collection[str]) -> RecoveryPlan:
    """Begin a plan with these steps, or go on with the one there is; steps that were left out and not done go.

    A plan that was ended begins again. Raises ``PlanError``.
    """
    chosen = [key for key in STEPS if key in keys]
    if not chosen:
        raise PlanError("Tick at least one step that the person wants.")
    with transaction.atomic():
        CaseFile.objects.select_for_update().get(pk=case_file.pk)
        plan, new = RecoveryPlan.objects.get_or_create(case_file=case_file, defaults={"made_by": practitioner})
        if plan.ended_at is not None:
            plan.ended_at = None
            plan.save(update_fields=["ended_at"])
        there = {step.key for step in plan.steps.all()}
        plan.steps.filter(state=PlanStep.State.OPEN).exclude(key__in=chosen).delete()
        PlanStep.objects.bulk_create(PlanStep(plan=plan, key=key) for key in chosen if key not in there)
        if new:
            add_event(case_file, practitioner, "plan.begun")
        audit.record(practitioner.actor, "plan.choose", f"casefile:{case_file.pk}")
    return plan


def set_step(practitioner: Practitioner, case_file: CaseFile, key: str, state: str, service: str) -> None:
    """Say where a step stands, and which service helps with it (its key in the directory, or empty).

    Raises ``PlanError``.
    """
    if state not in PlanStep.State.values or key not in STEPS:
        raise PlanError("Choose a step of the plan, and where it stands.")
    if service and service not in {each.key for each in services_for(STEPS[key], case_file)}:
        raise PlanError("Choose a service that is offered for this step.")
    with transaction.atomic():
        plan = _locked(case_file)
        if not plan.steps.filter(key=key).update(state=state, service=service):
            raise PlanError("This step is not in the plan.")
        audit.record(practitioner.actor, "plan.step", f"casefile:{case_file.pk}")


def agree_check_in(
    practitioner: Practitioner, unlocked: Unlocked, case_file: CaseFile, due_on: datetime.date, channel: str
) -> CheckIn:
    """Note a check-in that the person agreed to. ``channel``: by which way, at which hour, and what to say to others.

    Raises ``PlanError``; what the vault raises.
    """
    channel = channel.replace("\r\n", "\n").strip()
    if not channel or len(channel) > LONGEST_CHANNEL or "\x00" in channel:
        raise PlanError(f"Write which way is safe, in at most {LONGEST_CHANNEL} characters.")
    today = day_of(practitioner)
    if not today <= due_on <= today + FURTHEST:
        raise PlanError("Choose a day from today on, within a year.")
    key = vault.case_key(unlocked, case_file.pk)
    with transaction.atomic():
        plan = _locked(case_file)
        if plan.check_ins.filter(state=CheckIn.State.AGREED).count() >= MOST_CHECK_INS:
            raise PlanError("There are many check-ins to come already. Agree on more when some are done.")
        check_in = CheckIn.objects.create(plan=plan, due_on=due_on, sealed_channel=b"")
        check_in.sealed_channel = key.seal(f"check-in {check_in.pk}", channel)
        check_in.save(update_fields=["sealed_channel"])
        audit.record(practitioner.actor, "plan.check-in", f"casefile:{case_file.pk}")
    return check_in


def channel_of(unlocked: Unlocked, check_in: CheckIn) -> str:
    """The safe way that was agreed on. Raises what the vault raises."""
    key = vault.case_key(unlocked, check_in.plan.case_file_id)
    return key.open(f"check-in {check_in.pk}", bytes(check_in.sealed_channel))


def finish_check_in(practitioner: Practitioner, case_file: CaseFile, key: int, state: str) -> None:
    """Say how a check-in went. Raises ``PlanError``."""
    if state not in (CheckIn.State.DONE, CheckIn.State.UNREACHED):
        raise PlanError("Say whether the person was reached.")
    with transaction.atomic():
        plan = _locked(case_file)
        facts = {"state": state, "done_by": practitioner, "done_at": timezone.now()}
        if not plan.check_ins.filter(pk=key, state=CheckIn.State.AGREED).update(**facts):
            raise PlanError("Somebody has noted this check-in already.")
        add_event(case_file, practitioner, "plan.checked-in", how=CheckIn.State(state).label)
        audit.record(practitioner.actor, "plan.checked-in", f"casefile:{case_file.pk}")


def end_plan(practitioner: Practitioner | None, case_file: CaseFile) -> None:
    """The person wants no more of it: check-ins to come are erased. ``None``: they say so themselves.

    Raises ``PlanError``.
    """
    with transaction.atomic():
        plan = _locked(case_file)
        plan.ended_at = timezone.now()
        plan.save(update_fields=["ended_at"])
        plan.check_ins.filter(state=CheckIn.State.AGREED).delete()
        add_event(case_file, practitioner, "plan.ended", by_person=practitioner is None)
        audit.record(practitioner.actor if practitioner else "person", "plan.end", f"casefile:{case_file.pk}")
