"""Run one command and print its seconds and its peak of memory as JSON.

Run as a script and with nothing else imported: the kernel counts the memory of the process that starts a command
as the command's own, so that a large process must not start it itself.
"""

import json
import os
import subprocess
import sys
import threading
import time


def main(timeout: float, output: str, command: list[str]) -> None:
    """Run `command` with its standard output written to the file `output`; kill it after `timeout` seconds."""
    with open(output, "wb") as file:  # noqa: PTH123 - pathlib would add to the memory that is counted
        start = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file)
        guard = threading.Timer(timeout, process.kill)
        guard.start()
        status, peak_bytes = _wait(process)
        seconds = time.perf_counter() - start
        guard.cancel()
    print(json.dumps({"seconds": seconds, "peak_bytes": peak_bytes, "status": status}))


def _wait(process: "subprocess.Popen[bytes]") -> tuple[int, int | None]:
    """Exit status, and the largest resident set of the process and of the children that it waited for."""
    if not hasattr(os, "wait4"):  # Windows
        return process.wait(), None
    _, status, usage = os.wait4(process.pid, 0)
    unit = 1 if sys.platform == "darwin" else 1024
    return os.waitstatus_to_exitcode(status), usage.ru_maxrss * unit


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2], sys.argv[3:])
