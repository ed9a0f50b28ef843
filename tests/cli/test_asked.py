"""What is asked: PROMPT, the text on stdin, or both; nothing is dropped without a word, nothing waits for ever."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from tests.forked import COMMAND, command

RUN = ["run", "-m", "toy", "--seed", "1", "--max-tokens", "8", "--json"]
TOY = [*COMMAND, *RUN]


def answer(*arguments, stdin):
    done = command(*RUN, *arguments, stdin=stdin, check=True)
    return json.loads(done.stdout), done.stderr.decode()


@pytest.mark.parametrize(
    ("stdin", "prompt", "options", "whole"),
    [
        (b"The secret word is X.\n", "What is it?", [], "The secret word is X.\n\nWhat is it?"),
        (b"one\r\ntwo\r\n", "three", ["--raw"], "one\r\ntwo\r\nthree"),
        (b"", "What is it?", [], "What is it?"),
        (b" \n", "What is it?", [], "What is it?"),
        (b"\xef\xbb\xbfword", "What is it?", [], "word\n\nWhat is it?"),
        (b"\xef\xbb\xbfword\r\n", "-", [], "word"),
    ],
)
def test_the_text_on_stdin_stands_before_the_prompt(stdin, prompt, options, whole):
    both, _ = answer(prompt, *options, stdin=stdin)
    alone, _ = answer(*options, stdin=whole.encode())
    assert both["prompt_tokens"] == alone["prompt_tokens"]
    assert both["text"] == alone["text"]


def test_a_text_that_was_joined_is_named():
    _, said = answer("What is it?", stdin=b"The secret word is X.\n")
    assert "note: 21 characters from stdin stand before PROMPT" in said


def test_a_file_is_read_too(tmp_path):
    path = tmp_path / "text"
    path.write_text("The secret word is X.")
    with path.open("rb") as file:
        done = subprocess.run([*TOY, "What?"], stdin=file, capture_output=True, check=True)
    assert b"21 characters from stdin" in done.stderr


def test_an_open_pipe_that_says_nothing_keeps_nobody_waiting():
    read, write = os.pipe()
    try:
        done = subprocess.run([*TOY, "hi"], stdin=read, capture_output=True, check=True, timeout=60)
    finally:
        os.close(write)
        os.close(read)
    assert b"stdin is open but silent: PROMPT alone is answered" in done.stderr


def test_a_pipe_that_does_not_block_is_read_to_its_end():
    read, write = os.pipe()
    os.set_blocking(read, False)
    child = subprocess.Popen([*TOY, "-"], stdin=read, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for part in (b"some ", b"text"):
        os.write(write, part)
    os.close(write)
    assert (
        json.loads(child.communicate()[0])["prompt_tokens"] == answer(stdin=b"some text")[0]["prompt_tokens"]
    )
    os.close(read)


def test_a_prompt_that_begins_with_a_dash_follows_two():
    found, _ = answer("--", "-5 + 3 = ?", stdin=b"")
    assert found["prompt_tokens"] == answer(stdin=b"-5 + 3 = ?")[0]["prompt_tokens"]


def test_one_that_does_not_is_told_how():
    done = command(*RUN, "-5 + 3 = ?")
    assert b"a prompt that begins with a dash follows --" in done.stderr
    assert done.returncode == 2


def test_files_stand_before_stdin_and_both_before_the_prompt(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text(f"text of {name}\n", "utf-8-sig")
    files = ["-f", str(tmp_path / "a"), "--file", str(tmp_path / "b")]
    for more, stdin, whole in (
        (["What?"], b"piped\n", "text of a\n\ntext of b\n\npiped\n\nWhat?"),
        (["What?", "--raw"], b"piped\n", "text of a\ntext of b\npiped\nWhat?"),
        ([], b"", "text of a\n\ntext of b"),
    ):
        found, _ = answer(*files, *more, stdin=stdin)
        expected, _ = answer(*(["--raw"] if "--raw" in more else []), stdin=whole.encode())
        assert (found["prompt_tokens"], found["text"]) == (expected["prompt_tokens"], expected["text"])


def test_a_file_that_is_no_text_is_one_line(tmp_path):
    (tmp_path / "x").write_bytes(b"\xff\xfe")
    for path, words in (
        (tmp_path / "x", b"is no UTF-8 text"),
        (tmp_path, b"it is a folder"),
        (tmp_path / "none", b"No such file"),
    ):
        done = subprocess.run(
            [*TOY, "-f", str(path), "hi"], capture_output=True, check=False, stdin=subprocess.DEVNULL
        )
        assert words in done.stderr
        assert done.returncode == 1
