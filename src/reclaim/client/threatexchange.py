"""The extension that teaches Meta's ``threatexchange`` package to keep a copy of a bank, and to delete from it.

The package's own StopNCII exchange never deletes a withdrawn signal: it compares the signal's value, not its status,
with «Withdrawn». This one goes by the status, and tells the bank when a deletion is stored. Add it with::

    tx config extensions add reclaim.client.threatexchange

docs/exchange.md has the commands that follow.

What the command line tool stores, and when: pages are merged in memory and written, with their checkpoint, to one
file at the end of a fetch or every ten minutes. So nothing may be acknowledged while fetching. The checkpoint itself
carries the withdrawals it covers; getting it back at the next fetch shows that their deletion was written, and then
they are acknowledged. A fetch that is killed is repeated from the older checkpoint, acknowledgements included, which
the bank takes as one.
"""

# No «from __future__ import annotations»: the package reads these classes' annotations as types.
import logging
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from threatexchange.exchanges import auth
from threatexchange.exchanges import fetch_state as state
from threatexchange.exchanges.collab_config import CollaborationConfigWithDefaults
from threatexchange.exchanges.signal_exchange_api import SignalExchangeAPIWithSimpleUpdates
from threatexchange.extensions.manifest import ThreatExchangeExtensionManifest
from threatexchange.signal_type.md5 import VideoMD5Signal
from threatexchange.signal_type.pdq.signal import PdqSignal
from threatexchange.signal_type.signal_base import SignalType as TxSignalType

from reclaim.client.bank_client import BankClient, Keys
from reclaim.client.checkpoint import Checkpoint
from reclaim.client.errors import BankError
from reclaim.protocol.stopncii_v1 import (
    MAX_SUBMISSION,
    Feedback,
    FeedbackValue,
    HashFeedback,
    HashRecord,
    SignalType,
)

API_NAME = "reclaim"
KEYS_VARIABLE = "TX_RECLAIM_KEYS"
KEYS_FILE = "~/.tx_reclaim_keys"

_TX_TYPE: dict[SignalType, type[TxSignalType]] = {
    SignalType.IMAGE_PDQ: PdqSignal,
    SignalType.VIDEO_MD5: VideoMD5Signal,
}
_OPINION = {
    FeedbackValue.BLOCKED: state.SignalOpinionCategory.POSITIVE_CLASS,
    FeedbackValue.NOT_BLOCKED: state.SignalOpinionCategory.NEGATIVE_CLASS,
    FeedbackValue.PENDING_REVIEW: state.SignalOpinionCategory.INVESTIGATION_SEED,
}
_FEEDBACK = {opinion: value for value, opinion in _OPINION.items()}

_log = logging.getLogger(__name__)


@dataclass
class _RequiredFields:
    base_url: str = field(
        metadata={"help": "the bank's base address, for example https://bank.example/v1", "metavar": "URL"}
    )


@dataclass
class ReclaimCollabConfig(CollaborationConfigWithDefaults, _RequiredFields):
    """One bank to exchange with."""

    api: str = field(init=False, default=API_NAME)
    keys_variable: str = field(
        default=KEYS_VARIABLE,
        metadata={
            "help": "environment variable that holds the keys for this bank; name another for a second bank, "
            "so that no bank is shown the other's keys",
            "metavar": "NAME",
        },
    )


@dataclass
class ReclaimCheckpoint(state.FetchCheckpointBase):
    """Where the stored copy stands, and which deletions it holds that the bank has not been told."""

    update_time: int
    whole_since: int
    seen: list[str] = field(default_factory=list)
    unacknowledged: list[str] = field(default_factory=list)
    """Values alone: feedback names no type."""

    def is_stale(self) -> bool:
        """Whether a tombstone may have left the feed unseen; then the tool clears its copy and starts over."""
        return self.position().is_stale(time.time())

    def get_progress_timestamp(self) -> int:
        """Epoch seconds."""
        return self.update_time

    def position(self) -> Checkpoint:
        """The same without the acknowledgements."""
        return Checkpoint(self.update_time, self.whole_since, seen=tuple(self.seen))


