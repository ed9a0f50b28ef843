"""The log of runs: what it holds, what keeps it away, and that nothing about it costs a run its answer."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
from typing import ClassVar

import pytest

from localpower import jsonl
from localpower.api import log
from localpower.cli.main import main
from localpower.errors import UserError
from tests.cli.terminal import BASE, command

RUN = ("run", "-m", "toy", "--seed", "1", "--max-tokens", "8", "--json", "Hello Wörld")


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """A log that is on, in a folder of the test's own."""
    monkeypatch.setenv("LOCALPOWER_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("LOCALPOWER_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("LOCALPOWER_LOG", "on")
    return tmp_path / "state"


def run(capsys, *more):
    code = main([*RUN, *more])
    shown = capsys.readouterr()
    return code, json.loads(shown.out), shown.err


def entry(number=0, **more):
    values = {
        "id": f"{number:08x}", "time": "2026-11-27T12:00:00+00:00", "command": "run", "model": "m", "model_sha256": None,
        "method": "power", "alpha": 4.0, "steps": 5, "max_tokens": 8, "seed": number, "system": None, "prompt": "p",
        "prompt_length": 1, "text": "t", "finish": "stop", "log_p": -1.0, "n_tokens": 2, "cost_multiple": 2.0, "seconds": 0.1,
    }  # fmt: skip
    return log.Entry(**(values | more))


def test_every_answer_is_an_entry_with_its_prompt_and_numbers(capsys):
    _, found, _ = run(capsys, "--system", "be kind")
    (kept,) = log.entries()
    same = ("seed", "log_p", "n_tokens", "text", "finish", "method", "alpha", "steps")
    assert [getattr(kept, name) for name in same] == [found[name] for name in same]
    told = (kept.command, kept.model, kept.prompt, kept.system)
    assert told == ("run", "toy", "Hello Wörld", "be kind")


def test_each_turn_of_a_chat_is_an_entry(state):
    chat = ("chat", "-m", "toy", "--seed", "1", "--max-tokens", "3")
    assert command(*chat, stdin="one\ntwo\n/regen\n").returncode == 0
    kept = log.entries()
    assert [(each.command, each.prompt, each.seed) for each in kept] == [
        *(("chat", "one", 1), ("chat", "two", 2), ("chat", "two", 3))
    ]


def test_the_log_changes_nothing_of_a_run(capsys):
    with_log, without = run(capsys)[1], run(capsys, "--no-log")[1]
    timed = ("seconds", "tokens_per_second", "time_multiple")
    assert {k: v for k, v in with_log.items() if k not in timed} == {
        k: v for k, v in without.items() if k not in timed
    }


def off_by_option(monkeypatch):
    return ["--no-log"]


def off_by_variable(monkeypatch):
    monkeypatch.setenv("LOCALPOWER_LOG", "off")
    return []


def off_by_file(monkeypatch):
    monkeypatch.delenv("LOCALPOWER_LOG")
    assert main(["log", "off"]) == 0
    return []


@pytest.mark.parametrize("switch", [off_by_option, off_by_variable, off_by_file])
def test_a_log_that_is_off_keeps_nothing(state, capsys, monkeypatch, switch):
    more = switch(monkeypatch)
    capsys.readouterr()
    assert run(capsys, *more)[0] == 0
    assert not (state / "log.jsonl").exists()


def test_a_chat_of_which_nothing_is_to_be_kept_is_not_in_the_log(state):
    done = command("chat", "-m", "toy", "--max-tokens", "3", "--no-session", stdin="one\n")
    assert (done.returncode, (state / "log.jsonl").exists()) == (0, False)


def test_a_switch_that_a_variable_goes_before_says_so(capsys):
    assert main(["log", "off"]) == 0
    assert "note: LOCALPOWER_LOG=on goes before that" in capsys.readouterr().err


def test_processes_that_write_at_once_lose_no_entry(state):
    program = (
        "import sys; from tests.cli.test_log import entry, log\n"
        "print('ready', flush=True); sys.stdin.read()\n"
        "for i in range(50): log.append(entry(i, prompt=sys.argv[1]))"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "env": dict(os.environ)}
    running = [subprocess.Popen([sys.executable, "-c", program, str(i)], **pipes) for i in range(4)]
    for process in running:
        process.stdout.readline()
    for process in running:
        process.stdin.close()
    for process in running:
        with process:
            assert process.wait() == 0
    kept = [(each.prompt, each.seed) for each in log.entries(pytest.fail)]
    assert sorted(kept) == sorted((str(i), n) for i in range(4) for n in range(50))


def test_a_log_that_another_process_holds_for_long_costs_the_entry(state, monkeypatch):
    log.append(entry(0))
    monkeypatch.setattr(log, "_PATIENCE_S", 0.0)
    with (state / ".log.lock").open("a") as held:
        jsonl.lock(held)
        with pytest.raises(UserError, match="another process holds"):
            log.append(entry(1))
    assert [each.seed for each in log.entries()] == [0]


def test_a_line_that_a_kill_cut_off_is_left_out_and_the_next_entry_is_whole(state):
    for i in range(3):
        log.append(entry(i))
    path = state / "log.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    assert [each.seed for each in log.entries(pytest.fail)] == [0, 1]
    log.append(entry(3))
    assert [each.seed for each in log.entries(pytest.fail)] == [0, 1, 3]


def test_a_disk_that_is_full_costs_the_entry_and_leaves_no_half_of_one(state, monkeypatch):
    log.append(entry(0))
    before = (state / "log.jsonl").read_bytes()
    whole = os.write

    def half(file, data):
        whole(file, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(UserError, match="No space left on device"):
        log.append(entry(1))
    assert (state / "log.jsonl").read_bytes() == before


def folder(path):
    path.mkdir(parents=True)


def pipe(path):
    path.parent.mkdir(parents=True)
    os.mkfifo(path)


def full(path):
    path.parent.mkdir(parents=True)
    path.symlink_to("/dev/full")


@pytest.mark.parametrize("make", [folder, pipe, full])
def test_a_log_that_cannot_be_written_is_a_note_and_the_run_goes_on(state, capsys, make):
    make(state / "log.jsonl")
    code, found, err = run(capsys)
    assert (code, bool(found["tokens"])) == (0, True)
    assert f"note: this answer is not in the log: cannot write {state / 'log.jsonl'}" in err


def test_a_log_that_is_no_file_is_one_line_to_a_reader(state, capsys):
    pipe(state / "log.jsonl")
    assert main(["log"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_nobody_else_may_read_it(state):
    state.mkdir()
    (state / "log.jsonl").touch(0o644)
    log.append(entry())
    assert stat.S_IMODE((state / "log.jsonl").stat().st_mode) == 0o600


def test_the_oldest_entries_go_when_the_file_is_too_large_and_whole_ones_stay(state, monkeypatch):
    monkeypatch.setattr(log, "MOST", 5000)
    monkeypatch.setattr(log, "_KEPT", 3000)
    for i in range(40):
        log.append(entry(i))
    kept = [each.seed for each in log.entries(pytest.fail)]
    assert kept == list(range(kept[0], 40))
    assert 5 < len(kept) < 20
    assert (state / "log.jsonl").stat().st_size <= 5000
    log.append(entry(41, text="x" * 9000))
    assert [each.seed for each in log.entries(pytest.fail)] == [41]


def test_a_long_prompt_is_kept_by_its_beginning():
    class Long:  # an answer, as far as an entry asks
        model: ClassVar = {"name": "m", "sha256": None}
        method = text = finish = "x"
        alpha = log_p = seconds = 1.0
        steps = cost_multiple = None
        max_tokens = seed = n_tokens = 1

    kept = log.Entry.of(Long(), "run", "y" * 200_000, None)
    assert (len(kept.prompt), kept.prompt_length) == (100_000, 200_000)


def test_lines_that_are_no_entries_are_counted_and_survive_a_removal(state, capsys):
    log.append(entry(1))
    log.append(entry(2))
    path = state / "log.jsonl"
    path.write_bytes(b'{"other": 1}\nnonsense\n' + path.read_bytes())
    assert main(["log"]) == 0
    assert "note: 2 lines of" in capsys.readouterr().err
    assert main(["log", "rm", "00000001"]) == 0
    assert path.read_bytes().startswith(b'{"other": 1}\nnonsense\n')
    assert [each.seed for each in log.entries()] == [2]


def test_entries_are_listed_searched_shown_and_removed(capsys):
    for i, prompt in enumerate(("ÄPFEL and\x1b[31m pears", "plums", "more plums")):
        log.append(entry(i, prompt=prompt, prompt_length=len(prompt), text="fruit"))
    assert main(["log"]) == 0
    shown = capsys.readouterr().out
    assert [line.split()[0] for line in shown.splitlines()] == ["00000002", "00000001", "00000000"]
    assert "\x1b" not in shown
    assert main(["log", "search", "äpfel", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["seed"] == 0
    assert main(["log", "list", "-n", "1", "-q", "fruit", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["seed"] == 2
    assert main(["log", "show"]) == 0
    assert capsys.readouterr().out == ">>> more plums\nfruit\n"
    assert main(["log", "show", "0000"]) == 1
    assert "several entries" in capsys.readouterr().err
    assert main(["log", "rm", "00000001", "ff"]) == 1
    assert len(log.entries()) == 3
    assert main(["log", "rm", "--all"]) == 0
    assert log.entries() == []
    assert main(["log", "rm"]) == 2


def test_a_reader_that_has_gone_costs_no_entry(state):
    read, written = os.pipe()
    os.close(read)
    subprocess.run([*BASE, *RUN], stdout=written, stderr=subprocess.DEVNULL, check=False)
    os.close(written)
    assert len(log.entries()) == 1
