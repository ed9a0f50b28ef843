"""Draws training curves as SVG: `python scripts/lab/curves.py OUT.svg TITLE=FILE.json ...` (means of 50)."""

from __future__ import annotations

import json
import sys
from pathlib import Path

WIDTH, HEIGHT, MARGIN, WINDOW = 640, 240, 40, 50
COLOURS = ("#1b6ca8", "#c0392b", "#2e8b57")


def smooth(values: list[float]) -> list[float]:
    sums = [sum(values[max(0, i - WINDOW + 1) : i + 1]) for i in range(len(values))]
    return [total / min(i + 1, WINDOW) for i, total in enumerate(sums)]


def main() -> None:
    out, *series = sys.argv[1:]
    curves = []
    for item in series:
        title, _, file = item.partition("=")
        curves.append((title, smooth(json.loads(Path(file).read_text("utf-8"))["values"])))
    low = min(min(values) for _, values in curves)
    high = max(max(values) for _, values in curves)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="4" y="{MARGIN}">{high:.2f}</text><text x="4" y="{HEIGHT - MARGIN}">{low:.2f}</text>',
    ]
    for i, (title, values) in enumerate(curves):
        points = " ".join(
            f"{MARGIN + (WIDTH - 2 * MARGIN) * k / max(len(values) - 1, 1):.1f},"
            f"{HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (value - low) / max(high - low, 1e-9):.1f}"
            for k, value in enumerate(values)
            if k % 5 == 0 or k == len(values) - 1
        )
        colour = COLOURS[i % len(COLOURS)]
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}"/>')
        parts.append(
            f'<text x="{WIDTH // 2}" y="{20 + 14 * i}" fill="{colour}">{title}, {len(values)} steps</text>'
        )
    Path(out).write_text("\n".join([*parts, "</svg>"]) + "\n", "utf-8")


if __name__ == "__main__":
    main()
