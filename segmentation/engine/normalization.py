"""Batch normalisation that trains fast on a CPU."""

from collections.abc import Callable
from typing import Any

import keras

from segmentation.engine.devices import replicas

# Keras's MobileNetV2 has 0.999, whose averages lag a thousand steps behind the weights: half of a short training.
MOMENTUM = 0.99
LEAST_MOMENTUM = 0.5
AVERAGED_PARTS = 10


def copied(layer: keras.layers.Layer) -> keras.layers.Layer:
    """A new layer of the same settings."""
    return layer.__class__.from_config(layer.get_config())


def with_fused_batch_normalization(
    model: keras.Model, copy_other: Callable[[keras.layers.Layer], keras.layers.Layer] = copied
) -> keras.Model:
    """Copy of a functional model, weights included, whose batch normalisation is `FusedBatchNormalization`.

    `copy_other` makes the copies of its other layers.
    """

    def clone_layer(layer: keras.layers.Layer) -> keras.layers.Layer:
        if type(layer) is keras.layers.BatchNormalization:
            config = layer.get_config()
            return FusedBatchNormalization.from_config(
                {**config, "momentum": min(config["momentum"], MOMENTUM)}
            )
        return copy_other(layer)

    copy = keras.models.clone_model(model, clone_function=clone_layer)
    copy.set_weights(model.get_weights())
    return copy


def keep_averages_up(model: keras.Model, steps: int) -> None:
    """Let the averages of batch normalisation forget within a tenth of a training's steps what the weights were before.

    Of a training of 1,000 steps or more nothing changes. In one of 100, as on 200 images, averages over the last
    hundred steps would be those of the start, and validation would judge a model that nobody trained.
    """
    momentum = max(LEAST_MOMENTUM, 1 - AVERAGED_PARTS / max(steps, 1))
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            keep_averages_up(layer, steps)
        elif isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = min(layer.momentum, momentum)


@keras.saving.register_keras_serializable(package="lesion")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalisation over the channels of images (N, H, W, C), by TensorFlow's fused kernel in training.

    Keras 3 composes the operation from a dozen smaller ones, which costs nearly half of a training step on a CPU.
    Weights, settings and results are those of the base class; other backends than TensorFlow use it as it is. Several
    devices normalise by the moments of the whole batch.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not training or not self.trainable or keras.backend.backend() != "tensorflow":
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf  # noqa: PLC0415 - only where it is the backend

        if replicas() > 1:
            outputs, mean, variance = self._normalized_together(inputs)
        else:
            outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
                inputs, self._scales(inputs), self._shifts(inputs), epsilon=self.epsilon, is_training=True
            )
            # The kernel gives the sample's variance; Keras keeps the population's.
            values = tf.cast(tf.size(inputs) // tf.size(mean), variance.dtype)
            variance *= (values - 1) / values
        self.moving_mean.assign(self.moving_mean * self.momentum + mean * (1 - self.momentum))
        self.moving_variance.assign(self.moving_variance * self.momentum + variance * (1 - self.momentum))
        return outputs

    def _normalized_together(self, inputs: Any) -> tuple[Any, Any, Any]:
        """Outputs, mean and variance (C,), of a batch of which every device has an equal part."""
        import tensorflow as tf  # noqa: PLC0415 - only where it is the backend

        axes = (0, 1, 2)
        moments = tf.stack([tf.reduce_mean(inputs, axes), tf.reduce_mean(tf.square(inputs), axes)])
        context = tf.distribute.get_replica_context()
        mean, square = tf.unstack(context.all_reduce(tf.distribute.ReduceOp.MEAN, moments))
        variance = tf.maximum(square - tf.square(mean), 0.0)
        outputs = tf.nn.batch_normalization(
            inputs, mean, variance, self._shifts(inputs), self._scales(inputs), self.epsilon
        )
        return outputs, mean, variance

    def _scales(self, inputs: Any) -> Any:
        return self.gamma if self.scale else keras.ops.ones(inputs.shape[-1])

    def _shifts(self, inputs: Any) -> Any:
        return self.beta if self.center else keras.ops.zeros(inputs.shape[-1])
