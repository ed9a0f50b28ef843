"""Lines broken at words for a terminal. What is code or a table keeps its lines, so that it can be copied."""

from __future__ import annotations

from itertools import accumulate

from rich.cells import get_character_cell_size

_CODE = ("    ", "\t", "|", "```")  # a line that begins so is not prose


def wrapped(text: str, width: int) -> str:
    """Lines wider than `width` columns broken at spaces; all others, and words that are too long, as they are."""
    lines, fenced = [], False
    for line in text.split("\n"):
        fence = line.lstrip().startswith("```")
        lines += [line] if fenced or fence or line.startswith(_CODE) else _at_words(line, width)
        fenced ^= fence
    return "\n".join(lines)


def _at_words(line: str, width: int) -> list[str]:
    """The space at which a line is broken is left out."""
    ends = list(accumulate(map(get_character_cell_size, line)))  # columns up to each character
    lines, start, used = [], 0, 0
    place = None  # of the last space that a line may end before
    for i, char in enumerate(line):
        if char == " ":
            if line[start:i].strip():
                place = i
            continue
        if ends[i] - used > width and place is not None:
            lines.append(line[start:place].rstrip(" "))
            start = place + len(line[place:]) - len(line[place:].lstrip(" "))
            used, place = ends[start - 1], None
    return [*lines, line[start:]]
