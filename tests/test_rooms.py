"""Which way imports may point. An arrow that is not drawn here fails."""

from __future__ import annotations

import ast
import re
import sys
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "localpower"
PURE = "chance completion drafts errors events methods model numerics"
MAY_IMPORT = {
    "errors": "",
    "inputs": "errors",
    "jsonl": "errors localpower",
    "subprocesses": "errors localpower",
    "doing": "",
    "chance": "numerics",
    "statistics": "",
    "numerics": "errors",
    "model": "numerics",
    "written": "model",
    "completion": "chance drafts model numerics rules written",
    "rules": "completion model",  # completion for types
    "events": "completion",
    "toy": "completion model numerics",
    "width": "",
    "prices": "width",
    "drafts": "model numerics width",
    "samplers": f"{PURE} readers samplers width written",
    "folders": "",
    "engine": "doing engine errors folders inputs model numerics prices subprocesses",
    "text": "errors model subprocesses text",
    "runs": f"{PURE} jsonl localpower runs samplers statistics tools",
    "ui": "errors evals events folders model runs statistics text tools ui",
    "userfile": "errors folders inputs localpower",
    "catalogue": "catalogue elsewhere errors inputs localpower",
    "elsewhere": "errors localpower",
    "hub": "elsewhere engine errors hub localpower",
    "example": "",
    "lab": "grading lab",
    "evals": (
        "chance completion errors evals events folders grading inputs jsonl lab loaded localpower methods "
        "model numerics readers runs samplers statistics text tools"
    ),
    "data": "data errors evals grading jsonl localpower model runs text tools",
    "names": "",
    "readers": "",
    "methods": (  # chance, completion, events and model for types
        "chance completion errors events model readers samplers"
    ),
    "registry": "errors methods",
    "testing": "chance completion model toy",
    "api": (  # of the engine what is kept in the cache folder
        "api catalogue chance completion data elsewhere engine errors evals events folders grading hub "
        "inputs loaded loading localpower methods model names readers registry runs samplers subprocesses "
        "text tools ui userfile"
    ),
    "adapters": (
        "adapters api errors evals loaded loading localpower methods model readers registry runs text"
    ),
    "cli": (
        "adapters api cli ui errors localpower methods names readers registry "
        "bench selftest example server "  # what one command alone is about
        "catalogue doing elsewhere "  # names, and what a crash is told of
        "loaded loading runs text tools"  # a model that is open, and who hears of a run or stops it
    ),
    "grading": "errors grading subprocesses",
    "tools": "completion errors grading inputs jsonl localpower model rules subprocesses tools",
    "loaded": "completion doing engine errors loaded model prices runs text tools toy width",
    "loading": "catalogue engine errors folders loaded numerics readers text",
    "bench": f"{PURE} bench engine loaded localpower runs samplers subprocesses text",
    "server": f"{PURE} api inputs jsonl loaded localpower registry runs samplers server text tools",
    "selftest": f"{PURE} loaded runs samplers selftest statistics text toy width",
}
FILES = sorted(p for p in PACKAGE.rglob("*.py") if p.parent != PACKAGE or not p.name.startswith("__"))


def room(path):
    parts = path.relative_to(PACKAGE).parts
    return parts[0].removesuffix(".py")


@cache
def imported(path):
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
        if isinstance(node, ast.Import):
            found.extend(alias.name for alias in node.names)
    return found


def test_every_room_is_in_the_table_and_the_table_names_no_other():
    assert {room(path) for path in FILES} == set(MAY_IMPORT)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_every_import_is_an_arrow_that_was_drawn(path):
    allowed = MAY_IMPORT[room(path)].split()
    for name in imported(path):
        if name.split(".")[0] != "localpower":
            continue
        target = [*name.split("."), "localpower"][1]
        assert target in allowed, f"{room(path)} must not import {name}"


def test_one_file_alone_imports_llama_cpp_and_four_call_it():
    users = [p.name for p in FILES if any(n.split(".")[0] == "llama_cpp" for n in imported(p))]
    assert users == ["plain.py", "library.py"], (
        "the bench holds itself against the other one's own completion"
    )
    uses = re.compile(r"from localpower.engine.library import .*\bL\b")
    callers = [p.name for p in FILES if uses.search(p.read_text("utf-8"))]
    assert callers == ["batch.py", "context.py", "memory.py", "weights.py"]


def test_the_driver_of_a_models_programs_imports_nothing_of_the_package():
    names = set(imported(PACKAGE / "grading" / "driver.py"))
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


def test_samplers_know_no_clock_file_or_screen():
    banned = {"time", "os", "pathlib", "click", "rich", "json"}
    for path in (PACKAGE / "samplers").glob("*.py"):
        assert not banned & {name.split(".")[0] for name in imported(path)}
