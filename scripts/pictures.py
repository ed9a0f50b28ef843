"""Draws the pictures of docs/how-it-works.md: `python scripts/pictures.py` writes docs/*.svg."""

from __future__ import annotations

from pathlib import Path

BOX, GAP, LEFT, FONT = 26, 4, 130, 13
COLOURS = {
    "s": ("#dfe7ef", "#333"),  # shared, not evaluated
    "n": ("#1b6ca8", "#fff"),  # newly drawn
    "x": ("#8d99a6", "#fff"),  # the state's own
    "-": ("#fff", "#bbb"),  # never drawn
    "w": ("#e3b7b0", "#333"),  # drawn and thrown away
    "p": ("#f3e6c4", "#333"),  # prompt
}

# Each picture: rows of (label, cells, remark); a cell is a colour and a letter.
PICTURES = {
    "skip": [
        ("state x", "px px px xa xb xc xd xe xf", "kept in the cache"),
        (
            "cut, then compare",
            "px px px sa sb nk nl nm",
            "a, b: drawn again from the recorded log q, no model",
        ),
        ("equal to the end", "px px px sa sb sc sd se sf", "a free step: nothing is evaluated"),
    ],
    "early": [
        ("state x", "px px px xa xb xc xd xe xf", "log u is drawn first"),
        ("proposal y", "px px px sa nk nl -  -  - ", "the ratio can only fall: below log u it is given up"),
    ],
    "batch": [
        ("chain 1", "px px px xa xb nc", "one decode: the last token of every chain"),
        ("chain 2", "sx sx sx xd xe xf ng", "the prompt's cells are shared"),
        ("chain 3", "sx sx sx nh", ""),
    ],
    "prefetch": [
        ("state x", "px px px xa xb xc xd xe xf", ""),
        (
            "step 7: rejected",
            "sx sx sx sa sb nk nl",
            "three proposals in each decode, each from its own stream",
        ),
        ("step 8: accepted", "sx sx sx sa nm nn no", "decided in order"),
        ("step 9: discarded", "sx sx sx sa sb sc wq wr", "it began from a state that is gone"),
    ],
}


def draw(rows: list[tuple[str, str, str]]) -> str:
    longest = max(len(cells.split()) for _, cells, _ in rows)
    width = LEFT + longest * (BOX + GAP) + 400
    height = len(rows) * (BOX + 3 * GAP) + 2 * GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for i, (label, cells, remark) in enumerate(rows):
        y = 2 * GAP + i * (BOX + 3 * GAP)
        base = y + BOX * 0.68
        parts.append(f'<text x="4" y="{base}" font-size="{FONT}">{label}</text>')
        for j, cell in enumerate(cells.split()):
            fill, ink = COLOURS[cell[0]]
            x = LEFT + j * (BOX + GAP)
            dashed = ' stroke-dasharray="3"' if cell[0] == "-" else ""
            parts.append(
                f'<rect x="{x}" y="{y}" width="{BOX}" height="{BOX}" rx="3" fill="{fill}" stroke="#aaa"{dashed}/>'
            )
            letter = cell[1:].replace("x", "") if cell[0] in "ps" else cell[1:]
            parts.append(
                f'<text x="{x + BOX / 2}" y="{base}" font-size="{FONT}" fill="{ink}" '
                f'text-anchor="middle">{letter}</text>'
            )
        x = LEFT + longest * (BOX + GAP) + 8
        parts.append(f'<text x="{x}" y="{base}" font-size="{FONT}" fill="#555">{remark}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def main() -> None:
    docs = Path(__file__).resolve().parent.parent / "docs"
    for name, rows in PICTURES.items():
        (docs / f"{name}.svg").write_text(draw(rows), "utf-8")


if __name__ == "__main__":
    main()
