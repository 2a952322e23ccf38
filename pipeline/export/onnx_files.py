"""Both networks -> ONNX files, with a check that they say what Keras says."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

from classification.probabilities import softmax
from data.files import replacing
from data.packages import package_versions
from data.resizing import resize
from pipeline.bundle.litert import LiteRTModel
from pipeline.export.networks import Network
from pipeline.export.onnx_graphs import classification_graph, segmentation_graph
from pipeline.export.parity import ExportError, Parity, check_parity

STAGES = ("segmentation", "classification")
NO_DIAGNOSIS = "For research and teaching; not a medical device."

# Of images that are resized: a pixel may be rounded the other way, and the answer follows it.
RESIZED_TOLERANCE = (2e-3, 0.05)
RESIZED_SAMPLES = 6
LARGER = (2.3, 1.7)


def check_precision(precision: str) -> None:
    """Raise `ExportError` for all but float32."""
    if precision != "float32":
        raise ExportError(
            f"ONNX files are written in float32 and not in {precision}, whose answers would differ too much from the "
            "trained model's; leave out --precision."
        )


def write_onnx(
    segmentation: Network, classification: Network, folder: str | Path, licence: str
) -> dict[str, Parity]:
    """Write `segmentation.onnx` and `classification.onnx`.

    Parameters
    ----------
    segmentation, classification : Network
        What `pipeline.export.networks` makes of runs or a bundle.
    folder : path
    licence : str
        Kept in both files, with the networks' facts.

    Returns
    -------
    dict
        Differences of each stage from its Keras model; of a network that was rebuilt from a bundle's file, from that
        file, too, under the file's name.

    Raises
    ------
    ExportError
        If a file differs from Keras by more than `pipeline.export.parity.TOLERANCES` states for float32.
    """
    graphs = {
        "segmentation": segmentation_graph(segmentation.model, float(segmentation.facts["threshold"])),
        "classification": classification_graph(
            classification.model, float(classification.facts["temperature"])
        ),
    }
    parities: dict[str, Parity] = {}
    contents: dict[str, bytes] = {}
    for stage, network in zip(STAGES, (segmentation, classification), strict=True):
        _describe(graphs[stage], network, licence)
        contents[stage] = graphs[stage].SerializeToString()
        parities |= _parities(stage, contents[stage], network)
    for stage, content in contents.items():
        with replacing(Path(folder) / f"{stage}.onnx") as temporary:
            temporary.write_bytes(content)
    return parities


def onnx_session(model: str | bytes) -> Any:
    """A file or its content, ready to run on the processor."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _describe(graph: onnx.ModelProto, network: Network, licence: str) -> None:
    version = package_versions(("lesion",)).get("lesion", "")
    graph.producer_name, graph.producer_version, graph.doc_string = "lesion", version, NO_DIAGNOSIS
    onnx.helper.set_model_props(graph, {**network.facts, "made_of": network.made_of, "licence": licence})


def _parities(stage: str, content: bytes, network: Network) -> dict[str, Parity]:
    run = onnx_session(content).run
    samples = network.samples
    found = _answers(run, samples)
    name = f"the {stage} model as ONNX"
    parities = {stage: check_parity(name, "float32", np.abs(found - _expected(stage, network, samples)))}
    larger = [_enlarged(sample) for sample in samples[:RESIZED_SAMPLES]]
    expected = _expected(stage, network, np.stack([resize(each, samples.shape[1:3]) for each in larger]))
    if stage == "segmentation":
        expected = np.stack([resize(each, larger[0].shape[:2]) for each in expected])
    check_parity(
        f"{name}, of larger images,",
        "float32",
        np.abs(_answers(run, larger) - expected),
        tolerance=RESIZED_TOLERANCE,
    )
    if network.file:
        differences = np.abs(found - _litert_answers(stage, network))
        parities[network.file.name] = Parity(float(differences.mean()), float(differences.max()))
    return parities


def _answers(run: Any, images: Any) -> np.ndarray:
    return np.stack([run(None, {"image": image})[0] for image in images])


def _enlarged(sample: np.ndarray) -> np.ndarray:
    height, width = (round(side * factor) for side, factor in zip(sample.shape[:2], LARGER, strict=True))
    return resize(sample, (height, width))


def _expected(stage: str, network: Network, images: np.ndarray) -> np.ndarray:
    answers: np.ndarray = network.model.predict(images, verbose=0)
    return _probabilities(stage, answers, network.facts)


def _litert_answers(stage: str, network: Network) -> np.ndarray:
    model = LiteRTModel(str(network.file))
    answers = np.stack([model(image)[0] for image in network.samples])
    return _probabilities(stage, answers, network.facts)


def _probabilities(stage: str, answers: np.ndarray, facts: Mapping[str, str]) -> np.ndarray:
    if stage == "segmentation":
        return answers[..., 0]
    calibrated: np.ndarray = softmax(answers / float(facts["temperature"]))
    return calibrated
