"""The readable half of an evidence pack: a PDF of what its manifest says.

DejaVu Sans writes Latin, Greek, Cyrillic, Arabic, Hebrew, Armenian and Georgian scripts, shaped and in their direction.
What it cannot write stands there by its code points, never as boxes, and the report says that the manifest has it.
"""

from __future__ import annotations

import datetime
from functools import lru_cache
from importlib.resources import files

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from reclaim.protocol.evidence import Manifest

_FONT = files(__package__).joinpath("data", "DejaVuSans.ttf")
_CANNOT = (
    "Some of the text below is in a script that this report cannot show: it stands there by its code points, such as "
    "U+0905. The manifest has it as it was written."
)


class _Report(FPDF):
    def footer(self) -> None:
        """Pages are numbered."""
        self.set_y(-12)
        self.set_font_size(8)
        self.cell(0, 6, f"{self.page_no()} / {{nb}}", align="C")


@lru_cache(maxsize=1)
def _known() -> frozenset[int]:
    from fontTools.ttLib import TTFont

    with files(__package__).joinpath("data", "DejaVuSans.ttf").open("rb") as file:
        return frozenset(TTFont(file, lazy=True).getBestCmap())


def written(text: str) -> str:
    """The text as the font can write it: what it lacks by its code points, control characters left out."""
    out = []
    for character in text:
        if character in "\n\t":
            out.append(" " if character == "\t" else "\n")
        elif ord(character) in _known():
            out.append(character)
        elif character.isprintable():
            out.append(f"[U+{ord(character):04X}]")
    return "".join(out)


def _when(moment: datetime.datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "not known"


def report(manifest: Manifest) -> bytes:
    """A PDF, A4."""
    pdf = _Report(format="A4")
    pdf.set_creation_date(manifest.made_at)
    pdf.set_title(f"Evidence pack {manifest.pack}")
    pdf.set_lang("en")
    pdf.set_auto_page_break(True, margin=16)
    pdf.add_font("Body", fname=str(_FONT))
    pdf.set_text_shaping(True)
    pdf.add_page()

    def line(text: str, size: float = 10, gap: float = 1.5) -> None:
        pdf.set_font("Body", size=size)
        pdf.multi_cell(0, size * 0.5, written(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")
        pdf.ln(gap)

    def heading(text: str) -> None:
        pdf.ln(3)
        pdf.start_section(text)
        line(text, 13, 2)

    line("Evidence pack", 18, 3)
    if any(written(each) != each for each in _texts(manifest)):
        line(_CANNOT)
    for name, value in (
        ("Number", manifest.pack),
        ("Made", _when(manifest.made_at)),
        ("Made by", f"{manifest.made_by}, {manifest.organisation}"),
        ("Through", f"{manifest.bank}, number {manifest.bank_id}"),
        ("Case file", f"«{manifest.designation}» (a made-up name; this pack names no person)"),
        ("For", manifest.for_officer),
        ("Sealed to the key", manifest.sealed_to),
    ):
        line(f"{name}: {value}")
    heading("What the person allowed")
    line(f"Said by {'telephone or chat' if manifest.allowed_how == 'phone' else 'writing'}:")
    line(manifest.allowed_words)
    if manifest.statement:
        heading("Statement")
        line(manifest.statement)
    heading(f"Links: {len(manifest.links)}")
    for number, link in enumerate(manifest.links, start=1):
        line(f"{number}. {link.url}", gap=0.5)
        line(
            f"    Host: {link.host or 'not known'}. Stands: {link.state or 'not known'}. "
            f"Recorded: {_when(link.found_on)}. Last looked at: {_when(link.checked_at)}. "
            f"First seen to be gone: {_when(link.first_down_on)}.",
            8,
        )
    if manifest.signals:
        heading(f"Digital fingerprints: {len(manifest.signals)}")
        line(
            "Made on the person's own device. They recognise the picture or video and cannot be turned back into it.", 8
        )
        for signal in manifest.signals:
            line(f"{signal.type}  {signal.value}  since {signal.added_on}", 8, 0.5)
    heading("Files in this pack")
    for file in manifest.files:
        line(f"{file.name}: {file.bytes} bytes, {file.media_type}, SHA-256 {file.sha256}", 8)
    heading("Chain of custody")
    for step in manifest.custody:
        line(f"{step.number}. {_when(step.at)}: {step.kind}, by {step.by}. {step.note}", gap=0.5)
        line(f"    SHA-256 {step.digest}", 8)
    heading("How to check it")
    line(
        "manifest.json holds all of this for programs; manifest.dsse.json holds the same bytes with the bank's Ed25519 "
        "signature (DSSE). «reclaim evidence verify» checks signature, files and chain of custody without the bank. "
        "A link's times are those at which the bank's checker or a practitioner looked, by the bank's clock. This "
        "report is one of the listed files, so the list above does not name the report itself."
    )
    return bytes(pdf.output())


def _texts(manifest: Manifest) -> list[str]:
    return [
        manifest.allowed_words,
        manifest.statement,
        manifest.made_by,
        manifest.organisation,
        manifest.for_officer,
        *(link.url for link in manifest.links),
    ]
