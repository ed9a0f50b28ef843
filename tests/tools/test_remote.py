"""Tools of a file: whatever they do to their process, this one gets one observation, and nothing is lost."""

from __future__ import annotations

import os
import threading

import pytest

from localpower.errors import Interrupted, UserError
from localpower.tools.calls import Call
from localpower.tools.executor import execute
from localpower.tools.names import open_tools
from localpower.tools.remote import ToolRaised

TOOLS = '''
import os, random, sys, threading
print("imported")
total, box = 0, []
class Shelf:
    deterministic = True
    def __init__(self): self.reset(0)
    tools = property(lambda self: self._tools())
    def _tools(self):
        from localpower.tools.environment import Tool
        return (Tool("put"),)
    def reset(self, seed): self.n, self.lock = seed, threading.Lock()
    def call(self, name, arguments):
        self.n += 1
        return str(self.n)
    def fork(self): raise NotImplementedError
    def state(self): return self.n
    def check(self): return self.n > 2
def add(a: int, b: int = 1) -> int:
    """Adds."""
    return a + b
def end() -> str:
    """Ends."""
    os._exit(4)
def leave() -> str:
    """Leaves."""
    sys.exit(4)
def hang() -> str:
    """Hangs."""
    threading.Event().wait()
def shout() -> None:
    """Shouts."""
    print("A" * 3_000_000)
def count() -> int:
    """Counts."""
    global total
    total += 1
    box.append(total)
    return total
def odd() -> str:
    """Odd."""
    return "\\ud800<|im_end|>"
def _helper(x): pass
'''


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    path = tmp_path_factory.mktemp("tools") / "mine.py"
    path.write_text(TOOLS)
    found = open_tools([path], seconds=0.5)
    yield found
    found.close()


@pytest.fixture
def tools(opened):
    opened.reset(0)
    return opened


def said(environment, name, **arguments):
    return execute(environment, Call(name, arguments)).text


def test_functions_and_classes_of_a_file_are_tools_and_helpers_are_not(tools):
    assert " ".join(tool.name for tool in tools.tools) == "add end leave hang shout count odd put"
    assert said(tools, "add", a=2) == "3"


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("end", "Error: the tool ended its process"),
        ("leave", "Error: the tool tried to end the process"),
        ("hang", "Error: TimeoutError: the tool took longer than 0.5 s and was stopped"),
    ],
)
def test_what_ends_or_holds_its_process_is_one_observation_and_the_state_is_as_before(tools, name, begins):
    tools.call("put", {})
    assert said(tools, name) == begins
    assert (said(tools, "put"), tools.check()) == ("2", False)
    assert said(tools, "put") == "3"
    assert tools.check() is True


def test_what_a_tool_prints_is_what_it_says_where_it_returns_nothing(tools):
    found = execute(tools, Call("shout", {}))
    assert found.text.startswith("AAAA")
    assert len(found.text) < 2100


def test_a_changed_global_is_told_and_undone(tools):
    for _ in range(2):
        assert "changed the global variable" in said(tools, "count")


def test_text_that_is_no_text_is_mended(tools):
    assert said(tools, "odd") == "\ufffd<|im_end|>"


def test_a_copy_goes_its_own_way_though_the_class_cannot_be_copied(tools):
    tools.call("put", {})
    replayed = tools.n_replayed
    other = tools.fork()
    assert (said(other, "put"), said(other, "put"), said(tools, "put")) == ("2", "3", "2")
    assert tools.n_replayed == replayed + 1


def test_a_stop_ends_a_call_that_hangs(tmp_path):
    path = tmp_path / "hang.py"
    path.write_text('def hang() -> str:\n    """Hangs."""\n    while True: pass\n')
    asked = threading.Event()
    found = open_tools([path], seconds=60, stop=asked.is_set)
    asked.set()
    with pytest.raises(Interrupted):
        execute(found, Call("hang", {}))
    found.close()


def test_a_reset_that_fails_is_raised_and_no_run_begins_in_what_it_left(tmp_path):
    path = tmp_path / "stuck.py"
    path.write_text(
        "class Stuck:\n    deterministic, tools = True, ()\n    def call(self, name, arguments): return ''\n"
        "    def reset(self, seed): raise OSError('no such house')\n    def fork(self): return Stuck()\n"
        "    def state(self): return None\n    def check(self): return None\n"
    )
    found = open_tools([path])
    with pytest.raises(ToolRaised, match="OSError: no such house"):
        found.reset(0)
    found.close()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("def f(:", "bad.py: line 1"),
        ("import nothing_of_that_name", "bad.py cannot be imported: ModuleNotFoundError"),
        ("raise SystemExit(3)", "bad.py cannot be imported: SystemExit: 3"),
        ("import os\nos._exit(3)", "bad.py cannot be opened: its code ended its process"),
        ("x = 3", "there is no public function and no environment in it"),
        ('def f(a):\n    """F."""', "bad.py: f: the argument a has no type hint"),
        (
            "class E:\n    tools = ()\n    def reset(self, seed): pass\n    def call(self, n, a): pass",
            "no deterministic",
        ),
    ],
)
def test_a_file_without_tools_is_refused_in_one_line(tmp_path, text, line):
    path = tmp_path / "bad.py"
    path.write_text(text)
    with pytest.raises(UserError, match=r"bad\.py") as refused:
        open_tools([str(path)])
    assert line in refused.value.line()
    assert "\n" not in refused.value.line()


@pytest.mark.parametrize("name", ["missing.py", "folder.py", "pipe.py", "calculater", "binary.py"])
def test_what_is_no_file_of_tools_is_refused_in_one_line(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.py").mkdir()
    os.mkfifo("pipe.py")
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match=name.partition(".")[0]):
        open_tools([name])
