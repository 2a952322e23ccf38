"""The effects of the architecture, of the runtime and of int8 on the time of one image, told apart."""

from collections.abc import Mapping
from typing import NamedTuple

LESION, FLOAT32 = "Lesion", "Lesion, float32"
PREDICT, FUNCTION = "Keras, model.predict", "Keras, tf.function"
DEFAULT_DECODER = "Keras, tf.function, default decoder"
TORCH = "PyTorch"


class Effect(NamedTuple):
    """One change from a way of doing the work to the next, the rest being equal."""

    name: str
    before: str
    after: str


EFFECTS = (
    Effect("architecture: a light decoder", DEFAULT_DECODER, FUNCTION),
    Effect("runtime: LiteRT, and the steps around it", FUNCTION, FLOAT32),
    Effect("int8", FLOAT32, LESION),
)


def effects_of(milliseconds: Mapping[str, float]) -> dict[str, float]:
    """How many times faster each change makes one image, of those whose two ways were measured.

    `milliseconds` are those of one image by the ways' names. Together the effects are the quotient of the first and
    the last way.
    """
    return {
        effect.name: milliseconds[effect.before] / milliseconds[effect.after]
        for effect in EFFECTS
        if effect.before in milliseconds and effect.after in milliseconds
    }
