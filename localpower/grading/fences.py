"""Fenced blocks of a text: as Markdown has them, and as models write them."""

from __future__ import annotations

import re

from localpower.grading.syntax import fault

_OPENING = re.compile(r"^(?P<before>[^`~\n]*)(?P<fence>`{3,}|~{3,})(?P<tag>[^`\n]*)$", re.MULTILINE)
_MARGIN = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?")  # of a quotation, or of an item of a list
_TRIES = 8


def fenced(text: str) -> list[str]:
    """The blocks in order. One ends at the first closing fence that makes a program of it, else at the first of all.

    So a fence inside a docstring closes nothing, and a closing fence that was left over opens nothing.
    """
    found, position = [], 0
    while opening := _OPENING.search(text, position):
        position = opening.end() + 1  # past the line break
        margin = opening["before"] if _MARGIN.fullmatch(opening["before"]) else ""
        blocks = [(_bare(text[position:end], len(margin)), after) for end, after in _ends(text, opening)]
        block, after = next((each for each in blocks if fault(each[0]) is None), blocks[0])
        inner = _OPENING.search(block)
        if inner and inner["tag"].strip() and fault(block) is not None:
            continue
        found.append(block)
        position = after
    return found


def _ends(text: str, opening: re.Match[str]) -> list[tuple[int, int]]:
    """Where a block may end and what follows begins: at a fence by itself, at one after code, with the text."""
    start = opening.end() + 1
    mark, length = opening["fence"][0], len(opening["fence"])
    alone = re.compile(rf"^[ \t>]*{mark}{{{length},}}[ \t]*$", re.MULTILINE)
    after_code = re.compile(rf"(?<!{mark}){mark}{{{length},}}[ \t]*$", re.MULTILINE)
    closing = [
        match for each in (alone, after_code) for _, match in zip(range(_TRIES), each.finditer(text, start))  # noqa: B905
    ]
    return [*(match.span() for match in closing), (len(text), len(text))]


def _bare(block: str, width: int) -> str:
    """Without a margin of at most `width`, as far as all lines have it."""
    lines = block.split("\n")
    margins = [len(line) - len(line.lstrip(" \t>")) for line in lines if line.strip(" \t>")]
    width = min([width, *margins])
    return "\n".join(line[width:] for line in lines)
