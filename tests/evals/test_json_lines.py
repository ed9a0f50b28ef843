"""Characters that some libraries take for line breaks are letters of a JSON line."""

from __future__ import annotations

import json

import pytest

from localpower.evals.sources import read_rows
from tests.evals.test_report import row, write

BREAKS = "a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg"


def test_answers_and_problems_are_read_whole(tmp_path):
    run = write(tmp_path / "r", [row("a", BREAKS, "right", text=BREAKS), row("a", "i", "right")])
    assert [each["text"] for each in run.rows] == [BREAKS, "4"]
    assert ("made", BREAKS) in run.problems


@pytest.mark.parametrize("ascii_only", [False, True])
def test_a_file_of_problems_is_read_whole(tmp_path, ascii_only):
    rows = [{"question": BREAKS}, {"question": "b"}]
    (tmp_path / "p.jsonl").write_text(
        "".join(json.dumps(r, ensure_ascii=ascii_only) + "\n" for r in rows), "utf-8"
    )
    assert read_rows(tmp_path / "p.jsonl") == rows
