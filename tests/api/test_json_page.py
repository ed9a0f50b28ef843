"""docs/json.md and what the program writes: neither has a field that the other lacks."""

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from localpower import events
from localpower.cli.main import main
from localpower.runs.answer import Answer

PAGE = (Path(__file__).parents[2] / "docs" / "json.md").read_text("utf-8")


def told(title):
    """The names in the first column of the tables of a section, and in the others."""
    rows = re.findall(r"^\| (.*?) \| (.*) \|$", PAGE.split(f"## {title}")[1].split("\n## ")[0], re.M)
    return [(re.findall(r"`([a-z_]+)`", first), re.findall(r"`([a-z_]+)`", rest)) for first, rest in rows]


def test_the_page_has_the_fields_of_an_answer_and_no_others():
    named = [name for first, _ in told("An answer") for name in first]
    assert sorted(named) == sorted(field.name for field in fields(Answer))


@pytest.mark.parametrize("kind", events._KINDS)
def test_the_page_has_the_fields_of_an_event_and_no_others(kind):
    (rest,) = [rest for first, rest in told("An event") if first == [kind]]
    assert rest == [field.name for field in fields(events._KINDS[kind])]


def test_the_page_has_the_fields_of_a_row_and_no_others(tmp_path):
    out = tmp_path / "run"
    arguments = ["eval", "lab-chain", "-m", "lab-base", "--limit", "1", "--method", "base", "--out", str(out)]
    assert main([*arguments, "--quiet"]) == 0
    row = json.loads((out / "answers.jsonl").read_text().splitlines()[0])
    answer = {field.name for field in fields(Answer)}
    optional = {"given", "answer_prefix", "isolation"}
    named = {name for first, _ in told("A row") for name in first}
    assert named - optional == set(row) - answer
    assert not {"prefill_tokens", "padded_rows", "wasted_rows", "notes"} & set(row)
