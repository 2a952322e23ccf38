"""Images of every usual kind are read as a person sees them; others are refused in one clear sentence."""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.images import ImageError, image_size, read_image, read_mask

RED = (200, 40, 30)
GREY = (128, 128, 128)
WHITE = (255, 255, 255)


def encode(image: Image.Image, file_format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def halves(width: int = 64, height: int = 48) -> Image.Image:
    """Red on the left, white on the right."""
    image = Image.new("RGB", (width, height), WHITE)
    image.paste(RED, (0, 0, width // 2, height))
    return image


def assert_all(pixels: np.ndarray, colour: tuple[int, int, int], tolerance: int = 0) -> None:
    assert pixels.dtype == np.uint8
    assert pixels.shape[2] == 3
    assert np.abs(pixels.astype(int) - colour).max() <= tolerance


@pytest.mark.parametrize(
    ("file_format", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("JPEG", {"quality": 95, "subsampling": 0}, 4),
    ],
)
def test_reads_every_format_as_rgb(file_format: str, options: dict, tolerance: int) -> None:
    pixels = read_image(encode(halves(), file_format, **options))
    assert pixels.shape == (48, 64, 3)
    assert_all(pixels[:, :31], RED, tolerance)
    assert_all(pixels[:, 33:], WHITE, tolerance)


def test_the_content_tells_the_format_and_not_the_suffix(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(encode(halves(), "PNG"))
    assert read_image(tmp_path / "photo.jpg").shape == (48, 64, 3)


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [
        ("1", 1, WHITE),
        ("L", 128, GREY),
        ("P", 3, (3, 3, 3)),
        ("LA", (128, 255), GREY),
        ("LA", (0, 0), WHITE),
        ("RGBA", (*RED, 255), RED),
        ("RGBA", (*RED, 0), WHITE),
        ("RGBA", (0, 0, 0, 127), GREY),
        ("I;16", 65535, WHITE),
        ("I;16", 128 * 257, GREY),
        ("I;16", 32 * 257, (32, 32, 32)),
    ],
)
def test_every_kind_of_pixel_becomes_the_colour_a_person_sees(
    mode: str, value: int | tuple, expected: tuple
) -> None:
    image = Image.new(mode, (40, 40), value)
    if mode == "P":
        image.putpalette([level for index in range(256) for level in (index, index, index)])
    assert_all(read_image(encode(image)), expected)


def test_a_transparent_palette_entry_is_white() -> None:
    image = Image.new("P", (40, 40), 1)
    image.putpalette([0, 0, 0, *RED])
    assert_all(read_image(encode(image)), RED)
    assert_all(read_image(encode(image, transparency=1)), WHITE)


def test_a_transparent_level_or_colour_is_white() -> None:
    assert_all(read_image(encode(Image.new("L", (40, 40), 9), transparency=9)), WHITE)
    assert_all(read_image(encode(Image.new("RGB", (40, 40), RED), transparency=RED)), WHITE)


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_cmyk_is_not_inverted(file_format: str) -> None:
    paper = Image.new("CMYK", (40, 40), (0, 0, 0, 0))
    cyan = Image.new("CMYK", (40, 40), (255, 0, 0, 0))
    assert_all(read_image(encode(paper, file_format)), WHITE, tolerance=2)
    assert_all(read_image(encode(cyan, file_format)), (0, 255, 255), tolerance=2)


def test_16_bit_rgb_keeps_its_brightness() -> None:
    cv2 = pytest.importorskip("cv2")
    sixteen = np.full((40, 40, 3), 128 * 257, np.uint16)
    assert_all(read_image(cv2.imencode(".png", sixteen)[1].tobytes()), GREY)


def test_16_bit_colour_planes_are_refused_as_pillow_garbles_them() -> None:
    tifffile = pytest.importorskip("tifffile")
    buffer = io.BytesIO()
    planes = np.full((3, 40, 40), 30000, np.uint16)
    tifffile.imwrite(buffer, planes, photometric="rgb", planarconfig="separate")
    with pytest.raises(ImageError, match="separate colour planes"):
        read_image(buffer.getvalue())


@pytest.mark.parametrize("mode", ["F", "I"])
def test_pixels_without_a_defined_range_are_refused(mode: str) -> None:
    with pytest.raises(ImageError, match=r"no defined range.*8 or 16 bits"):
        read_image(encode(Image.new(mode, (40, 40), 1), "TIFF"))


@pytest.mark.parametrize("file_format", ["WEBP", "TIFF", "PNG"])
def test_of_several_frames_the_first_is_read(file_format: str) -> None:
    first, second = Image.new("RGB", (40, 40), WHITE), Image.new("RGB", (40, 40), RED)
    assert_all(read_image(encode(first, file_format, save_all=True, append_images=[second])), WHITE, 2)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "red_side"),
    [
        (1, "left"),
        (2, "right"),
        (3, "right"),
        (4, "left"),
        (5, "top"),
        (6, "top"),
        (7, "bottom"),
        (8, "bottom"),
    ],
)
def test_exif_orientation_is_applied(file_format: str, orientation: int, red_side: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(halves(64, 48), file_format, exif=exif)
    pixels = read_image(data)
    height, width = (48, 64) if orientation < 5 else (64, 48)
    side = {
        "left": pixels[:, : width // 3],
        "right": pixels[:, -width // 3 :],
        "top": pixels[: height // 3],
        "bottom": pixels[-height // 3 :],
    }
    assert pixels.shape == (height, width, 3)
    assert image_size(data) == (height, width)
    assert_all(side[red_side], RED, tolerance=12)


def test_the_size_is_judged_before_decoding(recwarn: pytest.WarningsRecorder) -> None:
    header_only = encode(Image.new("1", (20_000, 20_000)))[:100]
    with pytest.raises(ImageError, match=r"20000 x 20000 pixels are more than the 51 million"):
        read_image(header_only)
    assert not recwarn.list


def test_the_bounds_can_be_moved() -> None:
    small = encode(halves(16, 8))
    with pytest.raises(ImageError, match="16 x 8 pixels are too few, each side needs at least 32"):
        read_image(small)
    assert read_image(small, min_side=8).shape == (8, 16, 3)
    with pytest.raises(ImageError, match="scale the image down"):
        read_image(small, min_side=8, max_pixels=127)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP", "BMP"])
@pytest.mark.parametrize("part", [0.2, 0.5, 0.9])
def test_a_truncated_file_is_refused(file_format: str, part: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encode(Image.fromarray(noise), file_format)
    with pytest.raises(ImageError, match=rf"^image: the {file_format} data are cut short, damaged"):
        read_image(data[: int(len(data) * part)])


def test_each_unusable_file_is_named_with_its_reason_and_the_mend(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "notes.png").write_text("this is a text file")
    for name, message in {
        "empty.jpg": "the file is empty; copy it again",
        "notes.png": "is not a JPEG, PNG, BMP, TIFF or WebP image; convert it",
        "missing.jpg": "no such file; check the path",
        "": "is a folder and not an image; name the files in it",
    }.items():
        path = tmp_path / name
        with pytest.raises(ImageError) as caught:
            read_image(path)
        assert str(caught.value).startswith(f"{path}: {message}")
        assert "\n" not in str(caught.value)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(encode(halves()))
    (tmp_path / "secret.png").chmod(0)
    with pytest.raises(ImageError, match=r"not permitted.*permissions"):
        read_image(tmp_path / "secret.png")


def test_a_refused_opening_is_an_image_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ImageError, match="reading it is not permitted"):
        read_image(tmp_path / "a.png")


def test_bytes_are_called_image_or_by_the_name_that_is_given() -> None:
    with pytest.raises(ImageError, match=r"^image: the file is empty"):
        read_image(b"")
    with pytest.raises(ImageError, match=r"^upload 3: the file is empty"):
        read_image(b"", name="upload 3")


def test_damaged_exif_does_not_spoil_the_image() -> None:
    data = encode(halves(), "JPEG", exif=b"Exif\0\0not exif at all")
    assert read_image(data).shape == (48, 64, 3)


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "P"])
def test_a_mask_is_true_on_the_lesion(mode: str) -> None:
    hard = Image.fromarray(np.array([[0, 0], [255, 255]], np.uint8))
    mask = read_mask(encode(hard.convert(mode)))
    assert mask.dtype == bool
    assert mask.tolist() == [[False, False], [True, True]]


def test_reading_images_imports_no_heavy_library() -> None:
    code = (
        "import sys, data.images; heavy = {'pandas', 'scipy', 'cv2', 'tensorflow'} & set(sys.modules); "
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)
