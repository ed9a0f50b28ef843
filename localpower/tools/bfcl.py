"""The stateful classes of the Berkeley Function-Calling Leaderboard's multi-turn tasks, from the package bfcl-eval.

The user installs it (`pip install --no-deps bfcl-eval`); it is imported by name and nothing of it is copied. Calls go
to methods by their name: the package's own executor evaluates the model's text, this one never does. The classes that
need the network or an index are left out.
"""

from __future__ import annotations

import ast
import copy
import importlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import util
from pathlib import Path
from typing import Any

from localpower.errors import UserError
from localpower.tools.environment import Json, Tool

CATEGORIES = ("base", "miss_func", "miss_param", "long_context")
_CODE = "bfcl_eval.eval_checker.multi_turn_eval.func_source_code."
_MODULES = {  # class: module and file of its tools
    "GorillaFileSystem": "gorilla_file_system",
    "MathAPI": "math_api",
    "MessageAPI": "message_api",
    "TwitterAPI": "posting_api",
    "TicketAPI": "ticket_api",
    "TradingBot": "trading_bot",
    "TravelAPI": "travel_booking",
    "VehicleControlAPI": "vehicle_control",
}
_TYPES = {"dict": "object", "float": "number", "tuple": "array", "list": "array", "any": None}


@dataclass(frozen=True, slots=True)
class Entry:
    """A task as the package has it. turns: what the user says; truth: the calls that fulfil it, turn after turn."""

    id: str
    turns: tuple[str, ...]
    config: Mapping[str, Any]
    classes: tuple[str, ...]
    excluded: frozenset[str]
    truth: tuple[str, ...]


def _folder() -> Path:
    found = util.find_spec("bfcl_eval")
    if found is None or not found.submodule_search_locations:
        raise UserError("bfcl-eval is not installed", "pip install --no-deps bfcl-eval mpmath")
    return Path(next(iter(found.submodule_search_locations))) / "data"


def _lines(path: Path) -> list[Any]:
    try:
        return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path.name} of bfcl-eval: {error}") from None


@cache
def entries(category: str) -> dict[str, Entry]:
    """The tasks of a category by id. Raises UserError where the package is not there or has another shape."""
    folder = _folder()
    (path,) = sorted(folder.glob(f"BFCL_v*_multi_turn_{category}.json"))[-1:] or [Path(category)]
    truths = {row["id"]: row["ground_truth"] for row in _lines(folder / "possible_answer" / path.name)}
    found = {}
    try:
        for row in _lines(path):
            said = ["\n".join(part["content"] for part in turn) for turn in row["question"]]
            found[row["id"]] = Entry(
                row["id"],
                tuple(filter(None, said)),
                row["initial_config"],
                tuple(row["involved_classes"]),
                frozenset(row.get("excluded_function", ())),
                tuple(call for turn in truths[row["id"]] for call in turn),
            )
    except (KeyError, TypeError) as error:
        raise UserError(f"bfcl-eval has another shape than this version knows: {error}") from None
    return found


def entry_of(name: str) -> Entry:
    """The task called so, `multi_turn_base_7`. Raises UserError."""
    category = name.removeprefix("multi_turn_").rpartition("_")[0]
    found = entries(category).get(name) if category in CATEGORIES else None
    if found is None:
        raise UserError(f"bfcl-eval has no multi-turn task {name!r}", "such as multi_turn_base_0")
    return found


