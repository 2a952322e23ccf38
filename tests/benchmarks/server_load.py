"""Two hundred requests at once, every tenth a broken file, against `lesion serve`. Run by hand, with the extra `serve`:

    python tests/benchmarks/server_load.py IMAGES
    python tests/benchmarks/server_load.py IMAGES --most-waiting 256

Every client asks at once, and one that is refused with 429 asks again a second later, as `Retry-After` says, until it
is answered. Prints what the first attempts got, how long all took, and the server's memory; ends with status 1 where an
answer is not that of `LesionPipeline.predict`, or a broken file was not named.
"""

import argparse
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import httpx
from linked_images import image_files
from process_memory import MemoryWatch, held_bytes

from pipeline import LesionPipeline

REQUESTS, BROKEN_EVERY = 200, 10


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_until_ready(address: str) -> None:
    for _ in range(600):
        try:
            if httpx.get(f"{address}/v2/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    sys.exit("the server did not start")


def ask(address: str, content: bytes, together: Barrier) -> tuple[int, dict[str, object], int]:
    """First status, answer of the image, and number of attempts."""
    with httpx.Client(timeout=300) as client:
        together.wait()
        first, attempts = 0, 0
        while True:
            answer = client.post(f"{address}/predict", files=[("images", ("image", content))])
            attempts += 1
            first = first or answer.status_code
            if answer.status_code != 429:
                answer.raise_for_status()
                return first, answer.json()["images"][0], attempts
            time.sleep(float(answer.headers["retry-after"]))


def right(pipeline: LesionPipeline, content: bytes, said: dict[str, object]) -> bool:
    if content.startswith(b"broken"):
        return str(said.get("error", "")).startswith("image: ")
    return said == {"image": "image", **pipeline.predict(content).to_dict()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", type=Path)
    parser.add_argument("--most-waiting", type=int, default=64)
    wanted = parser.parse_args()
    paths = image_files(wanted.images)
    contents = [
        paths[number % len(paths)].read_bytes() if number % BROKEN_EVERY else b"broken %d" % number
        for number in range(REQUESTS)
    ]
    port, together = free_port(), Barrier(REQUESTS)
    address = f"http://127.0.0.1:{port}"
    words = ["-m", "pipeline", "serve", "--port", str(port), "--most-waiting", str(wanted.most_waiting)]
    with subprocess.Popen([sys.executable, *words], env={**os.environ, "LESION_TOKEN": ""}) as server:
        try:
            wait_until_ready(address)
            before = held_bytes(server.pid)["resident"]
            with MemoryWatch(server.pid) as memory, ThreadPoolExecutor(REQUESTS) as clients:
                start = time.perf_counter()
                answers = list(clients.map(lambda content: ask(address, content, together), contents))
                seconds = time.perf_counter() - start
        finally:
            server.terminate()
    print("first attempts by status:", dict(Counter(first for first, _, _ in answers)))
    print(
        f"all answered after {seconds:.1f} s and at most {max(attempts for *_, attempts in answers)} attempts"
    )
    print(f"memory before: {before / 2**20:.0f} MB;", *memory.lines())
    pipeline = LesionPipeline.load()
    wrong = sum(
        not right(pipeline, content, said) for content, (_, said, _) in zip(contents, answers, strict=True)
    )
    print(f"answers that are wrong: {wrong} of {REQUESTS}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
