"""Chats that are kept: written after every turn, gone on with token for token, one chat at a time."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess

import pytest

from localpower import jsonl
from localpower.api import sessions
from localpower.api.chat import Chat
from localpower.api.model import Model
from localpower.api.request import PromptOptions, SamplingOptions
from localpower.errors import UsageProblem, UserError
from localpower.samplers.ancestral import Base
from localpower.tools.use import ToolUse
from tests.cli.terminal import BASE, Terminal, command

TOY = ["chat", "-m", "toy", "--seed", "1", "--max-tokens", "16"]


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCALPOWER_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


def chat_with(loaded):
    return Chat(Model(loaded), SamplingOptions(Base(), 12), PromptOptions(), 5)


def test_a_session_goes_on_as_if_it_had_never_ended(tiny16):
    whole = chat_with(tiny16)
    for text in ("ab", "c", "ba"):
        whole.send(text)
    first = chat_with(tiny16)
    first.send("ab")
    first.send("c")
    with sessions.Session("x") as session:
        session.save(first, tiny16.info)
    again = chat_with(tiny16)
    with sessions.Session("x") as session:
        assert session.load(again, tiny16.info) == []
    again.send("ba")
    assert again.messages == whole.messages
    assert [turn.answer.tokens for turn in again.turns] == [turn.answer.tokens for turn in whole.turns]
    assert [a.tokens for a in again.answers] == [whole.answers[2].tokens]
    assert again.answers[0].prompt_tokens == whole.answers[2].prompt_tokens


def test_another_model_reads_the_texts(tiny16, tiny):
    chat = chat_with(tiny16)
    chat.send("ab")
    with sessions.Session("x") as session:
        session.save(chat, tiny16.info)
        other = chat_with(tiny)
        assert session.load(other, tiny.info) == [
            "the session was held with f16: its answers are read from their texts"
        ]
    assert other.turns[0].answer.tokens is None
    assert other.messages == chat.messages


def test_a_session_that_called_tools_says_that_they_are_missing(tiny16):
    chat = chat_with(tiny16)
    chat.send("ab")
    chat.turns[0].answer.facts["calls"] = [["read", {"name": "a"}], ["read", {"name": "b"}]]
    with sessions.Session("x") as session:
        session.save(chat, tiny16.info)
        assert session.load(chat_with(tiny16), tiny16.info) == [
            "the session called tools (read), which this chat does not have: --tools brings them"
        ]
        chat.prompting = PromptOptions(tools=ToolUse.of("notes"))
        assert session.load(chat, tiny16.info) == []


def test_a_named_chat_is_kept_turn_by_turn_and_continued():
    assert command(*TOY, "--session", "rivers", lines=["hello there"]).returncode == 0
    again = command(*TOY, "--continue", lines=["and you"])
    assert "1 turn so far" in again.stderr
    assert ">>> hello there" in again.stderr
    listed = command("sessions", "list").stdout
    assert "rivers" in listed
    assert "2 turns" in listed
    assert command("sessions", "show", "rivers").stdout.startswith(">>> hello there\n")
    values = json.loads(command("sessions", "show", "rivers", "--json").stdout)
    assert len(values["chat"]["turns"]) == 2
    assert command("sessions", "rm", "rivers").returncode == 0
    assert command("sessions", "list").stdout == "No chats are kept.\n"


def test_what_a_pipe_says_is_kept_only_under_a_name(state):
    command(*TOY, lines=["hello there"])
    assert not (state / "sessions").exists() or not list((state / "sessions").glob("*.json"))


def test_a_typed_chat_is_kept_unless_it_is_not_to_be(state):
    for arguments, n in ((["--no-session"], 0), ([], 1)):
        terminal = Terminal(*TOY, *arguments)
        terminal.wait_for(">>>")
        terminal.enter("hello there", "seed 1")
        terminal.leave()
        assert len(sessions.names()) == n


def test_a_turn_is_on_the_disk_before_its_answer_is_shown():
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    child = subprocess.Popen([*BASE, *TOY, "--session", "x"], **pipes)
    child.stdin.write(b"hello there\n")
    child.stdin.flush()
    child.stdout.readline()
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert sessions.read("x").n_turns == 1


def test_one_chat_at_a_time_has_a_session_open():
    with sessions.Session("x"):
        for arguments in ([*TOY, "--session", "x"], ["sessions", "rm", "x"]):
            done = command(*arguments, lines=["hello"])
            assert "another chat has the session x open" in done.stderr
            assert done.returncode == 1


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".x", "a b", "-x", "x" * 81])
def test_a_name_that_could_be_a_path_is_none(name):
    with pytest.raises(UsageProblem, match="the name of a session has letters"):
        sessions.Session(name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"format": 1, "updated": "x", "model": {"name": "toy"}, "chat": {"turns": [{}], "seed": 1, "started": "x"}}',
        '{"format": 9}',
    ],
)
def test_a_damaged_session_is_one_line_and_is_left_as_it_is(state, text):
    (state / "sessions").mkdir(parents=True)
    path = state / "sessions" / "x.json"
    path.write_text(text)
    done = command(*TOY, "--session", "x", lines=["hello"])
    assert done.returncode == 1
    assert "x is damaged" in done.stderr
    assert path.read_text() == text


def test_turns_that_no_chat_wrote_are_refused():
    chat = chat_with(None)
    good = {"started": "2026-01-01T00:00:00", "seed": 1}
    for turns in (
        None,
        [{}],
        [{"question": "a", "chosen": 1, "answers": []}],
        [{"question": 1, "chosen": 0, "answers": [{"text": "", "tokens": None, "facts": {}}]}],
    ):
        with pytest.raises(UserError, match="damaged"):
            chat.restore({**good, "turns": turns})
    assert chat.turns == []


def test_only_its_owner_may_read_a_session(state):
    command(*TOY, "--session", "x", lines=["hello"])
    assert os.stat(state / "sessions" / "x.json").st_mode & 0o077 == 0


def test_a_full_disk_costs_the_session_and_not_the_chat(state, monkeypatch, tiny16, capsys):
    chat = chat_with(tiny16)
    session = sessions.Session("x")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(UserError, match="cannot keep the session x: No space left on device"):
        session.save(chat, tiny16.info)
    session.close()


def test_a_session_brings_its_settings_back_and_a_command_line_goes_before_them():
    command(*TOY, "--session", "x", "--alpha", "1.5", "--system", "Be nice.", lines=["hello"])
    again = command("chat", "-m", "toy", "--session", "x", lines=["/alpha", "/system", "/set max-tokens"])
    assert "1.5" in again.stderr
    assert "Be nice." in again.stderr
    assert re.search(r"max-tokens +16 ", again.stderr)
    other = command("chat", "-m", "toy", "--session", "x", "--alpha", "3", lines=["/alpha"])
    assert re.search(r"alpha +3.0 +command line", other.stderr)


def test_clear_leaves_what_was_kept_and_goes_on_in_another_session():
    done = command(*TOY, "--session", "x", lines=["hello", "/clear", "again"])
    assert "It stays kept as x." in done.stderr
    assert sessions.read("x").title == "hello"
    assert [sessions.read(name).title for name in sessions.names() if name != "x"] == ["again"]


def test_a_session_of_no_turns_is_none():
    command(*TOY, "--session", "x", lines=["hello", "/undo"])
    assert sessions.names() == []


def test_saving_under_the_same_name_is_no_mistake():
    done = command(*TOY, lines=["hello", "/save x", "/save x"])
    assert done.stderr.count("This chat is kept as x.") == 2


def test_a_damaged_session_can_be_removed_and_hides_no_other(state):
    command(*TOY, "--session", "good", lines=["hello"])
    (state / "sessions" / "bad.json").write_text("{}")
    listed = command("sessions", "list")
    assert "good" in listed.stdout
    assert "bad is damaged" in listed.stderr
    assert command("sessions", "rm", "bad").returncode == 0
    assert sessions.names() == ["good"]


def test_the_largest_seed_is_followed_by_the_smallest():
    command("chat", "-m", "toy", "--seed", str(2**64 - 1), "--session", "x", lines=["hello"])
    again = command(*TOY[:3], "--session", "x", lines=["/seed"])
    assert "seed 0 (of the next answer)" in again.stderr


def locks(state):
    return sorted(path.name for path in (state / "sessions").glob(".*"))


def test_a_chat_that_ends_leaves_no_lock_behind_however_it_ends(state):
    assert command(*TOY, "--session", "x", lines=["hello"]).returncode == 0
    assert command(*TOY, "--session", "y", lines=["/save z", "hello", "/load x", "/nothing"]).returncode == 1
    assert command("chat", "-m", "none.gguf", "--session", "x", lines=["hello"]).returncode == 1
    terminal = Terminal(*TOY, environment={"LOCALPOWER_STATE": str(state)})
    terminal.wait_for(">>>")
    assert len(locks(state)) == 1
    terminal.child.kill(signal.SIGTERM)
    assert terminal.finish() == 130
    assert locks(state) == []


def test_a_session_whose_lock_was_taken_away_between_opening_and_locking_it_is_locked_all_the_same(
    state, monkeypatch
):
    lock, before = jsonl.lock, sessions.Session("x")

    def late(file):
        before.close()
        lock(file)

    monkeypatch.setattr(jsonl, "lock", late)
    with sessions.Session("x"):
        monkeypatch.undo()
        monkeypatch.setenv("LOCALPOWER_STATE", str(state))
        assert locks(state) == [".x.lock"]
        with pytest.raises(UserError, match="another chat has the session x open"):
            sessions.Session("x")
        assert locks(state) == [".x.lock"], "who is refused takes nothing away"
