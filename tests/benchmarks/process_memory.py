"""What the processes of a command hold and spend, watched from outside while it runs (Linux)."""

import os
import threading
from collections import defaultdict
from pathlib import Path
from typing import Self

MEGABYTE = 2**20
EVERY = 0.5  # seconds
QUARTERS = 4


def family(process: int) -> list[int]:
    """A process and all below it."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return [process]
    return [process, *(each for child in children for each in family(int(child)))]


def held_bytes(process: int) -> dict[str, int]:
    """Resident memory of a process, and the part of it that is its own and no mapped file's; 0 where it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return {"resident": 0, "own": 0}
    sizes = {
        line.split(":")[0]: int(line.split()[1]) * 1024
        for line in lines
        if line.startswith(("VmRSS", "RssAnon"))
    }
    return {"resident": sizes.get("VmRSS", 0), "own": sizes.get("RssAnon", 0)}


def processor_seconds(process: int) -> float:
    """What a process has spent so far in all its threads; 0 where it has ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class MemoryWatch:
    """Watches a process and its children between `with` and its end.

    Attributes
    ----------
    spent : dict
        Process -> seconds of processor time when it was last seen.
    """

    def __init__(self, process: int) -> None:
        self._process = process
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._held: dict[int, list[dict[str, int]]] = defaultdict(list)
        self.spent: dict[int, float] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def peak(self, process: int) -> int:
        """The most bytes that a process was seen to hold."""
        return max(each["resident"] for each in self._held[process])

    def lines(self) -> list[str]:
        """What each process spent and held that lived for a fourth of the time at least."""
        longest = max(map(len, self._held.values()), default=0)
        return [
            f"process {number}: {self.spent[process]:.1f} s of processor time, "
            f"peak {self.peak(process) / MEGABYTE:.0f} MB; own memory, peak in each quarter of its "
            f"life: {self._quarters([each['own'] for each in held])} MB"
            for number, (process, held) in enumerate(self._held.items())
            if len(held) * QUARTERS >= longest
        ]

    @staticmethod
    def _quarters(sizes: list[int]) -> str:
        parts = [
            sizes[len(sizes) * n // QUARTERS : len(sizes) * (n + 1) // QUARTERS] for n in range(QUARTERS)
        ]
        return ", ".join(f"{max(part) / MEGABYTE:.0f}" for part in parts if part)

    def _watch(self) -> None:
        while not self._ended.wait(EVERY):
            for process in family(self._process):
                held = held_bytes(process)
                if held["resident"]:
                    self._held[process].append(held)
                    self.spent[process] = max(self.spent.get(process, 0), processor_seconds(process))
