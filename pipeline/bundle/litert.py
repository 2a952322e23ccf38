"""A LiteRT model as a function from array to arrays."""

import os
import queue
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from data.silence import silent_standard_error

# Both networks are small: beyond this, waiting for each other costs the threads more than they gain.
MOST_THREADS = 4


class ModelError(Exception):
    """A model file that LiteRT can't run."""


class NotFiniteError(ModelError):
    """A model that says what is no number, of one image or of all."""


class TensorShapes(NamedTuple):
    """Shapes of a model's tensors without the batch axis; outputs with the fewest axes come first."""

    input: tuple[int, ...]
    outputs: tuple[tuple[int, ...], ...]


class Quantisation(NamedTuple):
    """What an integer input holds for each of the 256 pixel values (None: the values as they are), and each output's
    scale, 0 for floats, and zero point; outputs with the fewest axes come first."""

    input_values: list[int] | None
    outputs: tuple[tuple[float, int], ...]


class LiteRTModel:
    """A LiteRT model with one image input, as a function from image to arrays.

    Parameters
    ----------
    path : str or Path
        A `.tflite` file; it is mapped into memory and not read as a whole.
    threads : int, optional
        Threads for one inference; by default one for each core that the process may use, at most four.
    at_once : int
        So many calls from different threads run at the same time, each with memory and threads of its own; others wait.

    Attributes
    ----------
    input_shape : (height, width, channels) of the image that the model takes

    Raises
    ------
    ModelError
        If LiteRT can't open or prepare the file, or it has another number of inputs than one.

    Examples
    --------
    >>> model = LiteRTModel("segmentation.tflite")
    >>> (probability,) = model(np.zeros(model.input_shape, np.uint8))
    >>> probability.shape == (*model.input_shape[:2], 1)
    True
    """

    def __init__(self, path: str | Path, threads: int | None = None, at_once: int = 1) -> None:
        inferences = [_Inference(path, threads or default_threads()) for _ in range(at_once)]
        self.path = Path(path)
        self.input_shape = inferences[0].input_shape
        self.at_once = at_once
        self._idle: queue.LifoQueue[_Inference] = queue.LifoQueue()
        for inference in inferences:
            self._idle.put(inference)

    def __call__(self, image: np.ndarray) -> tuple[np.ndarray, ...]:
        """Run the model on one image.

        Parameters
        ----------
        image : uint8 array of `input_shape`, values 0..255

        Returns
        -------
        tuple of float32 arrays, one an output, dequantised and without the batch axis; outputs with the
        fewest axes come first. They are copies: a later call leaves them alone.

        Raises
        ------
        NotFiniteError
            If an output is infinite or no number.
        """
        if image.shape != self.input_shape or image.dtype != np.uint8:
            raise ValueError(
                f"expected a uint8 image of shape {self.input_shape}, got {image.dtype} {image.shape}"
            )
        inference = self._idle.get()
        try:
            outputs = inference.run(image)
        finally:
            self._idle.put(inference)
        if not all(np.isfinite(output).all() for output in outputs):
            raise NotFiniteError(f"{self.path}: the model says what is no number")
        return outputs


class _Inference:
    """One interpreter with its memory, for one call at a time."""

    def __init__(self, path: str | Path, threads: int) -> None:
        self._interpreter = _open(path, threads)
        self._allocate(path)
        (self._input,) = self._interpreter.get_input_details()
        self._outputs = _outputs_in_order(self._interpreter)
        self._quantised_values = _quantised_values(self._input)
        self.input_shape = _shape(self._input)

    def run(self, image: np.ndarray) -> tuple[np.ndarray, ...]:
        self._write_input(image)
        self._interpreter.invoke()
        return tuple(self._read_output(output) for output in self._outputs)

    def _allocate(self, path: str | Path) -> None:
        try:
            with silent_standard_error():
                self._interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"{path}: LiteRT can't prepare the model ({_one_line(error)})") from error

    def _write_input(self, image: np.ndarray) -> None:
        """Write straight into the model's memory; the view must be gone before LiteRT runs."""
        target = self._interpreter.tensor(self._input["index"])()[0]
        if self._quantised_values is None:
            target[...] = image
        elif target.itemsize == 1:
            cv2.LUT(image, self._quantised_values.view(np.uint8), target.view(np.uint8))
        else:
            np.take(self._quantised_values, image, out=target, mode="clip")

    def _read_output(self, details: dict[str, Any]) -> np.ndarray:
        values: np.ndarray = self._interpreter.get_tensor(details["index"])[0]
        if values.dtype == np.float32:
            return values
        scale, zero_point = details["quantization"]
        numbers: np.ndarray = (values.astype(np.float32) - zero_point) * np.float32(scale or 1)
        return numbers


def usable_cores() -> int:
    """The cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not offered by macOS and Windows
        return os.cpu_count() or 1


def default_threads() -> int:
    """One thread for each core that this process may use, at most `MOST_THREADS`."""
    return min(usable_cores(), MOST_THREADS)


def tensor_shapes(path: str | Path) -> TensorShapes:
    """Shapes of a model's input and outputs, from the file alone, without preparing it to run.

    Raises
    ------
    ModelError
        If LiteRT can't open the file, or it has another number of inputs than one.
    """
    interpreter = _open(path, threads=1)
    (details,) = interpreter.get_input_details()
    return TensorShapes(_shape(details), tuple(_shape(output) for output in _outputs_in_order(interpreter)))


def quantisation(path: str | Path) -> Quantisation:
    """How a model's input and outputs stand for pixel values and floats, from the file alone.

    Raises
    ------
    ModelError
        As `tensor_shapes`.
    """
    interpreter = _open(path, threads=1)
    (details,) = interpreter.get_input_details()
    values = _quantised_values(details)
    outputs = [output["quantization"] for output in _outputs_in_order(interpreter)]
    return Quantisation(
        None if values is None else values.tolist(),
        tuple((float(scale), int(zero_point)) for scale, zero_point in outputs),
    )


def _open(path: str | Path, threads: int) -> Interpreter:
    try:
        interpreter = Interpreter(model_path=str(path), num_threads=threads)
    except (RuntimeError, ValueError) as error:
        raise ModelError(f"{path}: LiteRT can't open the model ({_one_line(error)})") from error
    if len(interpreter.get_input_details()) != 1:
        raise ModelError(f"{path}: the model has {len(interpreter.get_input_details())} inputs and not one")
    return interpreter


def _outputs_in_order(interpreter: Interpreter) -> list[dict[str, Any]]:
    return sorted(
        interpreter.get_output_details(), key=lambda details: (len(details["shape"]), details["name"])
    )


def _shape(details: dict[str, Any]) -> tuple[int, ...]:
    return tuple(int(length) for length in details["shape"][1:])


def _quantised_values(details: dict[str, Any]) -> np.ndarray | None:
    """What an integer input holds for each of the 256 pixel values; None for a float input: the values as is."""
    if not np.issubdtype(details["dtype"], np.integer):
        return None
    scale, zero_point = details["quantization"]
    limits = np.iinfo(details["dtype"])
    values = np.rint(np.arange(256) / (scale or 1)) + zero_point
    levels: np.ndarray = np.clip(values, limits.min, limits.max).astype(details["dtype"])
    return levels


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
