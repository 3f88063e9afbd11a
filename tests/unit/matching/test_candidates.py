"""Known pictures that an upload shows by its descriptors are named, paired so that the check agrees, and bounded."""

from __future__ import annotations

import io
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from reclaim.index import HammingIndex, StoredIndex, create_stored
from reclaim.matching import bits
from reclaim.matching.candidates import MOST_SENT, VOTE_RADIUS, DescriptorIndex, candidates
from reclaim.matching.parts import relation_of
from reclaim.matching.stop_list import RADIUS, StopList, shipped
from reclaim.signals.descriptors import MOST, UploadDescriptors, describe, describe_upload
from reclaim.signals.geometry import check
from reclaim.signals.luma import luma_of_bytes

PHOTOS = Path(__file__).parents[2] / "photos"
NAMES = ("astronaut", "coffee", "dogs", "tower", "pagoda")


def square(picture):
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=85)
    return luma_of_bytes(file.getvalue()), *picture.size


@pytest.fixture(scope="module")
def photographs():
    return [Image.open(PHOTOS / f"{name}.jpg").convert("RGB") for name in NAMES]


@pytest.fixture(scope="module")
def known(photographs):
    return [describe(*square(photograph)) for photograph in photographs]


@pytest.fixture(scope="module")
def index(known):
    return DescriptorIndex.build((number + 7, each.values) for number, each in enumerate(known))


