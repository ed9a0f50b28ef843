"""Files that a user names: no path hangs, and a byte order mark is no letter."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from localpower import inputs
from localpower.cli.requests import template_arguments
from localpower.engine import prompt_cache
from localpower.errors import UserError
from localpower.evals.sources import Source
from localpower.evals.tasks import find_tasks
from tests.forked import command

PIPES = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
COMMANDS = {
    "data": ("eval", "math500", "-m", "toy", "--out", "{}/out", "--data", "{path}"),
    "rows of a task file": ("eval", "{}/t.toml", "-m", "toy", "--out", "{}/out", "--data", "{path}"),
    "task file": ("eval", "{path}", "-m", "toy", "--out", "{}/out"),
    "rows to grade": ("grade", "--kind", "math", "{path}"),
    "recording": ("replay", "{path}"),
    "model": ("run", "-m", "{path}", "x"),
}


@PIPES
@pytest.mark.parametrize("what", COMMANDS)
def test_a_named_pipe_is_refused_at_once(tmp_path, what):
    (tmp_path / "t.toml").write_text("")
    os.mkfifo(tmp_path / "pipe.toml")
    arguments = [each.format(tmp_path, path=tmp_path / "pipe.toml") for each in COMMANDS[what]]
    done = command(*arguments, text=True)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "is a named pipe" in done.stderr
    assert not (tmp_path / "out").exists()


@PIPES
def test_a_prompt_cache_that_is_a_named_pipe_is_left_alone(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(prompt_cache.Unusable, match="it is a named pipe"):
        prompt_cache.read(tmp_path / "pipe", {})


def test_a_number_that_json_does_not_have_is_a_text_for_a_template():
    assert template_arguments(("a=NaN", "b=Infinity", "c=1.5")) == {"a": "NaN", "b": "Infinity", "c": 1.5}


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="this system has no /dev/zero")
def test_a_device_that_never_ends_is_refused():
    with pytest.raises(UserError, match="it is a device or a socket, not a file"):
        inputs.read(Path("/dev/zero"))


def test_a_folder_and_a_path_that_cannot_be_are_refused(tmp_path):
    with pytest.raises(UserError, match="it is a folder, not a file"):
        inputs.read(tmp_path)
    with pytest.raises(UserError, match="cannot read"):
        inputs.read(tmp_path / "a\0b")


@pytest.mark.skipif(not os.path.exists("/dev/stdin"), reason="this system has no /dev/stdin")
def test_what_another_program_pipes_in_is_read():
    row = b'{"gold": "1", "answer": "1"}\n'
    assert b'"right"' in command("grade", "--kind", "math", "/dev/stdin", stdin=row, check=True).stdout


def test_a_byte_order_mark_before_a_task_file_and_before_rows_changes_nothing(tmp_path):
    (tmp_path / "t.toml").write_text("\ufeffmax_tokens = 4\n", "utf-8")
    (tmp_path / "t.jsonl").write_text(
        '\ufeff{"question": "?", "answer": "1"}\n{"question": "!", "answer": "2"}', "utf-8"
    )
    (task,) = find_tasks((str(tmp_path / "t.toml"),))
    assert [problem.text for problem in task.problems(Source())] == ["?", "!"]
