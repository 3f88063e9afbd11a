"""The limits as data: the package's own file, or the one that ``RECLAIM_LIMITS`` names."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

OWN_FILE = Path(__file__).parent / "data" / "limits.toml"

Count = Annotated[int, Field(ge=1, le=1_000_000)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Network(_Table):
    """What one network may do in an hour."""

    cases: Count
    codes: Count


class LoadStep(_Table):
    """From this many cases in an hour on, puzzles take so many times the tries."""

    cases: Count
    times: Annotated[int, Field(ge=2, le=64)]


class Puzzle(_Table):
    """What a puzzle costs, and how long it is good for."""

    rounds: Annotated[int, Field(ge=1000, le=100_000)]
    tries: Annotated[int, Field(ge=4, le=10_000)]
    minutes: Annotated[int, Field(ge=5, le=24 * 60)]
    load: Annotated[tuple[LoadStep, ...], Field(strict=False, max_length=10)] = ()

    @model_validator(mode="after")
    def _steps_rise(self) -> Puzzle:
        cases, times = [step.cases for step in self.load], [step.times for step in self.load]
        if cases != sorted(set(cases)) or times != sorted(set(times)):
            raise ValueError("each load step must have more cases and more times than the one before it")
        return self


class Flood(_Table):
    """Stricter holding while the whole bank gets at least ``load`` cases an hour."""

    load: Count
    cases: Count
    items: Count


class Circling(_Table):
    """Between which numbers of cases the day's threshold is drawn."""

    low: Annotated[int, Field(ge=3, le=10_000)]
    high: Annotated[int, Field(ge=3, le=10_000)]

    @model_validator(mode="after")
    def _in_order(self) -> Circling:
        if self.high < self.low:
            raise ValueError("high must not be below low")
        return self


class Holding(_Table):
    """What makes a network's cases look like bulk."""

    cases: Count
    items: Count
    flood: Flood
    circling: Circling


class Figures(_Table):
    """All limits of the form."""

    network: Network
    puzzle: Puzzle
    holding: Holding


def read_figures(path: Path) -> Figures:
    """The figures in a TOML file. Raises ``ImproperlyConfigured`` with a sentence that names the fault."""
    try:
        return Figures.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ImproperlyConfigured(f"RECLAIM_LIMITS: {path} cannot be read ({error.strerror}).") from error
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'the file'}: {fault['msg']}"
            for fault in error.errors(include_input=False, include_url=False, include_context=False)
        )
        raise ImproperlyConfigured(f"RECLAIM_LIMITS: {path} has faults: {faults}.") from error
    except ValueError as error:
        raise ImproperlyConfigured(f"RECLAIM_LIMITS: {path} is no TOML file ({error}).") from error


@lru_cache(maxsize=1)
def figures() -> Figures:
    """The figures in force, read once a process."""
    return read_figures(Path(settings.LIMITS_FILE) if settings.LIMITS_FILE else OWN_FILE)
