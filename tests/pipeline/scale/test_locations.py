"""Images of a cluster come from a path, a URI of pyarrow's, or one of fsspec's."""

import zipfile
from pathlib import Path

import pytest

fsspec = pytest.importorskip("fsspec")
fs = pytest.importorskip("pyarrow.fs")
from pipeline.scale.locations import Location, LocationError, locate, locate_empty  # noqa: E402


def content_of(location: Location) -> dict[str, bytes]:
    """The content of every file, by the last part of its name."""
    selector = fs.FileSelector(location.path, recursive=True)
    found = [info for info in location.filesystem.get_file_info(selector) if info.type == fs.FileType.File]
    return {info.base_name: location.filesystem.open_input_stream(info.path).readall() for info in found}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"one")
    (folder / "b.jpg").write_bytes(b"two")
    return folder


def test_paths_and_file_uris_are_the_same_place(photos: Path) -> None:
    for uri in (str(photos), photos.as_uri()):
        assert content_of(locate(uri)) == {"a.jpg": b"one", "b.jpg": b"two"}


def test_a_store_of_fsspec_is_read_and_written() -> None:
    store = fsspec.filesystem("memory")
    store.pipe("/test-locations/a.jpg", b"one")
    try:
        location = locate("memory://test-locations")
        assert content_of(location) == {"a.jpg": b"one"}
        with location.filesystem.open_output_stream(f"{location.path}/b.parquet") as stream:
            stream.write(b"two")
        assert store.cat("/test-locations/b.parquet") == b"two"
    finally:
        store.rm("/test-locations", recursive=True)


def test_an_archive_is_a_place_too(photos: Path) -> None:
    archive = photos.parent / "photos.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for photo in photos.iterdir():
            file.write(photo, photo.name)
    assert content_of(locate(f"zip://::{archive}")) == {"a.jpg": b"one", "b.jpg": b"two"}


def test_a_bucket_is_found_without_asking_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    location = locate("s3://bucket/photos?region=eu-central-1")
    assert (location.filesystem.type_name, location.path) == ("s3", "bucket/photos")


@pytest.mark.parametrize("uri", ["nowhere://bucket/photos", "zip://::missing.zip"])
def test_what_is_no_place_is_named(uri: str) -> None:
    with pytest.raises(LocationError, match=f"{uri}: can't be opened .*; check the URI"):
        locate(uri)


def test_a_table_is_not_written_beside_that_of_another_run(tmp_path: Path) -> None:
    output = tmp_path / "predictions"
    assert locate_empty(str(output)) == locate(str(output))
    output.mkdir()
    assert locate_empty(str(output)) == locate(str(output))
    (output / "0_000000.parquet").write_bytes(b"rows")
    with pytest.raises(LocationError, match="predictions: another run has written there; give a new folder"):
        locate_empty(str(output))
