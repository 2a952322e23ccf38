"""Where the images come from: files, the camera, the clipboard, or the drawn examples."""

import csv
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import streamlit as st
from streamlit.runtime import exists as runtime_exists
from streamlit.runtime import get_instance
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import DeletedFile

from data.datasets.diagnoses import diagnosis_name
from data.heic import is_heic, png_of_heic
from data.images import ImageError, read_image
from pipeline.app.components import component
from pipeline.app.fragments import show
from pipeline.app.settings import LARGEST_UPLOAD, MOST_FILES
from pipeline.app.visit import Picture, Refused, Visit, current_visit
from pipeline.dicom.recognition import is_dicom_content
from pipeline.reports.pictures import jpeg_uri, reduced

EXAMPLES = Path(__file__).parents[2] / "data" / "examples"
SUFFIXES = ("jpg", "jpeg", "png", "bmp", "tif", "tiff", "webp", "heic", "heif", "dcm", "dicom")
FORMATS = "JPEG, PNG, BMP, TIFF, WebP, HEIC or DICOM"
TILE_WIDTH = 108  # three fit beside each other on a phone


def show_sources() -> None:
    """Offer the ways to give images; what comes is added to what is there."""
    visit = current_visit()
    if not visit.pictures:
        _show_chooser(visit.round)
        _show_examples()
        return
    with st.expander("Add images", key=f"adding-{visit.round}"):
        _show_chooser(visit.round)
        _show_examples()


def show_refused() -> None:
    """Say which files were not taken, and why, until the reader has read it."""
    visit = current_visit()
    if visit.refused:
        show("refused", files=visit.refused)
        st.button("I have read this", on_click=visit.refused.clear, key="read-refused")


def show_removal() -> None:
    """Say where the images are, and offer to forget them."""
    visit = current_visit()
    with st.container(horizontal=True, vertical_alignment="center"):
        show("privacy")
        if visit.pictures:
            with st.popover("Remove all images"):
                count = len(visit.pictures)
                images = "this image" if count == 1 else f"these {count} images"
                st.write(f"Remove {images}, with all that you chose and wrote?")
                st.button("Yes, remove", on_click=_forget, key="remove")


def _forget() -> None:
    """Empty the visit, and let go of what the widgets and Streamlit's upload store hold."""
    visit = current_visit()
    visit.forget()
    for key in [key for key in st.session_state if key != "visit"]:
        del st.session_state[key]
    _drop_uploads()


def _show_chooser(visit_round: int) -> None:
    key = f"files-{visit_round}-{st.session_state.get('given', 0)}"
    st.file_uploader(
        "Dermoscopic images: one, or many at once; a copied image can be pasted",
        accept_multiple_files=True,
        key=key,
        on_change=_take_files,
        args=(key,),
        help=f"{FORMATS}, at most {LARGEST_UPLOAD} MB each and {MOST_FILES} at once.",
    )
    with st.expander("Take a picture", key=f"photo-{visit_round}"):
        component("camera")(key=f"camera-{visit_round}")


def _take_files(key: str) -> None:
    """Take what the chooser holds, and empty the chooser: every file lies in memory once.

    A click while the page is being drawn sends an old chooser's files once more; these have been taken already.
    """
    files = [file for file in st.session_state.get(key) or [] if not isinstance(file, DeletedFile)]
    if not files:
        return
    take((file.name, file.getvalue()) for file in files)
    st.session_state.given = st.session_state.get("given", 0) + 1
    context = get_script_run_ctx()
    manager = get_instance().uploaded_file_mgr if runtime_exists() else None
    if context and isinstance(manager, MemoryUploadedFileManager):
        for file in files:
            manager.remove_file(context.session_id, file.file_id)


def _drop_uploads() -> None:
    """Empty Streamlit's own store of this session's uploads."""
    context = get_script_run_ctx()
    if context and runtime_exists():
        get_instance().uploaded_file_mgr.remove_session_files(context.session_id)


def take(files: Iterable[tuple[str, bytes]], drawn_as: str = "") -> None:
    """Add image files, (name, content), to the visit; the first that is new becomes the one to look at."""
    visit = current_visit()
    visit.stopped = False
    new = None
    for picture in _pictures(files, drawn_as, visit):
        name = picture.name
        if picture.key not in visit.pictures and len(visit.pictures) >= MOST_FILES:
            visit.refused.append(
                Refused(name, f"there are {MOST_FILES} images already; `lesion predict` takes any number.")
            )
            continue
        visit.pictures.setdefault(picture.key, picture)
        new = new or picture.key
    visit.picked = new or visit.picked


def _pictures(files: Iterable[tuple[str, bytes]], drawn_as: str, visit: Visit) -> Iterator[Picture]:
    """The pictures of the files, one after the other; what can't be taken is noted as refused."""
    for name, content in files:
        try:
            if is_dicom_content(content):
                yield from _dicom_pictures(name, content, visit)
            else:
                yield _picture(name, content, drawn_as)
        except ImageError as error:
            visit.refused.append(Refused(name, str(error)))


def _dicom_pictures(name: str, content: bytes, visit: Visit) -> Iterator[Picture]:
    """The frames of a DICOM file, with the scale where the file tells it; nothing of the patient is kept."""
    if find_spec("pydicom") is None:
        raise ImageError(
            f"{name}: is a DICOM file, and what reads them is not installed; run in the folder of the software: "
            "pip install -c constraints.txt '.[app,dicom]'"
        )
    from pipeline.dicom.uploads import pngs_of_dicom  # noqa: PLC0415 - needed for such files alone

    for upload in pngs_of_dicom(content, name):
        picture = Picture.of(upload.name, upload.content)
        if upload.millimetres_per_pixel is not None:
            visit.change(picture.key, millimetres_per_pixel=upload.millimetres_per_pixel)
        yield picture


def _picture(name: str, content: bytes, drawn_as: str) -> Picture:
    if not content:
        raise ImageError(f"{name}: the file is empty; copy it again.")
    if is_heic(content):
        return Picture.of(name, png_of_heic(content, name), drawn_as)
    return Picture.of(name, content, drawn_as)


def _show_examples() -> None:
    show("examples")
    with st.container(horizontal=True, gap="small", key="examples"):
        for number, (path, diagnosis) in enumerate(drawn_examples().items()):
            with st.container(key=f"example-{number}", width=TILE_WIDTH, gap=None):
                name = diagnosis_name(diagnosis)
                show("picture", uri=_thumbnail(path), alt="")
                st.button(
                    name,
                    key=f"open-{path.stem}",
                    on_click=_take_example,
                    args=(path, diagnosis),
                    width="stretch",
                )


def _take_example(path: Path, diagnosis: str) -> None:
    take([(path.name, path.read_bytes())], drawn_as=diagnosis)


@cache
def drawn_examples() -> dict[Path, str]:
    """Path of an example -> what it was drawn as; one of each diagnosis."""
    with (EXAMPLES / "HAM10000_metadata.csv").open(newline="", encoding="utf-8") as file:
        drawn = {row["dx"]: row["image_id"] for row in csv.DictReader(file)}
    return {EXAMPLES / "images" / f"{drawn[diagnosis]}.jpg": diagnosis for diagnosis in sorted(drawn)}


@cache
def _thumbnail(path: Path) -> str:
    return jpeg_uri(reduced(read_image(path), 2 * TILE_WIDTH))
