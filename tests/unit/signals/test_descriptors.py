"""Local descriptors: the vectors, what a cut or turned picture keeps of them, what is taken from others."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from reclaim.signals import PoorSignal, _descriptors, read_luma
from reclaim.signals.descriptors import (
    BYTES,
    LEAST,
    LEAST_ONES,
    MOST,
    describe,
    describe_upload,
    name_of,
    parse_descriptors,
    parse_placement,
)
from reclaim.signals.luma import square
from tools import make_descriptor_vectors as maker

ROOT = Path(__file__).parents[3]
PHOTOS = ROOT / "tests" / "photos"
VECTORS = json.loads((ROOT / "conformance" / "vectors" / "descriptors.json").read_text("utf-8"))["cases"]
SOURCE = ROOT / "src" / "reclaim" / "signals" / "_descriptors.c"


def distances(some, others):
    """Bits that differ, each of `some` with each of `others`."""
    return np.bitwise_count(some[:, None] ^ others[None]).sum(axis=2, dtype=int)


def same(person, values, radius=31):
    """How many of a person's descriptors have one of these within the radius."""
    return int((distances(person.values, values).min(axis=1) <= radius).sum())


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_square_by_formula_gives_the_vectors_descriptors(vector):
    plane = maker.pixels(512, 512, "grey", vector["pixels"])
    assert hashlib.sha256(plane.tobytes()).hexdigest() == vector["luma512_sha256"]
    upload = describe_upload(plane, vector["width"], vector["height"], most=maker.MOST_UPLOAD)
    assert len(upload.values) == len(upload.places) == vector["upload_count"]
    both = np.concatenate([upload.values, upload.mirrored], axis=1)
    assert hashlib.sha256(both.tobytes()).hexdigest() == vector["upload_sha256"]
    if vector["descriptors"] is None:
        with pytest.raises(PoorSignal):
            describe(plane, vector["width"], vector["height"])
    else:
        found = describe(plane, vector["width"], vector["height"])
        assert (found.text, found.placement.places.tolist()) == (vector["descriptors"], vector["placement"])


def test_the_slow_reference_still_gives_a_vectors_descriptors():
    name, width, height, formula = maker.CASES[2]
    plane = maker.pixels(512, 512, "grey", formula)
    corners = maker.reference.describe(plane, width, height, maker.tests())
    text = base64.b64encode(b"".join(corner.value for corner in corners)).decode()
    assert (VECTORS[2]["name"], VECTORS[2]["descriptors"]) == (name, text)


def drawing(words, shade):
    picture = Image.new("L", (512, 512), shade)
    draw = ImageDraw.Draw(picture)
    for y in range(20, 480, 34):
        draw.text((20, y), words * 4, 255 - shade, ImageFont.load_default(24))
    return np.asarray(picture)


@pytest.mark.parametrize("shade", [0, 90, 255])
def test_a_page_of_text_gives_no_descriptors_though_an_upload_of_it_has_many(shade):
    page = drawing("APPLICATION for a permit ", shade)
    assert len(describe_upload(page, 512, 512).values) > 300
    with pytest.raises(PoorSignal):
        describe(page, 512, 512)


def test_of_a_photograph_within_a_page_of_text_only_the_photograph_is_described():
    page = drawing("SUMMER SALE today only ", 255).copy()
    page[128:384, 128:384] = np.asarray(Image.open(PHOTOS / "astronaut.jpg").convert("L").resize((256, 256)))
    places = describe(page, 512, 512).placement.places
    inside = (places[:, :2] >= 120).all(axis=1) & (places[:, :2] < 392).all(axis=1)
    assert len(places) > LEAST
    assert inside.mean() > 0.9


@pytest.mark.parametrize("light", [1, 0.5, 0.25])
def test_a_dark_photograph_is_not_taken_for_a_drawing(light):
    plane = read_luma(PHOTOS / "astronaut.jpg")
    assert len(describe((plane * light).astype(np.uint8), 512, 512).values) > 48


def test_a_picture_gives_descriptors_that_are_taken_as_they_are_written():
    found = describe(read_luma(PHOTOS / "astronaut.jpg"), 512, 512)
    assert LEAST <= len(found.values) <= MOST
    assert (parse_descriptors(found.text) == found.values).all()
    frame, places = found.placement
    parsed = parse_placement(frame, places.tolist(), len(found.values))
    assert (parsed.frame, parsed.places.tolist()) == ((512, 512), places.tolist())
    assert found.name == name_of(found.values) == hashlib.sha256(base64.b64decode(found.text)).hexdigest()


