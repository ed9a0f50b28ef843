"""What Python says of a text without running it: where it stops being a program, and which names it binds."""

from __future__ import annotations

import symtable
import warnings

_TRIES = 200


def fault(source: str) -> int | None:
    """The line at which a text is no program; None: it is one all through."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the answer's style, not of ours
        try:
            compile(source, "<answer>", "exec", dont_inherit=True)  # ast.parse lets `return` stand outside
        except SyntaxError as error:
            return error.lineno or 1
        except (ValueError, RecursionError, MemoryError, OverflowError):
            return source.count("\n") + 1
    return None


def longest(text: str, after: int = 0) -> str:
    """The longest beginning, by lines, that is a program; nothing unless it goes beyond line `after`."""
    lines = text.split("\n")  # as Python counts them: a form feed ends no line
    n = len(lines)
    for _ in range(_TRIES):
        if n <= after:
            break
        source = "\n".join(lines[:n]) + "\n"
        wrong = fault(source)
        if wrong is None:
            return source
        n = min(n - 1, wrong - 1)
    return ""


def binds(source: str, name: str) -> bool:
    """Whether a program gives a value to a name outside of its functions and classes: by def, import, for or else."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            symbol = symtable.symtable(source, "<answer>", "exec").lookup(name)
        except KeyError:
            return False
    return symbol.is_assigned() or symbol.is_imported()
