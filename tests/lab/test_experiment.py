"""The experiment of docs/lab.md: it runs, its line has the shape that programs read, its page is what its counts say."""

from __future__ import annotations

import json

import arms
import numpy as np
import pytest
import summary
import tables
from results import ArmResult, Results, gather

TINY = arms.Mode("tiny", 1, 2, 2, 2)
MADE = ("base", "cue", "power", "grpo")
KEYS = [
    *("pass1", "passk", "tokens", "seconds_per_answer"),
    *("by_family", "solved_only_by", "n_problems", "seconds"),
]


@pytest.fixture(scope="module")
def small(experiment, tmp_path_factory, own_cache):
    """A run of one problem of each family, and what is counted of it."""
    out = tmp_path_factory.mktemp("lab")
    chosen = [arm for arm in arms.MAIN if arm.name in MADE]
    runs = {arm.name: experiment.answered(arm, TINY, out, 1, 4) for arm in chosen}
    return out, runs, gather(out, arms.MAIN, "here")


def test_the_line_of_a_small_run_has_the_shape_that_programs_read(small):
    line = json.loads(json.dumps(summary.line(small[2], 1.0)))
    assert list(line) == KEYS
    for key in ("pass1", "passk", "tokens", "seconds_per_answer"):
        assert list(line[key]) == list(MADE)
    for value, low, high in line["pass1"].values():
        assert 0 <= low <= value <= high <= 1
    assert line["passk"]["base"].keys() == {"1", "2"}
    assert line["passk"]["base"]["1"] == line["pass1"]["base"][0]
    assert line["by_family"].keys() == set(arms.FAMILIES)
    assert line["solved_only_by"].keys() == {"base", "grpo"}
    assert line["n_problems"] == 3


def test_counts_are_those_of_the_stored_verdicts(small):
    _, runs, results = small
    for name, found in runs.items():
        verdicts = [answer.verdict for run in found for answer in run.answers]
        assert sum(results.arms[name].right) == verdicts.count("right")
        assert sum(results.arms[name].n) == len(verdicts) == 6


def test_every_answer_of_a_cue_begins_with_it(small):
    for run in small[1]["cue"]:
        for answer in run.answers:
            assert answer.text.startswith(arms.CUES[answer.task.removeprefix("lab-")])


def test_counts_survive_their_file(small, tmp_path):
    path = tmp_path / "lab.json"
    small[2].write(path)
    assert Results.read(path) == small[2]


def test_a_stopped_run_goes_on_and_changes_nothing(experiment, small):
    out, runs, _ = small
    base = next(arm for arm in arms.MAIN if arm.name == "base")
    again = experiment.answered(base, TINY, out, 1, 4)
    assert [run.answers for run in again] == [run.answers for run in runs["base"]]


def test_the_page_and_its_pictures_are_what_its_counts_say():
    results = Results.read(tables.COUNTS)
    page = tables.PAGE.read_text("utf-8")
    assert tables.rewritten(page, results) == page, "run python scripts/lab/tables.py"
    for name, text in tables.drawings(results).items():
        assert (tables.PAGE.parent / f"lab-{name}.svg").read_text("utf-8") == text


def test_the_counts_are_small_and_every_table_stands_on_the_page():
    assert tables.COUNTS.stat().st_size < 300_000
    page = tables.PAGE.read_text("utf-8")
    assert [name for name in tables.TABLES if f"<!-- table {name} -->" not in page] == []


def test_the_published_arms_have_every_problem_of_the_three_families():
    results = Results.read(tables.COUNTS)
    assert set(results.arms) >= set(arms.NAMES)
    assert len(results.problems) >= 150
    for arm in results.arms.values():
        assert min(arm.n) == max(arm.n) > 0
        assert all(0 <= right <= n for right, n in zip(arm.right, arm.n, strict=True))


def made(**rights):
    problems = tuple((f"p{i}", arms.FAMILIES[i], 1) for i in range(3))
    told = ("m", "base", (4, 4, 4))
    found = {name: ArmResult(*told, tuple(right), 1.0, 1.0, 1.0) for name, right in rights.items()}
    return Results("here", problems, found)


def test_who_solves_alone_is_counted_where_all_answers_are_used_and_expected_where_fewer_are():
    results = made(base=(4, 0, 1), power=(0, 2, 4))
    assert summary.alone(results, "base", "power", 4, [0, 1, 2]) == pytest.approx((1.0, 1.0))
    first, second = summary.alone(results, "base", "power", 1, [0, 1, 2])
    assert first == pytest.approx(1.0)
    assert second == pytest.approx(0.5 + 0.75)


def test_a_share_of_a_gain_is_the_ratio_of_two_gains():
    results = made(base=(0, 1, 1), power=(1, 2, 3), grpo=(2, 3, 4))
    share = summary.share_of_gain(results, "power", "grpo", [0, 1, 2])
    assert share.value == pytest.approx(4 / 7)
    assert share.low <= share.value <= share.high
    assert summary.share_of_gain(results, "power", "base", [0, 1, 2]) is None


def test_pass_at_one_is_the_accuracy():
    arm = made(base=(3, 0, 1)).arms["base"]
    accuracy = summary.accuracy(arm, [0, 1, 2]).value
    assert summary.passes(arm, [0, 1, 2], [1])[0].value == pytest.approx(accuracy)
    assert np.isclose(accuracy, 1 / 3)
