"""The bank's recurring work, done by ``reclaim bank tick``."""

from __future__ import annotations

from django.conf import settings

from reclaim.bank.canaries.services import tend_canaries
from reclaim.bank.cases.consents import forget_codes
from reclaim.bank.cases.services import erase_ended_cases, forget_answers
from reclaim.bank.casework.keys import case_files_there
from reclaim.bank.casework.services import erase_ended, forget_invitations
from reclaim.bank.cooperation.carry import exchange_referrals
from reclaim.bank.cooperation.keys import organisation_keys_there
from reclaim.bank.directory.services import sync as sync_directory
from reclaim.bank.exchange.snapshots import forget_snapshots, start_maker
from reclaim.bank.federation.sync import sync_peers
from reclaim.bank.feedback.services import erase_tombstones
from reclaim.bank.gate.services import forget_used
from reclaim.bank.lookup.services import forget_lookups
from reclaim.bank.operations.applications import forget_applications
from reclaim.bank.operations.staging import move
from reclaim.bank.placements.services import forget_checks
from reclaim.bank.platforms.services import forget_ended
from reclaim.bank.screening.services import forget_sketches
from reclaim.bank.takedown.hosts import ask_about_hosts, forget_hosts
from reclaim.bank.takedown.imap import fetch_mail
from reclaim.bank.takedown.inbox import forget_unmatched
from reclaim.bank.takedown.looks import recheck_due
from reclaim.bank.takedown.services import note_lost_sends, remind
from reclaim.bank.training.services import forget_old_groups, forget_old_mails
from reclaim.bank.trust.services import reconsider
from reclaim.bank.vault.services import sweep
from reclaim.sitekit.recurring import do_pieces


def sweep_keys() -> int:
    """Destroy keys under which nothing is sealed any more; whatever has keys in the vault is named here."""
    return sweep([case_files_there, organisation_keys_there])


def tick() -> bool:
    """Do each piece of work once; whether all went well. A sandbox forgets old groups, and asks nobody anything."""
    if settings.SANDBOX:
        return do_pieces([forget_old_groups, forget_old_mails, erase_tombstones, erase_ended_cases, sweep_keys])
    return do_pieces(
        [
            start_maker,
            sync_directory,
            forget_snapshots,
            erase_tombstones,
            forget_answers,
            forget_codes,
            erase_ended_cases,
            erase_ended,
            forget_invitations,
            sweep_keys,
            forget_used,
            forget_sketches,
            forget_lookups,
            forget_checks,
            forget_applications,
            forget_ended,
            move,
            tend_canaries,
            reconsider,
            note_lost_sends,
            remind,
            forget_unmatched,
            forget_hosts,
            # Last of ours: they wait for other people's servers.
            exchange_referrals,
            sync_peers,
            fetch_mail,
            ask_about_hosts,
            recheck_due,
        ]
    )
