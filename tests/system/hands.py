"""Processes that are ready for work and do each task in a fork of themselves: getting ready takes most of a second.

Tasks are commands, run by the same code as ever with a standard input, output and error of their own, or Python code.
``python -m tests.system.hands site SETTINGS DATA DATABASE_URL`` has a site open and runs ``reclaim``;
``python -m tests.system.hands tx`` runs the ``tx`` command. Tasks come and answers go as lines of JSON.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

Done = subprocess.CompletedProcess[str]
TX = "threatexchange.cli.main"


class Hands:
    """One such process; ``end`` it when it is no longer needed."""

    def __init__(self, *kind: str | Path, environment: dict[str, str]) -> None:
        self._one_at_a_time = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.system.hands", *kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        atexit.register(self.end)

    def command(self, *arguments: str, stdin: str = "", **where: Any) -> Done:
        """Run the command with these arguments; ``where``: its ``environment`` and ``folder``, if others."""
        return self._do({"arguments": arguments, "stdin": stdin, **where})

    def code(self, code: str, arguments: Any) -> Done:
        """Run Python code in which ``arguments`` are these, and ``say(value)`` prints a line of JSON."""
        return self._do({"code": code, "arguments": arguments})

    def _do(self, task: dict[str, Any]) -> Done:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._one_at_a_time:
            self._process.stdin.write(json.dumps(task) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        assert answer, "it could not get ready; why is said above"
        return subprocess.CompletedProcess((), **json.loads(answer))

    def end(self) -> None:
        """End the process."""
        atexit.unregister(self.end)
        self._process.communicate()


def _say(value: Any) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def _ready_for_a_site(settings: str, data: str, database_url: str) -> None:
    from reclaim.sitekit.setup import open_site

    open_site(settings, Path(data), database_url or None)

    from django.db import connections

    connections.close_all()


def _reclaim(arguments: list[str]) -> None:
    from reclaim.cli import main

    main(arguments, prog_name="reclaim")


def _tx(arguments: list[str]) -> None:
    sys.argv = ["tx", *arguments]
    # It reads the environment as it is imported.
    sys.modules.pop(TX)
    sys.exit(importlib.import_module(TX).main())


def _run(task: dict[str, Any], command: Callable[[list[str]], None]) -> None:
    if "folder" in task:
        os.chdir(task["folder"])
    if "environment" in task:
        os.environ.clear()
        os.environ.update(task["environment"])
    if "code" in task:
        exec(task["code"], {"arguments": task["arguments"], "say": _say})
    else:
        command(task["arguments"])


def _code_of(task: dict[str, Any], command: Callable[[list[str]], None]) -> int:
    """Do the task; the exit code that Python would end with."""
    try:
        _run(task, command)
    except SystemExit as ended:
        if isinstance(ended.code, int | None):
            return ended.code or 0
        sys.stderr.write(f"{ended.code}\n")
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _end(code: int) -> NoReturn:
    """End a fork as Python ends, but for taking to pieces all that the process before it had made ready."""
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _serve(kind: str, *site: str) -> None:
    tasks, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    if kind == "site":
        _ready_for_a_site(*site)
    else:
        importlib.import_module(TX)
    # A fork leaves alone what it need not look through for garbage.
    gc.collect()
    gc.freeze()
    for line in tasks:
        task = json.loads(line)
        with (
            tempfile.TemporaryFile("w+") as read,
            tempfile.TemporaryFile("w+") as out,
            tempfile.TemporaryFile("w+") as err,
        ):
            read.write(task.get("stdin", ""))
            read.seek(0)
            process = os.fork()
            if not process:
                for number, file in enumerate((read, out, err)):
                    os.dup2(file.fileno(), number)
                _end(_code_of(task, _reclaim if kind == "site" else _tx))
            code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            out.seek(0)
            err.seek(0)
            answers.write(json.dumps({"returncode": code, "stdout": out.read(), "stderr": err.read()}) + "\n")
            answers.flush()


if __name__ == "__main__":
    _serve(*sys.argv[1:])
