"""The Keras baseline: segmentation-models and keras.applications, in a process of its own."""

import os
from typing import Any

import numpy as np

from pipeline.benchmark.baseline_work import Network, Networks, Sizes, main
from pipeline.benchmark.network_work import keras_work
from segmentation.config import DECODER_FILTERS

PREDICT, FUNCTION, DEFAULT_DECODER = "predict", "function", "default-decoder"


def build(sizes: Sizes, way: str) -> Networks:
    """`sm.Unet('mobilenetv2')` with our decoder, and `keras.applications.MobileNetV2`.

    They are called by `model.predict` or a `tf.function`; `DEFAULT_DECODER` takes the latter and leaves the U-Net the
    decoder that it has by default.
    """
    os.environ["SM_FRAMEWORK"] = "tf.keras"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import segmentation_models as sm  # noqa: PLC0415 - reads the environment when it is imported
    from tensorflow import keras  # noqa: PLC0415

    decoder = {} if way == DEFAULT_DECODER else {"decoder_filters": DECODER_FILTERS}
    unet = sm.Unet(
        "mobilenetv2",
        input_shape=(*sizes.segmentation, 3),
        classes=1,
        activation="sigmoid",
        encoder_weights=None,
        **decoder,
    )
    classifier = keras.applications.MobileNetV2(
        input_shape=(*sizes.classification, 3), weights=None, classes=sizes.classes
    )
    call = _by_predict if way == PREDICT else _by_function
    segment, classify = call(unet), call(classifier)
    return Networks(
        segment=lambda images: segment(images / 127.5 - 1)[..., 0],
        classify=lambda images: classify(images / 127.5 - 1),
        work={"segmentation": keras_work(unet), "classification": keras_work(classifier)},
    )


def _by_predict(model: Any) -> Network:
    return lambda images: model.predict(images, batch_size=len(images), verbose=0)


def _by_function(model: Any) -> Network:
    import tensorflow as tf  # noqa: PLC0415

    function = tf.function(lambda images: model(images, training=False), reduce_retracing=True)
    return lambda images: np.asarray(function(tf.constant(images)))


if __name__ == "__main__":
    main(build)
