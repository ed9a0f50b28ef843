"""Line charts and histograms of docs/lab.md as SVG, small and the same bytes for the same numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from localpower.ui.charts import linear, ticks

COLOURS = (
    "#1b6ca8",
    "#c0392b",
    "#2e8b57",
    "#8e44ad",
    "#d68910",
    "#16a085",
    "#7f8c8d",
    "#2c3e50",
    "#b03a8a",
    "#000000",
)
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 460, 300, 44, 118, 26, 40


@dataclass(frozen=True, slots=True)
class Curve:
    """Points (x, y) in order; marked alone where there is one."""

    name: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """curves in one frame. log: x is on a scale of doublings."""

    title: str
    x: str
    y: str
    curves: Sequence[Curve]
    log: bool = False


def svg(panels: Sequence[Panel]) -> str:
    """Panels two by two."""
    wide, high = WIDTH * min(len(panels), 2), HEIGHT * -(-len(panels) // 2)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{wide}" height="{high}" fill="white"/>',
    ]
    for i, panel in enumerate(panels):
        parts.append(f'<g transform="translate({WIDTH * (i % 2)} {HEIGHT * (i // 2)})">')
        parts += _panel(panel)
        parts.append("</g>")
    return "\n".join([*parts, "</svg>"]) + "\n"


def steps(edges: Sequence[float], counts: Sequence[int]) -> list[tuple[float, float]]:
    """A histogram as a line of shares."""
    whole = sum(counts)
    points = []
    for low, high, count in zip(edges, edges[1:], counts, strict=False):
        points += [(low, count / whole), (high, count / whole)]
    return points


def _panel(panel: Panel) -> list[str]:
    points = [point for curve in panel.curves for point in curve.points]
    xs = [math.log2(x) if panel.log else x for x, _ in points]
    low_y, high_y = min(y for _, y in points), max(y for _, y in points)
    across = linear(min(xs), max(xs), LEFT, WIDTH - RIGHT)
    up = linear(low_y, high_y, HEIGHT - BOTTOM, TOP)
    parts = [
        f'<text x="{LEFT}" y="16" font-weight="bold">{panel.title}</text>',
        f'<path d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}" fill="none" stroke="#555"/>',
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:g}" y="{HEIGHT - 8}" text-anchor="middle">{panel.x}</text>',
        f'<text transform="translate(11 {(TOP + HEIGHT - BOTTOM) / 2:g}) rotate(-90)" '
        f'text-anchor="middle">{panel.y}</text>',
    ]
    for x in ticks(min(xs), max(xs), 6):
        shown = f"{2**x:.3g}" if panel.log else f"{x:g}"
        parts.append(f'<text x="{across(x)}" y="{HEIGHT - BOTTOM + 14}" text-anchor="middle">{shown}</text>')
    for y in ticks(low_y, high_y, 5):
        parts.append(f'<text x="{LEFT - 4}" y="{up(y) + 4:g}" text-anchor="end">{y:g}</text>')
    for i, curve in enumerate(panel.curves):
        colour = COLOURS[i % len(COLOURS)]
        places = [(across(math.log2(x) if panel.log else x), up(y)) for x, y in curve.points]
        drawn = " ".join(f"{x:g},{y:g}" for x, y in places)
        dashes = ' stroke-dasharray="5 3"' if curve.dashed else ""
        if len(places) > 1:
            parts.append(
                f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="1.5"{dashes}/>'
            )
        if len(places) < 12:
            parts += [f'<circle cx="{x:g}" cy="{y:g}" r="2.5" fill="{colour}"/>' for x, y in places]
        at = WIDTH - RIGHT + 8, TOP + 10 + 15 * i
        parts.append(f'<text x="{at[0]}" y="{at[1]}" fill="{colour}">{curve.name}</text>')
    return parts
