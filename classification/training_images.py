"""What the classifier sees of a catalog's training and validation images."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from classification.config import ClassificationConfig
from classification.source_weights import weights_of_images
from classification.views import CropView, crop_view, locate_references, viewed
from data.augmentation import Augmentation
from data.batches import ClassificationBatches
from data.cache import cache_images
from data.datasets.catalog import DatasetError
from data.datasets.diagnoses import classes_of
from data.files import replacing
from data.images import read_mask
from data.written_tables import read_written_table
from segmentation.engine.phases import Phase
from segmentation.engine.run_folder import Run, RunError
from segmentation.locating import Locator


class TrainingImages:
    """What the classifier sees of the training and validation images, decoded once.

    Parameters
    ----------
    run : Run
        Its folder keeps the decoded images and where the lesions lie.
    parts : "train" and "validation" -> their part of the catalog
    config : ClassificationConfig
    segmentation : Locator, optional
        Finds the boxes where the configuration wants predicted ones.
    """

    def __init__(
        self,
        run: Run,
        parts: dict[str, pd.DataFrame],
        config: ClassificationConfig,
        segmentation: Locator | None,
    ) -> None:
        self.config, self.parts = config, parts
        self.classes = classes_of(parts["train"]["dx"])
        self.labels = {name: _class_indices(part["dx"], self.classes) for name, part in parts.items()}
        self.image_weights = weights_of_images(list(parts["train"]["image_path"]), config.source_weights)
        self.views = {name: self._view(run, name, segmentation) for name in parts}
        side = max(phase.input_size[0] for phase in config.phases)
        self.targets: np.ndarray | None = None
        self.pixels = {}
        for name, part in parts.items():
            view = self.views[name]
            room = 1 + 3 * config.jitter if view and name == "train" else 1
            region_side = round(side * room)
            self.pixels[name] = cache_images(
                list(part["image_path"]),
                (region_side, region_side),
                run.cache_folder / f"{name}.npy",
                view.regions if view else None,
                self._change(part),
            )

    def batches(self, phase: Phase) -> tuple[ClassificationBatches, ClassificationBatches]:
        augmentation = Augmentation("classification", self.config.augmentation)
        return self.part("train", phase.input_size[0], augmentation), self.part(
            "validation", phase.input_size[0]
        )

    def part(self, name: str, side: int, augmentation: Augmentation | None = None) -> ClassificationBatches:
        view, training = self.views[name], augmentation is not None
        return ClassificationBatches(
            self.pixels[name],
            self.labels[name],
            len(self.classes),
            side,
            self.config.batch_size,
            boxes=view.boxes if view else None,
            jitter=self.config.jitter if view and training else 0.0,
            augmentation=augmentation,
            sampling=self.config.sampling if training else "natural",
            image_weights=self.image_weights if training else None,
            mixup=self.config.mixup if training else 0.0,
            targets=self.targets if training else None,
            seed=self.config.seed,
        )

    def _view(self, run: Run, name: str, segmentation: Locator | None) -> CropView | None:
        if self.config.view != "crop":
            return None
        located = _locate(run, self.parts[name], name, self.config.boxes, segmentation)
        return crop_view(located, self.config.margin, self.config.jitter if name == "train" else 0.0)

    def _change(self, part: pd.DataFrame) -> Callable[[int, np.ndarray], np.ndarray] | None:
        """What a view other than the two usual ones makes of an image, with the catalog's mask of it."""
        if self.config.view in {"full", "crop"}:
            return None
        ids, mask_paths = part["image_id"].tolist(), part["mask_path"].tolist()

        def change(position: int, image: np.ndarray) -> np.ndarray:
            path = mask_paths[position]
            mask = np.zeros(image.shape[:2], bool) if pd.isna(path) else read_mask(path)
            return viewed(image, mask, self.config.view, self.config.margin, ids[position])

        return change


def check_boxes(config: ClassificationConfig, catalog: pd.DataFrame, segmentation: Locator | None) -> None:
    """Raise RunError where crops are wanted and nothing tells where the lesions lie."""
    if config.view != "crop":
        return
    if config.boxes == "predicted" and segmentation is None:
        raise RunError(
            "the crop view needs --segmentation RUN (or BUNDLE) to find the lesions, or --boxes reference with masks; "
            "--view full needs neither."
        )
    if config.boxes == "reference" and catalog["mask_path"].isna().all():
        raise RunError(
            "--boxes reference needs masks, and the dataset has none; leave it out and give --segmentation bundle."
        )


def _locate(
    run: Run, part: pd.DataFrame, name: str, boxes: str, segmentation: Locator | None
) -> pd.DataFrame:
    """Bounds of the lesions, from the run's folder where an earlier start has left them."""
    file = run.folder / f"lesions-{name}.csv"
    if file.exists():
        return read_written_table(file)
    if boxes == "reference" or segmentation is None:
        located = locate_references(part["image_id"].tolist(), part["mask_path"].tolist())
    else:
        located = segmentation.locate(part)
    with replacing(file) as temporary:
        located.to_csv(temporary, index=False)
    return located


def _class_indices(diagnoses: pd.Series, classes: tuple[str, ...]) -> np.ndarray:
    strange = sorted(set(diagnoses) - set(classes))
    if strange:
        raise DatasetError(
            f"the training split has no image of {', '.join(strange)}; add images or give other --splits."
        )
    return pd.Categorical(diagnoses, categories=classes).codes.astype(int)
