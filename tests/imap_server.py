"""A real IMAP server with one mailbox in memory, in a process of its own: prints its port.

python -m tests.imap_server MESSAGE_FILE…
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import IRealm, Portal
from twisted.internet import protocol, reactor
from twisted.mail import imap4
from zope.interface import implementer

NAME, PASSWORD = "replies", "a kettle"


@implementer(imap4.IMessage, imap4.IMessageFile)
class Message:
    """One message."""

    def __init__(self, uid: int, raw: bytes) -> None:
        self.uid, self.raw, self.flags = uid, raw, set[str]()

    def getUID(self) -> int:
        return self.uid

    def getFlags(self) -> list[str]:
        return sorted(self.flags)

    def getInternalDate(self) -> str:
        return "26-Nov-2026 12:00:00 +0000"

    def getHeaders(self, negate: bool, *names: str) -> dict[str, str]:
        return {}

    def getBodyFile(self) -> io.BytesIO:
        return io.BytesIO(self.raw)

    def getSize(self) -> int:
        return len(self.raw)

    def isMultipart(self) -> bool:
        return False

    def getSubPart(self, part: int) -> None:
        raise IndexError

    def open(self) -> io.BytesIO:
        return io.BytesIO(self.raw)


@implementer(imap4.IMailbox)
class Mailbox:
    """The inbox."""

    def __init__(self, messages: list[Message]) -> None:
        self.messages = messages

    def getFlags(self) -> list[str]:
        return ["\\Seen"]

    def getHierarchicalDelimiter(self) -> str:
        return "."

    def getUIDValidity(self) -> int:
        return 1

    def getUIDNext(self) -> int:
        return len(self.messages) + 1

    def getUID(self, message: int) -> int:
        return message

    def getMessageCount(self) -> int:
        return len(self.messages)

    def getRecentCount(self) -> int:
        return 0

    def getUnseenCount(self) -> int:
        return sum("\\Seen" not in message.flags for message in self.messages)

    def isWriteable(self) -> bool:
        return True

    def addListener(self, listener: object) -> None:
        pass

    def removeListener(self, listener: object) -> None:
        pass

    def fetch(self, wanted: Any, uid: bool) -> list[tuple[int, Message]]:
        wanted.last = len(self.messages)
        return [(message.uid, message) for message in self.messages if message.uid in wanted]

    def store(self, wanted: Any, flags: list[str], mode: int, uid: bool) -> dict[int, list[str]]:
        changed = {}
        for number, message in self.fetch(wanted, uid):
            message.flags |= set(flags)
            changed[number] = message.getFlags()
        return changed


@implementer(IRealm)
class Realm:
    """Whose account it is."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.account = imap4.MemoryAccountWithoutNamespaces(NAME)
        self.account.addMailbox("INBOX", mailbox)

    def requestAvatar(self, who: bytes, mind: object, *interfaces: object) -> tuple[object, object, object]:
        return imap4.IAccount, self.account, lambda: None


def main() -> None:
    """Serve until it is ended."""
    messages = [Message(number, Path(name).read_bytes()) for number, name in enumerate(sys.argv[1:], start=1)]
    portal = Portal(Realm(Mailbox(messages)), [InMemoryUsernamePasswordDatabaseDontUse(**{NAME: PASSWORD.encode()})])

    class Factory(protocol.Factory):
        def buildProtocol(self, address: object) -> imap4.IMAP4Server:
            made = imap4.IMAP4Server()
            made.portal = portal
            return made

    port: Any = reactor.listenTCP(0, Factory(), interface="127.0.0.1")  # type: ignore[attr-defined]
    sys.stdout.write(f"{port.getHost().port}\n")
    sys.stdout.flush()
    reactor.run()  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
