"""A forked child may search at once, whatever the parent's other threads were doing."""

from __future__ import annotations

import os
import subprocess
import sys

SCRIPT = """
import os, signal, sys, tempfile, threading, time, warnings
from pathlib import Path
import numpy as np
from reclaim.index import HammingIndex, StoredIndex, create_stored, pair, stored
warnings.simplefilter("ignore", DeprecationWarning)  # that forking with threads may go wrong is what is tried here

def forked(child):
    pid = os.fork()
    if pid == 0:
        signal.alarm(60)
        try:
            child()
            os._exit(0)
        except BaseException as error:
            print(type(error).__name__, error, flush=True)
            os._exit(1)
    status = os.waitpid(pid, 0)[1]
    if status != 0:
        raise SystemExit(f"the child ended with {status}")

codes = np.random.default_rng(61).integers(0, 256, (30_000, 32), np.uint8)
folder = Path(tempfile.mkdtemp())
index = HammingIndex(codes[:20_000], np.arange(20_000))
stop = threading.Event()

def merge_on():
    while not stop.is_set():
        index.merge()

def save_on():
    while not stop.is_set():
        index.save(folder / "parent.index")

def change_on():
    while not stop.is_set():
        index.remove(7)
        index.add(7, codes[7])

def search_on():
    while not stop.is_set():
        index.query_many(codes[:300], 31)

def use_it():
    assert index.query(codes[9], 0).ids.tolist() == [9]
    if 8 in index:
        index.remove(8)
    index.add(30_000, codes[25_000])
    index.merge()
    assert index.query(codes[25_000], 0).ids.tolist() == [30_000]
    assert index.query(codes[8], 0).ids.tolist() == []
    index.save(folder / "child.index")
    assert len(HammingIndex.open(folder / "child.index")) == len(index)

threads = [threading.Thread(target=job) for job in (merge_on, save_on, change_on, search_on)]
for thread in threads:
    thread.start()
for _ in range(15):
    time.sleep(0.01)
    forked(use_it)

path = folder / "stored.index"
create_stored(path, HammingIndex(codes[:100], np.arange(100)))
writer = StoredIndex(path, writable=True)
reader = StoredIndex(path)

def refresh_on():
    while not stop.is_set():
        reader.refresh()

def write_on():
    while not stop.is_set():
        writer.remove(50)
        writer.add(50, codes[50])

others = [threading.Thread(target=job) for job in (refresh_on, write_on)]
for thread in others:
    thread.start()

def read_on():
    assert reader.query(codes[1], 0).ids.tolist() == [1]
    reader.refresh()
    assert len(reader) in (99, 100)
    for use in (lambda: writer.remove(1), lambda: writer.query(codes[1], 0)):
        try:
            use()
        except ValueError as error:
            assert "open it anew" in str(error)
        else:
            raise AssertionError("a forked writer wrote")
    writer.close()
    reader.close()

for _ in range(15):
    forked(read_on)
stop.set()
for thread in threads + others:
    thread.join()
writer.remove(2)
forked(lambda: StoredIndex(path).close())
reader.refresh()
assert 2 not in reader
writer.close()
StoredIndex(path, writable=True).close()

def writer_after(where, name, use):
    # A child forked while the lock is held, and still there when it is given back: another writer can open it.
    real, alive = getattr(where, name), []
    def forking(*arguments, **named):
        alive.append(os.fork())
        if alive[-1] == 0:
            signal.alarm(60)
            signal.pause()
        return real(*arguments, **named)
    setattr(where, name, forking)
    use()
    setattr(where, name, real)
    StoredIndex(path, writable=True).close()
    for child in alive:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)

writer_after(stored, "open_pair", lambda: StoredIndex(path, writable=True).close())
writer_after(pair, "new_log", lambda: create_stored(path, HammingIndex(), replace=True))

def fork_on():
    for _ in range(40):
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)

def make_on():
    while not stop.is_set():
        some = [HammingIndex() for _ in range(20)]

stop.clear()
makers = [threading.Thread(target=make_on) for _ in range(2)]
forkers = [threading.Thread(target=fork_on) for _ in range(3)]
for thread in makers + forkers:
    thread.start()
for thread in forkers:
    thread.join()
stop.set()
for thread in makers:
    thread.join()

def again(done, of):
    if done == of:
        forked(lambda: index.query(codes[1], 31))

index.merge(again)
print("fine")
"""


def test_a_forked_child_never_hangs_and_never_writes_into_its_parents_files() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "fine\n", "")
