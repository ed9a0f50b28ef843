"""`localpower tasks`: which tasks there are, whose file is missing, and what an eval of one costs."""

from __future__ import annotations

import json

import pytest

from localpower.cli.main import main
from localpower.evals.tasks import TASKS
from tests.evals.files import lines
from tests.evals.harder_files import MMLU_PRO


@pytest.fixture(autouse=True)
def _no_data(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCALPOWER_DATA", str(tmp_path / "data"))


def shown(capsys, *arguments, code=0):
    assert main(["tasks", *map(str, arguments)]) == code
    return capsys.readouterr()


def test_the_list_names_every_task_and_whether_its_file_is_here(capsys, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mmlu_pro.jsonl").write_text(lines([MMLU_PRO]))
    rows = [json.loads(row) for row in shown(capsys, "list", "--json").out.splitlines()]
    assert [row["name"] for row in rows] == list(TASKS)
    found = {row["name"] for row in rows if row["found"] is not None}
    assert found == {"mmlu-pro"}


def test_the_list_says_which_problems_are_generated(capsys):
    rows = {line.split()[0]: line for line in shown(capsys, "list").out.splitlines()[1:] if line}
    assert "generated small facts and arithmetic" in rows["tiny"]
    assert "missing" in rows["mmlu-pro"]
    assert "generated" not in rows["bfcl"]


def test_a_missing_file_is_named_with_its_publisher(capsys):
    out = shown(capsys, "show", "mmlu-pro").out
    assert "TIGER-Lab/MMLU-Pro" in out
    assert "mmlu_pro.parquet" in out


def test_what_an_eval_costs_is_the_methods_cost_times_problems_times_the_longest_answer(capsys, tmp_path):
    (tmp_path / "rows.jsonl").write_text(lines([MMLU_PRO | {"question_id": i} for i in range(3)]))
    data = ("--data", tmp_path / "rows.jsonl", "-m", "toy")
    (row,) = shown(
        capsys, "show", "mmlu-pro", *data, "--method", "base", "--limit", 2, "--json"
    ).out.splitlines()
    assert json.loads(row)["costs"] == [
        {"method": "base", "multiple": 1.0, "tokens": 2 * TASKS["mmlu-pro"].max_tokens, "seconds": None}
    ]


def test_a_file_with_another_number_of_problems_is_said_to_have_it(capsys, tmp_path):
    (tmp_path / "rows.jsonl").write_text(lines([MMLU_PRO]))
    out = shown(capsys, "show", "mmlu-pro", "--data", tmp_path / "rows.jsonl").out
    assert "1; the authors publish 12,032" in out


def test_a_file_that_cannot_be_used_is_said_to_be_none(capsys, tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"zorb": 1}\n')
    out = shown(capsys, "show", "mmlu-pro", "--data", tmp_path / "rows.jsonl").out
    assert "row 1 of rows.jsonl has no field question" in out


def test_an_unknown_task_is_one_line(capsys):
    assert "there is no task zorb" in shown(capsys, "show", "zorb", code=1).err


def test_a_group_of_tasks_is_refused(capsys):
    assert "lab-sum" in shown(capsys, "show", "lab", code=2).err


def test_a_task_with_tools_names_them_and_one_of_a_package_how_it_is_installed(capsys, monkeypatch):
    monkeypatch.setattr("localpower.api.tasks.find_spec", lambda _: None)
    out = shown(capsys, "show", "bfcl").out
    assert "pip install --no-deps bfcl-eval mpmath" in out
    assert "--data" not in out
    assert "  tools           notes and calculator\n" in shown(capsys, "show", "notes-sum").out


def test_a_task_file_is_described_too(capsys, tmp_path):
    (tmp_path / "rivers.jsonl").write_text('{"question": "Where?", "answer": "Rome"}\n')
    (tmp_path / "rivers.toml").write_text("max_tokens = 9\n")
    out = shown(capsys, "show", tmp_path / "rivers.toml", "-m", "toy").out
    assert f"{tmp_path / 'rivers.toml'}" in out
    assert "9 tokens" in out
