"""Reading XML from others: small documents without document types, entities or depth.

The standard library's own tree builders expand entities and follow what a document type declares. Here both are
refused where they are declared, so nothing that a sender writes can grow (billion laughs) or name another file.
"""

from __future__ import annotations

from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

MOST_DEPTH = 16
MOST_ELEMENTS = 400_000
"""A page of 1000 entries with a few dozen words of feedback each has far fewer."""
MOST_ATTRIBUTES = 16


class UnsafeXmlError(ValueError):
    """This is no XML, or XML that nobody needs to send. The message says which, and quotes nothing."""


def parse_xml(body: bytes) -> Element:
    """The root of a document, its elements without their namespaces. Raises ``UnsafeXmlError``.

    Comments and processing instructions are passed over.
    """
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.builder.data
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    try:
        parser.Parse(body, True)
    except expat.ExpatError:
        pass
    else:
        return reader.builder.close()
    # Raised out here: the parser's own error may quote what was sent.
    raise UnsafeXmlError("This is no well-formed XML.")


class _Reader:
    def __init__(self) -> None:
        self.builder = TreeBuilder()
        self._depth = self._elements = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > MOST_DEPTH or self._elements > MOST_ELEMENTS or len(attributes) > MOST_ATTRIBUTES:
            raise UnsafeXmlError("This XML is nested too deep, or has too many elements or attributes.")
        self.builder.start(_bare(name), {_bare(key): value for key, value in attributes.items()})

    def end(self, name: str) -> None:
        self._depth -= 1
        self.builder.end(_bare(name))


def _bare(name: str) -> str:
    return name.rpartition("}")[2]


def _refuse(*_: object) -> NoReturn:
    raise UnsafeXmlError("XML with a document type or entities is not read here.")
