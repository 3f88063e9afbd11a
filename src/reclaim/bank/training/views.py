"""Pages of a training: for trainees, for facilitators, and for whoever checks a certificate."""

from __future__ import annotations

import random
import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from reclaim.bank.law.queries import law_by_key
from reclaim.bank.training import practice, scenarios, services
from reclaim.bank.training.models import Group, Play
from reclaim.bank.training.queries import (
    FACILITATOR_COOKIE,
    TRAINEE_COOKIE,
    Progress,
    access_group,
    access_play,
    access_trainee,
    certificate_by,
    chosen,
    code_of,
    facilitator_token,
    is_facilitator,
    moved_on,
    outbox_of,
    own_scenarios,
    progress_of,
    rows_of,
    scenarios_of,
    track_of,
    trainee_of,
)
from reclaim.bank.training.scenarios import Choice, Scenario, Step
from reclaim.bank.training.services import TrainingError
from reclaim.sitekit.access import Access, requires
from reclaim.sitekit.limits import Limit, network_of, seconds_to_wait

TRIES = Limit("training code", tries=30, window=600)
"""A whole group joins from one network."""
GUESSES = Limit("training facilitator", tries=10, window=600)
COOKIE_AGE = 14 * 24 * 3600


def _page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    translation.activate("en")
    about = {"trainee": trainee_of(request), "is_facilitator": is_facilitator(request)}
    return render(request, f"training/{template}.html", {**about, **context}, status=status)


def _with_cookie(response: HttpResponse, name: str, value: str) -> HttpResponse:
    response.set_cookie(
        name, value, max_age=COOKIE_AGE, httponly=True, samesite="Strict", secure=settings.SECURE, path="/training/"
    )
    return response


def _wait(request: HttpRequest, limit: Limit) -> tuple[str, int]:
    """A sentence and a status for who tried too often, or nobody can count: unknown fails closed. Empty: go on."""
    try:
        wait = seconds_to_wait([(limit, network_of(request))])
    except DatabaseError:
        return "Tries cannot be counted at the moment. Try again in a minute.", 503
    return (f"There were many tries. The next one is possible in {wait} seconds.", 429) if wait else ("", 200)


# Trainees


@requires(Access.PUBLIC)
@require_http_methods(["GET", "HEAD", "POST"])
def home(request: HttpRequest) -> HttpResponse:
    """Join a group; or, for a trainee, the scenarios of the track and how far they are."""
    trainee = trainee_of(request)
    if request.method == "POST":
        code, nickname = request.POST.get("code", ""), request.POST.get("nickname", "")
        error, status = _wait(request, TRIES)
        if not error:
            try:
                _, token = services.join(code, nickname)
            except TrainingError as fault:
                error, status = str(fault), 400
            else:
                return _with_cookie(redirect("training-home"), TRAINEE_COOKIE, token)
        faults = {"errors": [error], "nickname": nickname[:24]}
        return _page(request, "join", faults, status)
    if trainee is None:
        return _page(request, "join", {})
    progress = progress_of(trainee)
    about = {"progress": progress, "track": track_of(trainee.group), "all_done": all(p.finished for p in progress)}
    return _page(request, "home", about)


@requires(Access.TRAINEE)
@require_POST
def leave_group(request: HttpRequest) -> HttpResponse:
    """Leave on this device: the cookie goes, and with it the way back to what was decided."""
    request.session.flush()
    response = redirect("training-home")
    response.delete_cookie(TRAINEE_COOKIE, path="/training/", samesite="Strict")
    return response


@requires(Access.TRAINEE)
@require_http_methods(["GET", "HEAD", "POST"])
def scenario(request: HttpRequest, key: str) -> HttpResponse:
    """What a scenario is about, before it is begun."""
    trainee = access_trainee(request)
    found = next((each for each in progress_of(trainee) if each.scenario.key == key), None)
    if found is None:
        raise Http404
    if request.method == "POST":
        try:
            play = services.begin(trainee, key)
        except TrainingError as error:
            messages.error(request, str(error))
            return redirect("training-home")
        return redirect("training-step", play.pk, play.at)
    return _page(request, "scenario", {"found": found, "scenario": found.scenario})


