"""Optimiser, learning rates and compilation."""

from typing import Any

import keras

from segmentation.engine.devices import replicas
from segmentation.engine.phases import Phase


@keras.saving.register_keras_serializable(package="lesion")
class ClippedTogether(keras.optimizers.AdamW):
    """AdamW on several copies of a model, clipping the gradient of the whole batch.

    Keras clips each copy's gradient and then adds them up. Here each copy has the mean of all of them before it clips
    that to its part of the norm.
    """

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        import tensorflow as tf  # noqa: PLC0415 - only where it is the backend

        context = tf.distribute.get_replica_context()
        super().apply(context.all_reduce(tf.distribute.ReduceOp.MEAN, list(grads)), trainable_variables)


def adam_with_cosine(
    phase: Phase, steps_per_epoch: int, weight_decay: float, average_decay: float = 0.0
) -> keras.optimizers.Optimizer:
    """AdamW (Loshchilov and Hutter 2019) on the phase's schedule, its gradients clipped to a global norm of 1.

    With an `average_decay` over 0 it keeps an exponential moving average of the weights, too.
    """
    steps = max(1, phase.epochs * steps_per_epoch)
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=phase.learning_rate / 20,
        warmup_target=phase.learning_rate,
        warmup_steps=steps // 20,
        decay_steps=steps - steps // 20,
    )
    copies = replicas()
    optimizer = (ClippedTogether if copies > 1 else keras.optimizers.AdamW)(
        schedule,
        weight_decay=weight_decay,
        global_clipnorm=1.0 / copies,
        use_ema=average_decay > 0,
        ema_momentum=average_decay or 0.99,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def compile_for_backend(model: keras.Model, **settings: Any) -> None:
    """Compile; TensorFlow without XLA, which made these models several times slower on a CPU."""
    model.compile(**settings, jit_compile=keras.backend.backend() != "tensorflow")
