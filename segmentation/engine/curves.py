"""Pictures of a training: its curves, and grids of examples."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from data.files import replacing


def training_curves(history: Sequence[dict[str, Any]], monitor: str | None = None) -> Figure:
    """Each figure of the history over the epochs, training beside validation, a line where a phase begins.

    With `monitor`, a figure on validation, a circle marks the epoch whose model is kept: the latest phase's best.
    """
    table = pd.DataFrame(history)
    names = [name for name in table.columns if f"val_{name}" in table.columns]
    if not names:  # Ctrl-C came in the first epoch
        return Figure(figsize=(5, 3.6))
    figure = Figure(figsize=(5 * len(names), 3.6), layout="constrained")
    epochs = np.arange(1, len(table) + 1)
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        axes.plot(epochs, table[name], color="#0072b2", label="training")
        axes.plot(epochs, table[f"val_{name}"], color="#d55e00", label="validation")
        for start in np.flatnonzero(table["phase"].ne(table["phase"].shift()))[1:]:
            axes.axvline(start + 0.5, color="0.6", linestyle=":")
        if f"val_{name}" == monitor:
            best = _best_epoch(table, monitor)
            axes.plot(best + 1, table[monitor][best], "o", color="#d55e00", label=f"kept: epoch {best + 1}")
        axes.set(xlabel="epoch", ylabel=name.replace("_", " "))
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    return figure


def _best_epoch(table: pd.DataFrame, monitor: str) -> int:
    """Position of the best epoch of the latest phase; of losses the smallest is the best."""
    latest = table.loc[table["phase"] == table["phase"].iloc[-1], monitor]
    return int(latest.idxmin() if monitor.endswith("loss") else latest.idxmax())


def picture_grid(examples: Sequence[Any], draw: Any, columns: int, title: str) -> Figure:
    """A grid of pictures; `draw(axes, example)` paints one of them."""
    rows = -(-len(examples) // columns)
    figure = Figure(figsize=(2.6 * columns, 2.3 * rows + 0.4), layout="constrained")
    figure.suptitle(title, fontsize=10)
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.set_axis_off()
    for axes, example in zip(figure.axes, examples, strict=False):
        draw(axes, example)
    return figure


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a figure as PNG, in one step."""
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=110)
