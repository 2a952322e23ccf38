"""Where the images come from: files, the camera, or the drawn examples."""

import csv
import hashlib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self, TypeVar

import streamlit as st

from data.datasets.diagnoses import diagnosis_name
from data.images import read_image
from pipeline.app.drawings import jpeg_uri
from pipeline.app.fragments import show
from pipeline.app.settings import LARGEST_UPLOAD, MOST_FILES

EXAMPLES = Path(__file__).parents[2] / "data" / "examples"
SUFFIXES = ["jpg", "jpeg", "png", "bmp", "tif", "tiff", "webp"]
TILE_WIDTH = 108  # three fit beside each other on a phone
FILES, CAMERA, DRAWN = "Files", "Camera", "Drawn examples"

Made = TypeVar("Made")


@dataclass(frozen=True)
class Picture:
    """An image file that the reader gave; it lives in the memory of the session."""

    name: str
    content: bytes
    key: str

    @classmethod
    def of(cls, name: str, content: bytes) -> Self:
        """The picture with a key that names its content, and tells apart equal content under two names."""
        return cls(name, content, hashlib.sha256(name.encode("utf-8", "replace") + content).hexdigest()[:16])


def given_pictures() -> list[Picture]:
    """What the reader has given last, wherever from; it outlasts a visit to another page."""
    pictures: list[Picture] = st.session_state.get("pictures", [])
    return pictures


def show_sources() -> None:
    """Offer the ways to give images; what comes is what `given_pictures` returns from then on."""
    source = st.segmented_control(
        "Images from",
        [FILES, CAMERA, DRAWN],
        default=FILES,
        required=True,
        key="source",
        label_visibility="collapsed",
    )
    if source == CAMERA:
        key = f"camera-{_visit()}"
        st.camera_input(
            "Take a picture through the dermatoscope", key=key, on_change=_take_photo, args=(key,), width=480
        )
    elif source == DRAWN:
        _show_examples()
    else:
        key = f"files-{_visit()}"
        st.file_uploader(
            "Dermoscopic images: one, or many at once",
            type=SUFFIXES,
            accept_multiple_files=True,
            key=key,
            on_change=_take_files,
            args=(key,),
            help=f"JPEG, PNG, BMP, TIFF or WebP, at most {LARGEST_UPLOAD} MB each and {MOST_FILES} at once.",
        )


def show_removal() -> None:
    """Say where the images are, and offer to forget them."""
    with st.container(horizontal=True, vertical_alignment="center"):
        show("privacy")
        if given_pictures():
            st.button("Remove all images", on_click=_forget)


def _forget() -> None:
    """Start the session anew; new keys let Streamlit drop the files that the widgets hold."""
    visit = _visit()
    st.session_state.clear()
    st.session_state.visit = visit + 1


def _visit() -> int:
    return int(st.session_state.get("visit", 0))


def _take_files(key: str) -> None:
    files = st.session_state[key]
    pictures = {
        picture.key: picture for picture in (Picture.of(file.name, file.getvalue()) for file in files)
    }
    _take(list(pictures.values()))


def _take_photo(key: str) -> None:
    photo = st.session_state[key]
    _take([Picture.of("photo.jpg", photo.getvalue())] if photo else [])


def _take(pictures: Sequence[Picture]) -> None:
    st.session_state.pictures = pictures[:MOST_FILES]
    st.session_state.left_out = len(pictures) - MOST_FILES


def _show_examples() -> None:
    st.caption("Drawn by a program, and showing nobody.")
    with st.container(horizontal=True, gap="small", key="examples"):
        for number, (path, diagnosis) in enumerate(_examples().items()):
            with st.container(key=f"example-{number}", width=TILE_WIDTH, gap=None):
                name = diagnosis_name(diagnosis)
                show("picture", uri=_thumbnail(path), alt=f"Drawing of a {name}")
                st.button(
                    name, key=f"open-{path.stem}", on_click=_take_example, args=(path,), width="stretch"
                )


def _take_example(path: Path) -> None:
    _take([Picture.of(path.name, path.read_bytes())])


@cache
def _examples() -> dict[Path, str]:
    """Path of an example -> what it was drawn as; one of each diagnosis."""
    with (EXAMPLES / "HAM10000_metadata.csv").open(newline="", encoding="utf-8") as file:
        drawn = {row["dx"]: row["image_id"] for row in csv.DictReader(file)}
    return {EXAMPLES / "images" / f"{drawn[diagnosis]}.jpg": diagnosis for diagnosis in sorted(drawn)}


@cache
def _thumbnail(path: Path) -> str:
    return jpeg_uri(read_image(path), longest_side=2 * TILE_WIDTH)


def remembered(name: str, key: Hashable, make: Callable[[], Made]) -> Made:
    """What `make` returned for this key; the session holds one value a name, and makes it anew for another key."""
    held: tuple[Hashable, Made] | None = st.session_state.get(f"remembered-{name}")
    if held is None or held[0] != key:
        held = st.session_state[f"remembered-{name}"] = (key, make())
    return held[1]
