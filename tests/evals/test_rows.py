"""Rows of a file: what can be read in one way is read, and what could be read in two is refused in one line."""

from __future__ import annotations

import json

import pytest

from localpower.errors import UserError
from localpower.evals import loaders
from localpower.evals.sources import Source, read_rows
from tests.evals.test_report import row, write

ROW = {"question": "How much, then?", "answer": "3"}
OTHER = {"question": "And now?", "answer": "4"}


def rows_of(tmp_path, name, text):
    (tmp_path / name).write_bytes(text.encode("utf-8"))
    return read_rows(tmp_path / name)


def refused(tmp_path, name, text):
    with pytest.raises(UserError) as raised:
        rows_of(tmp_path, name, text)
    assert "\n" not in raised.value.line()
    return raised.value.line()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", 'question,answer\n"How much, then?",3\n'),
        ("t.CSV", '"question","answer"\r\n"How much, then?","3"\r\n'),
        ("t.csv", "question;answer\nHow much, then?;3\n"),
        ("t.csv", "question\tanswer\nHow much, then?\t3\n"),
        ("t.tsv", "question\tanswer\nHow much, then?\t3\n"),
        ("t.TSV", "\ufeffquestion\tanswer\nHow much, then?\t3\n"),
        ("t.csv", '\nquestion, answer\n\n"How much, then?",3\n ,\n\n'),
    ],
    ids=["commas", "capitals", "semicolons", "tabs in csv", "tsv", "mark", "empty lines and a blank"],
)
def test_a_table_is_read_by_the_separator_of_its_header(tmp_path, name, text):
    assert rows_of(tmp_path, name, text) == [ROW]


@pytest.mark.parametrize(("fields", "n"), [("How much, then?,3", 3), ("How much", 1)])
def test_a_row_with_more_or_fewer_fields_than_the_header_is_named_and_never_shifted(tmp_path, fields, n):
    line = refused(tmp_path, "t.csv", f'question,answer\n"two\nlines",2\n{fields}\n')
    assert f"line 4 of t.csv has {n} fields, and the header has 2" in line


def test_two_columns_of_one_name_are_refused_without_showing_it(tmp_path):
    line = refused(tmp_path, "t.csv", "question,answer,answer\na,b,c\n")
    assert line == "columns 2 and 3 of t.csv have the same name"


def test_a_list_inside_an_object_is_its_rows_where_it_is_the_only_one(tmp_path):
    text = json.dumps({"version": "1", "tags": ["a"], "data": [ROW, OTHER]})
    assert rows_of(tmp_path, "t.json", text) == [ROW, OTHER]


def test_several_lists_of_objects_are_named_and_none_is_chosen(tmp_path):
    line = refused(tmp_path, "t.json", json.dumps({"data": [ROW], "meta": [{"a": 1}]}))
    assert "t.json has several lists of objects: data, meta" in line


@pytest.mark.parametrize("name", ["t.jsonl", "t.JSONL", "t.json"])
def test_a_list_inside_a_row_is_no_list_of_rows(tmp_path, name):
    nested = ROW | {"steps": [{"say": "a"}, {"say": "b"}]}
    assert rows_of(tmp_path, name, json.dumps(nested)) == [nested]


@pytest.mark.parametrize(
    "columns",
    [
        {"question": ["a", "b"], "answer": ["1", "2"]},
        {"question": {"0": "a", "1": "b"}, "answer": {"0": "1", "1": "2"}},
        {"data": []},
    ],
)
def test_columns_are_told_apart_from_rows(tmp_path, columns):
    line = refused(tmp_path, "t.json", json.dumps(columns, indent=1))
    assert f"has no rows: {', '.join(columns)} (write a list of objects" in line


BREAKS = "a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg"  # some libraries take these for line breaks


def test_answers_and_problems_of_a_run_are_read_whole(tmp_path):
    run = write(tmp_path / "r", [row("a", BREAKS, "right", text=BREAKS), row("a", "i", "right")])
    assert [each["text"] for each in run.rows] == [BREAKS, "4"]
    assert ("made", BREAKS) in run.problems


@pytest.mark.parametrize("ascii_only", [False, True])
def test_a_file_of_problems_is_read_whole(tmp_path, ascii_only):
    rows = [{"question": BREAKS}, {"question": "b"}]
    text = "".join(json.dumps(each, ensure_ascii=ascii_only) + "\n" for each in rows)
    assert rows_of(tmp_path, "p.jsonl", text) == rows


def test_a_number_that_json_does_not_have_is_refused_in_a_list_as_in_lines(tmp_path):
    assert "is no JSON object" in refused(tmp_path, "t.json", '[{"question": "a", "answer": NaN}]')


def test_a_file_in_a_folder_is_found_whatever_the_case_of_its_name(tmp_path):
    (tmp_path / "AIME.JSONL").write_text('{"problem": "Find n.", "answer": 70.0}')
    (problem,) = loaders.aime(Source(tmp_path))
    assert (problem.text, problem.gold) == ("Find n.", "70")
