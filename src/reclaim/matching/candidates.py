"""Known pictures whose descriptors an upload shows: looked up one by one, voted, and paired for the bank's check.

A platform has the descriptors of the pictures whose persons chose so, and not where in the picture they lie. So it can
only say which picture may be shown, and by which pairs; whether they lie as in that picture the bank answers (see
``reclaim.signals.geometry.check``). docs/second-stage.md has how it works, what it costs and how well it finds.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from reclaim.index import CODE_BYTES, HammingIndex, ManyHits, StoredIndex
from reclaim.index.codes import Codes, Ids, as_codes
from reclaim.index.hamming import Mode, Progress
from reclaim.matching import bits
from reclaim.matching.stop_list import StopList, shipped
from reclaim.signals.descriptors import MOST, UploadDescriptors

SLOT_BITS = 6
MAX_PICTURE = (1 << (63 - SLOT_BITS)) - 1

VOTE_RADIUS = 15
"""Descriptors at most this many bits apart vote. Up to 15 the index looks into one bucket a band; more bits
find few edits more and take many times as long."""

PAIR_RADIUS = 44
"""Descriptors of a picture that was voted for are paired up to this many bits; the check sees what is wrong."""

MOST_CANDIDATES = 5
"""Of one upload, so that one upload asks no more of the bank than this."""

LEAST_PAIRED = 6
"""Descriptors of the known picture that must be paired before it is a candidate."""

LEAST_SCORE = 150.0
"""What must speak for it, see ``Candidate.score``: chance alone brings hardly any picture of a large bank there."""

MOST_SENT = 64
"""Pairs of one candidate."""

_LEAST_VOTES = 2
_SHORTLISTED = 24
_AT_ONCE = 1024  # queries: from 512 on the index answers many in the order of its own memory
_LOOKS = 16  # codes looked at in full for one band of one descriptor: what is on so many pictures tells none apart
_FULLEST_LEAST, _FULLEST_SHARE, _BAND_BITS = 1024, 4, 16  # entries of a bucket; the second in times an even share
_SLOT_PAIRS = 3
_WITHIN = 10  # bits beyond a slot's best pair
_CHANCE = 47  # bits: how near the nearest of an upload's patches comes to a descriptor of an unrelated picture


class Candidate(NamedTuple):
    """A known picture that an upload may show."""

    id: int
    """The signal's."""
    pairs: npt.NDArray[np.int64]
    """Shape (k, 6), see ``reclaim.signals.geometry.Pair``; nearest first."""
    paired: int
    """Descriptors of the known picture in them."""
    score: float
    """How much they speak for it: the bits by which each is nearer than chance, shared among doubles."""


class DescriptorIndex:
    """Descriptors of pictures under ids from 0 to ``MAX_PICTURE``; ``len`` counts descriptors.

    It keeps nothing but the index it is given: ``create_stored`` saves ``DescriptorIndex.build(…).index``, and
    ``DescriptorIndex(StoredIndex(path))`` reads it. Threads may share one; one at a time may change it. A descriptor's
    id is the picture's, times 64, and its number there; its bits lie in another order, see ``bits``.
    """

    def __init__(self, index: HammingIndex | StoredIndex | None = None) -> None:
        """Pictures in this index, which holds nothing else; in a new one in memory if none is given."""
        self.index = HammingIndex(mode="compact") if index is None else index

    @classmethod
    def build(
        cls, pictures: Iterable[tuple[int, Codes]], *, mode: Mode = "compact", progress: Progress | None = None
    ) -> DescriptorIndex:
        """Build in memory from ids and descriptors, each as ``add`` takes them; raises as it does."""
        made = cls()
        made.index = HammingIndex.build((_numbered(*picture) for picture in pictures), mode=mode, progress=progress)
        return made

    def __len__(self) -> int:
        return len(self.index)

    def __contains__(self, picture: object) -> bool:
        if not isinstance(picture, int | np.integer):
            return False
        id_ = int(picture)
        return 0 <= id_ <= MAX_PICTURE and (id_ << SLOT_BITS) in self.index

    def add(self, picture: int, values: Codes) -> None:
        """Put in a picture by its descriptors, shape (n, 32), n from 1 to 64, in the order of their placement.

        Raises ``ValueError`` if it is there already or for another shape or id; ``TypeError`` for another dtype.
        """
        codes, ids = _numbered(picture, values)
        if isinstance(self.index, StoredIndex):
            self.index.change(added=list(zip(ids.tolist(), codes, strict=True)))
        else:
            self.index.extend(codes, ids)

    def remove(self, picture: int) -> None:
        """Take out a picture. Raises ``KeyError`` if it is not there."""
        if picture not in self:
            raise KeyError(picture)
        first = operator.index(picture) << SLOT_BITS
        # From the last to the first: whoever reads meanwhile finds numbers without a gap.
        ids = [id_ for id_ in reversed(range(first, first + MOST)) if id_ in self.index]
        if isinstance(self.index, StoredIndex):
            self.index.change(removed=ids)
        else:
            for id_ in ids:
                self.index.remove(id_)

    def values(self, picture: int) -> Codes:
        """The picture's descriptors, shape (n, 32); n is 0 if it is not there."""
        first = operator.index(picture) << SLOT_BITS
        codes = []
        for id_ in range(first, first + MOST):
            try:
                codes.append(self.index.code_of(id_))
            except KeyError:
                break
        return bits.given(np.frombuffer(b"".join(codes), np.uint8).reshape(-1, CODE_BYTES))

    def near(self, values: Codes, radius: int) -> ManyHits:
        """The ids within so many bits of each of these descriptors, shape (n, 32), in bounded time however many
        are there; see ``HammingIndex.query_bounded``."""
        fullest = max(_FULLEST_LEAST, _FULLEST_SHARE * len(self) >> _BAND_BITS)
        return self.index.query_bounded(bits.laid(values), radius, looks=_LOOKS, fullest=fullest)

    def refresh(self) -> int:
        """See ``StoredIndex.refresh``; 0 for an index in memory, which has no other writer."""
        return self.index.refresh() if isinstance(self.index, StoredIndex) else 0


