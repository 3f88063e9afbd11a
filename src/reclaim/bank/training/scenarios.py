"""Scenarios and tracks as files that an organisation can translate; what is wrong with one is said in sentences.

The English folder has whole scenarios: texts, points and what happens. A folder of another language has texts alone,
under the same keys: docs/training.md. No framework.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
ENGLISH = "en"
MOST_POINTS = 3
LONGEST = 3000
"""Letters of one text."""
LARGEST_FILE = 200_000
"""Bytes."""
OPENS = ("case", "links", "own-case", "demand", "demand-second")
"""Pages of the bank that a step may send a trainee to."""
WORLD = ("sent", "gone", "back", "up", "reply", "refused", "withdrawn")
"""What may happen after a decision, besides «days:2»: a request goes out; the link is gone, there again, still up;
somebody replies or refuses; the person withdraws everything."""
MOST_DAYS = 120
_KEY = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*")
_PLACE = re.compile(r"\{[a-z]+\}")
_PLACES = frozenset({"{case}", "{link}", "{number}", "{pin}"})
_DAYS = re.compile(r"days:([0-9]{1,3})")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_TEXTS = ("title", "summary", "care", "situation", "debrief")
_OF_STEP = ("title", "text")
_OF_CHOICE = ("text", "reason", "then", "reply")


@dataclass(frozen=True)
class Choice:
    """One way to decide."""

    key: str
    text: str
    points: int
    """0 to ``MOST_POINTS``."""
    reason: str
    """Why it is that good."""
    then: str = ""
    """What happens next, in a sentence."""
    world: tuple[str, ...] = ()
    reply: str = ""
    """What somebody writes back, where ``world`` has «reply»."""


@dataclass(frozen=True)
class Step:
    """One decision."""

    key: str
    title: str
    text: str
    choices: tuple[Choice, ...]
    opens: str = ""
    world: tuple[str, ...] = ()
    """What has happened when the step is reached."""

    def choice(self, key: str) -> Choice | None:
        """The choice of this key."""
        return next((each for each in self.choices if each.key == key), None)

    @property
    def most(self) -> int:
        """Points of the best choice."""
        return max(each.points for each in self.choices)


@dataclass(frozen=True)
class Scenario:
    """A story with decisions."""

    key: str
    title: str
    summary: str
    minutes: int
    care: str
    """What a trainee should know before they begin: what it touches on."""
    situation: str
    debrief: str
    discuss: tuple[str, ...]
    laws: tuple[str, ...]
    read: tuple[tuple[str, str], ...]
    """Documents: title and address."""
    seed: Mapping[str, Any]
    steps: tuple[Step, ...]

    @property
    def most(self) -> int:
        """Points that can be had."""
        return sum(step.most for step in self.steps)


@dataclass(frozen=True)
class Track:
    """Whom a row of scenarios is for, in order."""

    key: str
    title: str
    who: str
    scenarios: tuple[str, ...]


class ScenarioError(ValueError):
    """A file cannot be used; the message is a sentence that says which, where and what to do."""


@dataclass
class _Faults:
    """Sentences about one file."""

    file: str
    found: list[str] = field(default_factory=list)

    def add(self, where: str, sentence: str) -> None:
        whole = f"{self.file}{f', {where}' if where else ''}: {sentence}"
        # It quotes somebody's file, and is printed to a terminal.
        self.found.append("".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in whole))


def _table(path: Path, faults: _Faults) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST_FILE:
            faults.add("", f"The file is larger than {LARGEST_FILE // 1000} kB. Shorten its texts.")
            return {}
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        faults.add("", "It is not UTF-8. Save it as UTF-8.")
    except OSError as error:
        faults.add("", f"It cannot be read: {error.strerror}.")
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        faults.add("", f"It is not TOML: {str(error)[:200]}. Look for a quotation mark that is missing there.")
    return {}


def _text(table: Mapping[str, Any], name: str, where: str, faults: _Faults, *, needed: bool = True) -> str:
    value: object = table.get(name, "")
    if not isinstance(value, str):
        faults.add(where, f"«{name}» is no text. Put it between quotation marks.")
        return ""
    value = value.strip()
    if needed and not value:
        faults.add(where, f"«{name}» is missing. Write it.")
    if len(value) > LONGEST:
        faults.add(where, f"«{name}» has more than {LONGEST} letters. Shorten it.")
    if _CONTROLS.search(value):
        faults.add(where, f"«{name}» has a control character in it. Type it anew.")
    unknown = sorted(set(_PLACE.findall(value)) - _PLACES)
    if unknown:
        faults.add(
            where, f"«{name}» has {unknown[0]}, for which there is nothing. Known are {', '.join(sorted(_PLACES))}."
        )
    return value


def _list(table: Mapping[str, Any], name: str, where: str, faults: _Faults) -> list[Any]:
    value = table.get(name, [])
    if not isinstance(value, list):
        faults.add(where, f"«{name}» is no list. Write it between square brackets.")
        return []
    return value


def _words(table: Mapping[str, Any], name: str, where: str, faults: _Faults) -> tuple[str, ...]:
    values = _list(table, name, where, faults)
    return tuple(_text({name: each}, name, where, faults) for each in values)


def _tables(table: Mapping[str, Any], name: str, where: str, faults: _Faults) -> list[dict[str, Any]]:
    values = _list(table, name, where, faults)
    if not all(isinstance(each, dict) for each in values):
        faults.add(where, f"«{name}» is no list of tables. Begin each with [[…{name}]].")
        return []
    return values


def _known_only(table: Mapping[str, Any], known: Iterable[str], where: str, faults: _Faults) -> None:
    for name in sorted(set(table) - set(known)):
        faults.add(where, f"«{name}» means nothing here. Take it out.")


def _key(table: Mapping[str, Any], where: str, seen: set[str], faults: _Faults) -> str:
    key = _text(table, "key", where, faults)
    if key and not _KEY.fullmatch(key):
        faults.add(where, "«key» is made of small letters, digits and dashes.")
    if key in seen:
        faults.add(where, f"The key «{key}» is there twice.")
    seen.add(key)
    return key


def _world(table: Mapping[str, Any], where: str, faults: _Faults) -> tuple[str, ...]:
    world = _words(table, "world", where, faults)
    for each in world:
        if each not in WORLD and not 0 < days_of(each) <= MOST_DAYS:
            faults.add(where, f"«{each}» cannot happen. Known are {', '.join(WORLD)} and days:1 to days:{MOST_DAYS}.")
    return world


def days_of(event: str) -> int:
    """How many days «days:2» is; 0 for another event."""
    days = _DAYS.fullmatch(event)
    return int(days[1]) if days else 0


def _choice(table: Mapping[str, Any], where: str, seen: set[str], faults: _Faults) -> Choice:
    key = _key(table, where, seen, faults)
    where = f"{where} «{key}»"
    _known_only(table, ("key", "points", "world", *_OF_CHOICE), where, faults)
    points = table.get("points")
    if type(points) is not int or not 0 <= points <= MOST_POINTS:
        faults.add(where, f"«points» is a whole number from 0 to {MOST_POINTS}.")
        points = 0
    world = _world(table, where, faults)
    reply = _text(table, "reply", where, faults, needed="reply" in world)
    return Choice(
        key,
        _text(table, "text", where, faults),
        points,
        _text(table, "reason", where, faults),
        _text(table, "then", where, faults, needed=False),
        world,
        reply,
    )


def _step(table: Mapping[str, Any], where: str, seen: set[str], faults: _Faults) -> Step:
    key = _key(table, where, seen, faults)
    where = f"{where} «{key}»"
    _known_only(table, ("key", "opens", "world", "choice", *_OF_STEP), where, faults)
    inner: set[str] = set()
    choices = [
        _choice(each, f"{where}, choice {number}", inner, faults)
        for number, each in enumerate(_tables(table, "choice", where, faults), start=1)
    ]
    if not 2 <= len(choices) <= 4:
        faults.add(where, "A step has 2 to 4 choices.")
    elif max(each.points for each in choices) == 0:
        faults.add(where, "No choice has points. Give the best one some.")
    opens = _text(table, "opens", where, faults, needed=False)
    if opens and opens not in OPENS:
        faults.add(where, f"«opens» is one of {', '.join(OPENS)}.")
    return Step(
        key,
        _text(table, "title", where, faults),
        _text(table, "text", where, faults),
        tuple(choices),
        opens,
        _world(table, where, faults),
    )


def _whole(key: str, table: Mapping[str, Any], faults: _Faults) -> Scenario:
    _known_only(table, (*_TEXTS, "minutes", "discuss", "laws", "read", "seed", "step"), "", faults)
    minutes = table.get("minutes")
    if type(minutes) is not int or not 1 <= minutes <= 120:
        faults.add("", "«minutes» is a whole number from 1 to 120.")
        minutes = 1
    seen: set[str] = set()
    steps = [
        _step(each, f"step {number}", seen, faults)
        for number, each in enumerate(_tables(table, "step", "", faults), start=1)
    ]
    if not 3 <= len(steps) <= 7:
        faults.add("", "A scenario has 3 to 7 steps.")
    seed = table.get("seed", {})
    if not isinstance(seed, dict):
        faults.add("", "«seed» is a table: begin it with [seed].")
        seed = {}
    if not seed and any(step.opens for step in steps):
        faults.add("", "A step opens a page, and there is no [seed] that puts anything there.")
    read = [
        (_text(each, "title", "read", faults), _text(each, "at", "read", faults))
        for each in _tables(table, "read", "", faults)
    ]
    texts = {name: _text(table, name, "", faults) for name in _TEXTS}
    discuss, laws = _words(table, "discuss", "", faults), _words(table, "laws", "", faults)
    if not discuss:
        faults.add("", "«discuss» is missing: at least one question for the group.")
    return Scenario(
        key=key,
        minutes=minutes,
        discuss=discuss,
        laws=laws,
        read=tuple(read),
        seed=seed,
        steps=tuple(steps),
        **texts,
    )


def _same_places(own: str, english: str, name: str, where: str, faults: _Faults) -> None:
    lost = sorted(set(_PLACE.findall(english)) - set(_PLACE.findall(own)))
    if own and lost:
        faults.add(where, f"«{name}» has lost {lost[0]}. Put it where the name or address belongs.")


def _translated(english: Scenario, table: Mapping[str, Any], faults: _Faults) -> Scenario:
    """An English scenario with the texts of ``table``."""
    _known_only(table, (*_TEXTS, "discuss", "step"), "", faults)
    texts = {name: _text(table, name, "", faults) for name in _TEXTS}
    for name in _TEXTS:
        _same_places(texts[name], getattr(english, name), name, "", faults)
    discuss = _words(table, "discuss", "", faults)
    if len(discuss) != len(english.discuss):
        faults.add("", f"«discuss» has {len(discuss)} questions, and {len(english.discuss)} in English.")
    given = {str(each.get("key", "")): each for each in _tables(table, "step", "", faults)}
    for key in sorted(given.keys() - {step.key for step in english.steps}):
        faults.add("", f"There is no step «{key}» in English. Keep its key as it is, and translate what stands below.")
    steps = []
    for step in english.steps:
        where = f"step «{step.key}»"
        own = given.get(step.key)
        if own is None:
            faults.add("", f"The step «{step.key}» is missing.")
            continue
        _known_only(own, ("key", "choice", *_OF_STEP), where, faults)
        choices = {str(each.get("key", "")): each for each in _tables(own, "choice", where, faults)}
        for key in sorted(choices.keys() - {choice.key for choice in step.choices}):
            faults.add(where, f"There is no choice «{key}» in English.")
        made = []
        for choice in step.choices:
            at = f"{where}, choice «{choice.key}»"
            mine = choices.get(choice.key)
            if mine is None:
                faults.add(where, f"The choice «{choice.key}» is missing.")
                continue
            _known_only(mine, ("key", *_OF_CHOICE), at, faults)
            said = {n: _text(mine, n, at, faults, needed=bool(getattr(choice, n))) for n in _OF_CHOICE}
            for name in _OF_CHOICE:
                _same_places(said[name], getattr(choice, name), name, at, faults)
            made.append(Choice(key=choice.key, points=choice.points, world=choice.world, **said))
        said = {n: _text(own, n, where, faults) for n in _OF_STEP}
        for name in _OF_STEP:
            _same_places(said[name], getattr(step, name), name, where, faults)
        steps.append(Step(key=step.key, choices=tuple(made), opens=step.opens, world=step.world, **said))
    return Scenario(
        key=english.key,
        minutes=english.minutes,
        discuss=discuss,
        laws=english.laws,
        read=english.read,
        seed=english.seed,
        steps=tuple(steps),
        **texts,
    )


def read_folder(folder: Path, english: Mapping[str, Scenario] | None = None) -> tuple[dict[str, Scenario], list[str]]:
    """The scenarios of a folder, and a sentence for each fault. ``english``: the folder translates these.

    A scenario with a fault is left out.
    """
    found: dict[str, Scenario] = {}
    sentences: list[str] = []
    try:
        files = sorted(folder.glob("*.toml"))
    except OSError:
        files = []
    if not files:
        return {}, [f"{folder.name}: There is no file that ends in .toml."]
    for path in files[:100]:
        faults = _Faults(path.name)
        table = _table(path, faults)
        if not faults.found:
            if english is None:
                made = _whole(path.stem, table, faults)
            elif path.stem not in english:
                faults.add("", "There is no English scenario of this name. Name the file as the English one.")
                made = None
            else:
                made = _translated(english[path.stem], table, faults)
            if made is not None and not faults.found:
                found[path.stem] = made
        sentences += faults.found
    for key in sorted((english or {}).keys() - {path.stem for path in files}):
        sentences.append(f"{key}.toml: The file is missing. Copy the English one, and translate it.")
    return found, sentences


@cache
def english() -> dict[str, Scenario]:
    """The scenarios as they come with Reclaim. Raises ``ScenarioError``."""
    found, sentences = read_folder(DATA / "scenarios" / ENGLISH)
    if sentences:
        raise ScenarioError(sentences[0])
    return found


def check(folder: Path | None = None) -> list[str]:
    """What is wrong with a folder of translated scenarios, or with the English ones: a sentence each."""
    if folder is None or folder.resolve() == (DATA / "scenarios" / ENGLISH).resolve():
        return read_folder(DATA / "scenarios" / ENGLISH)[1]
    return read_folder(folder, english())[1]


def languages(own: Path | None = None) -> list[str]:
    """Languages that there are scenarios in: English first, then folders beneath ``own``."""
    more = sorted(each.name for each in own.iterdir() if each.is_dir()) if own is not None and own.is_dir() else []
    return [ENGLISH, *(each for each in more if _LANGUAGE.fullmatch(each) and each != ENGLISH)]


def scenarios(language: str = ENGLISH, own: Path | None = None) -> dict[str, Scenario]:
    """Scenarios in a language; English where a file of ``own``/``language`` is missing or has a fault."""
    whole = dict(english())
    if language != ENGLISH and language in languages(own) and own is not None:
        whole.update(read_folder(own / language, whole)[0])
    return whole


@cache
def tracks() -> dict[str, Track]:
    """The tracks, in order."""
    with (DATA / "tracks.toml").open("rb") as file:
        rows = tomllib.load(file)["track"]
    return {row["key"]: Track(row["key"], row["title"], row["who"], tuple(row["scenarios"])) for row in rows}
