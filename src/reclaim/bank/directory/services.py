"""The services themselves, as data. ``source`` is the page by which its words can be checked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit


class For(StrEnum):
    """Whom a service is for."""

    UNDER_18 = "under 18"
    ADULTS = "adults"


@dataclass(frozen=True)
class Service:
    """One service, in words for the person."""

    slug: str
    name: str
    audience: For
    where: str
    about: str
    address: str
    source: str

    @property
    def host(self) -> str:
        """The address as a person reads it: the host alone."""
        return urlsplit(self.address).netloc.removeprefix("www.")


SERVICES = (
    Service(
        slug="take-it-down",
        name="Take It Down",
        audience=For.UNDER_18,
        where="Anywhere in the world",
        about=(
            "Run by NCMEC, a children's charity in the United States. It works as we do: your picture stays on your "
            "device. You do not have to give your name. You can use it at any age if you were under 18 in the picture."
        ),
        address="https://takeitdown.ncmec.org/",
        source="https://takeitdown.ncmec.org/faq/",
    ),
    Service(
        slug="report-remove",
        name="Report Remove",
        audience=For.UNDER_18,
        where="For under 18s in the United Kingdom",
        about=(
            "Run by Childline and the Internet Watch Foundation. Trained people look at the picture and try to have "
            "it taken down. Childline can be there for you all the way through."
        ),
        address=("https://www.childline.org.uk/info-advice/bullying-abuse-safety/online-mobile-safety/report-remove/"),
        source="https://www.iwf.org.uk/what-we-do/why-we-exist/report-remove",
    ),
    Service(
        slug="child-helplines",
        name="Child helplines near you",
        audience=For.UNDER_18,
        where="In many countries",
        about="Helplines for children and young people, by country. You can talk to someone there about anything.",
        address="https://www.childhelplineinternational.org/",
        source="https://www.childhelplineinternational.org/",
    ),
    Service(
        slug="safety-center",
        name="CCRI Safety Center",
        audience=For.ADULTS,
        where="In the United States, with advice for everyone",
        about="Step-by-step advice for adults, and a helpline, from the Cyber Civil Rights Initiative.",
        address="https://cybercivilrights.org/ccri-safety-center/",
        source="https://cybercivilrights.org/ccri-safety-center",
    ),
)

LEAVE_ADDRESS = "https://www.bbc.co.uk/weather"
"""A page that anybody might have open."""
