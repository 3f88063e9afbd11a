"""What a platform embeds to take part: fetch, keep in sync, acknowledge, give feedback. No Django, no database."""

from reclaim.client.bank_client import BankClient, Keys
from reclaim.client.changes import Change, ExtraType, Kind, Owed, SignalName, Word, kind_of
from reclaim.client.checkpoint import Checkpoint
from reclaim.client.errors import BankError, BankMisbehaved, BankRefused, BankUnreachable, CursorGone, SyncOvertaken
from reclaim.client.native_client import NativeClient, NativeKeys, Pinned, ask_about
from reclaim.client.records import Page
from reclaim.client.sync import Bank, SignalStore, SyncReport, sync

__all__ = [
    "Bank",
    "BankClient",
    "BankError",
    "BankMisbehaved",
    "BankRefused",
    "BankUnreachable",
    "Change",
    "Checkpoint",
    "CursorGone",
    "ExtraType",
    "Keys",
    "Kind",
    "NativeClient",
    "NativeKeys",
    "Owed",
    "Page",
    "Pinned",
    "SignalName",
    "SignalStore",
    "SyncOvertaken",
    "SyncReport",
    "Word",
    "ask_about",
    "kind_of",
    "sync",
]
