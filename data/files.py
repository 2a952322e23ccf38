"""Writing files so that nobody ever sees a half-written one."""

import functools
import hashlib
import os
import platform
import re
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# A temporary's name tells whose it is: machine, process, and in what is retired the name that it had.
_TEMPORARY = re.compile(
    r"\.lesion-(?P<machine>[0-9a-f]{8})-(?P<process>\d+)-[^-]+(?:-old-(?P<name>.+))?", re.DOTALL
)


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` to write a file to; rename it to `path` when the block succeeds.

    The temporary name keeps the suffix of `path`, because many writers choose their format by it. When the block
    raises, the temporary file is removed and an earlier file at `path` stays as it was. Folders above `path` are made.
    What a killed process left in the folder is removed.

    Raises
    ------
    OSError
        Of the folder or of the writer; an error without a file's name is given that of `path`.
    """
    import tempfile  # noqa: PLC0415 - who only reads need not wait for it

    path = Path(path)
    temporary = None
    try:
        _make_folder(path.parent)
        handle, name = tempfile.mkstemp(prefix=_prefix(), suffix=path.suffix, dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        temporary.chmod(0o644)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: str | Path) -> Iterator[Path]:
    """Yield a new temporary folder beside `path`; it takes the place of `path` when the block succeeds."""
    import tempfile  # noqa: PLC0415 - as above

    path = Path(path)
    if path.is_symlink():
        path = path.resolve()
    _make_folder(path.parent)
    temporary = Path(tempfile.mkdtemp(prefix=_prefix(), dir=path.parent))
    temporary.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o755)
    try:
        yield temporary
        if path.exists():
            retired = Path(tempfile.mkdtemp(prefix=_prefix(), suffix=f"-old-{path.name}", dir=path.parent))
            path.replace(retired)
            temporary.replace(path)
            shutil.rmtree(retired)
        else:
            temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 `text` to `path` in one step."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def sha256(path: str | Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove_leftovers(folder: str | Path) -> None:
    """Remove from a folder what `replacing` and `replacing_folder` left there in processes of this machine that died.

    A folder that was retired and not yet replaced gets its name back.
    """
    for path in Path(folder).iterdir():
        found = _TEMPORARY.fullmatch(path.name)
        if not found or found["machine"] != _machine() or _alive(int(found["process"])):
            continue
        with suppress(OSError):  # another process may be faster
            if path.is_dir():
                if found["name"] and not (path.parent / found["name"]).exists():
                    path.replace(path.parent / found["name"])
                else:
                    shutil.rmtree(path)
            else:
                path.unlink()


def _prefix() -> str:
    return f".lesion-{_machine()}-{os.getpid()}-"


@functools.cache
def _machine() -> str:
    return f"{zlib.crc32(platform.node().encode()):08x}"


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it belongs to somebody else
        return True
    return not _has_ended(process)


def _has_ended(process: int) -> bool:
    """Whether a process has died and only its parent has not taken notice yet, as Linux tells."""
    try:
        state = Path(f"/proc/{process}/stat").read_bytes().rpartition(b") ")[2][:1]
    except OSError:
        return False
    return state in {b"Z", b"X"}


def _make_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):  # a folder that can't be listed can still be written to
        _clear_once(folder.resolve(), os.getpid())


@functools.lru_cache(maxsize=256)
def _clear_once(folder: Path, _process: int) -> None:
    """Not at every file of a folder, whose listing may be long."""
    remove_leftovers(folder)
