"""JSON lines by one policy: what ends a line, what is dropped with a note, and what is an error with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from localpower import jsonl
from localpower.errors import UserError

SEPARATORS = "\u2028\u2029\u0085\x0b\x0c\x1c\r"
NUMBERS = {"n": [float]}


def record(value):
    return jsonl.record(value, NUMBERS)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.jsonl"


def test_what_is_written_is_read_and_nothing_but_a_line_break_ends_a_line(path):
    values = [{"text": f"a{SEPARATORS}\n\ud800é"}, {"text": ""}]
    with jsonl.Writer(path) as file:
        for value in values:
            file.add(value)
            assert path.read_bytes().endswith(b"\n"), "on the disk before add returns"
    assert len(path.read_text("ascii").splitlines()) == 2, "others may split where they like"
    assert jsonl.kept(path, dict, "row", pytest.fail) == values


@pytest.mark.parametrize("letter", "\u2028\u2029\u0085")
def test_a_separator_that_another_program_wrote_bare_ends_no_line(path, letter):
    path.write_text(f'{{"t": "a{letter}b", "n": [1]}}\n', "utf-8")
    assert jsonl.kept(path, record, "row", pytest.fail) == [{"t": f"a{letter}b", "n": [1]}]


@pytest.mark.parametrize("letter", "\x0b\x0c\x1c\r")
def test_a_bare_control_character_which_json_forbids_damages_one_line_and_makes_no_second(path, letter):
    path.write_bytes(f'{{"n": [1]}}\r\n{{"t": "a{letter}b", "n": [1]}}\n'.encode())
    with pytest.raises(UserError, match="line 2 of"):
        jsonl.kept(path, record, "row", pytest.fail)


@pytest.mark.parametrize("rest", ['{"n": [2', '{"n": [2]}', "garbage"])
def test_what_follows_the_last_line_break_is_dropped_with_a_note_and_taken_away_before_more_is_written(
    path, rest
):
    path.write_text('{"n": [1]}\n' + rest)
    notes = []
    assert jsonl.kept(path, record, "row", notes.append) == [{"n": [1]}]
    assert notes == [f"note: the last line of {path} was cut off and is left out"]
    with jsonl.Writer(path) as file:
        file.add({"n": [3]})
    assert jsonl.kept(path, record, "row", pytest.fail) == [{"n": [1]}, {"n": [3]}]


def test_in_a_file_of_the_users_own_the_last_line_needs_no_line_break(path):
    path.write_text('{"n": [1]}\n\n{"n": [2]}')
    assert list(jsonl.read(path, record, "row")) == [
        (f"line 1 of {path}", {"n": [1]}),
        (f"line 3 of {path}", {"n": [2]}),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "x",
        "[1]",
        '{"m": []}',
        '{"n": 1}',
        '{"n": ["1"]}',
        '{"n": [NaN]}',
        '{"n": [1',
        "[" * 100_000,
        "\xff",
        "9" * 5000,
    ],
)
def test_a_damaged_line_and_one_of_another_shape_are_named(path, line):
    path.write_text(f'{{"n": [1]}}\n{line}\n{{"n": [1]}}\n', "latin-1")
    with pytest.raises(UserError) as raised:
        jsonl.kept(path, record, "row", pytest.fail, hint="mend it")
    assert raised.value.line() == f"line 2 of {path} is no row (mend it)"


def test_a_file_that_is_not_there_yet_holds_nothing_but_one_that_was_named_must_be_there(path):
    assert jsonl.kept(path, record, "row", pytest.fail) == []
    with pytest.raises(UserError, match="cannot read"):
        jsonl.read(path, record, "row")


def test_what_cannot_be_written_is_said_with_what_to_do(tmp_path):
    with pytest.raises(UserError, match="cannot write") as raised:
        jsonl.Writer(tmp_path / "none" / "x", "choose another")
    assert raised.value.hint == "choose another"
    with pytest.raises(ValueError, match="JSON compliant"), jsonl.Writer(tmp_path / "x") as file:
        file.add(float("nan"))


def test_a_file_has_one_writer_at_a_time_and_the_second_changes_nothing(path):
    with jsonl.Writer(path, fresh=True) as first:
        first.add({"n": 1})
        for fresh in (False, True):
            with pytest.raises(UserError, match="another process writes"):
                jsonl.Writer(path, fresh=fresh)
        first.add({"n": 2})
    with jsonl.Writer(path, fresh=True) as later:
        later.add({"n": 3})
    assert jsonl.kept(path, dict, "row", pytest.fail) == [{"n": 3}]


def test_a_device_may_have_many_writers():
    device = Path("/dev/null")
    try:
        with jsonl.Writer(device) as first, jsonl.Writer(device, fresh=True) as second:
            first.add({"n": 1})
            second.add({"n": 2})
    except UserError as refused:
        pytest.fail(refused.message)
