"""The libraries that browsers run are the ones that were recorded."""

from __future__ import annotations

import shutil
from pathlib import Path

from tools.vendor import LIBRARIES, VENDOR, differences


def test_every_vendored_file_is_as_recorded_and_none_is_there_besides() -> None:
    assert differences() == []


def test_every_library_has_its_licence_beside_it() -> None:
    for library in LIBRARIES:
        assert (VENDOR / library.folder / "LICENSE.txt").stat().st_size > 500, library.name


def test_a_changed_a_missing_and_an_unknown_file_are_each_named(tmp_path: Path) -> None:
    copy = shutil.copytree(VENDOR, tmp_path / "vendor")
    with (copy / "libheif" / "libheif.wasm").open("ab") as library:
        library.write(b"\0")
    (copy / "hash-wasm" / "md5.umd.min.js").unlink()
    (copy / "new.js").write_text("")
    assert differences(copy) == [
        "hash-wasm/md5.umd.min.js is missing",
        "libheif/libheif.wasm is not what was recorded",
        "new.js is not recorded in tools/vendor.py",
    ]
