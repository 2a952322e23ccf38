"""Options out of the settings of a training: each field of the dataclass is declared once, and told here."""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

from classification.config import View
from classification.encoders import ENCODERS as CLASSIFIER_ENCODERS
from pipeline.cli.options import chosen_weights
from segmentation.encoders import ENCODERS as UNET_ENCODERS

Settings = TypeVar("Settings")


@dataclass(frozen=True)
class Spelling:
    """How the command line gives a setting that the dataclass holds in another form."""

    type: Any
    default: Any
    read: Callable[[Any], Any]


def _names(listed: str | None) -> tuple[str, ...] | None:
    """Names with commas between, as a tuple."""
    return None if listed is None else tuple(name.strip() for name in listed.split(","))


def _source_weights(listed: str | None) -> dict[str, float]:
    from classification.source_weights import parse_source_weights  # noqa: PLC0415 - loads NumPy

    try:
        return {} if listed is None else parse_source_weights(listed)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--source-weights") from None


SPELLINGS = {
    "view": Spelling(View, "crop", str),  # a comparison has more views
    "encoder": Spelling(str, "mobilenetv2", str.lower),
    "only": Spelling(str | None, None, _names),
    "malignant": Spelling(str | None, None, lambda listed: _names(listed) or ()),
    "source_weights": Spelling(str | None, None, _source_weights),
    "encoder_weights": Spelling(str, "imagenet", chosen_weights),
}

# Field -> what its option says beyond type and default, in the order of the help; a field that is not here has none.
ENCODER_WEIGHTS = typer.Option(
    metavar="FILE", help="The encoder without the top; 'imagenet' lets Keras download it, or 'none'."
)
OPTIMISER_OPTIONS = {
    "batch_size": typer.Option(min=1, help="Images a step."),
    "learning_rate": typer.Option(min=0, help="Peak of the schedule."),
    "weight_decay": typer.Option(min=0, help="Of AdamW."),
    "average_decay": typer.Option(
        min=0, max=0.99999, help="Of a moving average of the weights (0.999 or so); 0 keeps none."
    ),
}
COMMON_OPTIONS = {
    "augmentation": typer.Option(help="How much the images are varied."),
    "patience": typer.Option(min=1, help="Epochs without a better figure that end a phase."),
    "seed": typer.Option(min=0, help="For the split, the weights and the batches."),
}
SEGMENTATION_OPTIONS = {
    "encoder": typer.Option(metavar="NAME", help=f"One of {', '.join(UNET_ENCODERS)}."),
    "encoder_weights": ENCODER_WEIGHTS,
    "input_size": typer.Option(help="Height and width of the model's input, multiples of 32."),
    "small_size": typer.Option(help="Height and width in the first phase."),
    "small_epochs": typer.Option(min=0, help="Epochs at the small size."),
    "epochs": typer.Option(
        "--full-epochs", min=0, help="Epochs at the full size, after those at the small one."
    ),
    **OPTIMISER_OPTIONS,
    **COMMON_OPTIONS,
}
CLASSIFICATION_OPTIONS = {
    "view": typer.Option(help="What the classifier sees of an image."),
    "boxes": typer.Option(help="Whether boxes come from the segmentation run or from the dataset's masks."),
    "encoder": typer.Option(metavar="NAME", help=f"One of {', '.join(CLASSIFIER_ENCODERS)}."),
    "encoder_weights": ENCODER_WEIGHTS,
    "teaching": typer.Option(min=0, max=1, help="The teachers' part of a training image's target."),
    "only": typer.Option(
        metavar="CLASSES", help="Classes to tell apart, with commas between; others are left out."
    ),
    "grouping": typer.Option(help="Classes: the diagnoses, or malignant / benign / unknown."),
    "malignant": typer.Option(
        metavar="CLASSES",
        help="Classes of your own that count as malignant, with commas between; your others count as benign.",
        show_default=False,
    ),
    "imbalance": typer.Option(
        help="What is done about rare classes; square-root and balanced draw their images more often."
    ),
    "source_weights": typer.Option(
        metavar="FOLDER=WEIGHT",
        help="How often images in a dataset's folder are drawn, as in ISIC2018=2,ISIC2019=0.25; others have 1.",
        show_default=False,
    ),
    "prior_strength": typer.Option(
        min=0,
        max=1,
        help="How much the classes' shares count in the end, from 0 (best balanced accuracy) to 1; by default as they "
        "were learned, and with logit-adjustment what is likeliest on validation.",
        show_default=False,
    ),
    "margin": typer.Option(min=0, help="Of the crop, on every side, as a part of the lesion's longer side."),
    "jitter": typer.Option(min=0, max=0.5, help="How far boxes are moved and resized in training."),
    "input_side": typer.Option(min=32, help="Height and width of the model's input, a multiple of 32."),
    "small_side": typer.Option(min=32, help="Height and width in the first two phases."),
    "width": typer.Option(min=0.1, help="The width multiplier of a MobileNet."),
    "frozen_stride": typer.Option(
        min=0,
        max=32,
        help="Layers whose maps are at least the side divided by this (4 or 8) keep their weights; 0 trains all.",
    ),
    "head_epochs": typer.Option(min=0, help="Epochs of the head alone."),
    "small_epochs": typer.Option(min=0, help="Epochs of all layers at the small side."),
    "epochs": typer.Option(
        "--full-epochs", min=0, help="Epochs of all layers at the full side, after the others."
    ),
    "head_learning_rate": typer.Option(min=0, help="Peak of the head's phase."),
    **OPTIMISER_OPTIONS,
    "monitor": typer.Option(help="The figure on validation by which the best epoch is chosen."),
    "dropout": typer.Option(min=0, max=0.9),
    "label_smoothing": typer.Option(min=0, max=0.5),
    "mixup": typer.Option(min=0, help="Alpha of MixUp's Beta distribution; 0 mixes no images."),
    **COMMON_OPTIONS,
}


