"""Environments of files and packages, in a process of their own; remote.py is the other side.

A tool that hangs, floods, changes what is global or ends its process does so here. What it prints is kept apart, and is
what it says where it returns None.
"""

from __future__ import annotations

import contextlib
import copy
import importlib.util
import io
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from localpower.errors import UserError
from localpower.tools.combined import combined
from localpower.tools.environment import Environment
from localpower.tools.functions import environments_in

_LONGEST = 1_000_000  # characters of a text that is sent
_live: dict[int, Environment] = {}


def answer(request: dict[str, Any]) -> Any:
    """One step: `new`, `reset`, `reseed`, `call`, `fork`, `state` or `check`.

    `drop` of a request lists copies that nobody has any more. Raises UserError for a source that offers no environment.
    """
    for gone in request.get("drop", ()):
        _live.pop(gone, None)
    step = request["step"]
    if step == "new":
        made = open_source(request["source"])
        _live[request["id"]] = made
        return {
            "tools": [[tool.name, tool.description, dict(tool.parameters)] for tool in made.tools],
            "deterministic": made.deterministic is True,
            "reseed": callable(getattr(made, "reseed", None)),
        }
    environment = _live[request["id"]]
    if step == "fork":
        return _forked(environment, request["copy"])
    printed = _Printed()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(_Printed()):
        try:
            return {"gave": _done(environment, step, request), "printed": printed.getvalue()}
        except BaseException as error:  # SystemExit too: it ends a call, not this process
            return {
                "raised": type(error).__name__,
                "said": _said(error),
                "exit": isinstance(error, SystemExit),
            }


class _Printed(io.StringIO):
    """The first part of what is printed."""

    def write(self, text: str) -> int:
        """All of it is taken, not all is kept."""
        if self.tell() < _LONGEST:
            super().write(text[:_LONGEST])
        return len(text)


def _done(environment: Environment, step: str, request: dict[str, Any]) -> Any:
    if step in ("reset", "reseed"):
        return getattr(environment, step)(request["seed"])
    if step == "call":
        from localpower.tools.executor import text_of

        gave = environment.call(request["name"], request["arguments"])
        return None if gave is None else text_of(gave)[:_LONGEST]
    return environment.state() if step == "state" else environment.check()


def _said(error: BaseException) -> str:
    try:
        return str(error)[:_LONGEST]
    except Exception:
        return ""


def _forked(environment: Environment, number: int) -> bool:
    """Whether a copy could be made. Else the other side resets a new one and repeats the calls."""
    try:
        made = environment.fork()
    except Exception:
        try:
            made = copy.deepcopy(environment)
        except Exception:
            return False
    if made is None:
        return False
    _live[number] = made
    return True


def open_source(source: dict[str, str]) -> Environment:
    """The environment of a file, of an entry point, or of a task of bfcl-eval. Raises UserError."""
    if "file" in source:
        return of_file(Path(source["file"]))
    if "bfcl" in source:
        from localpower.tools.bfcl import Bfcl, entry_of

        return Bfcl(entry_of(source["bfcl"]))
    return of_entry(source["entry"])


def of_file(path: Path) -> Environment:
    """What a Python file offers. Raises UserError that begins with the file's name."""
    where = f"{path.name}: "
    module = _module(path)
    found: Sequence[Environment] = environments_in(module, where)
    return combined({f"{path.stem}-{i}": each for i, each in enumerate(found)}, where)


def _module(path: Path) -> ModuleType:
    name = f"localpower_tools_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UserError(f"cannot read {path}: it is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(path.parent))
    try:
        with contextlib.redirect_stdout(_Printed()):
            spec.loader.exec_module(module)
    except SyntaxError as error:
        raise UserError(f"{path.name}: line {error.lineno}: {error.msg}") from None
    except BaseException as error:
        raise UserError(f"{path.name} cannot be imported: {type(error).__name__}: {_said(error)}") from None
    return module


def of_entry(name: str) -> Environment:
    """What a package offers under the entry point's name. Raises UserError."""
    from localpower.tools.names import GROUP

    entries = [entry for entry in metadata.entry_points(group=GROUP) if entry.name == name]
    try:
        made = entries[0].load()
        made = made() if callable(made) else made
    except BaseException as error:
        raise UserError(f"the package of environment {name} cannot be loaded: {_said(error)}") from None
    if not isinstance(made, Environment):
        raise UserError(f"the package of environment {name} gives {made!r}, no localpower environment")
    return made
