"""Code whose indentation was lost or gained on the way, put where Python wants it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from localpower.grading.syntax import fault


def moved_out(text: str, name: str) -> str:
    """A definition that is indented, as code in Markdown may be, at the margin; nothing for one inside of others."""
    own = re.search(rf"^([ \t]+)(?:async +)?def +{re.escape(name)}\b", text, re.MULTILINE)
    if own is None:
        return ""
    lines, at = text.split("\n"), text.count("\n", 0, own.start())
    outer = next((i for i in reversed(range(at)) if lines[i] and not lines[i][0].isspace()), -1)
    if outer >= 0 and fault("\n".join([*lines[outer:at], own[1] + "def f(): pass\n"])) is None:
        return ""  # what leads to it is code: it is inside of that
    inner = lines[outer + 1 :]
    margin = _margin(next(line for line in inner if line.strip()))
    return "\n".join(_moved(line, -margin) for line in inner)


def moved_in(prompt: str, text: str) -> Iterator[str]:
    """A body that may have lost its indentation, as it may have been meant to follow the prompt."""
    lines = text.expandtabs(4).strip("\n").split("\n")
    last = prompt.rstrip().rpartition("\n")[2]
    wanted = _margin(last) or 4
    lost = wanted - _margin(lines[0])
    for first, rest in ((0, 0), (lost, 0), (lost, lost), (0, wanted)):
        moved = [_moved(lines[0], first), *(_moved(line, rest) for line in lines[1:])]
        yield "\n" * (not prompt.endswith("\n")) + "\n".join(moved) + "\n"


def _margin(line: str) -> int:
    return len(line) - len(line.lstrip())


def _moved(line: str, by: int) -> str:
    return " " * by + line if by > 0 else line[min(-by, _margin(line)) :]
