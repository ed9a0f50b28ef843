"""The cold starts of docs/lab.md: equal rows for all, no test problem among them, and what the page says of them."""

from __future__ import annotations

import json
from dataclasses import replace

import arms
import cold_data
import cold_rows
import cold_start
import pytest
import tables
from cold_tables import at_step, cold, cold_gains
from results import ArmResult, Results

import localpower as lp
from localpower.data.formats import IGNORED
from localpower.evals.sources import Source
from localpower.evals.tasks import TASKS
from localpower.lab.problems import FAMILIES, Problem
from localpower.loading import Request, load
from localpower.text.conversation import Conversation

N = 12  # problems of a small run


@pytest.fixture(scope="module")
def small(tmp_path_factory, own_cache):
    """The rows of some starts, of N problems, by the real model and the real export."""
    out, rows = tmp_path_factory.mktemp("cold"), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(TASKS, cold_start.TASK, cold_start.task())
        patch.setattr(cold_data, "ROWS", 1)
        for start in cold_start.STARTS:
            if start.name in ("own", "right", "project", "expert"):
                few = replace(start, limit=N)
                cold_data.drawn(few, out, 16)
                cold_data.exported(few, out)
                lines = cold_start.rows_file(out, start.name).read_text("utf-8").splitlines()
                rows[start.name] = [json.loads(line) for line in lines]
        yield out, rows


def named(row):
    return row["problem_id"].removeprefix(f"{cold_start.TASK}/")


def test_training_problems_are_many_and_different_and_none_is_a_test_problem():
    found = cold_start.problems()
    prompts = {each.text for each in found}
    assert len(prompts) == len(found) == cold_start.POOL
    source = Source(None, 0, str)
    tested = {each.text for family in FAMILIES for each in TASKS[f"lab-{family}"].problems(source)}
    assert prompts & tested == set()
    assert not any(Problem("", 0, prompt, "").held_out for prompt in prompts)
    assert {each.gold["family"] for each in found} == set(FAMILIES)


def test_every_start_has_one_row_a_problem_and_the_same_problems_where_no_luck_is_needed(small):
    rows = small[1]
    names = {start: [named(row) for row in each] for start, each in rows.items()}
    assert names["own"] == names["project"] == names["expert"]
    assert len(set(names["own"])) == N
    assert len(set(names["right"])) == len(names["right"]) < N
    assert set(names["right"]) <= set(names["own"])


def test_rows_of_right_draws_and_of_projections_are_right(small):
    posed = {each.text: each for each in cold_start.problems()}
    for start in ("right", "project", "expert"):
        assert {row["verdict"] for row in small[1][start]} == {"right"}
    assert {row["verdict"] for row in small[1]["own"]} == {"right", "wrong"}
    assert all(row["problem_id"] == posed[named(row)].id for row in small[1]["own"])


def test_an_experts_row_is_the_careful_page_with_an_end_and_learned_from_its_answer_on(small):
    posed = {each.text: each for each in cold_start.problems()}
    loaded = load(Request("lab-base", 1))
    for row in small[1]["expert"]:
        prompt = loaded.prompt(Conversation.of(named(row)), raw=True, arguments={})
        learned = [label for label in row["labels"] if label != IGNORED]
        assert row["input_ids"] == [*prompt, *learned]
        assert b"".join(map(loaded.piece, learned)).decode() == posed[named(row)].worked
        assert learned[-1] in loaded.weights.eos


def test_a_projected_row_is_another_right_answer_to_some_problem(small):
    expert, project = small[1]["expert"], small[1]["project"]
    assert any(a["input_ids"] != b["input_ids"] for a, b in zip(expert, project, strict=True))


def test_a_start_without_enough_rows_is_refused_when_it_is_made(small, monkeypatch):
    monkeypatch.setattr(cold_data, "ROWS", N + 1)
    start = next(each for each in cold_start.STARTS if each.name == "own")
    with pytest.raises(lp.UserError, match=f"own has {N} rows and every start needs {N + 1}"):
        cold_data.exported(start, small[0])


def test_a_trainer_takes_the_first_rows_of_every_start_and_refuses_fewer(small, monkeypatch):
    path = cold_start.rows_file(small[0], "own")
    monkeypatch.setattr(cold_rows, "ROWS", N - 1)
    assert cold_rows.chosen(path) == small[1]["own"][: N - 1]
    monkeypatch.setattr(cold_rows, "ROWS", N + 1)
    with pytest.raises(ValueError, match=f"has {N} rows and every start needs {N + 1}"):
        cold_rows.chosen(path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"problem_id": "lab-training/14+20?"}, "which is no training problem"),
        ({"task": "lab-sum", "problem_id": "lab-sum/1+1?"}, "which is no training problem"),
        ({}, "several rows to one problem"),
    ],
)
def test_a_trainer_refuses_a_test_problem_and_two_rows_to_one(small, tmp_path, monkeypatch, change, reason):
    row = small[1]["own"][0]
    assert Problem("sum", 1, "14+20?", "34").held_out
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{json.dumps(row)}\n{json.dumps(row | change)}\n", "utf-8")
    monkeypatch.setattr(cold_rows, "ROWS", 2)
    with pytest.raises(ValueError, match=reason):
        cold_rows.chosen(path)


