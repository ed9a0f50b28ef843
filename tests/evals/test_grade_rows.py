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
    [(1, 1.0, "right"), ("100000000000000000000000", 1e23, "right"), ("0.00001", 0.00001, "right")],
)
def test_a_number_is_the_text_that_a_person_writes(tmp_path, capsys, field, gold, said, verdict):
    assert grade(tmp_path, {"gold": gold, field: said}) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == verdict


@pytest.mark.parametrize("row", [{"gold": "1", "answer": ["1"]}, {"gold": "1", "completion": {}}])
def test_a_list_and_an_object_are_no_answer(tmp_path, capsys, row):
    assert grade(tmp_path, row) == 1
    assert "line 1 of" in capsys.readouterr().err
