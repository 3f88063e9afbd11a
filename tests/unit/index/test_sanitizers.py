"""The native search compiled anew with the sanitizers (addresses, undefined behaviour, threads) and driven hard."""

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

os.register_at_fork(before=native.before_fork, after_in_parent=native.after_fork_in_parent,
                    after_in_child=native.after_fork_in_child)
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
            if len(few) > 60:  # in a batch that is worth sorting
                assert found(index, np.repeat(few, 9, axis=0), radius, 2) == [each for each in right for _ in range(9)]
        built = native.Index(compact)
        built.begin(rows)
        built.put(codes[:100], ids[:100])
        built.put(codes[100:], ids[100:])
        built.finish(lambda done, of: None)
        assert found(built, asked, 31, 2) == found(index, asked, 31, 2)
        for k in range(0, 200, 3):
            index.remove(int(ids[k]))
        for k in range(300):
            index.add(10**6 + k, codes[k])
        for k in range(0, 300, 2):
            index.remove(10**6 + k)
        assert index.code(int(ids[1])) == codes[1].tobytes() and index.code(10**6 + 1) == codes[1].tobytes()
        with tempfile.TemporaryFile() as file:
            index.save(file.fileno(), 3, lambda: index.remove(10**6 + 1))
            assert len(native.Index.open(file.fileno(), False)) == len(index) + 1
        index.merge(lambda done, of: index.add(2 * 10**6 + done, codes[done]))
        index.merge()
        with tempfile.TemporaryFile() as file:
            index.save(file.fileno(), 7, lambda: index.remove(int(ids[2])))
            size = file.tell()
            index.add(int(ids[2]), codes[2])
            index.merge()
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
        def over_and_over(job):
            while not stop.is_set():
                job()
        def change_on():
            for k in range(300, 600):
                index.add(3 * 10**6 + k, codes[k])
                if k % 3:
                    index.remove(3 * 10**6 + k)
                else:
                    index.remove(int(ids[k]))
        def build_on():
            for _ in range(3):
                index.merge()
                with tempfile.TemporaryFile() as file:
                    index.save(file.fileno(), 5)
                    native.Index.open(file.fileno(), False)
        jobs = (lambda: index.query(asked, 31), lambda: (index.query(asked[:3], 31, 2), index.state()))
        threads = [threading.Thread(target=over_and_over, args=(job,)) for job in jobs]
        others = [threading.Thread(target=job) for job in (change_on, build_on)]
        for thread in threads + others: thread.start()
        for _ in range(3):
            child = os.fork()
            if child == 0:
                index.query(asked, 31)
                index.merge()
                os._exit(0)
            if os.waitpid(child, 0)[1] != 0:
                raise SystemExit("a forked child failed")
        for thread in others: thread.join()
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


RACES = """
import importlib.util, os, sys, threading
import numpy as np
spec = importlib.util.spec_from_file_location("reclaim.index._native", sys.argv[1])
native = importlib.util.module_from_spec(spec)
spec.loader.exec_module(native)
codes = np.random.default_rng(43).integers(0, 256, (17_500, 32), np.uint8)
index = native.Index(False)
index.extend(codes[:17_000], np.arange(17_000))
index.merge()
stop = threading.Event()

def search_on():
    while not stop.is_set():
        for asked in (codes[:3], codes[:70], codes[:600]):
            index.query(asked, 31, 2)
        index.plan(31, 1)
        len(index), 5 in index, index.state(), index.code(16_999)

def build_on():
    while not stop.is_set():
        built = native.Index(False)
        built.begin(9000)
        built.put(codes[:4000], np.arange(4000))
        built.put(codes[4000:9000], np.arange(4000, 9000))
        built.finish()

def change_on(own):
    for k in range(1500):
        index.add(10**6 * own + k, codes[k])
        index.remove(10**6 * own + k if k % 2 else 5000 * own + k)

def merge_on():
    while not stop.is_set():
        index.merge()

def save_on():
    with open(os.devnull, "wb") as file:
        while not stop.is_set():
            try:
                index.save(file.fileno(), 1)
            except RuntimeError:
                stop.wait(0.001)  # a merge is under way

threads = [threading.Thread(target=job) for job in (search_on, search_on, merge_on, save_on, build_on)]
changers = [threading.Thread(target=change_on, args=(own,)) for own in (1, 2)]
for thread in threads + changers:
    thread.start()
for thread in changers:
    thread.join()
stop.set()
for thread in threads:
    thread.join()
print("clean")
"""


def _runtime(compiler: str, library: str) -> str | None:
    found = subprocess.run([compiler, f"-print-file-name={library}"], capture_output=True, text=True, check=True)
    path = Path(found.stdout.strip())
    return str(path.resolve()) if path.is_absolute() and path.exists() else None


def _run(folder: Path, library: str, sanitizers: str, driver: str) -> tuple[int, str, str]:
    """What the driver says, with the native search compiled anew with these sanitizers."""
    compiler = shutil.which("gcc")
    runtime = _runtime(compiler, library) if compiler else None
    if compiler is None or runtime is None:
        pytest.skip(f"gcc with {library} is needed (Debian: apt install gcc)")
    environment = {
        **os.environ,
        "LD_PRELOAD": runtime,
        "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1",  # the interpreter itself leaves memory behind
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
        "TSAN_OPTIONS": "halt_on_error=1",
        "PYTHONMALLOC": "malloc",
        "OPENBLAS_NUM_THREADS": "1",
    }
    starts = subprocess.run([sys.executable, "-c", ""], env=environment, capture_output=True, check=False)
    if starts.returncode != 0:
        pytest.skip(f"{library} does not run under this kernel")
    built = folder / "_native.so"
    subprocess.run(
        [
            compiler,
            *("-shared", "-fPIC", "-O1", "-g", "-std=c11", "-pthread", "-Wall", "-Wextra", "-Werror"),
            *(f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"),
            f"-I{sysconfig.get_paths()['include']}",
            *map(str, sorted(NATIVE.glob("*.c"))),
            *("-o", str(built)),
        ],
        check=True,
    )
    ran = subprocess.run(
        [sys.executable, "-c", driver, str(built)], env=environment, capture_output=True, text=True, check=False
    )
    return ran.returncode, ran.stdout, ran.stderr


def test_no_undefined_behaviour_and_no_stray_access(tmp_path: Path) -> None:
    assert _run(tmp_path, "libasan.so", "address,undefined", DRIVER) == (0, "clean\n", "")


def test_threads_never_touch_the_same_memory_at_once(tmp_path: Path) -> None:
    assert _run(tmp_path, "libtsan.so", "thread", RACES) == (0, "clean\n", "")
