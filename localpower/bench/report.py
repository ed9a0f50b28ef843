"""The bench in words: where it ran, and its table."""

from __future__ import annotations

import datetime
import os
import platform
import sys
from typing import Any

from localpower import __version__
from localpower.bench.measure import ratios
from localpower.loaded.gguf import LoadedGguf


def machine(loaded: LoadedGguf, *, quick: bool, seed: int) -> dict[str, Any]:
    """Everything that a figure depends on besides the code."""
    from localpower.engine.verdict import build, processor

    return {
        "model": loaded.info.to_dict(),
        "machine": {
            "processor": processor(),
            "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
            "system": platform.platform(terse=True),
        },
        "threads": loaded.verdict.settings.threads,
        "settings": loaded.verdict.settings.to_json(),
        "exactness": loaded.exactness,
        "build": build(),
        "resident_mb": _resident_mb(),
        "quick": quick,
        "seed": seed,
        "date": datetime.date.today().isoformat(),
        "version": __version__,
    }


def _resident_mb() -> float | None:
    """The largest resident size of this process so far."""
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)


_COLUMNS = (
    ("", "name", "{}"),
    ("s", "seconds", "{:.1f}"),
    ("drawn", "decoded_tokens", "{}"),
    ("read", "prefill_tokens", "{}"),
    ("padded", "padded_rows", "{}"),
    ("saved", "saved_tokens", "{}"),
    ("tok/s", "tokens_per_second", "{:.1f}"),
    ("cost", "cost_multiple", "{:.1f}"),
    ("accepted", "acceptance_rate", "{:.2f}"),
    ("free", "free_share", "{:.2f}"),
    ("early", "early_share", "{:.2f}"),
)


def table(report: dict[str, Any]) -> list[str]:
    """Lines of plain text."""
    cells = [[title for title, _, _ in _COLUMNS]]
    for row in report["rows"]:
        cells.append(["-" if row[key] is None else form.format(row[key]) for _, key, form in _COLUMNS])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(
            c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    ]
    return [*lines, where(report), *(f"{words}: {value:.2f}" for words, value in ratios(report["rows"]))]


def where(report: dict[str, Any]) -> str:
    """Model, machine and date in a line."""
    machine = report["machine"]
    return (
        f"{report['model']['name']} {report['model']['quantization']} · {machine['processor']}, "
        f"{machine['cores']} cores, {report['threads']} threads · {report['date']}"
    )
