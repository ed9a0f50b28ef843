"""Splits are of problems, in the order of --limit, whatever answers stay."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from localpower.data.samples import order
from localpower.data.splits import shares_of, splits
from localpower.errors import UsageProblem, UserError
from localpower.evals.problem import Problem, subset
from tests.data.made import sample

IDS = [f"i{i}" for i in range(20)]
SHARES = {"train": 0.9, "validation": 0.1}


def run_of(*places):
    return SimpleNamespace(problems=dict.fromkeys(places))


def test_train_holds_the_first_problems_by_the_order_of_limit():
    run = run_of(*(("made", name) for name in IDS))
    found = splits([sample("a", problem=name) for name in IDS], [run], SHARES)
    first = [problem.id for problem in subset([Problem(name, "") for name in IDS], 18)]
    assert sorted(each.problem_id for each in found["train"]) == sorted(first)
    assert len(found["validation"]) == 2


def test_a_problems_split_does_not_depend_on_which_answers_stay():
    run = run_of(*(("made", name) for name in IDS))
    last = sorted(IDS, key=order)[-2:]
    found = splits([sample("a", problem=name) for name in [*last, sorted(IDS, key=order)[0]]], [run], SHARES)
    assert sorted(each.problem_id for each in found["validation"]) == sorted(last)


def test_each_task_is_split_by_itself():
    run = run_of(*((task, name) for task in "ab" for name in IDS))
    places = [(task, i, name) for task in "ab" for i, name in enumerate(IDS)]
    some = [sample("x", problem=name, task=task, prompt=(ord(task), i)) for task, i, name in places]
    found = splits(some, [run], SHARES)
    assert [each.task for each in found["validation"]].count("a") == 2


def test_problems_asked_in_the_same_tokens_share_a_split():
    ids = sorted(IDS, key=order)
    run = run_of(*(("made", name) for name in IDS))
    some = [sample("a", problem=name, prompt=(7,)) for name in (ids[0], ids[-1])]
    found = splits([*some, sample("b", problem=ids[-2])], [run], SHARES)
    assert len(found["train"]) == 2


def test_a_split_without_answers_is_refused():
    with pytest.raises(UserError, match="no answer is left for the split validation"):
        splits([sample("a")], [run_of(("made", "i0"))], SHARES)


def test_shares_are_read():
    assert shares_of("train=.9, validation=.1") == SHARES
    assert shares_of("train=1") == {"train": 1.0}


@pytest.mark.parametrize(
    "text",
    ["", "train", "train=nan", "train=0,b=1", "a=.5,a=.5", "a=.5,b=.4", "../x=1", "a=-1,b=2", "a=inf", "é=1"],
)
def test_shares_that_can_never_be_right_are_refused(text):
    with pytest.raises(UsageProblem, match="split"):
        shares_of(text)
