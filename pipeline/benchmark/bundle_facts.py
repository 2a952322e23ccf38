"""What a benchmark tells of a bundle without running it: sizes, work, and the least time that the work would take."""

from pipeline.benchmark.figures import Floor
from pipeline.benchmark.int8_rate import int8_rate
from pipeline.benchmark.roofline import macs, matrix_rate, parameters
from pipeline.bundle.loading import Bundle
from pipeline.bundle.saving import STAGES


def bundle_facts(bundle: Bundle) -> dict[str, object]:
    """Name, and by stage precisions and inputs; the files' sizes in bytes."""
    files = [path for path in sorted(bundle.folder.iterdir()) if path.is_file()]
    models = {"segmentation": bundle.segmentation, "classification": bundle.classification}
    return {
        "name": bundle.name,
        "precision": {stage: model.precision for stage, model in models.items()},
        "input": {stage: list(model.input_shape) for stage, model in models.items()},
        "file_bytes": {path.name: path.stat().st_size for path in files},
    }


def work_of(bundle: Bundle) -> dict[str, dict[str, int]]:
    """MACs and parameters by stage."""
    paths = (bundle.segmentation_path, bundle.classification_path)
    return {
        stage: {"macs": macs(path), "parameters": parameters(path)}
        for stage, path in zip(STAGES, paths, strict=True)
    }


def floor_of(bundle: Bundle, decode: float) -> Floor:
    """The floor of one image on this machine, `decode` being the milliseconds of its decoding."""
    precisions = {
        "segmentation": bundle.segmentation.precision,
        "classification": bundle.classification.precision,
    }
    rates = {
        precision: int8_rate() if precision == "int8" else matrix_rate()
        for precision in set(precisions.values())
    }
    work = work_of(bundle)
    return Floor(
        macs={stage: work[stage]["macs"] for stage in STAGES},
        rates={stage: rates[precisions[stage]] for stage in STAGES},
        decode=decode,
    )
