"""A file of other outputs is held against a run's answers by their instructions, and what does not match is told."""

from __future__ import annotations

import json

import pytest

from localpower.errors import UserError
from localpower.evals.judging import matches
from localpower.evals.store import read
from tests.evals.test_report import row, write


@pytest.fixture
def run(tmp_path):
    """Three instructions, answered by two methods."""
    write(tmp_path / "r", [row(m, f"i{i}", "ungraded") for m in ("a", "b") for i in range(3)], kind="open")
    file = tmp_path / "r" / "problems.json"
    problems = json.loads(file.read_text())
    for i, problem in enumerate(problems["problems"]):
        problem["question"] = f"Say {i}."
    file.write_text(json.dumps(problems))
    return read(tmp_path / "r")


def against(run, tmp_path, rows):
    (tmp_path / "other.json").write_text(json.dumps(rows))
    said = []
    return matches(run, str(tmp_path / "other.json"), said.append), said


def test_instructions_that_the_file_lacks_are_counted(run, tmp_path):
    rows = [{"instruction": "Say 1.", "output": "1"}, {"instruction": "x", "output": "x"}]
    found, said = against(run, tmp_path, rows)
    assert {(match.item, match.theirs) for match in found} == {("i1", "1")}
    (note,) = said
    assert note.endswith("has no answer to 2 of the 3 instructions of made: they are left out")


def test_a_file_that_answers_them_all_is_not_complained_about(run, tmp_path):
    found, said = against(run, tmp_path, [{"instruction": f"Say {i}.", "output": "x"} for i in range(3)])
    assert (len(found), said) == (6, [])


def test_a_file_of_other_instructions_is_refused(run, tmp_path):
    with pytest.raises(UserError, match="answers none of the 3 instructions of made"):
        against(run, tmp_path, [{"instruction": "Say one.", "output": "1"}])


def test_a_file_with_two_answers_to_an_instruction_is_refused(run, tmp_path):
    rows = [{"instruction": "Say 1.", "output": text} for text in ("one", "1")]
    with pytest.raises(UserError, match=r"row 2 of other.json answers an instruction again"):
        against(run, tmp_path, rows)


def test_an_output_that_is_no_text_is_refused(run, tmp_path):
    with pytest.raises(UserError, match=r"row 1 of other.json has no text in output or reference"):
        against(run, tmp_path, [{"instruction": "Say 1.", "output": ["one"]}])


def test_a_method_that_was_stopped_early_is_told_too(tmp_path):
    rows = [row("a", "i0", "ungraded"), *(row("b", f"i{i}", "ungraded") for i in range(3))]
    said = []
    matches(write(tmp_path / "r", rows, kind="open"), "a", said.append)
    assert said == ["note: a has no answer to 2 of the 3 instructions of made: they are left out"]


def test_a_folder_in_the_place_of_the_file_is_refused_with_what_it_should_be(run, tmp_path):
    with pytest.raises(UserError, match="it is a folder") as raised:
        matches(run, str(tmp_path))
    assert "--reference takes a method, or a file of outputs" in raised.value.line()
