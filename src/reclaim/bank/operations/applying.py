"""What a service says of itself when it asks to become a platform, from the page and over the wire alike."""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from reclaim.sitekit.places import is_country

MOST_NETWORKS = 20


class Kind(StrEnum):
    """What a service is."""

    SOCIAL = "social"
    MESSAGING = "messaging"
    FORUM = "forum"
    VIDEO = "video"
    HOSTING = "hosting"
    DATING = "dating"
    ADULT = "adult"
    SEARCH = "search"
    OTHER = "other"


class People(StrEnum):
    """How many people use a service in a month."""

    THOUSANDS = "up to 10,000"
    TEN_THOUSANDS = "up to 100,000"
    HUNDRED_THOUSANDS = "up to 1,000,000"
    MILLIONS = "up to 50,000,000"
    MORE = "more than 50,000,000"


class Media(StrEnum):
    """What people upload there."""

    PICTURES = "pictures"
    VIDEOS = "videos"


class Wanted(StrEnum):
    """What an applicant may ask for. The words are those of keys' scopes."""

    FETCH = "fetch"
    SUBMIT = "submit"
    FEEDBACK = "feedback"
    LOOKUP = "lookup"
    DESCRIPTORS = "descriptors"
    SOURCES = "sources"


KINDS = {
    Kind.SOCIAL: "Social network",
    Kind.MESSAGING: "Messages and chats",
    Kind.FORUM: "Forum or community",
    Kind.VIDEO: "Videos or live streams",
    Kind.HOSTING: "Files or web hosting",
    Kind.DATING: "Dating",
    Kind.ADULT: "Adult content",
    Kind.SEARCH: "Search engine",
    Kind.OTHER: "Something else",
}
SCOPES = {
    Wanted.FETCH: "Fetch the list of signals and match on your own machines",
    Wanted.FEEDBACK: "Say what you did, and that withdrawn signals are deleted",
    Wanted.SUBMIT: "Send signals of what you find yourselves",
    Wanted.LOOKUP: "Without a list: ask for each upload whether it matches",
    Wanted.DESCRIPTORS: "Beside the list, descriptors: find cropped and otherwise edited copies, for your reviewers",
    Wanted.SOURCES: "For adult content alone, source photographs: find deepfakes by their clothed originals",
}


def _plain(text: str) -> str:
    if not text.isprintable():
        raise ValueError("use plain text on one line")
    return text


def _plain_lines(text: str) -> str:
    text = text.replace("\r\n", "\n")
    if not all(line.isprintable() for line in text.split("\n")):
        raise ValueError("use plain text")
    return text


def _web_address(text: str) -> str:
    try:
        parts = urlsplit(_plain(text))
        good = parts.scheme in ("http", "https") and "." in (parts.hostname or "") and parts.username is None
    except ValueError:
        good = False
    if not good:
        raise ValueError("write the whole address of your service, such as https://www.example.org")
    return text


def _country(code: str) -> str:
    if not is_country(code):
        raise ValueError("use the country's two capital letters, such as GB")
    return code


def _network(text: str) -> str:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise ValueError("write a network as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/48") from error
    return str(network)


def _once_each(values: Any) -> Any:
    return list(dict.fromkeys(values)) if isinstance(values, list) and len(values) <= 1000 else values


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Line = Annotated[Text, AfterValidator(_plain)]


class NewApplication(BaseModel):
    """A service asks to become a platform."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80), AfterValidator(_plain)]
    """As people know it."""
    web: Annotated[Text, AfterValidator(_web_address)]
    contact: Line
    """Whom the bank writes to: an e-mail address, or a name and a telephone number."""
    country: Annotated[str, AfterValidator(_country)]
    """Where whoever runs it sits, by ISO 3166."""
    kind: Kind
    people: People
    media: Annotated[list[Media], BeforeValidator(_once_each), Field(min_length=1)]
    review: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=2000),
        AfterValidator(_plain_lines),
    ]
    """Who looks at what matches, how soon, and what becomes of it."""
    scopes: Annotated[list[Wanted], BeforeValidator(_once_each), Field(min_length=1)]
    addresses: Annotated[
        list[Annotated[str, StringConstraints(strip_whitespace=True, max_length=50), AfterValidator(_network)]],
        Field(max_length=MOST_NETWORKS),
    ] = []
    """Networks that its keys are to be good from; none: from anywhere."""
