"""How much work a network is: its MACs on one image, and its parameters."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np


class Work(NamedTuple):
    """What one image costs a network in multiply-accumulates, and the network's number of parameters."""

    macs: int
    parameters: int


def keras_work(model: Any) -> Work:
    """Of a Keras model: a layer uses each weight of its kernel once for each place of its output."""
    macs = sum(
        int(np.prod(layer.kernel.shape)) * int(np.prod(layer.output.shape[1:-1]))
        for layer in _keras_layers(model)
        if getattr(layer, "kernel", None) is not None
    )
    return Work(macs, int(model.count_params()))


def _keras_layers(model: Any) -> Iterable[Any]:
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _keras_layers(layer)
        else:
            yield layer


def torch_work(model: Any, size: tuple[int, int]) -> Work:
    """Of a PyTorch model on one RGB image of `size` (height, width), counted while it runs on one."""
    import torch  # noqa: PLC0415 - in a baseline's process only

    counted: list[int] = []

    def count(layer: Any, _: object, output: Any) -> None:
        places = output.shape[2:] if isinstance(layer, torch.nn.Conv2d) else ()
        counted.append(layer.weight.numel() * int(np.prod(places)))

    hooks = [
        layer.register_forward_hook(count)
        for layer in model.modules()
        if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear)
    ]
    with torch.inference_mode():
        model(torch.zeros(1, 3, *size))
    for hook in hooks:
        hook.remove()
    return Work(sum(counted), sum(parameters.numel() for parameters in model.parameters()))
