"""The built container image, run as docs/scale.md runs it and asked what a user would ask. Run by hand, after a build:

    python tests/benchmarks/container.py IMAGES
    python tests/benchmarks/container.py IMAGES --options '--ulimit nofile=4096:4096' --engine 'podman --runtime runc'

Read-only, /tmp in memory, a token: the server must be ready, pass its own health check, refuse who has no token,
answer as `LesionPipeline.predict` does here, run as no root, be able to write to nothing but memory, write no file, and
hold no TensorFlow and no pip. Prints the image's size and the server's memory; ends with status 1 where one of these is
not so.
"""

import argparse
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from linked_images import image_files
from process_memory import MEGABYTE, held_bytes
from server_load import free_port, wait_until_ready

from pipeline import LesionPipeline

TOKEN = "secret"  # of a server that lives for a minute
FIND_WRITABLE = """
import os
image = os.stat("/").st_dev
def on_image(place):
    return os.lstat(place).st_dev == image
for folder, folders, files in os.walk("/"):
    folders[:] = [each for each in folders if on_image(os.path.join(folder, each))]
    for each in ["", *files]:
        place = os.path.join(folder, each)
        if on_image(place) and not os.path.islink(place) and os.access(place, os.W_OK):
            print(place)
"""
FIND_WRITTEN = """
import os
for place in ("/tmp", "/var/tmp", "/dev/shm"):
    print(*(os.path.join(folder, each) for folder, _, files in os.walk(place) for each in files))
"""
FIND_PACKAGES = """
from importlib.util import find_spec
print(*(name for name in ("tensorflow", "keras", "torch", "pip") if find_spec(name)))
"""
IMAGES = 20


class Engine:
    """The container engine's command line."""

    def __init__(self, words: str) -> None:
        self._words = shlex.split(words)

    def __call__(self, *words: object) -> str:
        done = subprocess.run([*self._words, *map(str, words)], stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout.strip()

    def healthy(self, container: str) -> bool:
        return not subprocess.run([*self._words, "healthcheck", "run", container], check=False).returncode

    @contextmanager
    def running(self, image: str, port: int, options: list[str]) -> Iterator[str]:
        """A container of the image, as the documentation starts it."""
        words = ["--read-only", "--tmpfs", "/tmp", "--env", f"LESION_TOKEN={TOKEN}"]
        published = ["--publish", f"127.0.0.1:{port}:8000"]
        container = self("run", "--detach", *words, *published, *options, image)
        try:
            yield container
        finally:
            self("rm", "--force", container)


def answers_alike(address: str, images: Path) -> bool:
    """Whether the server says of real images, and of a broken file, what this checkout says."""
    pipeline = LesionPipeline.load()
    paths = image_files(images)[:IMAGES]
    files = [("images", (path.name, path.read_bytes())) for path in paths]
    broken = ("images", ("broken.jpg", b"no image"))
    answer = httpx.post(
        f"{address}/predict",
        files=[*files, broken],
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=60,
    ).raise_for_status()
    *found, failed = answer.json()["images"]
    expected = [{"image": path.name, **pipeline.predict(path).to_dict()} for path in paths]
    return found == expected and "broken.jpg" in failed["error"]


def findings(engine: Engine, container: str, address: str, images: Path) -> dict[str, bool]:
    """What must be so -> whether it is."""
    wait_until_ready(address)
    found = {
        "its health check passes": engine.healthy(container),
        "without a token it refuses": httpx.post(f"{address}/predict").status_code == 401,
        f"{IMAGES} images and a broken file are answered as here": answers_alike(address, images),
        "it is user 10001": engine("exec", container, "id", "-u") == "10001",
    }
    nothing = {
        "what it may write to is all in memory": FIND_WRITABLE,
        "it has written no file": FIND_WRITTEN,
        "neither TensorFlow nor pip is there": FIND_PACKAGES,
    }
    for what, code in nothing.items():
        there = engine("exec", container, "python", "-c", code)
        found[f"{what} {there}".strip()] = not there
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("images", type=Path)
    parser.add_argument("--image", default="lesion")
    parser.add_argument("--engine", default="podman")
    parser.add_argument("--options", default="", help="more options of run, in one word")
    wanted = parser.parse_args()
    engine, port = Engine(wanted.engine), free_port()
    size = int(engine("image", "inspect", "--format", "{{.Size}}", wanted.image))
    print(f"{wanted.image}: {size / 1e6:.0f} MB", flush=True)
    start = time.perf_counter()
    with engine.running(wanted.image, port, shlex.split(wanted.options)) as container:
        address = f"http://127.0.0.1:{port}"
        wait_until_ready(address)
        print(f"ready after {time.perf_counter() - start:.1f} s", flush=True)
        found = findings(engine, container, address, wanted.images)
        process = int(engine("inspect", "--format", "{{.State.Pid}}", container))
        print(f"memory: {held_bytes(process)['resident'] / MEGABYTE:.0f} MB")
    for what, so in found.items():
        print(f"{'yes' if so else 'NO'}: {what}")
    sys.exit(not all(found.values()))


if __name__ == "__main__":
    main()
