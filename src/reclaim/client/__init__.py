"""What a platform embeds to take part: fetch, keep in sync, acknowledge, give feedback. No Django, no database."""

from reclaim.client.bank_client import BankClient, Keys
from reclaim.client.checkpoint import Checkpoint
from reclaim.client.errors import BankError, BankMisbehaved, BankRefused, BankUnreachable, SyncOvertaken
from reclaim.client.records import Page
from reclaim.client.sync import SignalName, SignalStore, SyncReport, sync

__all__ = [
    "BankClient",
    "BankError",
    "BankMisbehaved",
    "BankRefused",
    "BankUnreachable",
    "Checkpoint",
    "Keys",
    "Page",
    "SignalName",
    "SignalStore",
    "SyncOvertaken",
    "SyncReport",
    "sync",
]
