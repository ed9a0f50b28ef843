"""What a value in a row of answers says: numbers are texts, null is no answer, anything else is no row."""

from __future__ import annotations

import json

import pytest

from localpower.cli.main import main


def grade(tmp_path, row):
    (tmp_path / "rows.jsonl").write_text("\ufeff" + json.dumps(row), "utf-8")
    return main(["grade", "--kind", "math", str(tmp_path / "rows.jsonl")])


@pytest.mark.parametrize("field", ["answer", "completion"])
@pytest.mark.parametrize(
    ("gold", "said", "verdict"),
    [
        (1, 1.0, "right"),
        ("100000000000000000000000", 1e23, "right"),
        ("0.00001", 0.00001, "right"),
        (1, 2, "wrong"),
        (1, None, "none"),
    ],
)
def test_a_number_is_the_text_that_it_is_written_as_and_null_is_no_answer(
    tmp_path, capsys, field, gold, said, verdict
):
    assert grade(tmp_path, {"gold": gold, field: said}) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == verdict


@pytest.mark.parametrize(
    "row",
    [{"gold": None, "answer": "1"}, {"gold": "1", "answer": ["1"]}, {"gold": "1", "completion": {}}],
)
def test_a_list_an_object_and_a_right_answer_of_null_are_no_row(tmp_path, capsys, row):
    assert grade(tmp_path, row) == 1
    assert "line 1 of" in capsys.readouterr().err
