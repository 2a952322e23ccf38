"""What a trained classifier gains from other margins, from the whole image, and from averaging its logits over views.

Measured on the validation images of DATASET with the classifier and the segmentation of BUNDLE (by default the one that
ships). Flips are the image, its two mirror images and its half turn.

Run: python tests/benchmarks/prediction_views.py DATASET [BUNDLE]
"""

import sys

import numpy as np
from sklearn.metrics import balanced_accuracy_score, f1_score, roc_auc_score

from classification.probabilities import softmax
from data.datasets.catalog import load_dataset
from data.images import read_image
from data.resizing import resize
from pipeline import LesionPipeline
from pipeline.bundle.litert import LiteRTModel
from pipeline.evaluation.selection import select_split
from segmentation.cropping import crop, lesion_box

MARGINS = (0.0, 0.1, 0.25, 0.5)


def main() -> None:
    pipeline = LesionPipeline.load(sys.argv[2] if len(sys.argv) > 2 else None)
    classifier = LiteRTModel(pipeline.bundle.classification_path)
    catalog = select_split(load_dataset(sys.argv[1]), pipeline.bundle, "validation").catalog
    logits = [views_of(pipeline, classifier, read_image(path)) for path in catalog["image_path"]]
    views = {name: np.stack([row[name] for row in logits]) for name in logits[0]}
    trained = f"margin {pipeline.bundle.crop_margin:g}"
    views["trained margin + full image"] = views[trained] + views["full image"]
    views["trained margin, flips + full image"] = views[f"{trained}, flips"] + views["full image"]
    labels = catalog["dx"].map(pipeline.bundle.classes.index).to_numpy()
    print(f"{len(labels)} images; balanced accuracy, macro F1, macro AUC")
    for name, rows in views.items():
        probabilities = np.stack([softmax(row) for row in rows])
        found = probabilities.argmax(axis=1)
        print(
            f"{name:36s} {balanced_accuracy_score(labels, found):.3f} {f1_score(labels, found, average='macro'):.3f} "
            f"{roc_auc_score(labels, probabilities, multi_class='ovr'):.3f}"
        )


def views_of(pipeline: LesionPipeline, classifier: LiteRTModel, image: np.ndarray) -> dict[str, np.ndarray]:
    """Logits (C,) of every view of one image."""
    mask = pipeline.predict(image).mask
    boxes = {margin: lesion_box(mask, margin) for margin in {*MARGINS, pipeline.bundle.crop_margin}}
    crops = {
        f"margin {margin:g}": crop(image, box) if box else image for margin, box in sorted(boxes.items())
    }
    size = classifier.input_shape[:2]
    seen = {name: resize(view, size) for name, view in {**crops, "full image": image}.items()}
    logits = {name: classifier(view)[0] for name, view in seen.items()}
    trained = f"margin {pipeline.bundle.crop_margin:g}"
    flips = [seen[trained][::rows, ::columns] for rows in (1, -1) for columns in (1, -1)]
    logits[f"{trained}, flips"] = np.mean(
        [classifier(np.ascontiguousarray(flip))[0] for flip in flips], axis=0
    )
    return logits


if __name__ == "__main__":
    main()
