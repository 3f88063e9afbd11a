"""What goes between this platform and its bank: sync, feedback, and the recurring work around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.conf import settings

from reclaim.client import Bank, BankError, BankRefused, ExtraType, SyncOvertaken, SyncReport
from reclaim.client import sync as client_sync
from reclaim.platform.inbox.by_parts import ask_bank, show_unchecked
from reclaim.platform.inbox.services import delete_orphaned_copies, forget_clear_uploads
from reclaim.platform.inbox.store import DatabaseStore, ExtraStore, follow_extra_types, forget_extra_signals
from reclaim.platform.outcomes.queries import due, word_of
from reclaim.platform.outcomes.services import note_delivered
from reclaim.platform.review.services import forget_shifts
from reclaim.platform.subscription.bank import BankAccess, BankFileError, load_bank
from reclaim.platform.subscription.index_files import update_index_files
from reclaim.platform.subscription.services import note_end_of_feed
from reclaim.protocol.stopncii_v1 import MAX_SUBMISSION
from reclaim.sitekit.alone import only_holder
from reclaim.sitekit.events import log_event, log_failure
from reclaim.sitekit.recurring import LeftForNowError, do_pieces


def bank_client() -> Bank:
    """A client of this platform's bank. Raises ``BankFileError``."""
    return load_bank(settings.BANK_FILE).client(settings.DATA / "snapshot")


def sync(client: Bank, on_page: Callable[[SyncReport], None] | None = None) -> SyncReport:
    """Follow the feed to its end. Raises ``BankError``; what came before is stored."""
    report = client_sync(client, DatabaseStore(), on_page)
    note_end_of_feed()
    try:
        _sync_extra_types()
    finally:
        _bring_index_files_up()
    return report


def _sync_extra_types() -> None:
    """The same with the extra types, where they are followed. Raises ``BankError``."""
    try:
        access = load_bank(settings.BANK_FILE)
    except BankFileError:  # of a client that somebody else made
        return
    follow_extra_types(access.extra_types)
    if ExtraStore().load_checkpoint() is None:  # none was ever followed
        return
    try:
        if (client := access.extra_client()) is not None:
            try:
                client_sync(client, ExtraStore())
            finally:
                client.close()
    except BankRefused as error:
        if error.status == 403:
            forget_extra_signals()
            _acknowledge_but(access, followed=())
        raise
    _acknowledge_but(access, followed=access.extra_types)


def _acknowledge_but(access: BankAccess, followed: Sequence[ExtraType]) -> None:
    """Of the extra types that are not followed any more all was deleted; the bank still waits for the word on each
    signal of them that was withdrawn since."""
    types = [kind for kind in ExtraType if kind not in followed]
    client = access.acknowledging_client(types)
    if client is not None:
        try:
            if owed := client.owed():
                client.acknowledge([each.name for each in owed])
        finally:
            client.close()
    # What was not told yet is among what the bank waits for; without a key nobody will be told.
    store = ExtraStore()
    store.acknowledged([name for name in store.pending_acknowledgements() if name.type in types])


def _bring_index_files_up() -> None:
    try:
        update_index_files()
    except Exception as error:  # the signals are stored; the next tick tries again
        log_failure("the index files could not be brought up to date", error)


def deliver_feedback(client: Bank) -> int:
    """Tell the bank what it has not been told yet, oldest first; returns how many words it took.

    Raises ``BankError``; what was not taken stays due. A word that the bank has no signal for any more is done with.
    Where another process or thread is telling the bank, it tells this too, or the next time does: an older word that
    is slow on its way must not come after a newer one.
    """
    told = 0
    with only_holder(settings.DATA / "feedback.lock") as alone:
        while alone and (batch := due(MAX_SUBMISSION)):
            client.say([word_of(outcome) for outcome in batch])
            note_delivered(batch)
            told += len(batch)
    if told:
        log_event("the bank was told", signals=told)
    return told


def _with_bank(work: Callable[[Bank], object]) -> Callable[[], object]:
    def piece() -> None:
        try:
            work(bank_client())
        except SyncOvertaken:
            log_event("another sync is under way")
        except (BankError, BankFileError) as error:
            reason = type(error).__name__
            raise LeftForNowError(f"the bank could not be reached or refused; trying again reason={reason}") from error

    return piece


def ask_about_candidates() -> int:
    """Ask the bank about what uploads may show by their parts; of how many it has said something. Raises nothing of
    the bank's: where it does not answer, they wait."""
    try:
        client = load_bank(settings.BANK_FILE).extra_client()
    except BankFileError:
        return 0
    if client is None:
        return 0
    try:
        with only_holder(settings.DATA / "candidates.lock") as alone:
            return ask_bank(client) if alone else 0
    finally:
        client.close()


def tick() -> bool:
    """Do each piece of work once; whether all went well."""
    return do_pieces(
        [
            # Feedback first: a word on a signal that this very sync withdraws still reaches the bank before its end.
            _with_bank(deliver_feedback),
            _with_bank(sync),
            # Also when the bank cannot be reached: what was withdrawn has to leave the files in time all the same.
            ask_about_candidates,
            show_unchecked,
            update_index_files,
            delete_orphaned_copies,
            forget_clear_uploads,
            forget_shifts,
        ]
    )