@dataclass
class ReclaimSignalMetadata(state.FetchedSignalMetadata):
    """What platforms have said about one signal, word for word: (source, feedback value, tags)."""

    feedback: list[tuple[str, str, list[str]]] = field(default_factory=list)

    @classmethod
    def of(cls, said: Sequence[Feedback]) -> "ReclaimSignalMetadata":
        """From a record's feedback."""
        return cls([(entry.source, entry.feedbackValue.value, list(entry.tags)) for entry in said])

    def get_as_opinions(self) -> Sequence[state.SignalOpinion]:
        """Blocked is positive, NotBlocked negative, PendingReview a seed; other values are no opinion.

        That the signal is in the bank is a seed of its own: somebody reported it.
        """
        reported = state.SignalOpinion(False, state.SignalOpinionCategory.INVESTIGATION_SEED, set())
        said = [
            state.SignalOpinion(False, _OPINION[FeedbackValue(value)], set(tags))
            for _, value, tags in self.feedback
            if value in _OPINION
        ]
        return [*said, reported]

    def __str__(self) -> str:
        """One word of category, then who blocked (+) and who did not (-)."""
        signs = {FeedbackValue.BLOCKED: "+", FeedbackValue.NOT_BLOCKED: "-"}
        names = ",".join(
            sorted(signs[FeedbackValue(value)] + source for source, value, _ in self.feedback if value in signs)
        )
        category: str = self.get_as_aggregate_opinion().category.name
        return f"{category} {names}".rstrip()


@dataclass(repr=False)
class ReclaimCredentials(auth.CredentialHelper):
    """The keys, from ``TX_RECLAIM_KEYS`` or ``~/.tx_reclaim_keys``: ``FETCHKEY,SUBKEY`` or ``…,FEEDBACKKEY``."""

    ENV_VARIABLE: ClassVar[str] = KEYS_VARIABLE
    FILE_NAME: ClassVar[str] = KEYS_FILE

    keys: Keys

    @classmethod
    def _from_str(cls, s: str) -> "ReclaimCredentials":
        parts = [part.strip() for part in s.strip().split(",")]
        if len(parts) not in (2, 3):
            raise ValueError("Write the keys as FETCHKEY,SUBKEY or FETCHKEY,SUBKEY,FEEDBACKKEY.")
        return cls(Keys(*parts))