def test_padding_is_learned_from_by_nobody():
    rows = [{"input_ids": [5, 6, 7], "labels": [IGNORED, 6, 7]}, {"input_ids": [5], "labels": [5]}]
    tokens, labels = cold_rows.padded(rows, 4, 31)
    assert tokens.tolist() == [[5, 6, 7, 31], [5, 31, 31, 31]]
    assert labels.tolist() == [[IGNORED, 6, 7, IGNORED], [5, IGNORED, IGNORED, IGNORED]]


def test_cold_starts_that_were_trained_are_asked_with_full_and_only_there(tmp_path, experiment):
    for name in ("cold-own-0", "cold-own-30", "cold-own-60", "cold-own-70"):
        (tmp_path / f"lab-{name}.gguf").touch()
    for mode, wanted in ((arms.QUICK, []), (arms.DEFAULT, []), (arms.FULL, [0, 30, 60])):
        asked = [arm for arm in experiment.asked(mode, tmp_path) if arm.name.startswith("cold")]
        assert [arm.name for arm in asked] == [f"cold-own-{step}" for step in wanted]
    assert [arm.size for arm in asked] == ["many", "two", "many"]
    assert not any(arm.name.startswith("cold") for arm in experiment.asked(arms.FULL, None))


def made(**rights):
    """Arms with 16 answers to each of three problems. rights: the right ones among eight."""
    problems = tuple((f"p{i}", FAMILIES[i], 1) for i in range(3))
    arms = {
        name.replace("_", "-"): ArmResult(
            *("m", "base", (16, 16, 16), tuple(2 * n for n in right), 1.0, 1.0, 1.0),
            distinct=2.0,
            entropy=0.5,
            kl=1.25,
        )
        for name, right in rights.items()
    }
    return Results("here", problems, arms)


def cells(text):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:]]


def test_the_table_has_each_start_before_and_after_and_who_solves_what_the_base_does_not():
    results = made(base=(8, 0, 0), cold_base_60=(8, 0, 4), cold_own_0=(0, 8, 4), cold_own_60=(0, 8, 8))
    rows = {(row[0], row[1]): row for row in cells(cold(results))}
    assert list(rows) == [("base", "0"), ("own", "0"), ("base", "60"), ("own", "60")]
    assert rows["own", "60"][2].startswith("0.667")
    assert rows["own", "60"][3:6] == ["0.00", "1.00", "1.00"]
    assert rows["own", "60"][8:10] == ["1", "2"]
    assert rows["base", "60"][8:10] == ["0", "1"]
    assert rows["base", "0"][8:] == ["", "", "2.0", "0.500", "0"]
    assert rows["own", "0"][-2:] == ["0.500", "1.25"]


def test_pass_at_the_bases_k_is_told_of_no_model_with_fewer_answers():
    results = made(base=(8, 0, 0), cold_own_0=(8, 0, 0))
    fewer = replace(results.arms["base"], n=(32, 32, 32))
    rows = {row[0]: row for row in cells(cold(replace(results, arms=results.arms | {"base": fewer})))}
    assert rows["base"][7] != ""
    assert rows["own"][7:10] == ["", "", ""]


def test_a_start_is_compared_with_the_bases_own_reinforcement_learning():
    results = made(base=(8, 0, 0), cold_base_60=(8, 0, 4), cold_own_0=(0, 0, 0), cold_own_60=(0, 8, 8))
    rows = {row[0]: row for row in cells(cold_gains(results))}
    assert rows["base"][1].startswith("+0.167")
    assert rows["own"][1].startswith("+0.667")
    assert rows["own"][2].startswith("-0.500")
    assert rows["own"][3].startswith("+0.167")
    assert rows["own"][5:] == ["1", "1"]


def test_published_starts_have_as_many_answers_before_and_after_as_the_base():
    results = Results.read(tables.COUNTS)
    for start in cold_start.NAMES:
        for step in (0, cold_start.GRPO_STEPS):
            name, arm = at_step(results, start, step)
            assert arm.n == results.arms["base"].n, name
        assert all(at_step(results, start, step) for step in cold_start.CHECKPOINTS)


def test_entropy_and_distance_are_told_of_plain_draws_alone():
    results = Results.read(tables.COUNTS)
    assert results.arms["base"].kl == 0
    for name, arm in results.arms.items():
        assert (arm.kl is not None) == (arm.entropy is not None) == (arm.method == "base"), name
