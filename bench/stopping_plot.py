"""The picture of `bench.stopping`: accuracy against answers per item, one panel a set."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

#: colour (Okabe & Ito's, told apart by the colour-blind), dash and name of each rule
STYLES = {
    "canut_routed": ("#d55e00", "-", "asked until sure, best first"),
    "canut": ("#0072b2", "-", "asked until sure"),
    "dawid_skene": ("#009e73", "--", "as many for all, Dawid-Skene"),
    "majority": ("#555555", ":", "as many for all, majority"),
}
#: panels: sets with five answers per item or more, where there is something to save
ANSWERS_MIN = 5.0


def draw(curves: Mapping[str, Mapping[str, list[tuple[float, float]]]], file: Path) -> None:
    """Write the picture as SVG, with text as text."""
    matplotlib = import_module("matplotlib")
    matplotlib.use("svg")
    matplotlib.rcParams.update(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": "canut",
            "font.size": 8,
            "font.family": "sans-serif",
        }
    )
    pyplot = import_module("matplotlib.pyplot")
    shown = {name: of for name, of in curves.items() if of["majority"][-1][0] >= ANSWERS_MIN}
    columns = 3
    rows = -(-len(shown) // columns)
    figure, axes = pyplot.subplots(rows, columns, figsize=(7.2, 1.9 * rows + 0.4), squeeze=False)
    for axis in axes.flat[len(shown) :]:
        axis.set_visible(False)
    for axis, (name, of) in zip(axes.flat, shown.items(), strict=False):
        for rule, (colour, dash, label) in STYLES.items():
            points = sorted(of[rule])
            x, y = [n for n, _ in points], [100 * share for _, share in points]
            axis.plot(x, y, dash, color=colour, label=label, linewidth=1.4)
        axis.axhline(100 * of["majority"][-1][1], color="#bbbbbb", linewidth=0.6, zorder=0)
        axis.set_title(f"{name} ({of['majority'][-1][0]:.1f} recorded)", fontsize=8)
        axis.set_xscale("log")
        most = of["majority"][-1][0]
        ticks = [tick for tick in (1, 2, 3, 5, 10, 20, 40) if tick <= 1.05 * most]
        axis.set_xticks(ticks, [str(tick) for tick in ticks])
        axis.minorticks_off()
        axis.spines[["top", "right"]].set_visible(False)
    figure.supxlabel("answers per item", fontsize=8)
    figure.supylabel("% of gold items right", fontsize=8)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", ncol=4, frameon=False, fontsize=7.5)
    figure.tight_layout(rect=(0.01, 0.0, 1, 0.97))
    file.parent.mkdir(parents=True, exist_ok=True)
    # no date in the file: the same figures give the same bytes
    figure.savefig(file, metadata={"Date": None})
