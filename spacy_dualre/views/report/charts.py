"""The charts of a report."""

from pathlib import Path
from typing import Any, Dict

from ..plotting import new_figure, save_figure


def plot_confusion(matrix: Dict[str, Any], path: Path) -> None:
    """Draw the counts as text, with cells shaded by their share of the row."""
    rows, columns, counts = matrix["rows"], matrix["columns"], matrix["counts"]
    figure = new_figure(2.5 + 0.75 * len(columns), 1.8 + 0.5 * len(rows))
    axes = figure.subplots()
    shares = [[count / max(sum(row), 1) for count in row] for row in counts]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for y, row in enumerate(counts):
        for x, count in enumerate(row):
            if count:
                axes.text(x, y, count, ha="center", va="center", color="white" if shares[y][x] > 0.5 else "black")
    axes.set_xticks(range(len(columns)), columns, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), rows)
    axes.set(xlabel="predicted", ylabel="gold")
    save_figure(figure, path)


def plot_precision_recall(curve: Dict[str, Any], decided: Dict[str, float], path: Path) -> None:
    """Draw the curve over all thresholds, and the point of the pipeline's own settings."""
    figure = new_figure(5, 4)
    axes = figure.subplots()
    recall, precision = ([point[key] for point in curve["points"]] for key in ("r", "p"))
    axes.plot(recall, precision, marker="." if len(recall) < 3 else "", label="all thresholds")
    label = f"as configured, F1 {100 * decided['f']:.1f}"
    axes.plot([decided["r"]], [decided["p"]], "o", color="tab:orange", label=label)
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
    axes.set_title(f"average precision {100 * curve['average_precision']:.1f}", fontsize=10)
    axes.legend(loc="lower left")
    save_figure(figure, path)


def plot_calibration(calibration: Dict[str, Any], path: Path) -> None:
    """Draw the share of gold by probability, above a histogram."""
    figure = new_figure(5, 4.6)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    bins = calibration["bins"]
    x = [one["probability"] for one in bins]
    above.plot([0, 1], [0, 1], color="gray", linestyle="--", linewidth=0.8)
    above.plot(x, [one["gold"] for one in bins], marker="o")
    above.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="share of gold")
    above.set_title(f"expected calibration error {100 * calibration['error']:.1f}", fontsize=10)
    below.bar(x, [one["n"] for one in bins], width=0.06)
    below.set(xlabel="probability", ylabel="pairs", yscale="log")
    save_figure(figure, path)
