"""What a terminal and a pipe are shown of thoughts, while they are drawn and at the end, in run, chat and replay."""

from __future__ import annotations

import json
import re

import pytest

from localpower.cli.main import main
from tests.cli.terminal import Terminal, command
from tests.gguf_files import write_llama
from tests.text.test_thinking import MARKS, TEMPLATE


@pytest.fixture(scope="module")
def thinker(tmp_path_factory):
    """A model whose template opens a thought, which the budget closes."""
    path = tmp_path_factory.mktemp("thinker") / "thinker.gguf"
    return write_llama(path, "abc[]:", template=TEMPLATE, marks=MARKS, scale=0.05)


BUDGETED = ("--seed", "5", "--max-tokens", "30", "--thinking-budget", "6", "--steps", "2")


def run(path, *options, name="run"):
    return [name, "-m", str(path), *BUDGETED, *options]


@pytest.fixture(scope="module")
def text(thinker):
    """The whole text of the answer."""
    found = json.loads(command(*run(thinker, "--json", "abc"), check=True).stdout)
    assert 0 < found["thinking_tokens"] < found["n_tokens"]
    return found["text"]


@pytest.fixture
def seen(tmp_path):
    """Runs a command to its end in a terminal; without views when plain."""

    def screen(*arguments, plain=False, columns=80):
        settings = {"LOCALPOWER_STATE": str(tmp_path)} | ({"NO_COLOR": "1"} if plain else {})
        terminal = Terminal(*arguments, environment=settings, columns=columns)
        assert terminal.finish() == 0
        return terminal

    return screen


def test_a_terminal_is_told_of_a_thought_and_shown_the_answer(thinker, text, seen):
    thought, _, said = text.partition("</think>")
    terminal = seen(*run(thinker, "abc"))
    assert said.strip() in terminal.lines()
    assert thought.strip() not in terminal.text
    assert re.search(r"\(a thought of \d+ tokens: --show-thoughts prints it\)", terminal.text)


@pytest.mark.parametrize("options", [(), ("--show-thoughts",)])
def test_a_pipe_gets_the_whole_text_byte_for_byte(thinker, text, options, capfdbinary):
    assert main(run(thinker, *options, "abc")) == 0
    assert capfdbinary.readouterr().out == text.encode() + b"\n" * (not text.endswith("\n"))


def test_a_thought_that_is_asked_for_is_dim_before_the_answer(thinker, text, seen):
    thought, _, said = text.partition("</think>")
    terminal = seen(*run(thinker, "--show-thoughts", "abc"))
    lines = terminal.lines()
    assert lines.index(thought.strip()) < lines.index(said.strip())
    assert b"\x1b[2m" + thought.strip().encode() + b"\x1b[22m" in terminal.raw


def test_without_colours_the_marks_tell_thought_and_answer_apart(thinker, text, seen):
    terminal = seen(*run(thinker, "--show-thoughts", "abc"), plain=True)
    assert b"\x1b" not in terminal.raw
    assert "</think>" in terminal.text
    assert "</think>" not in seen(*run(thinker, "abc"), plain=True).text


def test_every_chain_is_printed_without_its_thought(thinker, seen):
    shown = seen(*run(thinker, "--chains", "2", "--pick", "all", "abc")).text
    assert shown.count("--- chain") == 2
    assert "a thought of" in shown
    assert "</think>" not in shown


def test_replay_shows_what_the_run_showed(thinker, text, seen, tmp_path, capsys):
    trace = tmp_path / "run.jsonl"
    assert main(run(thinker, "--events", str(trace), "abc")) == 0
    capsys.readouterr()
    assert main(["replay", str(trace), "--speed", "0"]) == 0
    assert capsys.readouterr().out.rstrip("\n") == text.rstrip("\n")
    told = seen("replay", str(trace), "--speed", "0")
    assert "a thought of" in told.text
    assert "</think>" not in told.text
    whole = seen("replay", str(trace), "--speed", "0", "--show-thoughts")
    assert text.partition("</think>")[0].strip() in whole.text


def test_the_live_view_counts_the_thought_while_it_is_drawn(thinker, seen, tmp_path):
    trace = tmp_path / "run.jsonl"
    assert main(run(thinker, "--events", str(trace), "abc")) == 0
    terminal = seen("replay", str(trace), "--speed", ".5", columns=20)
    assert re.search(rb"thought: \d of 6", terminal.raw)


def test_recordings_of_before_are_replayed_and_damaged_marks_refused(thinker, tmp_path, capsys):
    trace = tmp_path / "run.jsonl"
    assert main(run(thinker, "--events", str(trace), "abc")) == 0
    lines = trace.read_text().split("\n")
    for marks, code in ((None, 0), (["<think>"], 1), ([1, 2], 1), ("ab", 1)):
        first = json.loads(lines[0])
        first["settings"]["thought_marks"] = marks
        if marks is None:
            del first["settings"]["thought_marks"]
        trace.write_text("\n".join([json.dumps(first), *lines[1:]]))
        assert main(["replay", str(trace), "--speed", "0"]) == code
        assert ("no usable thought_marks" in capsys.readouterr().err) == bool(code)


def test_a_chat_folds_thoughts_also_when_it_is_gone_on_with(thinker, tmp_path):
    def chat(*options):
        state = {"LOCALPOWER_STATE": str(tmp_path)}
        return Terminal(*run(thinker, *options, name="chat"), environment=state, rows=40)

    terminal = chat()
    terminal.wait_for(">>>")
    terminal.enter("abc", "/thought shows it", "kept")
    assert "</think>" not in terminal.text
    terminal.send("/set show-thoughts on\r")
    terminal.wait_until(lambda t: re.search(r"show-thoughts +on +set here", t.text))
    terminal.leave()
    for options, shown in (((), False), (("--show-thoughts",), True)):
        again = chat("--continue", *options)
        again.wait_for("1 turn so far")
        again.leave()
        assert ("</think>" in again.text) == shown


def test_an_answer_that_is_a_thought_alone_is_told(thinker, capsys):
    assert main(["run", "-m", str(thinker), "--seed", "5", "--max-tokens", "2", "abc"]) == 0
    assert "note: the model has thought and not answered" in capsys.readouterr().err
