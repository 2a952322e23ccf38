"""A path or bytes -> the content of an image file, whatever the path turns out to be."""

import errno
from pathlib import Path

from data.regular_files import UnfitFileError, read_regular_file

ImageSource = str | Path | bytes

# 65 million pixels (the most that are decoded) of three 16-bit channels, uncompressed, and their metadata.
MOST_BYTES = 400_000_000

_REASONS = {
    errno.ENOENT: "no such file; check the path.",
    errno.ENOTDIR: "no such file; check the path.",
    errno.EISDIR: "is a folder and not an image; name the files in it.",
    errno.EACCES: "reading it is not permitted; change the file's permissions.",
    errno.EPERM: "reading it is not permitted; change the file's permissions.",
    errno.ENAMETOOLONG: "the name is too long for a file; check the path.",
    errno.ELOOP: "is a link that leads back to itself; name the file that it should lead to.",
    errno.ENXIO: "is no regular file; name an image file.",
}


class ImageError(Exception):
    """An image file that can't be used; the message names the file, what is wrong with it, and the mend."""


def name_of(source: ImageSource) -> str:
    """What errors call an image: its path, or "image" for bytes."""
    return "image" if isinstance(source, bytes) else str(source)


def read_content(source: ImageSource, name: str) -> bytes:
    """All bytes of an image file, read once, so that a file that changes or vanishes later does no harm.

    Pipes, sockets and devices are refused, because reading them may wait for ever or never end.

    Raises
    ------
    ImageError
        If it is no regular file, empty, too large, or can't be opened and read to its end.
    """
    try:
        content = source if isinstance(source, bytes) else read_regular_file(source, MOST_BYTES)
    except ValueError:  # a null character
        raise ImageError(f"{name!r}: is no path; check it.") from None
    except UnfitFileError as error:
        mend = "scale the image down" if error.errno == errno.EFBIG else "name an image file"
        raise ImageError(f"{name}: {error.strerror}; {mend}.") from None
    except OSError as error:
        reason = _REASONS.get(error.errno or 0)
        if reason is None:
            reason = f"can't be read ({error.strerror or error}); check the path and the disk."
        raise ImageError(f"{name}: {reason}") from error
    if not content:
        raise ImageError(f"{name}: the file is empty; copy it again from where it came.")
    return content
