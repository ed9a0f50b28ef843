"""Fenced blocks of a text: as Markdown has them, and as models write them."""

from __future__ import annotations

import re
from itertools import islice

from localpower.grading.syntax import fault

_OPENING = re.compile(r"^(?P<before>[^`~\n]*)(?P<fence>`{3,}|~{3,})(?P<tag>[^`\n]*)$", re.MULTILINE)
_MARGIN = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?")  # of a quotation, or of an item of a list
_TRIES, _MOST = 8, 100


def fenced(text: str) -> list[str]:
    """The blocks in order. One ends at the first closing fence that makes a program of it, else at the first of all.

    So a fence inside a docstring closes nothing, and a closing fence that was left over opens nothing.
    """
    found: list[str] = []
    position = 0
    for _ in range(_MOST):
        opening = _OPENING.search(text, position)
        if opening is None:
            break
        start = position = opening.end() + 1  # past the line break
        width = len(opening["before"]) if _MARGIN.fullmatch(opening["before"]) else 0
        ends = _ends(text, opening)
        whole = (span for span in ends if fault(_bare(text[start : span[0]], width)) is None)
        end, after = next(whole, ends[0])
        block = _bare(text[start:end], width)
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
    closing = [match for each in (alone, after_code) for match in islice(each.finditer(text, start), _TRIES)]
    return [*(match.span() for match in closing), (len(text), len(text))]


def _bare(block: str, width: int) -> str:
    """Without a margin of at most `width`, as far as all lines have it."""
    lines = block.split("\n")
    margins = [len(line) - len(line.lstrip(" \t>")) for line in lines if line.strip(" \t>")]
    width = min([width, *margins])
    return "\n".join(line[width:] for line in lines)