def _filled(play: Play, text: str) -> str:
    """A text with the names of this play's made-up world."""
    if "{" not in text:
        return text
    link = play.case_file.links.order_by("found_on", "pk").first() if play.case_file else None
    names = {
        "{case}": f"«{play.case_file.designation}»" if play.case_file else "(no case file)",
        "{link}": link.url if link else "(no link)",
        "{number}": play.made_up.get("number", "(none)"),
        "{pin}": play.made_up.get("pin", "(none)"),
    }
    for place, name in names.items():
        text = text.replace(place, name)
    return text


def _step_of(request: HttpRequest, key: uuid.UUID) -> tuple[Play, Scenario]:
    trainee = access_trainee(request)
    play = access_play(trainee, key)
    play.trainee = trainee
    found = scenarios_of(trainee.group).get(play.scenario)
    if found is None:
        raise Http404
    return play, found


def _mixed(play: Play, step: Step) -> list[Choice]:
    """The choices in an order of this play's own: in the file the best one mostly comes first."""
    choices = list(step.choices)
    random.Random(f"{play.pk} {step.key}").shuffle(choices)  # noqa: S311 nothing is protected by it
    return choices


def _after(scenario: Scenario, number: int) -> bool:
    return number + 1 < len(scenario.steps)


@requires(Access.TRAINEE)
@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, play: uuid.UUID, number: int) -> HttpResponse:
    """One step: its choices, or what was decided and why that is good or not."""
    own, scenario = _step_of(request, play)
    if number >= len(scenario.steps) or number > own.at:
        return redirect("training-debrief", own.pk) if own.finished_at else redirect("training-step", own.pk, own.at)
    step = scenario.steps[number]
    status, errors = 200, []
    if request.method == "POST":
        try:
            services.decide(own, number, request.POST.get("choice", ""))
        except TrainingError as error:
            status, errors = 400, [str(error)]
        else:
            return redirect("training-step", own.pk, number)
    decision = own.decisions.filter(number=number).first()
    took = step.choice(decision.choice) if decision else None
    about = {
        "play": own,
        "scenario": scenario,
        "step": step,
        "number": number,
        "shown_number": number + 1,
        "situation": _filled(own, scenario.situation),
        "text": _filled(own, step.text),
        "choices": [(each, _filled(own, each.text)) for each in _mixed(own, step)],
        "decision": decision,
        "took": took,
        "best": took is not None and took.points == step.most,
        "others": [each for each in step.choices if took is None or each.key != took.key],
        "next": number + 1 if _after(scenario, number) else None,
        "opens": _opening(step),
        "errors": errors,
    }
    return _page(request, "step", about, status)


def _opening(step: Step) -> str:
    return {
        "case": "Open the case file",
        "links": "Open the links",
        "own-case": "Open the person’s case page",
        "demand": "Open the demand, as who proposes",
        "demand-second": "Open the demand, as who consents",
    }.get(step.opens, "")


@requires(Access.TRAINEE)
@require_POST
def open_step(request: HttpRequest, play: uuid.UUID, number: int) -> HttpResponse:
    """Lead to the bank's own page that a step is about, signed in as a practice account."""
    own, scenario = _step_of(request, play)
    if number >= len(scenario.steps) or number > own.at or not scenario.steps[number].opens:
        raise Http404
    try:
        return redirect(practice.open_page(request, own, scenario.steps[number]))
    except TrainingError as error:
        messages.error(request, str(error))
        return redirect("training-step", own.pk, number)


@requires(Access.TRAINEE)
@require_safe
def debrief(request: HttpRequest, play: uuid.UUID) -> HttpResponse:
    """What went well, what to read, and where it comes from."""
    own, scenario = _step_of(request, play)
    if own.finished_at is None:
        return redirect("training-step", own.pk, own.at)
    made = {decision.number: decision for decision in own.decisions.all()}
    steps = [(step, made.get(number), number) for number, step in enumerate(scenario.steps)]
    progress = Progress(
        scenario, own, sum(each.points for each in made.values()), sum(each.most for each in made.values())
    )
    about = {
        "play": own,
        "scenario": scenario,
        "progress": progress,
        "well": [step for step, decision, _ in steps if decision and decision.most and decision.points == step.most],
        "again": [
            (step, number, step.choice(decision.choice))
            for step, decision, number in steps
            if decision and decision.most and decision.points < step.most
        ],
        "skipped": [step for step, decision, _ in steps if decision is None or not decision.most],
        "debrief": _filled(own, scenario.debrief),
        "laws": [law for law in map(law_by_key, scenario.laws) if law is not None],
    }
    return _page(request, "debrief", about)


