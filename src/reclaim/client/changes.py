"""What a platform stores and says, the same whichever version of the exchange its bank speaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NamedTuple, TypeAlias

from reclaim.protocol.stopncii_v1 import SignalType

Decision: TypeAlias = Literal["pending", "blocked", "not-blocked"]
Measure: TypeAlias = Literal["none", "hidden", "removed", "account-restricted", "other"]


class ExtraType(StrEnum):
    """What ``value`` is, of signals that only version 2 has, in a feed of their own."""

    DESCRIPTORS = "descriptors"
    """SHA-256 of the descriptors of a picture, which are in ``descriptors``."""
    SOURCE = "source"
    """The PDQ of a source photograph."""


Kind: TypeAlias = SignalType | ExtraType


def kind_of(text: str) -> Kind:
    """The type of a signal from how a store writes it. Raises ``ValueError`` for what is none."""
    return ExtraType(text) if text in ExtraType.__members__.values() else SignalType(text)


class SignalName(NamedTuple):
    """What names a signal at a bank."""

    type: Kind
    value: str


@dataclass(frozen=True, slots=True)
class Change:
    """A signal as a bank's feed or snapshot has it now. It replaces every earlier one of the same name."""

    type: Kind
    value: str
    """Lowercase hexadecimal."""
    withdrawn: bool = False
    """Delete the copy."""
    owed: bool = False
    """Of a withdrawn one: the bank waits for the word that the copy is deleted."""
    acknowledge_by: int | None = None
    """Until when, epoch seconds; ``None`` where the bank names no time."""
    frames: list[str] | None = None
    """Of an active vPDQ, as ``reclaim.signals.frames`` writes them."""
    descriptors: bytes | None = None
    """Of active descriptors: n times 32 bytes, ascending."""
    labels: list[str] = field(default_factory=list)
    quality: int | None = None
    """PDQ quality, 0 to 100, where the bank says so."""
    provenance: list[str] = field(default_factory=list)
    """``person``, ``platform``, ``bank:<name>``."""
    trust: int | None = None
    """0 to 100, where the bank says so."""
    review_only: bool = False
    """A match goes to a person; nothing is removed because of it alone."""
    blocked: int = 0
    """How many platforms said that they blocked it."""
    not_blocked: int = 0
    said: list[dict[str, str]] = field(default_factory=list)
    """What each platform said, ``{"source", "value"}``, where the bank tells (v1)."""

    @property
    def name(self) -> SignalName:
        """What names it."""
        return SignalName(self.type, self.value)


@dataclass(frozen=True, slots=True)
class Owed:
    """A signal whose deletion the bank has to be told."""

    name: SignalName
    acknowledge_by: int | None = None
    """Until when, epoch seconds; ``None`` where nobody said."""


@dataclass(frozen=True, slots=True)
class Word:
    """What a platform says of one signal; it replaces what it said before."""

    name: SignalName
    decision: Decision
    reason: str = ""
    """Why it was not blocked: one of the words of docs/exchange.md, or empty."""
    distance: int | None = None
    """Bits of 256 between the signal and the nearest upload that this is about."""
    count: int = 1
    """How many uploads this is about, all in all so far."""
    measure: Measure | None = None
    """What was done to them."""
    by_machine: bool = False
    """Nobody looked yet."""


def names_of(changes: Sequence[Change]) -> list[SignalName]:
    """Their names, in order."""
    return [change.name for change in changes]