class ReclaimExchangeAPI(
    auth.SignalExchangeWithAuth[ReclaimCollabConfig, ReclaimCredentials],
    SignalExchangeAPIWithSimpleUpdates[ReclaimCollabConfig, ReclaimCheckpoint, ReclaimSignalMetadata],
):
    """A bank that speaks StopNCII v1, with withdrawals honoured."""

    def __init__(self, client: BankClient) -> None:
        super().__init__()
        self._client = client

    @classmethod
    def get_name(cls) -> str:
        """The name in commands and file names."""
        return API_NAME

    @staticmethod
    def get_config_cls() -> type[ReclaimCollabConfig]:
        """The class of a collaboration's settings."""
        return ReclaimCollabConfig

    @staticmethod
    def get_checkpoint_cls() -> type[ReclaimCheckpoint]:
        """The class of its checkpoints."""
        return ReclaimCheckpoint

    @staticmethod
    def get_record_cls() -> type[ReclaimSignalMetadata]:
        """The class of what is stored of a signal."""
        return ReclaimSignalMetadata

    @staticmethod
    def get_credential_cls() -> type[ReclaimCredentials]:
        """The class that finds the keys."""
        return ReclaimCredentials

    @classmethod
    def for_collab(
        cls, collab: ReclaimCollabConfig, credentials: ReclaimCredentials | None = None
    ) -> "ReclaimExchangeAPI":
        """The exchange with one bank, with the keys that its collaboration names."""
        if credentials is None and collab.keys_variable != KEYS_VARIABLE:
            credentials = cls._keys_of_another_bank(collab.keys_variable)
        credentials = credentials or ReclaimCredentials.get(cls)
        try:
            # The tool has no place for frames of videos.
            return cls(BankClient(collab.base_url, credentials.keys, videos=False))
        except ValueError as error:
            raise auth.SignalExchangeAPIInvalidAuthException(cls, str(error)) from error

    @classmethod
    def _keys_of_another_bank(cls, variable: str) -> ReclaimCredentials:
        keys = os.environ.get(variable)
        if not keys:
            raise auth.SignalExchangeAPIMissingAuthException(cls, env_hint=variable)
        try:
            return ReclaimCredentials._from_str(keys)
        except ValueError as error:
            raise auth.SignalExchangeAPIInvalidAuthException(cls, f"{variable}: {error}") from error

    def fetch_iter(
        self,
        _supported_signal_types: Sequence[type[TxSignalType]],
        checkpoint: ReclaimCheckpoint | None,
    ) -> Iterator[state.FetchDelta[tuple[str, str], ReclaimSignalMetadata, ReclaimCheckpoint]]:
        """What changed since the checkpoint, page by page; first, what the checkpoint shows to be deleted is told."""
        started_at = time.time()
        unacknowledged: list[str] = []
        if checkpoint is None:
            position = Checkpoint(whole_since=int(started_at))
        else:
            position = checkpoint.position()
            unacknowledged = self._acknowledge(checkpoint.unacknowledged)
        for page in self._client.pages(position.next_timestamp):
            records = position.unseen(page.records)
            position = position.after(page)
            if page.next_page_token is None:
                position = position.complete(started_at)
            unacknowledged = self._still_unacknowledged(unacknowledged, records)
            if page.skipped:
                _log.warning("%d records could not be read and were left out", page.skipped)
            yield state.FetchDelta(
                _updates(records),
                ReclaimCheckpoint(
                    position.next_timestamp, position.whole_since, list(position.seen), list(unacknowledged)
                ),
            )

    def _still_unacknowledged(self, before: list[str], records: Sequence[HashRecord]) -> list[str]:
        if not self._client.can_give_feedback:
            return []
        values = dict.fromkeys(before)
        for record in records:
            # A signal that came back is held again: there is no deletion to tell any more.
            values.pop(record.hashValue, None)
            if record.hashStatus.is_tombstone:
                values[record.hashValue] = None
        return list(values)

    def _acknowledge(self, values: Sequence[str]) -> list[str]:
        """Tell the bank of deletions; returns those that it could not be told yet."""
        if not self._client.can_give_feedback:
            return []
        left = list(values)
        while left:
            batch = left[:MAX_SUBMISSION]
            said = [HashFeedback(hashValue=value, feedbackValue=FeedbackValue.DELETED) for value in batch]
            try:
                self._client.submit_feedback(said)
            except BankError as error:
                # Fetching, and so deleting, goes on; the checkpoint keeps the rest for the next fetch.
                _log.warning("deletions were not acknowledged: %s", error)
                break
            left = left[MAX_SUBMISSION:]
        return left

    def report_opinion(self, s_type: type[TxSignalType], signal: str, opinion: state.SignalOpinion) -> None:
        """Send an opinion as feedback: positive is Blocked, negative NotBlocked, a seed PendingReview."""
        if s_type not in _TX_TYPE.values():
            raise ValueError(f"A bank takes feedback on pdq and video_md5 signals, not on {s_type.get_name()}.")
        said = HashFeedback(hashValue=signal, feedbackValue=_FEEDBACK[opinion.category], tags=sorted(opinion.tags))
        answer = self._client.submit_feedback([said])
        if answer.refused:
            raise ValueError(f"The bank did not take it: {answer.refused[0].reason}")


_Updates = dict[tuple[str, str], ReclaimSignalMetadata | None]


def _updates(records: Sequence[HashRecord]) -> _Updates:
    updates: _Updates = {}
    for record in records:
        tx_type = _TX_TYPE.get(record.signalType)
        if tx_type is not None:
            kept = None if record.hashStatus.is_tombstone else ReclaimSignalMetadata.of(record.CSPFeedbacks)
            updates[tx_type.get_name(), record.hashValue] = kept
    return updates


TX_MANIFEST = ThreatExchangeExtensionManifest(apis=(ReclaimExchangeAPI,))
