"""A diagnosis as a picture. Needs matplotlib: the extra `plots`."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from typing import Any

from localpower.errors import UserError


def require(path: Path) -> None:
    """Raise UserError without matplotlib, and for a path that no picture can have: before a run, not after it."""
    if importlib.util.find_spec("matplotlib") is None:
        raise UserError("--plot needs matplotlib", "pip install 'localpower[plots]'")
    from matplotlib.backend_bases import FigureCanvasBase

    kinds = FigureCanvasBase.get_supported_filetypes()
    if path.suffix.removeprefix(".").lower() not in kinds:
        raise UserError(f"cannot write {path}: its name must end in one of .{', .'.join(sorted(kinds))}")
    if not path.parent.is_dir():
        raise UserError(f"cannot write {path}: there is no folder {path.parent}")


def draw(report: dict[str, Any], path: Path) -> None:
    """Write the picture. Needs matplotlib; raises UserError for a path that cannot be written."""
    from matplotlib.figure import Figure

    panels = [panel for panel in (_cuts, _log_p, _ess) if panel(report, None)]
    figure = Figure(figsize=(6, 2.6 * max(len(panels), 1)), layout="constrained")
    axes = figure.subplots(max(len(panels), 1), 1, squeeze=False)[:, 0]
    for panel, axis in zip(panels, axes, strict=False):
        panel(report, axis)
    save(figure, path)


def save(figure: Any, path: Path) -> None:
    """Write a picture. Raises UserError for a path that cannot be written."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph")  # a letter that the font lacks is drawn as a box
            figure.savefig(path, dpi=120)
    except (OSError, ValueError) as error:
        raise UserError(f"cannot write {path}: {error}", "--plot takes a file such as picture.png") from None


def _cuts(report: dict[str, Any], axis: Any) -> bool:
    rows = report["acceptance_by_cut"]
    if axis is not None:
        below = [0] * len(rows)
        for how in ("accepted", "rejected", "early", "free"):
            counts = [row[how] for row in rows]
            axis.bar([row["from"] + 0.05 for row in rows], counts, 0.09, bottom=below, label=how)
            below = [a + b for a, b in zip(below, counts, strict=True)]
        axis.set(xlabel="cut, as a share of the answer", ylabel="steps")
        axis.legend()
    return bool(rows)


def _log_p(report: dict[str, Any], axis: Any) -> bool:
    if axis is not None:
        for values in report["log_p"]:
            axis.step(range(1, len(values) + 1), values, where="post")
        axis.set(xlabel="step at the last horizon", ylabel="log p (nats)")
    return bool(report["log_p"])


def _ess(report: dict[str, Any], axis: Any) -> bool:
    if axis is not None:
        for curve in report["ess_curve"]:
            axis.plot(*zip(*curve, strict=True))
        axis.set(xlabel="token", ylabel="effective sample size")
    return bool(report["ess_curve"])
