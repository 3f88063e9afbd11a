"""A letter that asks a platform or a host to preserve what is there, before it is taken down."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from reclaim.bank.law.convention import convention
from reclaim.bank.law.laws import Law
from reclaim.bank.organisations.models import Organisation

ARTICLES = (25, 26)
"""Of the convention: preservation of stored data, and of traffic data."""
DAYS = (30, 60, 90)
"""For how long may be asked; 90 days is the most that article 25 names before it is renewed."""


@dataclass(frozen=True)
class Letter:
    """A letter as plain text, in English."""

    subject: str
    body: str


def preservation_letter(
    organisation: Organisation,
    to: str,
    links: Sequence[str],
    days: int,
    laws: Sequence[Law],
    today: datetime.date,
    authority: str = "",
) -> Letter:
    """Ask ``to`` to keep what it has on these pages for so many days. It names no person.

    ``authority`` is who is going to ask for the data, if anybody is known; ``laws`` are those that hold there.
    """
    until = today + datetime.timedelta(days=days)
    asks_for = authority or "the competent authority"
    listed = "\n".join(f"  {number}. {link}" for number, link in enumerate(links, start=1))
    body = f"""{organisation.name}
{organisation.contact or ""}

{today:%d %B %Y}

To {to}

Request to preserve data

We help somebody whose intimate picture or video is at the addresses below without their consent. We ask you separately
to take it down. Please take it down, and before that preserve what you hold about it, as it is now:

  - the picture or video itself, out of everybody's sight, and its digest
  - when it was uploaded, changed, shared and removed, and by which account
  - what you hold of that account: its registration, sign-ins with times and network addresses
  - reports about it, and what you decided

Addresses:
{listed}

Please preserve it for {days} days, that is until {until:%d %B %Y}, so that {asks_for} can ask for it
by the way that the law provides. Please do not send any of it to us, and do not tell the account's owner.

Please confirm that it is preserved, under which reference, and until when.

What this stands on

This is a request by an organisation that helps people, and not an order: only an authority can order preservation.
{_laws(laws)}
{_articles()}
"""
    return Letter("Request to preserve data", "\n".join(line.rstrip() for line in body.splitlines()) + "\n")


def _laws(laws: Sequence[Law]) -> str:
    if not laws:
        return "Our register names no law on this that we know to be in force in your country; we ask in good faith.\n"
    lines = []
    for law in laws:
        mark = "" if law.reviewed else " (a row of our register that nobody has checked against the law's text yet)"
        lines.append(f"  - {law.name}: {law.offence or law.duty or 'see the law'}{mark}")
    return "The law that makes the publication an offence, or obliges you to act:\n" + "\n".join(lines) + "\n"


def _articles() -> str:
    treaty = convention()
    lines = []
    for number in ARTICLES:
        article = treaty.article(number)
        if article is not None:
            mark = "" if article.checked_on else " (our summary, not checked against the official text)"
            lines.append(f"  - Article {number}, {article.title}: {' '.join(article.asks)}{mark}")
    lines.append(
        "  - Article 42, by which one state may ask another for expedited preservation (our summary, not checked "
        "against the official text)"
    )
    return (
        f"States that take part in the {treaty.title} agree to make preservation possible. It binds states, once it is "
        "in force for them, and not you directly:\n" + "\n".join(lines)
    )
