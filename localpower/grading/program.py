"""From a completion to the program that is to be tested: which part of it is code, and where it ends."""

from __future__ import annotations

import ast
import re

_FENCE = re.compile(r"```[ \t]*(?:py|python|Python|python3)?[ \t]*\r?\n(.*?)(?:```|\Z)", re.DOTALL)
_KEPT = (
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Assign,
    ast.AnnAssign,
)
_LONGEST = 100_000


def program(prompt: str, completion: str, entry_point: str) -> str | None:
    """The program that defines `entry_point`; None where no reading of the completion does.

    In this order: the last fenced block that defines it, the completion itself where it does, else the completion as
    what follows the prompt, cut where it stops being part of a program.
    """
    completion = completion[:_LONGEST].replace("\r\n", "\n")
    head = imports(prompt)
    for block in reversed([match.group(1) for match in _FENCE.finditer(completion)]):
        if found := _defining(head + block, entry_point):
            return found
    defines = re.search(rf"^(?:async )?def {re.escape(entry_point)}\b", completion, re.MULTILINE)
    if defines and (found := _longest(head, completion, entry_point)):
        return found
    body = _FENCE.search(completion)
    return _longest(prompt, body.group(1) if body else completion, entry_point)


def imports(prompt: str) -> str:
    """The import lines of a prompt."""
    lines = [line for line in prompt.splitlines() if re.match(r"(?:import|from)\s", line)]
    return "".join(line + "\n" for line in lines)


def _longest(head: str, text: str, entry_point: str) -> str | None:
    """The longest prefix, by lines, that parses and defines the entry point."""
    lines = text.splitlines(keepends=True)
    for n in range(len(lines), 0, -1):
        if lines[n - 1].strip() and (found := _defining(head + "".join(lines[:n]), entry_point)):
            return found
    return None


def _defining(source: str, entry_point: str) -> str | None:
    """The source without top-level statements that are no definitions; None unless it defines the entry point."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    if not any(node.name == entry_point for node in functions):
        assigned = [
            n.id
            for node in tree.body
            if isinstance(node, ast.Assign)
            for n in node.targets
            if isinstance(n, ast.Name)
        ]
        if entry_point not in assigned:
            return None
    tree.body = [node for node in tree.body if isinstance(node, _KEPT)]
    return ast.unparse(tree)
