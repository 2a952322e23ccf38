"""The networks of segmentation-models that a U-Net's encoder can be, by name, and what they expect of an image."""

from segmentation.engine.scaling import AS_IT_IS, TO_ONE

ENCODERS = {
    "mobilenetv2": TO_ONE,
    "mobilenet": TO_ONE,
    "resnet18": AS_IT_IS,
}
