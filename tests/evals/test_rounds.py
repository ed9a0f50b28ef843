"""What compare says of traces: calls, and PASS@(k, T)."""

from __future__ import annotations

import pytest

from localpower.evals.groups import groups
from localpower.evals.report import report
from localpower.evals.rounds import rounds_of, tool_use
from localpower.ui.columns import meaning
from localpower.ui.tables import markdown, sections
from tests.evals.test_report import row, write


def trace(*turns, **more):
    """A turn is a list of whether its calls were answered."""
    return {"turns": [
        part for calls in turns
        for part in ({"kind": "model", "calls": [{"ok": ok} for ok in calls]}, {"kind": "observation"})
    ]} | more  # fmt: skip


ROWS = [
    row("a", "i0", "right", sample=0, trace=trace([True], [], observation_tokens=4, calls_replayed=1)),
    row("a", "i0", "right", sample=1, trace=trace([True, False], [True], [])),
    row("a", "i1", "wrong", sample=0, trace=trace([False], [])),
    row("a", "i1", "right", sample=1, trace=trace([])),
]


@pytest.fixture
def used(tmp_path):
    (group,) = groups([write(tmp_path / "r", ROWS)])
    return tool_use(group)


def test_calls_are_counted_and_an_answered_one_makes_a_turn_valid(used):
    assert [rounds_of(each) for each in ROWS] == [1, 2, 1, 0]
    assert (used["calls"], used["bad_calls"], used["valid_turns"]) == (5 / 4, 2 / 5, 3 / 8)
    assert (used["valid_answers"], used["observation_tokens"], used["replayed"]) == (0.5, 1.0, 0.25)


def test_an_answer_counts_for_the_rounds_that_it_took(used):
    curve = {(point["k"], point["rounds"]): point["value"] for point in used["pass_at"]}
    assert curve == {(1, 0): 0.25, (1, 1): 0.5, (1, 2): 0.75, (2, 0): 0.5, (2, 1): 1.0, (2, 2): 1.0}


def test_the_tables_have_every_column_and_its_meaning(tmp_path):
    found = report([write(tmp_path / "r", ROWS)])
    heads = [head for cells, _ in sections(found["tasks"]["made"]) for head in cells]
    assert {"calls", "bad calls", "rounds"} <= set(heads)
    assert all(meaning(head) for head in heads if head)
    assert "| a | 1.2 | 40 % | 38 % | 50 % |" in markdown(found)


def test_without_traces_nothing_is_said_of_tools(tmp_path):
    found = report([write(tmp_path / "r", [row("a", "i", "right")])])
    assert found["tasks"]["made"]["groups"][0]["tools"] is None
    assert "rounds" not in markdown(found)
