"""The page's icons: a lesion with its contour."""

from pathlib import Path

from PIL import Image, ImageDraw

SKIN, LESION, CONTOUR = (236, 200, 178), (122, 78, 52), (22, 160, 150)
FINER = 4  # drawn larger, then reduced, so that the edges are smooth


def write_icons(folder: Path) -> None:
    """Write `icon-192.png` and `icon-512.png`, one that a phone may cut to its own shape, and Apple's."""
    folder.mkdir(parents=True)
    for side in (192, 512):
        _draw(side, lesion=0.8).save(folder / f"icon-{side}.png")
    _draw(512, lesion=0.55, background=SKIN).save(folder / "icon-maskable-512.png")
    _draw(180, lesion=0.65, background=SKIN).convert("RGB").save(folder / "apple-touch-icon.png")


def _draw(side: int, lesion: float, background: tuple[int, int, int] | None = None) -> Image.Image:
    """An icon of `side` pixels; the lesion takes that part of it, on nothing or on a background."""
    large = FINER * side
    icon = Image.new("RGBA", (large, large), background or (0, 0, 0, 0))
    edge = large * (1 - lesion) / 2
    ImageDraw.Draw(icon).ellipse(
        (edge, edge, large - edge, large - edge), LESION, CONTOUR, width=round(large * lesion / 9)
    )
    return icon.resize((side, side), Image.Resampling.LANCZOS)
