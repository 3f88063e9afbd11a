"""What a page of a bank loads, where it leads, and what it must not hold."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser

_FORBIDDEN = frozenset({"base", "embed", "frame", "iframe", "object", "style", "applet", "portal", "fencedframe"})
_LOADS = frozenset({"src", "srcset", "imagesrcset", "poster", "data", "background", "manifest", "xlink:href"})
_NOT_LOADED = frozenset({"alternate", "canonical", "nofollow"})
# Found in the text of the page, whatever way a browser would take it apart.
_OPENED = re.compile(rf"<({'|'.join(sorted({'script', 'link', *_FORBIDDEN}))})(?=[\s/>])", re.IGNORECASE)


class PageCheck(HTMLParser):
    """One page, taken apart.

    ``loads`` and ``sends`` are addresses as they stand there: of what the browser fetches by itself, and of forms.
    ``leads_to`` are those of links. ``faults`` are sentences.
    """

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.loads: list[str] = []
        self.sends: list[str] = []
        self.leads_to: list[str] = []
        self.faults: list[str] = []
        self._seen: Counter[str] = Counter()
        self._in_script = False
        self.feed(text)
        self.close()
        if self._seen != Counter(name.lower() for name in _OPENED.findall(text)):
            self.faults.append("It is written so that browsers may read it in another way than this check does.")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take in one element."""
        values = {name: value or "" for name, value in attrs}
        if tag in _FORBIDDEN or tag in ("script", "link"):
            self._seen[tag] += 1
        if tag in _FORBIDDEN:
            self.faults.append(f"It has an element «{tag}».")
        if tag == "meta" and "http-equiv" in values:
            self.faults.append("It has a «meta http-equiv».")
        if tag == "script":
            self._in_script = True
            if "src" not in values:
                self.faults.append("It has a script of its own in the page.")
        for name, value in values.items():
            self._take_in(tag, name, value, values.get("rel", "").lower().split())

    def _take_in(self, tag: str, name: str, value: str, relations: list[str]) -> None:
        if name.startswith("on"):
            self.faults.append(f"It has a script in «{name}».")
        elif name in ("style", "srcdoc", "ping"):
            self.faults.append(f"It has «{name}» on an element.")
        elif name in ("action", "formaction"):
            self.sends.append(value)
        elif name in ("srcset", "imagesrcset"):
            self.loads += [part.split()[0] for part in value.split(",") if part.split()]
        elif name in _LOADS:
            self.loads.append(value)
        elif name == "href" and tag in ("a", "area"):
            self.leads_to.append(value)
        elif name == "href" and not (tag == "link" and relations and _NOT_LOADED.issuperset(relations)):
            self.loads.append(value)

    def handle_endtag(self, tag: str) -> None:
        """See a script end."""
        self._in_script = self._in_script and tag != "script"

    def handle_data(self, data: str) -> None:
        """See whether a script holds text."""
        if self._in_script and data.strip():
            self.faults.append("It has a script of its own in the page.")
