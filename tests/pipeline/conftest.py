"""A bundle whose answers can be told in advance: dark pixels are lesion, and the redness of the view is melanoma."""

import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from data.datasets.diagnoses import HAM10000_CLASSES
from pipeline.bundle.loading import load_bundle
from pipeline.bundle.saving import save_bundle
from pipeline.prediction.predictor import LesionPipeline

SEGMENTATION_SHAPE = (48, 64, 3)
CLASSIFICATION_SHAPE = (32, 32, 3)
CLASS_OF_CHANNEL = ("mel", "nv", "vasc")  # red, green, blue
SKIN = (230, 230, 230)

FIELDS = {
    "name": "rules",
    "classes": list(HAM10000_CLASSES),
    "threshold": 0.5,
    "view": "crop",
    "crop_margin": 0.25,
    "temperature": 1.0,
    "abstention_threshold": 0.5,
    "training": {"datasets": [], "licence": "none"},
    "figures": {},
    "precision": {"segmentation": "float32", "classification": "float32"},
}


def darkness_model():
    """Lesion probability: over one half where the mean of a pixel's channels is under 128."""
    keras = pytest.importorskip("keras")
    pixels = keras.Input(SEGMENTATION_SHAPE)
    darkness = keras.layers.Conv2D(1, 1, activation="sigmoid")
    probability = darkness(pixels)
    darkness.set_weights([np.full((1, 1, 3, 1), -1 / 30), np.array([128 / 10])])
    return keras.Model(pixels, probability)


def colour_model():
    """Logits: a class for each colour channel, a tenth of the channel's mean; far lower for the other classes."""
    keras = pytest.importorskip("keras")
    weights, bias = np.zeros((1, 1, 3, len(HAM10000_CLASSES))), np.full(len(HAM10000_CLASSES), -10.0)
    for channel, name in enumerate(CLASS_OF_CHANNEL):
        weights[0, 0, channel, HAM10000_CLASSES.index(name)] = 1 / 10
        bias[HAM10000_CLASSES.index(name)] = 0
    pixels = keras.Input(CLASSIFICATION_SHAPE)
    colour = keras.layers.Conv2D(len(HAM10000_CLASSES), 1)
    activation_map = colour(keras.layers.AveragePooling2D(8)(pixels))
    colour.set_weights([weights, bias])
    return keras.Model(pixels, [keras.layers.GlobalAveragePooling2D()(activation_map), activation_map])


def convert(model, integers=None) -> bytes:
    """The model as LiteRT runs it; quantised, with inputs and outputs of type `integers` if that is given."""
    import tensorflow as tf  # noqa: PLC0415

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if integers:
        images = np.random.default_rng(0).integers(0, 256, (20, 1, *model.input_shape[1:]))
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([image.astype(np.float32)] for image in images)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.as_dtype(integers)
    return converter.convert()


@pytest.fixture(scope="session")
def rule_models():
    """The networks in Keras: lesion probability, and logits alone."""
    colour = colour_model()
    return darkness_model(), pytest.importorskip("keras").Model(colour.input, colour.outputs[0])


@pytest.fixture(scope="session")
def model_files(tmp_path_factory) -> dict[str, Path]:
    """The models as files: `segmentation`, `classification`, and `segmentation-int8`, `segmentation-uint8`."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    pytest.importorskip("tensorflow")
    models = {
        "segmentation": convert(darkness_model()),
        "segmentation-int8": convert(darkness_model(), "int8"),
        "segmentation-uint8": convert(darkness_model(), "uint8"),
        "classification": convert(colour_model()),
    }
    folder = tmp_path_factory.mktemp("models")
    for name, content in models.items():
        (folder / f"{name}.tflite").write_bytes(content)
    return {name: folder / f"{name}.tflite" for name in models}


@pytest.fixture(scope="session")
def spoilt_model(model_files):
    """A function (stage, number) -> the content of the stage's model with that number in its bias."""

    def spoil(stage: str, value: float) -> bytes:
        bias = np.full(len(HAM10000_CLASSES), -10, np.float32)
        bias[[HAM10000_CLASSES.index(name) for name in CLASS_OF_CHANNEL]] = 0
        before = bias.tobytes() if stage == "classification" else np.float32(128 / 10).tobytes()
        content = model_files[stage].read_bytes()
        assert content.count(before) == 1
        return content.replace(before, np.float32(value).tobytes() + before[4:])

    return spoil


@pytest.fixture(scope="session")
def make_bundle(model_files):
    """A function (folder, splits file, facts that differ) -> the folder, with a bundle of the two models in it."""

    def make(folder: Path, splits: Path | None = None, **facts) -> Path:
        files = {f"{stage}.tflite": model_files[stage] for stage in ("segmentation", "classification")}
        files |= {"splits.csv": splits} if splits else {}
        return save_bundle(FIELDS | facts, files, folder).folder

    return make


@pytest.fixture(scope="session")
def bundle_folder(make_bundle, tmp_path_factory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("bundles") / "rules")


@pytest.fixture
def bundle_copy(bundle_folder, tmp_path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(bundle_folder, tmp_path / "copy"))


@pytest.fixture(scope="session")
def pipeline(bundle_folder) -> LesionPipeline:
    return LesionPipeline.load(load_bundle(bundle_folder))


@pytest.fixture(scope="session")
def draw_disc():
    """A function that draws a disc of one colour on pale skin: a lesion where it is dark."""

    def draw(colour=(90, 30, 30), centre=(200, 150), radius=60, size=(300, 400)) -> np.ndarray:
        image = np.full((*size, 3), SKIN, np.uint8)
        return cv2.circle(image, centre, radius, colour, cv2.FILLED)

    return draw


@pytest.fixture(scope="session")
def write_image():
    """A function that writes an RGB image to a path, whose folder it makes, and returns the path."""

    def write(path: Path, image: np.ndarray) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        return path

    return write
