"""What the shipped bundle is worth as a start on 200 images of another source, beside ImageNet. Run by hand:

    python tests/benchmarks/start_from_bundle.py DATASET --weights mobilenet_v2_1.0_224_no_top.weights.h5

Fifty lesions of each of four classes learn, forty for training and ten for validation, and 150 others of each test. By
default all layers are trained from either start on whole images of 96 pixels, and the float32 models tested; `--frozen`
fits linear heads on the two frozen encoders instead.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from ai_edge_litert.interpreter import Interpreter
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import balanced_accuracy_score, f1_score

from classification.config import ClassificationConfig
from data.datasets.catalog import load_dataset
from data.images import read_image
from data.resizing import resize
from pipeline.bundle.loading import Bundle, load_bundle
from pipeline.export.quantisation import OPERATORS, Model

CLASSES = ("bcc", "bkl", "mel", "nv")
COUNTS = {"train": 40, "validation": 10, "test": 150}
STARTS = ["ImageNet", "bundle"]
SIDE = 96
SETTINGS = ClassificationConfig(
    view="full", input_side=SIDE, small_side=SIDE, head_epochs=3, small_epochs=0, epochs=15, patience=15
)


def chosen_images(catalog: pd.DataFrame, seed: int) -> pd.DataFrame:
    """One image of each lesion, with its `split`."""
    shuffled = catalog.drop_duplicates("lesion_id").sample(frac=1, random_state=seed)
    parts = []
    for code in CLASSES:
        rows = shuffled[shuffled["dx"] == code].head(sum(COUNTS.values())).copy()
        rows["split"] = [name for name, count in COUNTS.items() for _ in range(count)][: len(rows)]
        parts.append(rows)
    return pd.concat(parts, ignore_index=True)


def pooled_features(content: bytes, images: list[np.ndarray]) -> np.ndarray:
    """What enters the head (N, C), or leaves the network where it has none, for each image."""
    model = Model(content)
    pools = [
        int(each.inputs[0]) for each in model.graph.operators if model.kind(each) == OPERATORS.FULLY_CONNECTED
    ]
    quantisation = None
    if pools:
        model.graph.outputs = pools
        quantisation = (model.scale(pools[0]), model.zero_point(pools[0]))
    interpreter = Interpreter(model_content=model.to_bytes(), num_threads=1)
    interpreter.allocate_tensors()
    details = interpreter.get_input_details()[0]
    features = []
    for image in images:
        sized = resize(image, tuple(int(side) for side in details["shape"][1:3]))
        interpreter.set_tensor(details["index"], sized[None].astype(details["dtype"]))
        interpreter.invoke()
        features.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).ravel())
    found = np.stack(features).astype(np.float32)
    if quantisation and found.size and len(quantisation[0]):
        scale, zero_point = quantisation
        found = (found - zero_point[0]) * scale[0]
    return found


def imagenet_encoder(weights: str, side: int) -> bytes:
    """MobileNetV2 with ImageNet weights and pooling, as a float32 LiteRT file."""
    import keras  # noqa: PLC0415

    from pipeline.export.conversion import convert_plainly  # noqa: PLC0415

    encoder = keras.applications.MobileNetV2(
        input_shape=(side, side, 3), include_top=False, weights=weights, pooling="avg"
    )
    image = keras.Input((side, side, 3))
    return convert_plainly(
        keras.Model(image, encoder(keras.layers.Rescaling(1 / 127.5, offset=-1)(image))),
        np.empty(0),
        "float32",
    )


def compare_frozen(images: pd.DataFrame, weights: str, bundle_name: str) -> None:
    """Linear heads on both frozen encoders, their strength of regularisation chosen by cross-validation."""
    bundle = named_bundle(bundle_name)
    pixels = [read_image(path) for path in images["image_path"]]
    side = bundle.classification.input_shape[0]
    encoders = {
        "ImageNet": imagenet_encoder(weights, side),
        bundle.name: bundle.classification_path.read_bytes(),
    }
    learned = (images["split"] != "test").to_numpy()
    for name, content in encoders.items():
        features = pooled_features(content, pixels)
        features = (features - features[learned].mean(axis=0)) / (features[learned].std(axis=0) + 1e-3)
        head = LogisticRegressionCV(Cs=np.logspace(-5, 0, 6), cv=5, max_iter=500)
        head.fit(features[learned], images["dx"][learned])
        score = balanced_accuracy_score(images["dx"][~learned], head.predict(features[~learned]))
        print(f"{name}: balanced accuracy {score:.3f} on {(~learned).sum()} test images", flush=True)


def compare_trained(
    images: pd.DataFrame, weights: str, bundle: str, names: list[str], folder: Path, seed: int
) -> dict[str, dict[str, float]]:
    """All layers trained from either start, as `lesion train` does it: start -> figures on the test images."""
    import keras  # noqa: PLC0415

    from classification.training import train  # noqa: PLC0415
    from pipeline.cli.starting_points import open_start  # noqa: PLC0415
    from segmentation.engine.run_folder import Run  # noqa: PLC0415

    test = images[images["split"] == "test"]
    pixels = np.stack([resize(read_image(path), (SIDE, SIDE)) for path in test["image_path"]])
    learned = images[images["split"] != "test"].drop(columns="split").reset_index(drop=True)
    config = replace(SETTINGS, encoder_weights=weights, seed=seed)
    figures = {}
    for name in names:
        run = Run(folder / name)
        start = (
            open_start(Path(bundle), "classification", learned, folder / "rebuilt")
            if name == "bundle"
            else None
        )
        train(learned, config, run.folder, splits=images[["image_id", "split"]], start=start)
        model = keras.models.load_model(run.model_path, compile=False)
        logits = model.predict(pixels, batch_size=32, verbose=0)
        answers = np.array(run.metrics["classes"])[logits.argmax(axis=1)]
        figures[name] = {
            "balanced accuracy": balanced_accuracy_score(test["dx"], answers),
            "macro F1": f1_score(test["dx"], answers, average="macro"),
            "macro F1 on validation": run.metrics["validation"]["macro_f1"]["value"],
            "seconds of training": run.metrics["training_seconds"],
        }
        print(f"seed {seed}, {name}: {figures[name]}", flush=True)
        keras.utils.clear_session()
    return figures


def named_bundle(name: str) -> Bundle:
    return load_bundle(None if name == "bundle" else name)


def unseen_images(catalog: pd.DataFrame, bundle: str) -> pd.DataFrame:
    """Images that the bundle was neither trained nor chosen on, nor on others of their lesions."""
    splits = pd.read_csv(named_bundle(bundle).splits_path)
    learned = catalog["image_id"].isin(splits.loc[splits["split"] != "test", "image_id"])
    seen = catalog["lesion_id"].isin(catalog.loc[learned, "lesion_id"])
    print(
        f"{seen.sum()} of {len(catalog)} images are of lesions that taught the bundle and are left out.",
        flush=True,
    )
    return catalog[~seen].reset_index(drop=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--weights", required=True, help="MobileNetV2 without the top, on ImageNet")
    parser.add_argument("--bundle", default="bundle", help="whose network is the other start")
    parser.add_argument("--frozen", action="store_true")
    parser.add_argument("--starts", nargs="+", choices=STARTS, default=STARTS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    arguments = parser.parse_args()
    catalog = unseen_images(load_dataset(arguments.dataset), arguments.bundle)
    rows = []
    for seed in arguments.seeds:
        images = chosen_images(catalog, seed)
        if arguments.frozen:
            compare_frozen(images, arguments.weights, arguments.bundle)
            continue
        print(images.groupby(["split", "dx"]).size().unstack().to_string(), flush=True)
        with tempfile.TemporaryDirectory() as folder:
            found = compare_trained(
                images, arguments.weights, arguments.bundle, arguments.starts, Path(folder), seed
            )
        rows += [{"seed": seed, "start": start, **figures} for start, figures in found.items()]
    if rows:
        table = pd.DataFrame(rows)
        print(table.to_string(index=False, float_format="%.3f"))
        print(table.drop(columns="seed").groupby("start").agg(["mean", "std"]).to_string(float_format="%.3f"))


if __name__ == "__main__":
    main()
