"""The platform's recurring work."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest

from reclaim.platform.inbox import pictures
from reclaim.platform.inbox.services import delete_orphaned_copies

pytestmark = pytest.mark.django_db


def test_a_file_that_is_no_review_copy_does_not_stop_the_others_from_being_tidied(data_folder: Path) -> None:
    upload = uuid.uuid4()
    pictures.store(upload, [b"a copy that a crash left behind"])
    strangers = [
        pictures._path(upload, 1).with_name(name)
        for name in ("holiday.jpg", f"{upload}.1.jpg", f"{upload.hex}.jpg", ".jpg")
    ]
    for path in [pictures._path(upload, 1), *strangers]:
        path.touch()
        os.utime(path, (0, 0))
    assert pictures.stored() == {upload}
    delete_orphaned_copies()
    assert sorted(path.name for path in data_folder.rglob("*.jpg")) == sorted(path.name for path in strangers)
