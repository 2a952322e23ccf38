"""The pictures that are written for each image: its mask, its crop and an overlay."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.files import replacing
from pipeline.prediction.overlays import draw_overlay
from pipeline.prediction.predictor import Prediction
from pipeline.prediction.reading import Source, as_pixels
from pipeline.reports.pictures import encoded
from segmentation.cropping import crop

JPEG_QUALITY = 95


@dataclass(frozen=True)
class PictureFolder:
    """Where the pictures of all images are written.

    Attributes
    ----------
    folder : Path
        It gets `masks/<name>.png`, `overlays/<name>.jpg` and, where a lesion was found, `crops/<name>.jpg`.
    isic : bool
        Whether the masks are written in the ISIC challenge's form, too: `task1/<name>_segmentation.png`.
    """

    folder: Path
    isic: bool = False

    def write(self, name: str, image: Source, prediction: Prediction) -> None:
        """Write the pictures of one image.

        Parameters
        ----------
        name : str
            Of its files, without a suffix.
        image : str, Path, bytes or uint8 array (H, W, 3)
            The image in full, as `LesionPipeline.predict` takes it.
        prediction : Prediction of this image

        Raises
        ------
        ImageError
            If the image can't be read any more.
        OSError
            If a picture can't be written.
        """
        pixels = as_pixels(image)
        mask = prediction.mask.view(np.uint8) * 255
        self._write_picture(self.folder / "masks" / f"{name}.png", mask)
        if self.isic:
            self._write_picture(self.folder / "task1" / f"{name}_segmentation.png", mask)
        if prediction.box:
            self._write_picture(self.folder / "crops" / f"{name}.jpg", crop(pixels, prediction.box))
        self._write_picture(self.folder / "overlays" / f"{name}.jpg", draw_overlay(pixels, prediction))

    def folders(self) -> list[Path]:
        """All folders that pictures are written to, whether they are there or not."""
        return [self.folder / name for name in ("masks", "task1", "crops", "overlays")]

    def _write_picture(self, path: Path, picture: np.ndarray) -> None:
        """A grey (H, W) or RGB (H, W, 3) uint8 picture in the format of the path's suffix."""
        with replacing(path) as temporary:
            temporary.write_bytes(encoded(picture, path.suffix, JPEG_QUALITY))
