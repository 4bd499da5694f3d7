"""The picture of `bench.effort`: what an item costs against how many there were.

    python -m bench.effort_plot docs/figures/effort.svg "name=RESULT" ...

Each RESULT holds the last line that a run printed. The upper panel is the cost of all items so far,
the lower one that of a twentieth of them. Needs matplotlib.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

#: told apart by the colour-blind (Okabe & Ito)
COLOURS = ("#0072b2", "#d55e00", "#009e73")
PARTS = 20

#: items decided and answers of people, so far
Curve = Sequence[tuple[int, int]]


def parts(curve: Curve, count: int = PARTS) -> list[tuple[float, float]]:
    """(items so far, answers an item) of equal parts of the items, by what lay between the nearest
    points of the curve."""
    points = [(0, 0), *((n, answers) for n, answers in curve if n)]
    last = points[-1][0]
    found: list[tuple[float, float]] = []
    for part in range(count):
        low = max(point for point in points if point[0] <= part * last / count)
        high = min(point for point in points if point[0] >= (part + 1) * last / count)
        if high[0] > low[0]:
            found.append((high[0], (high[1] - low[1]) / (high[0] - low[0])))
    return found


def draw(curves: Mapping[str, Curve], file: Path) -> None:
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
    figure, (upper, lower) = pyplot.subplots(2, 1, figsize=(6.4, 4.6), sharex=True)
    for colour, (name, curve) in zip(COLOURS, curves.items(), strict=False):
        known = [(n, answers) for n, answers in curve if n]
        upper.plot(
            [n for n, _ in known],
            [a / n for n, a in known],
            color=colour,
            label=name,
            linewidth=1.4,
        )
        each = parts(curve)
        lower.step(
            [n for n, _ in each], [a for _, a in each], where="pre", color=colour, linewidth=1.4
        )
    for axis, told in ((upper, "answers an item, all so far"), (lower, "of a twentieth")):
        axis.axhline(3, color="#999999", linewidth=0.8, linestyle=":")
        axis.set_ylabel(told)
        axis.set_ylim(0, 3.2)
        axis.spines[["top", "right"]].set_visible(False)
    upper.text(0.995, 3.0, "three answers to each", transform=upper.get_yaxis_transform(),
               ha="right", va="bottom", color="#666666", fontsize=7)  # fmt: skip
    upper.legend(frameon=False, fontsize=7.5, loc="center right")
    lower.set_xlabel("items decided")
    lower.set_xlim(left=0)
    figure.tight_layout()
    file.parent.mkdir(parents=True, exist_ok=True)
    # no date in the file: the same figures give the same bytes
    figure.savefig(file, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("file", type=Path, help="picture to write")
    parser.add_argument("results", nargs="+", metavar="NAME=RESULT")
    given = parser.parse_args()
    curves = {}
    for one in given.results:
        name, _, path = one.partition("=")
        last = Path(path).read_text(encoding="utf-8").strip().rsplit("\n", 1)[-1]
        curves[name] = [(int(n), int(answers)) for n, answers in json.loads(last)["curve"]]
    draw(curves, given.file)


if __name__ == "__main__":
    main()
