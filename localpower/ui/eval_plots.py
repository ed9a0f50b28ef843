"""A report as a picture: accuracy, pass@k, likelihood and confidence. Needs matplotlib: the extra `plots`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localpower.ui.plots import save
from localpower.ui.view import one_line

Report = dict[str, Any]
Colours = Mapping[str, str]  # by label, the same in all panels
_SPREADS = {"log_p": "mean log p of a token, nats", "confidence": "confidence (minus mean entropy), nats"}


def draw(report: Report, path: Path) -> None:
    """Write the picture, a column for each task. Raises UserError for a path that cannot be written."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    tasks = report["tasks"]
    labels = list(dict.fromkeys(group["label"] for task in tasks.values() for group in task["groups"]))
    colours = {label: f"C{i % 10}" for i, label in enumerate(labels)}
    curves = any(group["pass_at"] for task in tasks.values() for group in task["groups"])
    panels = [_accuracy, *([_pass_at] if curves else []), *(_spread(name) for name in _SPREADS)]
    height = 2.8 * len(panels) + 0.25 * (1 + len(labels) // 3)
    figure = Figure(figsize=(max(5.0 * len(tasks), 7.0), height), layout="constrained")
    axes = figure.subplots(len(panels), len(tasks), squeeze=False)
    for column, (name, task) in enumerate(tasks.items()):
        axes[0, column].set_title(_plain(name))
        for row, panel in enumerate(panels):
            panel(task, axes[row, column], colours)
    lines = [Line2D([], [], color=colour, label=_plain(label)) for label, colour in colours.items()]
    figure.legend(handles=lines, loc="outside lower center", ncols=3, fontsize="small")
    save(figure, path)


def _plain(name: str) -> str:
    """A name that matplotlib draws as it is: a dollar would begin a formula, and a score in front hides it."""
    text = one_line(name).replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text


def _accuracy(task: Report, axis: Any, colours: Colours) -> None:
    """Shares with their 95 % intervals, in the order of the legend."""
    known = [(group["label"], group["accuracy"]) for group in task["groups"] if group["accuracy"]]
    for i, (label, share) in enumerate(known):
        axis.plot([share["low"], share["high"]], [i, i], color=colours[label])
        axis.plot(share["value"], i, "o", color=colours[label])
    axis.set(yticks=[], xlim=(0, 1), xlabel="accuracy, 95 %")
    axis.invert_yaxis()


def _pass_at(task: Report, axis: Any, colours: Colours) -> None:
    """pass@k with bootstrap bands."""
    ks = sorted({point["k"] for group in task["groups"] for point in group["pass_at"]})
    for group in task["groups"]:
        curve, colour = group["pass_at"], colours[group["label"]]
        axis.plot([point["k"] for point in curve], [point["value"] for point in curve], ".-", color=colour)
        k, low, high = ([point[name] for point in curve] for name in ("k", "low", "high"))
        axis.fill_between(k, low, high, color=colour, alpha=0.12, lw=0)
    axis.set(xlabel="k", ylabel="pass@k", ylim=(0, 1.02), xscale="log")
    axis.set_xticks(ks, [str(k) for k in ks])
    axis.minorticks_off()


def _spread(name: str) -> Any:
    """A panel of the groups' histograms, on common bins."""

    def panel(task: Report, axis: Any, colours: Colours) -> None:
        for each in task["likelihood"]:
            if each[name] is not None:
                axis.stairs(each[name]["counts"], each[name]["edges"], color=colours[each["label"]])
        axis.set(xlabel=_SPREADS[name], ylabel="answers")

    return panel
