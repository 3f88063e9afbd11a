"""The kernel compiled anew with the address and undefined-behaviour sanitizers, and every kind of code driven."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[3] / "src" / "reclaim" / "signals" / "_pdq.c"

DRIVER = """
import importlib.util, sys
import numpy as np
spec = importlib.util.spec_from_file_location("reclaim.signals._pdq", sys.argv[1])
kernel = importlib.util.module_from_spec(spec)
spec.loader.exec_module(kernel)
generator = np.random.default_rng(5)
sides = (1, 5, 15, 16, 17, 31, 33, 64, 129, 255, 512)
told = {}
for name in kernel.kernels():
    kernel.use(name)
    for height in sides:
        for width in sides:
            luma = np.random.default_rng(height * 1000 + width).integers(0, 256, (height, width), np.uint8)
            answers = [kernel.transpose(luma), kernel.resize_rows(luma, 33), kernel.resize_columns(luma, 70)]
            if min(height, width) >= 5:
                answers += [kernel.compute(luma), kernel.compute(luma.astype(np.float32))]
                assert answers[-1] == answers[-2]
                corner, askew = [width - 5, height - 5, 5, 0, 0, 5], [-width, 9, width, -7, 3, height]
                places = [[0, 0, width, 0, 0, height], corner, askew]
                answers.append(kernel.views(luma, np.array(places, np.float64)))
            assert told.setdefault((height, width), answers) == answers
    for shape in ((5, 70000), (70000, 5), (1, 1 << 20)):
        luma = np.full(shape, 255, np.uint8)
        assert set(kernel.resize_rows(luma, 512)) == {255} == set(kernel.resize_columns(luma, 3))
        if min(shape) >= 5:
            kernel.compute(luma)
for wrong in (lambda: kernel.compute(np.zeros((5, 4), np.uint8)), lambda: kernel.resize_rows(luma, 0),
              lambda: kernel.compute(np.full((9, 9), np.nan, np.float32)), lambda: kernel.use("none"),
              lambda: kernel.views(np.zeros((9, 9), np.uint8), np.array([[0, 0, 9, 0, 0, np.nan]])),
              lambda: kernel.views(np.zeros((9, 9), np.uint8), np.array([[1, 0, 9.0, 0, 0, 9]])),
              lambda: kernel.views(np.zeros((9, 9), np.uint8), np.array([[9e99, 0, 9, 1, 1, 9]])),
              lambda: kernel.views(np.zeros((9, 9), np.uint8), np.zeros((257, 6))),
              lambda: kernel.views(np.zeros((9, 2048), np.uint8), np.array([[0, 0, 2048.0, 0, 0, 9]]))):
    try:
        wrong()
    except ValueError:
        continue
    raise SystemExit("a wrong call was taken")
print("clean")
"""


def test_no_undefined_behaviour_and_no_stray_access(tmp_path):
    compiler = shutil.which("gcc")
    runtime = None
    if compiler:
        found = subprocess.run([compiler, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
        runtime = Path(found.stdout.strip())
    if compiler is None or not (runtime.is_absolute() and runtime.exists()):
        pytest.skip("gcc with libasan is needed (Debian: apt install gcc)")
    built = tmp_path / "_pdq.so"
    subprocess.run(
        [
            compiler,
            *("-shared", "-fPIC", "-O1", "-g", "-std=c11", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror"),
            *("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"),
            f"-I{sysconfig.get_paths()['include']}",
            *(str(SOURCE), "-o", str(built)),
        ],
        check=True,
    )
    environment = {
        **os.environ,
        "LD_PRELOAD": str(runtime.resolve()),
        "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1",  # the interpreter itself leaves memory behind
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
        "PYTHONMALLOC": "malloc",
        "OPENBLAS_NUM_THREADS": "1",
    }
    ran = subprocess.run(
        [sys.executable, "-c", DRIVER, str(built)], env=environment, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "clean\n", "")