def _numbered(picture: int, values: Codes) -> tuple[Codes, Ids]:
    id_ = operator.index(picture)
    if not 0 <= id_ <= MAX_PICTURE:
        raise ValueError(f"A picture's id is 0 to {MAX_PICTURE}, not {id_}.")
    codes = as_codes(values, "Descriptors")
    if not 1 <= len(codes) <= MOST:
        raise ValueError(f"A picture has 1 to {MOST} descriptors, not {len(codes)}.")
    return bits.laid(codes), (id_ << SLOT_BITS) + np.arange(len(codes), dtype=np.int64)


class _Upload(NamedTuple):
    """What of an upload is looked up: its descriptors as it lies, then those of its mirrored self."""

    codes: Codes
    patches: npt.NDArray[np.int64]
    """The number of the patch that each is of."""
    mirrored: npt.NDArray[np.bool_]


def candidates(
    upload: UploadDescriptors,
    index: DescriptorIndex,
    stop_list: StopList | None = None,
    *,
    radius: int = VOTE_RADIUS,
    most: int = MOST_CANDIDATES,
) -> list[Candidate]:
    """The pictures that most descriptors speak for, best first; the shipped stop list is used if none is given."""
    stops = shipped() if stop_list is None else stop_list
    asked = _asked(upload, stops)
    best: dict[int, Candidate] = {}
    for candidate in _paired(_voted(asked, index, radius), asked, upload, index, stops):
        if candidate.paired >= LEAST_PAIRED and candidate.score >= LEAST_SCORE:
            before = best.get(candidate.id)
            if before is None or candidate.score > before.score:
                best[candidate.id] = candidate
    return sorted(best.values(), key=lambda candidate: (-candidate.score, candidate.id))[:most]


def _asked(upload: UploadDescriptors, stops: StopList) -> _Upload:
    codes = np.concatenate([as_codes(upload.values, "Descriptors"), as_codes(upload.mirrored, "Descriptors")])
    patches = np.tile(np.arange(len(upload.values)), 2)
    mirrored = np.repeat([False, True], len(upload.values))
    says = np.flatnonzero(~stops.mask(codes))
    # Equal ones say the same, and are asked once: an upload of one pattern over and over costs no more than another.
    says = says[np.unique(np.column_stack([codes, mirrored])[says], axis=0, return_index=True)[1]]
    return _Upload(codes[says], patches[says], mirrored[says])