class Bfcl:
    """The classes of one task. `check`: whether the state is the one that the right calls lead to."""

    deterministic = True

    def __init__(self, entry: Entry) -> None:
        """Raises UserError for a class that is not known."""
        self._entry = entry
        if unknown := [name for name in entry.classes if name not in _MODULES]:
            raise UserError(f"the class {unknown[0]} of {entry.id} is not supported")
        self._tools, self._home = _tools_of(entry)
        self._live = self._made()

    @property
    def tools(self) -> Sequence[Tool]:
        """Methods that the package documents, less those that the task takes away."""
        return self._tools

    def reset(self, seed: int) -> None:
        """The task's own scenario, which has its seeds in it."""
        self._live = self._made()

    def call(self, name: str, arguments: Mapping[str, Json]) -> str:
        """JSON of what the method gives. It raises what the method raises."""
        gave = getattr(self._live[self._home[name]], name)(**arguments)
        return gave if isinstance(gave, str) else json.dumps(gave, ensure_ascii=False, default=str)

    def fork(self) -> Bfcl:
        """A deep copy of the instances."""
        other = copy.copy(self)
        other._live = copy.deepcopy(self._live)
        return other

    def state(self) -> Json:
        """Public attributes of every instance, as text where they are no JSON."""
        return _states(self._live)

    def check(self) -> bool | None:
        """Whether every public attribute is as after the right calls; None where these cannot be made."""
        other = self._made()
        for text in self._entry.truth:
            try:
                name, positional, named = _parsed(text)
                call = getattr(other[self._home.get(name) or _owner(other, name)], name)
            except (ValueError, SyntaxError, LookupError, StopIteration, AttributeError):
                return None
            with suppress(Exception):  # some right calls are meant to fail, and change nothing
                call(*positional, **named)
        return _states(self._live) == _states(other)

    def _made(self) -> dict[str, Any]:
        found = {}
        for name in self._entry.classes:
            one = getattr(importlib.import_module(_CODE + _MODULES[name]), name)()
            if hasattr(one, "_load_scenario"):
                scenario = copy.deepcopy(self._entry.config.get(name, {}))
                one._load_scenario(scenario, long_context="long_context" in self._entry.id)
            found[name] = one
        return found


def _owner(live: Mapping[str, Any], name: str) -> str:
    return next(key for key, one in live.items() if not name.startswith("_") and hasattr(one, name))


def _states(live: Mapping[str, Any]) -> Json:
    return {name: _told(one, ()) for name, one in live.items()}


def _told(value: Any, above: tuple[int, ...]) -> Json:
    """A value as JSON: of an object its public attributes; "..." for one that it lies in, such as a parent folder."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if id(value) in above:
        return "..."
    inside = (*above, id(value))
    if isinstance(value, Mapping):
        return {str(key): _told(each, inside) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_told(each, inside) for each in value]
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if hasattr(value, "__dict__") and not callable(value):
        return {n: _told(each, inside) for n, each in vars(value).items() if not n.startswith("_")}
    return str(value)


def _parsed(text: str) -> tuple[str, list[Any], dict[str, Any]]:
    """Name and arguments of a call of the package's own answers: literals alone. Raises ValueError."""
    node = ast.parse(text, mode="eval").body
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        raise ValueError(text)
    named = {word.arg: ast.literal_eval(word.value) for word in node.keywords if word.arg}
    return node.func.id, [ast.literal_eval(each) for each in node.args], named


def _tools_of(entry: Entry) -> tuple[tuple[Tool, ...], dict[str, str]]:
    """The tools of a task, and the class of each."""
    tools, home = [], {}
    for name in entry.classes:
        for row in _lines(_folder() / "multi_turn_func_doc" / f"{_MODULES[name]}.json"):
            if row["name"] not in entry.excluded and row["name"] not in home:
                home[row["name"]] = name
                tools.append(Tool(row["name"], row["description"], _schema(row["parameters"])))
    return tuple(tools), home


def _schema(said: Any) -> Any:
    """With the types of JSON schemas: the package writes dict and float."""
    if isinstance(said, list):
        return [_schema(each) for each in said]
    if not isinstance(said, dict):
        return said
    found = {key: _schema(value) for key, value in said.items()}
    if isinstance(kind := said.get("type"), str) and kind in _TYPES:
        found["type"] = _TYPES[kind]
        if found["type"] is None:
            del found["type"]
    return found
