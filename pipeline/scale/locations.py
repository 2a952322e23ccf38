"""Where images come from and predictions go to: a path, or a URI of any store that fsspec or pyarrow knows."""

from pathlib import Path
from typing import NamedTuple

from fsspec.core import url_to_fs
from pyarrow import ArrowInvalid, fs


class Location(NamedTuple):
    """A place in a store, as pyarrow and Ray take it."""

    filesystem: fs.FileSystem
    path: str


class LocationError(Exception):
    """A place that can't be used; the message names it, and the mend."""


def locate(uri: str) -> Location:
    """The store of a path or URI, and the place in it.

    Parameters
    ----------
    uri : str
        A path, `file:///...`, `s3://bucket/...` and others that pyarrow reads itself, or what `fsspec` knows, such as
        `https://...`, `hf://...`, or `zip://::photos.zip`, if the package that it asks for is installed.

    Raises
    ------
    LocationError
        If no such store is known, or a package or a value of the URI is missing.
    """
    if "://" not in uri:
        return Location(fs.LocalFileSystem(), str(Path(uri).absolute()))  # as workers run in other folders
    try:
        if "::" not in uri:
            return Location(*fs.FileSystem.from_uri(uri))
    except ArrowInvalid:  # not one of pyarrow's own
        pass
    try:
        store, path = url_to_fs(uri)
    except (ImportError, ValueError, OSError) as error:
        raise LocationError(f"{uri}: can't be opened ({error}); check the URI.") from None
    return Location(fs.PyFileSystem(fs.FSSpecHandler(store)), path)


def locate_empty(uri: str) -> Location:
    """As `locate`, of a place for a new table: the rows of another run would stand beside those of this one.

    Raises
    ------
    LocationError
        As `locate`, and if Parquet files are there.
    """
    place = locate(uri)
    there = place.filesystem.get_file_info(fs.FileSelector(place.path, allow_not_found=True))
    if any(each.base_name.endswith(".parquet") for each in there):
        raise LocationError(f"{uri}: another run has written there; give a new folder, or remove its files.")
    return place
