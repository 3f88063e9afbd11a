"""``reclaim evidence``: check an evidence pack, without any bank."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from reclaim.cli.exits import Exit
from reclaim.cli.options import fail


def _seen(text: str) -> str:
    """What a manifest says, for a terminal: what would not print is written by its code point."""
    return "".join(each if each.isprintable() else f"\\u{{{ord(each):x}}}" for each in text)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def evidence() -> None:
    """Evidence packs, for whoever was handed one.

    \b
    Example:
      reclaim evidence verify pack.age --identity key.txt --bank-key KEY
    """


@evidence.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--bank-key", required=True, metavar="KEY", help="The bank's snapshot_key, as its /v2/ says it.")
@click.option(
    "--identity", type=click.File("r", errors="replace"), help="The officer's key of age, if FILE is still sealed."
)
@click.option("--json", "as_json", is_flag=True, help="The manifest, as one JSON object.")
def verify(file: Path, bank_key: str, identity: Any, as_json: bool) -> None:
    """Check that FILE is as the bank signed it: manifest, files, chain of custody. Nothing is unpacked.

    \b
    Example:
      reclaim evidence verify pack.zip --bank-key KEY
    """
    from reclaim.protocol.evidence import LARGEST_PACK, BadPackError
    from reclaim.protocol.evidence import verify as verify_pack
    from reclaim.protocol.federation import read_key
    from reclaim.protocol.referral import CannotOpenError, open_bytes

    try:
        key = read_key(bank_key)
    except ValueError:
        fail(
            Exit.USAGE, "The bank's key is 44 characters: «snapshot_key» in what the bank's address with /v2/ answers."
        )
    if file.stat().st_size > LARGEST_PACK + 1024 * 1024:
        fail(Exit.DIFFERS, "This is larger than any evidence pack.")
    pack = file.read_bytes()
    if identity is not None:
        secrets = [line for line in identity.read(10_000).splitlines() if line and not line.startswith("#")]
        try:
            pack = open_bytes(secrets[0] if secrets else "", pack)
        except CannotOpenError as error:
            fail(Exit.DIFFERS, str(error))
    try:
        found = verify_pack(pack, key)
    except BadPackError as error:
        fail(Exit.DIFFERS, str(error))
    manifest = found.manifest
    if as_json:
        click.echo(json.dumps(manifest.model_dump(mode="json")))
        return
    click.echo(
        f"It holds: signed with the bank's key {found.signed_by}, nothing was changed.\n"
        f"Pack      {_seen(manifest.pack)}, made {manifest.made_at:%Y-%m-%d %H:%M} UTC\n"
        f"By        {_seen(manifest.organisation)}\n"
        f"For       {_seen(manifest.for_officer)}\n"
        f"Links     {len(manifest.links)}\n"
        f"Signals   {len(manifest.signals)}\n"
        f"Files     {_seen(', '.join(each.name for each in manifest.files))}\n"
        f"Custody   {len(manifest.custody)} steps, unbroken\n"
        f"Manifest  SHA-256 {found.digest}"
    )


command = evidence
