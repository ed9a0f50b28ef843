"""The leaderboard's classes, from a made-up package of the same shape: nothing of the model's text is evaluated."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest

from localpower.errors import UserError
from localpower.tools.bfcl import Bfcl, entries, entry_of
from localpower.tools.calls import Call
from localpower.tools.executor import execute

CLASS = """
class Folder:
    def __init__(self, parent=None): self.files, self.parent = {}, parent
class GorillaFileSystem:
    def __init__(self): self.root, self._secret = Folder(), 0
    def _load_scenario(self, scenario, long_context=False):
        self.root = Folder()
        self.root.parent = self.root
        self.root.files = dict(scenario["files"])
    def touch(self, name, size=0.0):
        self._secret += 1
        self.root.files[name] = size
        return {"made": name}
    def rm(self, name):
        del self.root.files[name]
"""
DOC = {
    "name": "touch", "description": "Makes a file.",
    "parameters": {"type": "dict", "properties": {"name": {"type": "string"}, "size": {"type": "float"}}, "required": ["name"]},
}  # fmt: skip
TASK = {
    "id": "multi_turn_base_0",
    "question": [[{"role": "user", "content": "Make b."}], [{"role": "user", "content": "And c."}]],
    "initial_config": {"GorillaFileSystem": {"files": {"a": 1}}},
    "involved_classes": ["GorillaFileSystem"],
    "excluded_function": ["rm"],
}
TRUTH = {"id": "multi_turn_base_0", "ground_truth": [["touch('b')"], ["touch(name='c', size=2.0)"]]}


@pytest.fixture
def package(tmp_path, monkeypatch):
    root = tmp_path / "bfcl_eval"
    code = root / "eval_checker" / "multi_turn_eval" / "func_source_code"
    code.mkdir(parents=True)
    for folder in (root, root / "eval_checker", code.parent, code):
        (folder / "__init__.py").touch()
    (code / "gorilla_file_system.py").write_text(CLASS)
    for path, rows in (
        ("BFCL_v4_multi_turn_base.json", [TASK]),
        ("possible_answer/BFCL_v4_multi_turn_base.json", [TRUTH]),
        ("multi_turn_func_doc/gorilla_file_system.json", [DOC, DOC | {"name": "rm"}]),
    ):
        file = root / "data" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.syspath_prepend(str(tmp_path))
    entries.cache_clear()
    yield root
    entries.cache_clear()
    for name in [name for name in sys.modules if name.split(".")[0] == "bfcl_eval"]:
        del sys.modules[name]


def test_the_right_calls_lead_to_the_right_state_and_a_copy_goes_its_own_way(package):
    one = Bfcl(entry_of("multi_turn_base_0"))
    assert [tool.name for tool in one.tools] == ["touch"]
    assert one.tools[0].parameters["properties"]["size"] == {"type": "number"}
    assert one.check() is False
    assert execute(one, Call("touch", {"name": "b"})).text == '{"made": "b"}'
    other = one.fork()
    execute(one, Call("touch", {"name": "c", "size": 2.0}))
    execute(one, Call("touch", {"name": "c", "size": 2.0}))  # once more changes nothing that can be seen
    assert (one.check(), other.check()) == (True, False)
    assert one.state()["GorillaFileSystem"]["root"]["parent"] == "..."
    one.reset(0)
    assert one.check() is False


@pytest.mark.parametrize("call", ["touch(", "touch(name=open)", "nowhere()"])
def test_right_calls_that_cannot_be_made_give_no_verdict(package, call):
    entry = entry_of("multi_turn_base_0")
    assert Bfcl(replace(entry, truth=(*entry.truth, call))).check() is None


def test_what_the_task_takes_away_and_what_is_private_cannot_be_called(package):
    one = Bfcl(entry_of("multi_turn_base_0"))
    for name in ("rm", "_load_scenario", "__init__", "touch('x') or __import__('os')"):
        assert not execute(one, Call(name, {"name": "a"})).executed


def test_what_is_not_there_is_refused_in_one_line(package):
    with pytest.raises(UserError, match="no multi-turn task 'multi_turn_base_9'"):
        entry_of("multi_turn_base_9")
    with pytest.raises(UserError, match="no multi-turn task 'x'"):
        entry_of("x")
    (package / "data" / "BFCL_v4_multi_turn_base.json").write_text('{"id": "multi_turn_base_0"}\n')
    entries.cache_clear()
    with pytest.raises(UserError, match="another shape"):
        entry_of("multi_turn_base_0")


def test_without_the_package_its_command_is_told(monkeypatch):
    entries.cache_clear()
    monkeypatch.setattr("localpower.tools.bfcl.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match="bfcl-eval is not installed"):
        entry_of("multi_turn_base_0")