@requires(Access.TRAINEE)
@require_safe
def outbox(request: HttpRequest) -> HttpResponse:
    """Mails that a trainee pressed «send» for: laid aside, never sent."""
    return _page(request, "outbox", {"mails": outbox_of(access_trainee(request))})


@requires(Access.TRAINEE)
@require_http_methods(["GET", "HEAD", "POST"])
def certificate(request: HttpRequest) -> HttpResponse:
    """The certificate, to be printed; a name is typed on the page alone and sent nowhere."""
    trainee = access_trainee(request)
    if request.method == "POST":
        try:
            services.give_certificate(trainee)
        except TrainingError as error:
            messages.error(request, str(error))
            return redirect("training-home")
        return redirect("training-certificate")
    if trainee.certificate is None:
        return redirect("training-home")
    return _page(request, "certificate", _certified(trainee.certificate))


def _certified(found: Any) -> dict[str, Any]:
    known = scenarios.english()
    titles = [known[key].title for key in found.scenarios if key in known]
    return {"certificate": found, "track": scenarios.tracks().get(found.track), "titles": titles}


@requires(Access.PUBLIC)
@require_safe
def verify(request: HttpRequest) -> HttpResponse:
    """Whether a certificate's code was given here, and for what."""
    code = request.GET.get("code", "")
    error, status = _wait(request, TRIES) if code else ("", 200)
    found = certificate_by(code) if code and not error else None
    about = _certified(found) if found else {}
    return _page(request, "verify", {**about, "asked": bool(code), "errors": [error] if error else []}, status)


# Facilitators


@requires(Access.PUBLIC)
@require_http_methods(["GET", "HEAD", "POST"])
def facilitator(request: HttpRequest) -> HttpResponse:
    """Sign in with the code that the command printed; then the groups."""
    if request.method == "POST":
        error, status = _wait(request, GUESSES)
        if not error and services.is_facilitators_code(request.POST.get("code", "")):
            return _with_cookie(redirect("training-groups"), FACILITATOR_COOKIE, facilitator_token())
        if not error:
            error, status = "This is not the facilitator's code of this start. It stands where it was started.", 403
        return _page(request, "facilitator", {"errors": [error]}, status)
    if is_facilitator(request):
        return redirect("training-groups")
    return _page(request, "facilitator", {})


@requires(Access.FACILITATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def groups(request: HttpRequest) -> HttpResponse:
    """All groups, and a new one."""
    errors: list[str] = []
    if request.method == "POST":
        words = [request.POST.get(name, "") for name in ("name", "track", "language")]
        try:
            made = services.new_group(*words)
        except TrainingError as error:
            errors = [str(error)]
        else:
            return redirect("training-group", made.pk)
    known = scenarios.tracks()
    rows = [(each, known.get(each.track)) for each in Group.objects.order_by("-made_at")]
    about = {
        "rows": rows,
        "tracks": known.values(),
        "languages": scenarios.languages(own_scenarios()),
        "errors": errors,
    }
    return _page(request, "groups", about, 400 if errors else 200)


@requires(Access.FACILITATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def group(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Who is where, what they decided, questions for the talk; move everyone on, begin anew, end."""
    found = access_group(key)
    if request.method == "POST":
        act = request.POST.get("act", "")
        if act == "move-on":
            seen = request.POST.get("moved", "")
            known = seen.isascii() and seen.isdecimal() and len(seen) < 10
            count = services.move_on(found, int(seen)) if known else None
            if count is None:
                messages.error(
                    request, "They were moved on already. Look where everybody is, and press again if you like."
                )
            else:
                messages.success(request, f"Moved on by one step: {count}.")
        elif act == "reset" and request.POST.get("sure"):
            services.reset(found)
            messages.success(request, "Everybody begins anew.")
        elif act == "end" and request.POST.get("sure"):
            services.end(found)
            return redirect("training-groups")
        else:
            messages.error(request, "Tick «I am sure» first.")
        return redirect("training-group", key)
    rows = rows_of(found)
    about = {
        "group": found,
        "code": code_of(found.pk),
        "track": track_of(found),
        "moved": moved_on(found),
        "rows": rows,
        "scenarios": [(each, chosen(found, each)) for each in scenarios_of(found).values()],
    }
    return _page(request, "group", about)