def _voted(asked: _Upload, index: DescriptorIndex, radius: int) -> list[tuple[int, bool]]:
    """The pictures that most descriptors are near to, each with whether it is the mirrored upload that shows it."""
    of: list[Ids] = []
    near: list[Ids] = []
    for start in range(0, len(asked.codes), _AT_ONCE):
        hits = index.near(asked.codes[start : start + _AT_ONCE], radius)
        counts = np.diff(hits.starts)
        of.append(start + np.repeat(np.arange(len(counts)), counts))
        near.append(hits.ids)
    if not near:
        return []
    queries, ids = np.concatenate(of), np.concatenate(near)
    # What is near to many tells less: each of a descriptor's votes is its share.
    weights = 1 / np.sqrt(np.bincount(queries, minlength=1)[queries])
    pictures = (ids >> SLOT_BITS) * 2 + asked.mirrored[queries]
    by_slot = _best_of_each(pictures, ids & (MOST - 1), weights)
    by_patch = _best_of_each(pictures, asked.patches[queries], weights)
    voted = by_slot.votes >= _LEAST_VOTES
    scores = np.minimum(by_slot.sums, by_patch.sums)[voted]
    # Of equal ones the one that was known first.
    order = np.lexsort((by_slot.pictures[voted], -scores))[:_SHORTLISTED]
    chosen = by_slot.pictures[voted][order].tolist()
    return [(picture >> 1, bool(picture & 1)) for picture in chosen]


class _Sums(NamedTuple):
    pictures: npt.NDArray[np.int64]
    votes: npt.NDArray[np.int64]
    sums: npt.NDArray[np.float64]


def _best_of_each(
    pictures: npt.NDArray[np.int64], voters: npt.NDArray[np.int64], weights: npt.NDArray[np.float64]
) -> _Sums:
    """By picture: how many voters it has and the sum of the best vote of each; voters are small numbers."""
    order = np.lexsort((-weights, voters, pictures))
    pictures, voters, weights = pictures[order], voters[order], weights[order]
    first = np.ones(len(order), bool)
    first[1:] = (pictures[1:] != pictures[:-1]) | (voters[1:] != voters[:-1])
    named, where = np.unique(pictures[first], return_inverse=True)
    return _Sums(named, np.bincount(where), np.bincount(where, weights[first]).astype(np.float64))


def _paired(
    voted: list[tuple[int, bool]], asked: _Upload, upload: UploadDescriptors, index: DescriptorIndex, stops: StopList
) -> Iterator[Candidate]:
    """Of each picture that was voted for: its descriptors with those of the upload that are most like them."""
    values = [index.values(picture) for picture, _ in voted]
    owners = np.repeat(np.arange(len(voted)), [len(each) for each in values])
    slots = np.concatenate([*(np.arange(len(each)) for each in values), np.empty(0, np.int64)])
    codes = np.concatenate([*values, np.empty((0, CODE_BYTES), np.uint8)])
    says = np.flatnonzero(~stops.mask(codes))
    hits = HammingIndex(codes[says], says, mode="compact").query_many(asked.codes, PAIR_RADIUS)
    of = np.repeat(np.arange(len(asked.codes)), np.diff(hits.starts))
    mirrored = np.array([mirrored for _, mirrored in voted], bool)
    alike = asked.mirrored[of] == mirrored[owners[hits.ids]]
    rows, distances, patches = hits.ids[alike], hits.distances[alike].astype(np.int64), asked.patches[of[alike]]
    order = np.lexsort((patches, distances, rows))
    rows, distances, patches = rows[order], distances[order], patches[order]
    borders = np.searchsorted(owners[rows], np.arange(len(voted) + 1))
    for number, (picture, is_mirrored) in enumerate(voted):
        here = slice(borders[number], borders[number + 1])
        yield _candidate(picture, slots[rows[here]], distances[here], patches[here], upload, mirrored=is_mirrored)


def _candidate(
    picture: int,
    slots: npt.NDArray[np.int64],
    distances: npt.NDArray[np.int64],
    patches: npt.NDArray[np.int64],
    upload: UploadDescriptors,
    *,
    mirrored: bool,
) -> Candidate:
    """A picture's pairs, which come by slot and nearest first."""
    starts = np.flatnonzero(np.diff(slots, prepend=-1))
    sizes = np.diff(starts, append=len(slots))
    rank = np.arange(len(slots)) - np.repeat(starts, sizes)
    near = distances <= np.repeat(distances[starts], sizes) + _WITHIN
    # What looks alike in several places of the upload, as bricks do, says less of each.
    alike = np.bincount(slots[near], minlength=MOST)
    best = rank == 0
    gains = (_CHANCE - distances[best]) / alike[slots[best]]
    by_patch = np.zeros(len(upload.places))
    np.maximum.at(by_patch, patches[best], gains)
    kept = (rank < _SLOT_PAIRS) & near
    order = np.lexsort((patches[kept], slots[kept], distances[kept], rank[kept]))[:MOST_SENT]
    slots, patches = slots[kept][order], patches[kept][order]
    places = upload.places[patches].astype(np.int64)
    pairs = np.column_stack([slots, places, np.full(len(slots), int(mirrored), np.int64)])
    return Candidate(picture, pairs, len(np.unique(slots)), float(by_patch.sum()))
