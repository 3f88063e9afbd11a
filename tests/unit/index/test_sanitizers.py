"""The native search compiled anew with the address and undefined-behaviour sanitizers, and driven hard under them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

NATIVE = Path(__file__).parents[3] / "src" / "reclaim" / "index" / "native"

DRIVER = """
import importlib.util, os, sys, tempfile, threading
import numpy as np
spec = importlib.util.spec_from_file_location("reclaim.index._native", sys.argv[1])
native = importlib.util.module_from_spec(spec)
spec.loader.exec_module(native)

def expected(codes, ids, code, radius):
    far = np.bitwise_count(codes ^ code).sum(axis=1)
    return sorted((int(d), int(i)) for d, i in zip(far, ids) if d <= radius)

def found(index, asked, radius, choice):
    starts, ids, distances = (np.frombuffer(part, kind) for part, kind in
                              zip(index.query(asked, radius, choice), (np.int64, np.int64, np.uint16)))
    return [list(zip(distances[a:b].tolist(), ids[a:b].tolist())) for a, b in zip(starts, starts[1:])]

generator = np.random.default_rng(41)
rows = 16500
codes = generator.integers(0, 256, (rows, 32), np.uint8)
codes[:3000, :8] = 5
codes[3000:3100] = codes[0]
ids = generator.permutation(rows).astype(np.int64) - 100
asked = codes[generator.integers(0, rows, 66)].copy()
for number, code in enumerate(asked):
    for bit in generator.permutation(256)[: number % 40]:
        code[bit // 8] ^= 1 << bit % 8
for name in native.kernels():
    native.use(name)
    for compact in (False, True):
        index = native.Index(compact)
        index.extend(codes, ids)
        index.merge()
        for radius in (0, 31, 35, 47):
            few = asked[:6] if radius > 31 else asked
            right = [expected(codes, ids, code, radius) for code in few]
            for choice in (0, 1, 2):
                assert found(index, few, radius, choice) == right
            assert found(index, few[0], radius, 2) == right[:1]
        for k in range(0, 200, 3):
            index.remove(int(ids[k]))
        for k in range(300):
            index.add(10**6 + k, codes[k])
        for k in range(0, 300, 2):
            index.remove(10**6 + k)
        assert not index.write(0, 1)
        index.merge(lambda done, of: index.add(2 * 10**6 + done, codes[done]))
        index.merge()
        with tempfile.TemporaryFile() as file:
            assert index.write(file.fileno(), 7)
            size = file.tell()
            for in_memory in (False, True):
                again = native.Index.open(file.fileno(), in_memory)
                for choice in (1, 2):
                    assert found(again, asked, 31, choice) == found(index, asked, 31, choice)
                again.remove(int(ids[1]))
            for length in (0, 7, 100, 4096, 5000, size // 2):
                with tempfile.TemporaryFile() as cut:
                    file.seek(0)
                    cut.write(file.read(length))
                    cut.flush()
                    try:
                        native.Index.open(cut.fileno(), False)
                    except native.FileFault:
                        continue
                    raise SystemExit("a cut file was opened")
        stop = threading.Event()
        def search_on():
            while not stop.is_set():
                index.query(asked, 31)
        threads = [threading.Thread(target=search_on) for _ in range(2)]
        for thread in threads: thread.start()
        for k in range(300, 600):
            index.add(3 * 10**6 + k, codes[k])
        index.merge()
        stop.set()
        for thread in threads: thread.join()
for wrong in (lambda: index.add(1, b"short"), lambda: index.query(b"x" * 33, 3), lambda: index.query(b"", 65),
              lambda: index.extend(codes, ids[:5]), lambda: index.extend(codes[:2], np.array([9, 9]))):
    try:
        wrong()
    except ValueError:
        continue
    raise SystemExit("a wrong call was taken")
print("clean")
"""


def _runtime(compiler: str) -> str | None:
    found = subprocess.run([compiler, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    path = Path(found.stdout.strip())
    return str(path.resolve()) if path.is_absolute() and path.exists() else None


def test_no_undefined_behaviour_and_no_stray_access(tmp_path: Path) -> None:
    compiler = shutil.which("gcc")
    runtime = _runtime(compiler) if compiler else None
    if compiler is None or runtime is None:
        pytest.skip("gcc with libasan is needed (Debian: apt install gcc)")
    built = tmp_path / "_native.so"
    subprocess.run(
        [
            compiler,
            *("-shared", "-fPIC", "-O1", "-g", "-std=c11", "-pthread", "-Wall", "-Wextra", "-Werror"),
            *("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"),
            f"-I{sysconfig.get_paths()['include']}",
            *map(str, sorted(NATIVE.glob("*.c"))),
            *("-o", str(built)),
        ],
        check=True,
    )
    environment = {
        **os.environ,
        "LD_PRELOAD": runtime,
        "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1",  # the interpreter itself leaves memory behind
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
        "PYTHONMALLOC": "malloc",
        "OPENBLAS_NUM_THREADS": "1",
    }
    ran = subprocess.run(
        [sys.executable, "-c", DRIVER, str(built)], env=environment, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "clean\n", "")
