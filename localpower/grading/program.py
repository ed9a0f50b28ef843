"""From a completion to the program that is to be tested: which part of it is code, and where it ends."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from localpower.grading.fences import fenced
from localpower.grading.indentation import moved_in, moved_out
from localpower.grading.syntax import binds, fault, longest

REPAIRED = "# localpower: the indentation was repaired\n"
LIGHTER = "# localpower: statements at the margin that define nothing were left out\n"
_FUTURE = re.compile(r"^from __future__ import (?:\([^)]*\)|.*)\n", re.MULTILINE)
_CODE = re.compile(
    r"^(?:(?:import|from|def|async|class|if|try|with|for|while)\b|@|[A-Za-z_]\w* *[:=])", re.MULTILINE
)
_INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_LOOSE = (ast.Expr, ast.Assert, ast.For, ast.While, ast.Raise)
_LOOSE_IF_EMPTY = (ast.If, ast.Try, ast.With)  # of what defines something
_BINDING = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign)
_BLANKS = re.compile(r"^[ \t\u00a0]*\u00a0[ \t\u00a0]*", re.MULTILINE)  # of an indentation
_LONGEST, _STARTS = 100_000, 30


def program(prompt: str, completion: str, entry_point: str) -> str | None:
    """The program that defines `entry_point`; None where no reading of the completion does.

    In this order: the last fenced block that defines it, the completion as what follows the prompt, the part of the
    completion that defines it, what follows the prompt with its indentation repaired. Each is cut where it stops being
    a program.
    """
    text = re.sub(r"\r\n?", "\n", completion[:_LONGEST].lstrip("\ufeff")).partition("\0")[0]
    text = _BLANKS.sub(lambda match: match.group().replace("\u00a0", " "), text)
    return next(filter(None, _readings(prompt, text, entry_point)), None)


def lighter(source: str) -> str:
    """A program without what may keep it from its end: prints, tests, loops at the margin; nothing if it has none."""
    tree = ast.parse(source)
    kept = [node for node in tree.body if not _is_loose(node)]
    if len(kept) == len(tree.body):
        return ""
    tree.body = kept
    try:
        return LIGHTER + REPAIRED * (REPAIRED in source) + ast.unparse(tree) + "\n"
    except RecursionError:  # of an expression nested too deeply for ast, though not for Python
        return ""


def _readings(prompt: str, text: str, name: str) -> Iterator[str]:
    blocks = fenced(text)
    own = re.compile(rf"^(?:async +)?def +{re.escape(name)}\b", re.MULTILINE)
    head = longest(own.split(prompt)[0])  # imports, and functions that the tests or the answer call
    latest = reversed(range(len(blocks)))
    for i in sorted(latest, key=lambda i: own.search(blocks[i]) is None):  # not `f = f(1)`
        if found := _defining(blocks[i], name, own):
            before = (each for each in blocks[:i] if fault(each) is None)
            after = (each for each in blocks[i + 1 :] if _only_defines(each) and not binds(each, name))
            yield _joined(head, *after, *before, found)
    asked = own.search(prompt) is not None
    if asked:
        yield _continued(prompt, own.split(text)[0], name)  # running on, models write the function again
    if found := _defining(text, name, own):
        yield _joined(head, found)
    if asked:
        for each in (*reversed(blocks), text):
            yield _continued(prompt, each, name)
            repaired = [_continued(prompt, moved, name) for moved in moved_in(prompt, each)]
            yield _noted(max(repaired, key=lambda source: source.count("\n")))
        if text.strip():
            yield longest(prompt + text, prompt.count("\n"))  # returns nothing: an answer, and no right one


def _only_defines(block: str) -> bool:
    """Whether a block holds functions, classes and imports alone, such as a helper that is told afterwards."""
    return fault(block) is None and all(isinstance(node, _BINDING[:-1]) for node in ast.parse(block).body)


def _defining(text: str, name: str, own: re.Pattern[str]) -> str:
    """The first part of a text that is a program and binds the name."""
    for whole, note in ((text, str), (moved_out(text, name), _noted)):
        seen = 0  # a definition inside of a program that does not bind it is inside of a string, say
        begins = [[match.start() for match in each.finditer(whole)][:_STARTS] for each in (_CODE, own)]
        for start in (0, *begins[0], *begins[1]):
            if start >= seen and (found := longest(whole[start:])):
                if binds(found, name):
                    return note(found)
                seen = start + len(found)
    return ""


def _continued(prompt: str, text: str, name: str) -> str:
    """The prompt with the text, if that makes the function longer and lets it return something."""
    end = prompt.count("\n")
    source = longest(prompt + text, end)
    defined = (
        node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    functions = [node for node in defined if node.name == name]
    return source if functions and (functions[0].end_lineno or 0) > end and _returns(functions[0]) else ""


def _returns(node: ast.AST) -> bool:
    """Whether a function returns or yields something by itself, not by a function inside of it."""
    waiting = [*ast.iter_child_nodes(node)]
    while waiting:
        each = waiting.pop()
        if isinstance(each, ast.Return | ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(each, _INNER):
            waiting += ast.iter_child_nodes(each)
    return False


def _joined(*parts: str) -> str:
    """Parts of a program as one; what Python wants to see first comes first."""
    whole = "".join(f"{part}\n" for part in parts if part)
    return "".join(_FUTURE.findall(whole)) + _FUTURE.sub("\n", whole)


def _is_loose(node: ast.stmt) -> bool:
    if isinstance(node, _LOOSE_IF_EMPTY):
        return not any(isinstance(each, _BINDING) for each in ast.walk(node))
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return isinstance(node, _LOOSE) and not is_text


def _noted(source: str) -> str:
    return f"{REPAIRED}{source}" if source else ""
