"""Distances to known-harmless values: the package's own (``data/harmless.json``) and the operator's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reclaim.bank.screening.models import HarmlessValue

OWN_FILE = Path(__file__).parent / "data" / "harmless.json"
NONE_NEAR = 256
_AT_ONCE = 256
"""Values compared in one step, which then takes a few megabytes."""

Words = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Known:
    """Known-harmless values: PDQ values as rows of four words, and MD5 values."""

    pdq: Words
    md5: frozenset[str]


def _words(values: Sequence[str]) -> Words:
    return np.frombuffer(bytes.fromhex("".join(values)), dtype=np.uint64).reshape(len(values), 4)


def _known(pairs: Iterable[tuple[str, str]]) -> Known:
    pairs = list(pairs)
    return Known(
        _words([value for kind, value in pairs if kind == "pdq"]),
        frozenset(value for kind, value in pairs if kind == "md5"),
    )


@lru_cache(maxsize=1)
def own_values() -> Known:
    """The package's own."""
    entries = json.loads(OWN_FILE.read_text(encoding="utf-8"))["values"]
    return _known((entry["type"], value) for entry in entries for value in entry["values"])


def known_harmless() -> Known:
    """The package's own and the operator's, as they are now."""
    own, added = own_values(), _known(HarmlessValue.objects.values_list("type", "value"))
    return Known(np.concatenate([own.pdq, added.pdq]), own.md5 | added.md5)


def distances(values: Sequence[str], known: Known) -> list[int]:
    """For each PDQ value, in how many bits it differs from the nearest harmless one; ``NONE_NEAR`` if none is known."""
    if not values or not len(known.pdq):
        return [NONE_NEAR] * len(values)
    asked = _words(values)
    nearest: list[int] = []
    for start in range(0, len(asked), _AT_ONCE):
        differing = asked[start : start + _AT_ONCE, None, :] ^ known.pdq[None, :, :]
        nearest += np.bitwise_count(differing).sum(axis=2, dtype=np.int64).min(axis=1).tolist()
    return nearest
