"""How much memory a process has held."""

from __future__ import annotations

from pathlib import Path


def peak_mib(pid: int) -> float:
    """The most that a running process has held since it began or its peak was forgotten, in MiB."""
    # Not getrusage: its peak is inherited from the process that started this one.
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def forget_peak(pid: int) -> None:
    """Let the peak of a process begin anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