def test_a_cut_a_turned_and_a_mirrored_copy_keep_most_of_their_descriptors_and_another_picture_none():
    with Image.open(PHOTOS / "coffee.jpg") as opened:
        picture = opened.convert("L")
    width, height = picture.size
    person = describe(square(picture), width, height)
    cut = picture.crop((width // 5, height // 5, width, height))  # to 64 % of it
    assert same(person, describe_upload(square(cut), *cut.size).values) > 15
    quarter = picture.transpose(Image.Transpose.ROTATE_90)
    assert same(person, describe_upload(square(quarter), *quarter.size).values) > 45
    mirror = describe_upload(square(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)), width, height)
    assert same(person, mirror.mirrored) > 45
    assert same(person, mirror.values) < 15
    other = describe_upload(read_luma(PHOTOS / "pagoda.jpg"), 640, 427)
    assert same(person, other.values, 24) < 5


def test_a_part_of_an_upload_is_described_by_itself():
    whole = read_luma(PHOTOS / "coffee.jpg")
    collage = np.full((512, 512), 30, np.uint8)
    with Image.fromarray(whole) as picture:
        collage[256:, :256] = np.asarray(picture.resize((256, 256), Image.Resampling.BILINEAR))
    person = describe(whole, 600, 400)
    part = describe_upload(collage, 1200, 800, box=(0, 0.5, 0.5, 1))
    assert (part.width, part.height) == (512, 341)
    assert same(person, part.values) > 30
    with pytest.raises(ValueError, match="no part"):
        describe_upload(collage, 1200, 800, box=(0.2, 0.1, 0.2, 0.9))


def test_what_is_no_luma_and_what_no_picture_can_be_is_refused():
    plane = np.zeros((512, 512), np.uint8)
    for width, height in ((0, 5), (5, -1), (2**20 + 1, 5)):
        with pytest.raises(ValueError, match="sides"):
            describe(plane, width, height)
    for most in (0, 4097):
        with pytest.raises(ValueError, match="descriptors"):
            describe_upload(plane, 5, 5, most)
    for wrong in (np.zeros((513, 4), np.uint8), np.zeros((0, 4), np.uint8)):
        with pytest.raises(ValueError, match="512"):
            describe_upload(wrong, 5, 5)
    for wrong in (plane.astype(np.float32), plane[0], b"text"):
        with pytest.raises(TypeError):
            _descriptors.describe(wrong, 5, 5)


@settings(max_examples=40)
@given(st.lists(st.binary(min_size=BYTES, max_size=BYTES), min_size=1, max_size=MOST + 2))
def test_any_list_is_taken_only_if_it_is_long_enough_ascending_distinct_and_balanced(rows):
    text = base64.b64encode(b"".join(rows)).decode()
    counts = [int.from_bytes(row).bit_count() for row in rows]
    good = LEAST <= len(rows) <= MOST and rows == sorted(set(rows))
    if good and min(counts) >= LEAST_ONES and max(counts) <= 256 - LEAST_ONES:
        assert [row.tobytes() for row in parse_descriptors(text)] == rows
    else:
        with pytest.raises(ValueError, match=r"\.$"):
            parse_descriptors(text)


def taken_or_refused(parse, *given_to_it):
    """What the parser gives; None where it refuses with a sentence."""
    try:
        return parse(*given_to_it)
    except ValueError as error:
        sentence = str(error)
    assert sentence.endswith(".")
    return None


@settings(max_examples=40)
@given(st.text(max_size=3000))
@example("A" * 10**6)
@example("=" * 100)
def test_any_text_is_descriptors_or_refused_with_a_sentence(text):
    values = taken_or_refused(parse_descriptors, text)
    assert values is None or base64.b64encode(values.tobytes()).decode() == text


@settings(max_examples=40)
@given(st.lists(st.lists(st.one_of(st.integers(-2, 600), st.booleans(), st.floats(), st.text(max_size=2)), max_size=5)))
@example([[511, 0, 11, 63], [0, 511, 0, 0]])
def test_any_list_is_places_or_refused_with_a_sentence(places):
    parsed = taken_or_refused(parse_placement, [512, 300], places, 2)
    assert parsed is None or parsed.places.tolist() == places


@pytest.mark.parametrize("frame", [[], [512], [512, 0], [300, 200], [512, 513], [512, 1.5], [512, True], [512, 9, 9]])
def test_what_is_no_frame_is_refused_with_a_sentence(frame):
    assert taken_or_refused(parse_placement, frame, [[0, 0, 0, 0]], 1) is None


DRIVER = """
import importlib.util, sys
import numpy as np
spec = importlib.util.spec_from_file_location("reclaim.signals._descriptors", sys.argv[1])
kernel = importlib.util.module_from_spec(spec)
spec.loader.exec_module(kernel)
generator = np.random.default_rng(5)
for shape, size in (((512, 512), (5, 5)), ((1, 1), (1 << 20, 1 << 20)), ((1, 512), (3, 1)), ((37, 301), (1 << 20, 1)),
                    ((512, 3), (90, 100)), ((512, 512), (16, 1))):
    for plane in (generator.integers(0, 256, shape, np.uint8), np.full(shape, 255, np.uint8)):
        kernel.describe(plane, *size)
        kernel.describe_upload(plane, *size, 4096)
print("clean")
"""


def test_the_kernel_shows_no_undefined_behaviour_and_no_stray_access(tmp_path):
    compiler = shutil.which("gcc")
    found = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True) if compiler else None
    if found is None or not Path(found.stdout.strip()).is_absolute():
        pytest.skip("gcc with libasan is needed (Debian: apt install gcc)")
    built = tmp_path / "_descriptors.so"
    flags = (
        *("-shared", "-fPIC", "-O1", "-std=c11", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror"),
        *("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"),
    )
    include = f"-I{sysconfig.get_paths()['include']}"
    subprocess.run([compiler, *flags, include, str(SOURCE), "-o", str(built)], check=True)
    environment = {
        **os.environ,
        "LD_PRELOAD": str(Path(found.stdout.strip()).resolve()),
        "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1",  # the interpreter itself leaves memory behind
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
        "PYTHONMALLOC": "malloc",
        "OPENBLAS_NUM_THREADS": "1",
    }
    ran = subprocess.run([sys.executable, "-c", DRIVER, str(built)], env=environment, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "clean\n", "")
