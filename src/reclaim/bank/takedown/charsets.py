"""Bytes that a stranger sent, as text."""

from __future__ import annotations

import re

# Codecs of the standard library that are character sets of pages and mails. The others are none: some take long, and
# some make text that no database takes (halves of a pair of surrogates).
_KNOWN = re.compile(
    r"utf-?8|us-ascii|iso-?8859-\d{1,2}|latin-?1|windows-(?:125\d|874)|cp125\d|koi8-[ru]|iso-2022-(?:jp|kr)|shift[_-]jis"
    r"|euc-(?:jp|kr)|ks_c_5601-1987|gb(?:2312|k|18030)|big5"
)


def decode(raw: bytes, charset: str) -> str:
    """The text, in UTF-8 where the character set is none that is known; what cannot be read is U+FFFD."""
    said = charset.strip().lower()
    try:
        return raw.decode(said if _KNOWN.fullmatch(said) else "utf-8", errors="replace")
    except LookupError:
        return raw.decode("utf-8", errors="replace")