def with_settings(
    kind: type[Settings], options: Mapping[str, Any]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let a command that takes `settings`, a dataclass, have an option for each of its fields in `options`.

    Type and default of an option are those of the field, or of its `Spelling`.
    """
    spellings = _spellings(kind)

    def settings_of(values: dict[str, Any]) -> Settings:
        return kind(**{name: spellings[name].read(value) for name, value in values.items()})

    parameters = [
        _parameter(name, spellings[name].type, option, spellings[name].default)
        for name, option in options.items()
    ]
    return functools.partial(_taking, "settings", parameters, settings_of)


def with_changes(
    kind: type[Settings], options: Mapping[str, Any]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let a command that takes `changes`, field -> value, have an option for each field in `options`.

    None of them has a default: the changes hold what was given.
    """
    spellings = _spellings(kind)

    def changes_of(values: dict[str, Any]) -> dict[str, Any]:
        return {name: spellings[name].read(value) for name, value in values.items() if value is not None}

    parameters = [_parameter(name, spellings[name].type | None, option) for name, option in options.items()]
    return functools.partial(_taking, "changes", parameters, changes_of)


def _spellings(kind: type[Settings]) -> dict[str, Spelling]:
    """Field -> how the command line gives it."""
    types, defaults = get_type_hints(kind), vars(kind())
    plain = {name: Spelling(types[name], default, lambda value: value) for name, default in defaults.items()}
    return plain | {name: spelling for name, spelling in SPELLINGS.items() if name in plain}


def _parameter(name: str, type_: Any, option: Any, default: Any = None) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=Annotated[type_, option])


def _taking(
    argument: str,
    parameters: list[inspect.Parameter],
    gathered: Callable[[dict[str, Any]], Any],
    command: Callable[..., None],
) -> Callable[..., None]:
    """The command with these parameters in the place of the one argument that is gathered from them."""

    @functools.wraps(command)
    def taking_options(**given: Any) -> None:
        values = {each.name: given.pop(each.name) for each in parameters}
        command(**{argument: gathered(values)}, **given)

    own = inspect.signature(command, eval_str=True)
    kept = [
        each.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for each in own.parameters.values()
        if each.name != argument
    ]
    taking_options.__signature__ = own.replace(parameters=[*kept, *parameters])  # type: ignore[attr-defined]
    return taking_options
