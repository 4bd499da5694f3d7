"""The figures of `bench.truth --plot`: how right the estimators are, and how well they know it."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from bench.truth_rows import Row, averaged
from canut.truth.votes import Float64

#: of Okabe and Ito, told apart by the colour-blind
OURS, OTHERS = "#0072B2", "#999999"
#: method, its name in the figure, colour and mark, where confidences are compared
CONFIDENT = (
    ("majority", "majority", "#999999", "s"),
    ("crowdkit_ds", "Dawid-Skene (crowd-kit)", "#D55E00", "^"),
    ("canut", "Canut before gold", "#56B4E9", "o"),
    ("canut_gold30", "Canut with 30 gold", "#0072B2", "D"),
)


def draw(rows: list[Row], folder: Path) -> None:
    """Write `truth-methods.svg` and `truth-reliability.svg`; needs matplotlib."""
    matplotlib = import_module("matplotlib")
    matplotlib.use("svg")
    matplotlib.rcParams.update(
        {"svg.fonttype": "none", "svg.hashsalt": "canut", "font.family": "sans-serif"}
    )
    plots = import_module("matplotlib.pyplot")
    folder.mkdir(parents=True, exist_ok=True)
    means = {name: of for name, of in averaged(rows)[0].items() if all(row.out30 for row in of)}
    _save(plots, folder / "truth-methods.svg", lambda: _methods(plots, means))
    _save(plots, folder / "truth-reliability.svg", lambda: _reliability(plots, means))


def _save(plots: Any, file: Path, picture: Callable[[], Any]) -> None:
    figure = picture()
    figure.savefig(file, metadata={"Date": None}, bbox_inches="tight")
    plots.close(figure)


def _mean(rows: list[Row], field: str) -> float:
    return float(np.mean([getattr(row.out30, field) for row in rows]))


def _methods(plots: Any, means: dict[str, list[Row]]) -> Any:
    """Two rows of dots: accuracy, and negative log likelihood."""
    names = sorted(means, key=lambda name: _mean(means[name], "accuracy"))
    figure, axes = plots.subplots(1, 2, figsize=(8, 0.3 * len(names) + 1), sharey=True)
    told = (("accuracy", "mean % right", "{:.1f}"), ("nll", "negative log likelihood", "{:.2f}"))
    for axis, (field, title, form) in zip(axes, told, strict=True):
        for position, name in enumerate(names):
            value = _mean(means[name], field)
            colour = OURS if name.startswith("canut") else OTHERS
            axis.plot(value, position, "o", color=colour, markersize=7)
            axis.annotate(
                form.format(value),
                (value, position),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
            )
        axis.set_xlabel(title)
        axis.margins(x=0.18)
        axis.grid(axis="y", color="#eeeeee")
        axis.set_axisbelow(True)
        axis.spines[["top", "right", "left"]].set_visible(False)
        axis.tick_params(axis="y", length=0)
    axes[0].set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    return figure


def _pooled(rows: list[Row]) -> tuple[Float64, Float64, Float64]:
    """Share in each bin, mean confidence and share right; every set counts the same."""
    of_sets = np.array([row.out30.bins for row in rows if row.out30])
    of_sets /= of_sets[:, :, 0].sum(1)[:, None, None]
    share, confidence, right = of_sets.mean(0).T
    told = share > 0.005
    return share[told], confidence[told] / share[told], right[told] / share[told]


def _reliability(plots: Any, means: dict[str, list[Row]]) -> Any:
    """Confidence against what came true; marks as large as their share of the tasks."""
    figure, axis = plots.subplots(figsize=(5.2, 5))
    axis.plot([0.2, 1], [0.2, 1], color="#cccccc", linewidth=1)
    for name, label, colour, mark in CONFIDENT:
        if name in means:
            share, confidence, right = _pooled(means[name])
            axis.plot(confidence, right, color=colour, linewidth=1.2)
            axis.scatter(confidence, right, 12 + 200 * share, colour, mark, label=label)
    axis.set_xlabel("confidence")
    axis.set_ylabel("share right")
    axis.set_xlim(0.2, 1.02)
    axis.set_ylim(0.2, 1.02)
    axis.spines[["top", "right"]].set_visible(False)
    legend = axis.legend(frameon=False, loc="upper left")
    for handle in legend.legend_handles:
        handle.set_sizes([40])
    return figure
