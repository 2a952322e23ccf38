"""What there is to predict, one image after the other: each has a name to show and a way to be read."""

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from data.datasets.finding import expand_glob, is_image_name, stream_images
from data.images import ImageError
from pipeline.prediction.reading import Source


class ImageSource(Protocol):
    """One image to predict. Small, and to be sent to another process: it holds no pixels before it is read."""

    @property
    def name(self) -> Path:
        """What tables and messages call the image; its stem names the files that are written for it."""

    def read(self) -> Source:
        """The image as `LesionPipeline.predict` takes it.

        Raises
        ------
        ImageError
            If there is nothing to read.
        """


@dataclass(frozen=True)
class ImageFile:
    """An image file; it is its own name."""

    name: Path

    def read(self) -> Source:
        """The path, unless reading there would wait for ever."""
        try:
            mode = self.name.stat().st_mode
        except OSError:  # reading it says what is wrong
            return self.name
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise ImageError(
                f"{self.name}: is a pipe, a socket or a device and not a file; give an image file."
            )
        return self.name


def sources_of(path: Path) -> Iterator[ImageSource]:
    """The images that one file holds."""
    yield ImageFile(path)


@dataclass(frozen=True)
class FileKinds:
    """Which files hold images, and which images they hold.

    Attributes
    ----------
    is_image : function of a path
        Tells the images among the files of a folder.
    images : function of a path
        Gives the images that a file holds.
    """

    is_image: Callable[[Path], bool] = is_image_name
    images: Callable[[Path], Iterator[ImageSource]] = sources_of


def stream_sources(
    paths: Iterable[str | Path],
    output: Path | None,
    leave_out: Callable[[Path], None],
    kinds: FileKinds = FileKinds(),
) -> Iterator[ImageSource]:
    """The images of files, folders and globs, as `data.datasets.finding.stream_images` orders them.

    Parameters
    ----------
    paths : iterable of str or Path
    output : Path, optional
        Where results are written. What an earlier run wrote there is not among the images of a folder above.
    leave_out : function of a path
        Called with each path that was given, or that a glob stands for, and that lies in `output`.
    kinds : FileKinds
        By default photographs alone.
    """
    inside = _inside(output) if output else lambda _: False
    for image in stream_images(_outside(paths, inside, leave_out), kinds.is_image):
        if not inside(image.parent):
            yield from kinds.images(image)


def _outside(
    paths: Iterable[str | Path], inside: Callable[[Path], bool], leave_out: Callable[[Path], None]
) -> Iterator[Path]:
    for match in (match for path in paths for match in expand_glob(path)):
        if inside(match if match.is_dir() else match.parent):
            leave_out(match)
        else:
            yield match


def _inside(output: Path) -> Callable[[Path], bool]:
    """Whether a folder is `output` or lies in it, whatever links lead there."""
    written = os.path.realpath(output)

    @lru_cache(maxsize=1024)
    def inside(folder: Path) -> bool:
        real = os.path.realpath(folder)
        return real == written or real.startswith(os.path.join(written, ""))  # noqa: PTH118

    return inside
