"""The `lesion export` command."""

# ruff: noqa: PLC0415 - a command imports what it needs, so that none waits for another's libraries

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from data.silence import silent_standard_error
from pipeline.cli.console import complain, needing_extra
from pipeline.cli.segmentations import bundle_at, open_segmentation
from pipeline.cli.train import stopping_on_mistakes

if TYPE_CHECKING:
    from pipeline.bundle.loading import Bundle
    from pipeline.export.parity import Parity
    from segmentation.engine.run_folder import Run

EXAMPLE = "Example: lesion export --segmentation runs/segmentation --classification runs/crop --output bundle"

Precision = Literal["float32", "float16", "int8"]
Format = Literal["bundle", "onnx", "hub"]


def export(
    classification: Annotated[
        Path,
        typer.Option(
            metavar="RUN|BUNDLE",
            help="The classification run; for onnx and hub 'bundle' or a bundle's folder, too.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path, typer.Option(metavar="FOLDER", file_okay=False, help="The folder to write.", show_default=False)
    ],
    segmentation: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN|BUNDLE",
            help="The segmentation run, or 'bundle' or a bundle's folder, whose U-Net is taken over as it is; by "
            "default that of the bundle that ships, where the classifier sees whole images or was trained with it.",
            show_default=False,
        ),
    ] = None,
    file_format: Annotated[
        Format,
        typer.Option(
            "--format",
            help="bundle: for `lesion predict`; onnx: both networks in float32, with resizing, softmax and "
            "temperature inside; hub: both, with a model card, as the Hugging Face Hub shows them.",
        ),
    ] = "bundle",
    precision: Annotated[
        Precision, typer.Option(help="Of a bundle's models: int8 is smallest and fastest.")
    ] = "float32",
    name: Annotated[
        str | None, typer.Option(help="Of the bundle; by default its folder's name.", show_default=False)
    ] = None,
    prior_strength: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="How much the classes' shares count, from 0 (best balanced accuracy) to 1; by default as its training "
            "has it. Calibrate the bundle afterwards.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Convert two trained models to a bundle for `lesion predict`, or to ONNX, and check that they say the same."""
    with stopping_on_mistakes():
        with silent_standard_error():  # TensorFlow's greeting
            import pipeline.export.exporting  # noqa: F401
        sources = _sources(segmentation, classification)
        if file_format == "onnx":
            _write_onnx(*sources, output, precision, prior_strength)
            return
        from pipeline.bundle.loading import Bundle

        if isinstance(sources[1], Bundle):
            if file_format == "bundle":
                raise _mistake(f"{classification} is a bundle already; give a run, or --format onnx or hub.")
            bundle = sources[1]
        else:
            bundle = _write_bundle(sources[0], sources[1], output, precision, name, prior_strength)
        if file_format == "hub":
            _write_hub_folder(*sources, bundle, output, prior_strength)


def _write_bundle(
    segmentation: "Run | Bundle",
    classification: "Run",
    output: Path,
    precision: Precision,
    name: str | None,
    prior_strength: float | None,
) -> "Bundle":
    from pipeline.export.exporting import export as export_bundle

    bundle = export_bundle(
        segmentation,
        classification,
        output,
        precision=precision,
        name=name,
        prior_strength=prior_strength,
        warn=complain,
    )
    _tell_sizes(output, bundle.segmentation_path, bundle.classification_path)
    for stage, parity in bundle.figures["parity"].items():
        _tell_difference(stage, "Keras", parity["mean"], parity["largest"])
    return bundle


def _write_onnx(
    segmentation: "Run | Bundle",
    classification: "Run | Bundle",
    output: Path,
    precision: Precision,
    prior_strength: float | None,
) -> None:
    with needing_extra("onnx"):
        from pipeline.export.exporting import licence_of
        from pipeline.export.networks import classification_network, segmentation_network
        from pipeline.export.onnx_files import check_precision, write_onnx

        check_precision(precision)
        networks = (
            segmentation_network(segmentation),
            classification_network(classification, prior_strength),
        )
        _tell_parities(output, write_onnx(*networks, output, licence_of(classification)))


def _write_hub_folder(
    segmentation: "Run | Bundle",
    classification: "Run | Bundle",
    bundle: "Bundle",
    output: Path,
    prior_strength: float | None,
) -> None:
    with needing_extra("onnx"):
        from pipeline.export.hub import ONNX_FOLDER, write_hub_folder
        from pipeline.export.networks import classification_network, segmentation_network

        networks = (
            segmentation_network(segmentation),
            classification_network(classification, prior_strength),
        )
        _tell_parities(output / ONNX_FOLDER, write_hub_folder(bundle, *networks, output))


def _tell_parities(folder: Path, parities: Mapping[str, "Parity"]) -> None:
    _tell_sizes(folder, folder / "segmentation.onnx", folder / "classification.onnx")
    for compared, parity in parities.items():
        if compared.endswith(".tflite"):
            _tell_difference(
                f"{Path(compared).stem}.onnx", f"the bundle's {compared}", parity.mean, parity.largest
            )
        else:
            _tell_difference(f"{compared}.onnx", "Keras", parity.mean, parity.largest)


def _tell_sizes(folder: Path, *files: Path) -> None:
    sizes = (f"{file.name} {file.stat().st_size / 1e6:.1f} MB" for file in files)
    typer.echo(f"{folder}: " + ", ".join(sizes))


def _tell_difference(what: str, other: str, mean: float, largest: float) -> None:
    typer.echo(f"{what}: differs from {other} by {mean:.1e} on average, {largest:.1e} at most")


def _mistake(text: str) -> Exception:
    from segmentation.engine.run_folder import RunError

    return RunError(text)


def _sources(given: Path | None, classification: Path) -> "tuple[Run | Bundle, Run | Bundle]":
    """What finds the lesions and what names them, as the options say."""
    from segmentation.engine.run_folder import open_run

    bundle = bundle_at(classification)
    if bundle is None:
        run = open_run(classification, "classification")
        return _segmentation(given, run), run
    if given is not None and given != classification:
        raise _mistake(f"{classification} is a bundle and has its own U-Net; leave out --segmentation.")
    return bundle, bundle


def _segmentation(given: Path | None, classification: "Run") -> "Run | Bundle":
    """What the bundle shall find lesions with, as the option or else the classifier's training says."""
    from pipeline.bundle.loading import load_bundle
    from pipeline.export.segmentation_part import identity

    if given is not None:
        return open_segmentation(given)
    bundle, settings = load_bundle(), classification.settings
    if settings["view"] == "crop" and settings.get("segmentation") != identity(bundle):
        raise _mistake(
            f"{classification.folder} was trained on crops; give the segmentation that found them with --segmentation."
        )
    return bundle
