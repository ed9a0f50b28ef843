"""A report as a picture: accuracy, pass@k, likelihood and confidence. Needs matplotlib: the extra `plots`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from localpower.errors import UserError

Report = dict[str, Any]


def draw(report: Report, path: Path) -> None:
    """Write the picture, a column for each task. Raises UserError for a path that cannot be written."""
    from matplotlib.figure import Figure

    tasks = report["tasks"]
    panels: Sequence[Callable[[Report, Any], None]] = (
        _accuracy,
        _pass_at,
        _spread("log_p"),
        _spread("confidence"),
    )
    figure = Figure(figsize=(5.5 * len(tasks), 2.8 * len(panels)), layout="constrained")
    axes = figure.subplots(len(panels), len(tasks), squeeze=False)
    for column, (name, task) in enumerate(tasks.items()):
        axes[0, column].set_title(name)
        for row, panel in enumerate(panels):
            panel(task, axes[row, column])
    try:
        figure.savefig(path, dpi=120)
    except (OSError, ValueError) as error:
        raise UserError(f"cannot write {path}: {error}", "--plot takes a file such as picture.png") from None


def _accuracy(task: Report, axis: Any) -> None:
    """Shares with their 95 % intervals."""
    known = [(group["label"], group["accuracy"]) for group in task["groups"] if group["accuracy"]]
    for i, (_, share) in enumerate(known):
        axis.plot([share["low"], share["high"]], [i, i], "k-", lw=1)
        axis.plot(share["value"], i, "o")
    axis.set(yticks=range(len(known)), xlim=(0, 1), xlabel="share of right answers, 95 %")
    axis.set_yticklabels([label for label, _ in known])
    axis.invert_yaxis()


def _pass_at(task: Report, axis: Any) -> None:
    """pass@k with bootstrap bands."""
    for group in task["groups"]:
        curve = group["pass_at"]
        if curve:
            ks = [point["k"] for point in curve]
            (line,) = axis.plot(ks, [point["value"] for point in curve], marker=".", label=group["label"])
            lows, highs = [p["low"] for p in curve], [p["high"] for p in curve]
            axis.fill_between(ks, lows, highs, color=line.get_color(), alpha=0.15, lw=0)
    axis.set(xlabel="k", ylabel="pass@k", ylim=(0, 1))
    if axis.lines:
        axis.set_xscale("log", base=2)
        axis.legend(fontsize="small")
    else:
        axis.text(0.5, 0.5, "one sample an item", ha="center", transform=axis.transAxes)


def _spread(name: str) -> Callable[[Report, Any], None]:
    """A histogram of each group on common bins."""

    def panel(task: Report, axis: Any) -> None:
        for each in task["likelihood"]:
            if each[name] is not None:
                axis.stairs(each[name]["counts"], each[name]["edges"], label=each["label"])
        words = "mean log p of a token" if name == "log_p" else "confidence (minus mean entropy)"
        axis.set(xlabel=f"{words}, nats", ylabel="answers")
        if axis.patches:
            axis.legend(fontsize="small")

    return panel
