"""The libraries that browsers run and that this project did not write: which, from where, and that they are unchanged.

    python -m tools.vendor            fetch each by `npm pack` and write its files
    python -m tools.vendor --check    compare src/reclaim/web/vendor with what is recorded here, without a network

docs/decisions/0014-vendored-browser-libraries.md says why they are in git.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

VENDOR = Path(__file__).resolve().parents[1] / "src" / "reclaim" / "web" / "vendor"
SOURCES = "SOURCES.txt"


@dataclass(frozen=True)
class Library:
    """One package of npm. `files`: the name here, the path in the package, the SHA-256 of the content in hex."""

    name: str
    version: str
    licence: str
    source: str
    integrity: str
    files: Sequence[tuple[str, str, str]]

    def digests(self) -> Iterator[tuple[str, str]]:
        """The path below `VENDOR` and the SHA-256 of each file."""
        for name, _, digest in self.files:
            yield f"{self.folder}/{name}", digest

    @property
    def folder(self) -> str:
        return self.name.rpartition("/")[2].removesuffix("-js")


LIBRARIES = (
    Library(
        "altcha-lib",
        "2.8.0",
        "MIT",
        "https://github.com/altcha-org/altcha-lib",
        "sha512-at1DAqS8u6Z+XbPV2xQd/oATDTxYN83gITqIfsCSz7a2ENqUNIvn9h9xPuAbjeQ3JFqrW8KCjinphhm+bUrRzQ==",
        [
            ("LICENSE.txt", "LICENSE.txt", "843bc430c56d731751a4d99278565df2975c7837e335147ae098055046d96e70"),
            (
                "algorithms/web/pbkdf2.js",
                "dist/esm/v2/algorithms/web/pbkdf2.js",
                "af9cf992955c98cfabb514f11a6457e94ba8820ca4c569bf923bc723ae82834e",
            ),
            (
                "helpers.js",
                "dist/esm/v2/helpers.js",
                "e094d740c92f2793727e014329bf9de7301554bf68612932b590b39a23b008b6",
            ),
            ("pow.js", "dist/esm/v2/pow.js", "de88daf2c071f05a28439a00ea9a04c7ccf6d1df843a96383e4c07f036ec8131"),
            ("types.js", "dist/esm/v2/types.js", "334c8e3d6d51cd01680d7c18089a523e03537c1620e83e8f455851c7c6bb05e0"),
        ],
    ),
    Library(
        "@contentauth/c2pa-wasm",
        "0.11.0",
        "MIT",
        "https://github.com/contentauth/c2pa-js and https://github.com/contentauth/c2pa-rs",
        "sha512-pL7tGZnM/qQz7JFCPB0hWSZM41L4aUEF/SV9B1fL+0L2sUZT1Zj7UGcUjSmiRWeXLagQ8Jds7RF+XQ9gxZiG7g==",
        [
            ("LICENSE.txt", "LICENSE", "5aeea31bc245dd31213e7ff878a40362d6d4d8bc8093e34a0f30ed7639fe93c6"),
            ("c2pa.js", "pkg/c2pa.js", "80120350a7e0ea1dab1955aab12cfdd204e45b57d56452361a8c32e154ef7c8c"),
            ("c2pa_bg.wasm", "pkg/c2pa_bg.wasm", "eb8b3557c7da472e9d0b347936e8ac72e9ebfb0dff05aba3ca00dd5e2dd8c499"),
        ],
    ),
    Library(
        "hash-wasm",
        "4.13.0",
        "MIT",
        "https://github.com/Daninet/hash-wasm",
        "sha512-GrWl7wsV46fKIXQZB5ebskLZLAmKL6d9RS0fspCxDeQyjoNu1AfTJTMLPOJyfzaQm0ldFiwFN21/w+sE/kgEFQ==",
        [
            ("LICENSE.txt", "LICENSE", "c14dea172f72f2714284a0ac2ab1b00b5352a01409d58255a46227ffc541debd"),
            (
                "md5.umd.min.js",
                "dist/md5.umd.min.js",
                "b437f79fefe54646bd742029aed6f8905e0afd9d4136d932df76ee2549100008",
            ),
        ],
    ),
    Library(
        "libheif-js",
        "1.23.2",
        "LGPL-3.0",
        "https://github.com/catdad-experiments/libheif-js and https://github.com/strukturag/libheif",
        "sha512-qvHIXtggEsw1lCNCWBYKloL2Z36DJBm0R9ThGiH2JnhKYdeZFLPFkP30Lw4yMskxxhx0bKg1gLrBHX1D2w2pSw==",
        [
            ("LICENSE.txt", "libheif-wasm/LICENSE", "fa81ce652315b013359d6e8e4744335f31a50c7c192907176d3632f78a3b4596"),
            (
                "libheif.js",
                "libheif-wasm/libheif.js",
                "f148d9ff173e5a6d6781e80dccb8336f54bfbb032392ceb2d37e0e92923c4bf3",
            ),
            (
                "libheif.wasm",
                "libheif-wasm/libheif.wasm",
                "e4aa8333fbe55ec7c6c776f735236f40bed9103188498f8131d4e52b73cdfee8",
            ),
        ],
    ),
    Library(
        "mediabunny",
        "1.61.0",
        "MPL-2.0",
        "https://github.com/Vanilagy/mediabunny",
        "sha512-WciPOYwKZwgYkoBKcEK6JzzIf+w5whypPzFdOihOylZ/5Qv19FmNfRnTcaprH+jD136YpEASU30Eb6VNCJiz3A==",
        [
            ("LICENSE.txt", "LICENSE", "3f3d9e0024b1921b067d6f7f88deb4a60cbe7a78e76c64e3f1d7fc3b779b9d04"),
            (
                "mediabunny.js",
                "dist/bundles/mediabunny.min.mjs",
                "fa696c53494b6b09a8b310ec51e3c44a59e79513234fb832255a38c686162009",
            ),
        ],
    ),
)


def sources() -> str:
    """What SOURCES.txt says: each library, its licence, and where its source is."""
    lines = ["Libraries in this folder, each unchanged from npm and under its own licence:", ""]
    lines += [
        f"{each.folder}: {each.name} {each.version}, {each.licence}, source at {each.source}" for each in LIBRARIES
    ]
    return "\n".join(lines) + "\n"


def expected() -> Mapping[str, str]:
    """The SHA-256 in hex of every file of the folder, by its path there."""
    found = {path: digest for library in LIBRARIES for path, digest in library.digests()}
    return {**found, SOURCES: hashlib.sha256(sources().encode()).hexdigest()}


def differences(folder: Path = VENDOR) -> list[str]:
    """One sentence for each file that is changed, missing or not recorded; none if all is well."""
    wanted = expected()
    there = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }
    said = [f"{path} is missing" for path in wanted if path not in there]
    said += [f"{path} is not what was recorded" for path in wanted if there.get(path, wanted[path]) != wanted[path]]
    return sorted(said + [f"{path} is not recorded in tools/vendor.py" for path in there if path not in wanted])


def _fetch(library: Library, folder: Path) -> None:
    """Write the files of one library. Raises ValueError if what npm gives is not what was recorded."""
    with tempfile.TemporaryDirectory() as kept:
        wish = f"{library.name}@{library.version}"
        # A fixed command of a table above; npm is found on PATH on purpose.
        subprocess.run(
            ["npm", "pack", "--silent", "--pack-destination", kept, wish], check=True, stdout=subprocess.DEVNULL
        )
        [package] = Path(kept).iterdir()
        content = package.read_bytes()
        if "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode() != library.integrity:
            raise ValueError(f"{wish} is not the package that was recorded")
        with tarfile.open(package) as archive:
            for name, path, digest in library.files:
                member = archive.extractfile(f"package/{path}")
                body = member.read() if member else b""
                if hashlib.sha256(body).hexdigest() != digest:
                    raise ValueError(f"{path} of {wish} is not the file that was recorded")
                target = folder / library.folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(body)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only compare what is here")
    if not parser.parse_args().check:
        for library in LIBRARIES:
            _fetch(library, VENDOR)
        (VENDOR / SOURCES).write_text(sources())
    said = differences()
    sys.stdout.write("".join(f"{each}\n" for each in said))
    return 1 if said else 0


if __name__ == "__main__":
    raise SystemExit(main())
