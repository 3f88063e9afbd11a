"""What a reviewer is told about how an upload relates to a known picture."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from reclaim.matching.relation import Relation


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"how": "same"}, "The same picture, as it lies."),
        (
            {"how": "parts", "turn": "rotate270", "kept": 0.72},
            "Turned a quarter to the left and cropped to about 70 % of the original.",
        ),
        ({"how": "turned", "turn": "flipy"}, "Mirrored left to right."),
        ({"how": "tilted", "tilt": -3.0}, "Tilted by about 3° to the right."),
        ({"how": "trimmed", "box": (0, 0.1, 1, 0.9)}, "Put into bars, a caption or an app's screen."),
        (
            {"how": "part", "turn": "rotate180", "tilt": 2, "box": (0, 0, 0.5, 1)},
            "Turned upside down, tilted by about 2° to the left and put into a collage.",
        ),
        ({"how": "inset", "box": (0.7, 0.7, 0.9, 0.9)}, "Laid into another picture."),
        ({"how": "parts", "kept": 1.0, "altered": 0.28, "partly_altered": True}, "Altered in about 30 % of it."),
        ({"how": "parts", "altered": 0.0, "partly_altered": True}, "Altered in a part of it."),
        ({"how": "parts"}, "Recognised by its parts."),
    ],
)
def test_a_relation_is_told_in_one_sentence(fields: dict[str, Any], sentence: str) -> None:
    assert Relation(**fields).sentence == sentence


def test_how_much_is_kept_and_altered_is_told_to_a_tenth_and_no_finer() -> None:
    relation = Relation(how="parts", kept=0.6812, altered=0.3149)
    assert Relation.model_validate_json(relation.model_dump_json()) == relation
    assert (relation.kept, relation.altered) == (0.7, 0.3)


@pytest.mark.parametrize(
    "fields",
    [
        {"how": "seen"},
        {"how": "same", "turn": "sideways"},
        {"how": "parts", "kept": 1.2},
        {"how": "parts", "box": (0, 0, float("inf"), 1)},
        {"how": "parts", "box": (0.6, 0, 0.5, 1)},
        {"how": "same", "x": 1},
    ],
)
def test_what_is_no_relation_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Relation(**fields)