def cropped(picture):
    width, height = picture.size
    return picture.crop((width // 5, height // 10, width, height))


@pytest.mark.parametrize("number", range(len(NAMES)))
def test_a_mirrored_crop_is_named_first_and_the_check_says_how_it_was_edited(photographs, known, index, number):
    upload = describe_upload(*square(ImageOps.mirror(cropped(photographs[number]))))
    found = candidates(upload, index)
    assert found[0].id == number + 7
    assert len(found[0].pairs) <= MOST_SENT
    geometry = check(known[number].placement, found[0].pairs, (upload.width, upload.height))
    assert geometry is not None
    told = relation_of(geometry)
    assert (told.how, told.turn, told.partly_altered) == ("parts", "flipy", False)
    assert told.kept == 0.7, "0.72 in truth"


def test_a_replaced_middle_is_told_as_partly_altered(photographs, known, index):
    picture = photographs[0].copy()
    width, height = picture.size
    box = (width // 5, height // 5, width * 4 // 5, height * 4 // 5)
    picture.paste(photographs[1].resize((box[2] - box[0], box[3] - box[1])), box)
    upload = describe_upload(*square(picture))
    of_it = next(candidate for candidate in candidates(upload, index) if candidate.id == 7)
    geometry = check(known[0].placement, of_it.pairs, (upload.width, upload.height))
    assert geometry is not None
    assert relation_of(geometry).partly_altered


def test_a_picture_that_is_not_in_the_bank_names_none(photographs, known):
    others = DescriptorIndex.build([(number, each.values) for number, each in enumerate(known) if number])
    assert candidates(describe_upload(*square(photographs[0])), others) == []


def test_an_upload_without_descriptors_names_none(index):
    flat = describe_upload(np.full((512, 512), 90, np.uint8), 800, 600)
    assert candidates(flat, index) == []


def test_however_many_pictures_share_all_descriptors_few_are_named_those_known_first(photographs, known):
    many = DescriptorIndex.build((number, known[0].values) for number in range(300))
    found = candidates(describe_upload(*square(photographs[0])), many)
    assert [candidate.id for candidate in found] == [0, 1, 2, 3, 4]


def test_what_is_on_the_stop_list_is_dropped_on_both_sides(photographs, known, index):
    upload = describe_upload(*square(photographs[0]))
    assert candidates(upload, index, StopList(known[0].values, 1)) == []
    half = StopList(known[0].values[::2], 1)
    slots = candidates(upload, index, half)[0].pairs[:, 0]
    assert not half.mask(known[0].values)[slots].any()


def test_the_shipped_stop_list_is_whole_and_keeps_what_photographs_have(known):
    stops = shipped()
    assert stops.version > 0
    assert StopList.parse(stops.written()).entries.tobytes() == stops.entries.tobytes()
    near = stops.entries[:5] ^ np.packbits(np.arange(256) < RADIUS)
    assert stops.mask(near).all()
    assert np.mean([stops.mask(each.values).mean() for each in known]) < 0.2


@pytest.mark.parametrize("data", [b"", b"reclaim-stop-list 1 2\n" + bytes(32), b"reclaim-stop-list 1\n", b"\xff\n"])
def test_a_file_that_is_no_stop_list_is_refused_in_a_sentence(data):
    with pytest.raises(ValueError, match="make it anew"):
        StopList.parse(data)


def test_the_order_of_bits_is_one_and_keeps_distances(known):
    values = known[0].values
    np.testing.assert_array_equal(bits.given(bits.laid(values)), values)
    assert sorted(np.frombuffer(bits.laid(np.packbits(np.eye(256, dtype=np.uint8), axis=1)), np.uint8).tolist()) == (
        sorted(np.packbits(np.eye(256, dtype=np.uint8), axis=1).ravel().tolist())
    )


def test_a_picture_is_added_and_taken_out_in_files_that_others_follow(tmp_path, known):
    create_stored(tmp_path / "descriptors.index", HammingIndex(mode="compact"))
    with (
        StoredIndex(tmp_path / "descriptors.index", writable=True) as written,
        StoredIndex(tmp_path / "descriptors.index") as read,
    ):
        writer, reader = DescriptorIndex(written), DescriptorIndex(read)
        writer.add(5, known[0].values)
        writer.add(6, known[1].values[:20])
        reader.refresh()
        np.testing.assert_array_equal(reader.values(5), known[0].values)
        assert (len(reader), 5 in reader, 4 in reader) == (len(known[0].values) + 20, True, False)
        with pytest.raises(ValueError, match="there already"):
            writer.add(5, known[0].values)
        writer.remove(5)
        reader.refresh()
        assert 5 not in reader
        assert len(reader.values(5)) == 0
        with pytest.raises(KeyError):
            writer.remove(5)


def test_a_picture_with_too_many_descriptors_or_another_id_is_refused(known):
    made = DescriptorIndex()
    for picture, values in ((-1, known[0].values), (1, np.zeros((MOST + 1, 32), np.uint8)), (1, known[0].values[:0])):
        with pytest.raises(ValueError, match=r"\.$"):
            made.add(picture, values)


def test_one_pattern_over_and_over_names_nothing(known):
    same = np.repeat(known[0].values[:1], MOST, axis=0)
    crowd = DescriptorIndex.build((number, same) for number in range(200))
    places = np.zeros((800, 4), np.int16)
    upload = UploadDescriptors(np.repeat(same[:1], 800, axis=0), np.repeat(same[:1], 800, axis=0), places, 512, 512)
    assert candidates(upload, crowd) == []


@pytest.fixture(scope="module")
def crowded(known):
    """One real picture, and then 12,000 descriptors that each differ a little from one of its."""
    chance = np.random.default_rng(5)
    near = np.repeat(known[0].values[:1], 12_000, axis=0)
    near ^= np.packbits(chance.random((len(near), 256)) < 0.02, axis=1)
    crowd = [(number + 8, codes) for number, codes in enumerate(np.split(near, len(near) // 60))]
    return DescriptorIndex.build([(7, known[0].values), *crowd]), near


def test_a_crowded_bank_costs_no_more_than_so_many_hits_and_looks(crowded):
    index, near = crowded
    asked = near[:200] ^ np.packbits(np.arange(256) % 97 == 0)
    began = time.thread_time()
    hits = index.near(asked, VOTE_RADIUS)
    places = np.zeros((len(asked), 4), np.int16)
    candidates(UploadDescriptors(asked, asked, places, 512, 512), index, StopList.empty())
    assert time.thread_time() - began < 5
    assert 0 < np.diff(hits.starts).max() <= 16 * 16


def test_a_crowd_that_was_reported_later_hides_no_picture_that_was_known_first(crowded, photographs):
    index, _ = crowded
    found = candidates(describe_upload(*square(cropped(photographs[0]))), index)
    assert found[0].id == 7
