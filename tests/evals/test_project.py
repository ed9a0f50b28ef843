"""`--method project` in an eval: every row is right, prompts differ as they should, and what cannot begin is named."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from localpower.cli.main import main
from localpower.evals.asking import Wording, ask
from localpower.evals.experts import expert_of, usable
from localpower.evals.forms import BARE, NUMBER, Form
from localpower.evals.grade import Grader
from localpower.evals.problem import Problem
from localpower.evals.sources import Source
from localpower.evals.tasks import TASKS, find_tasks
from tests.evals.files import lines, rows_in
from tests.evals.files import task_file as written

GSM8K = {"question": "Two and three?", "answer": "We add 2 and 3.\n2 + 3 = <<2+3=5>>5\n#### 5"}


def task_file(folder, rows, **said):
    return written(folder, rows, **{"grader": "number", "worked": "why"} | said)


def test_every_row_is_right_and_says_what_it_cost(evaluate, tmp_path):
    lab = ("lab-sum", "-m", "lab-base", "--seed", "1", "--limit", "3", "--method", "project:steps=12,base")
    code, out, _ = evaluate(*lab)
    rows = [row for row in rows_in(tmp_path / "run") if row["method"] == "project:steps=12"]
    assert (code, len(rows)) == (0, 3)
    assert "project:steps=12" in out
    for row in rows:
        assert (row["verdict"], row["guarantee"]) == ("right", "invariant")
        assert row["plain_answer"] == "the expert's answer"
        assert len(row["tokens"]) == len(row["token_log_p"]) == row["n_tokens"]
        assert row["n_steps"] == 12
        assert row["n_refused"] + row["n_accepted"] + row["n_free"] <= 12
        assert row["scored_tokens"] >= 2 * row["first_drawn"]
        assert (row["settings"]["alpha"], row["settings"]["cuts"]) == (1.0, "uniform")
    kept = json.loads((tmp_path / "run" / "problems.json").read_text())["problems"][0]["prompts"]["lab-base"]
    assert set(kept["expert"]) == {"shown", "worked", "sha256"}


def test_a_rows_log_p_is_of_the_prompt_without_the_experts_answer(evaluate, tmp_path, tiny16, tiny_paths):
    right = ["".join(letters) for n in (1, 2, 3) for letters in product("abc", repeat=n)]
    row = {"question": "abc", "answer": right, "why": "a"}
    file = task_file(tmp_path, [row], grader="text", max_tokens=6)
    method = ("--method", "project:steps=20", "--samples", "3", "--seed", "1")
    code, _, _ = evaluate(file, "-m", str(tiny_paths["f16"]), *method)
    (problem,) = json.loads((tmp_path / "run" / "problems.json").read_text())["problems"]
    (prompt,) = problem["prompts"].values()
    plain, shown = tuple(prompt["tokens"]), tuple(prompt["expert"]["shown"])
    rows = rows_in(tmp_path / "run")
    assert (code, len(rows)) == (0, 3)
    assert sum(row["n_accepted"] for row in rows) > 0
    engine = tiny16.engine(shown, 6, 2, lambda: None)
    for row in rows:
        under_plain, under_shown = (engine.score(p, tuple(row["tokens"])) for p in (plain, shown))
        assert np.allclose(row["token_log_p"], under_plain, atol=1e-3, rtol=0)
        assert not np.allclose(under_plain, under_shown, atol=1e-2, rtol=0)
    engine.close()


def test_a_budget_without_room_for_a_step_leaves_the_experts_answer_and_claims_nothing(evaluate, tmp_path):
    evaluate("lab-sum", "-m", "lab-base", "--limit", "1", "--method", "project:budget=43t,project:budget=44t")
    none, one = rows_in(tmp_path / "run")
    assert (none["planned_steps"], none["guarantee"], none["decoded_tokens"]) == (0, "approximate", 0)
    assert (one["planned_steps"], one["guarantee"], one["n_steps"]) == (1, "invariant", 1)
    assert none["n_tokens"] == none["first_drawn"]


def test_answers_are_the_same_however_many_are_made_at_once_and_in_whatever_order(evaluate, tmp_path):
    lab = ("lab-chain", "-m", "lab-base", "--seed", "3", "--limit", "4", "--method", "project:steps=8,base")
    evaluate(*lab, "--parallel", "1", out="one")
    evaluate(*lab, "--parallel", "4", out="four")
    one, four = (
        {(row["id"], row["method"]): (row["tokens"], row["token_log_p"]) for row in rows_in(tmp_path / name)}
        for name in ("one", "four")
    )
    assert one == four


def test_the_expert_is_shown_to_the_proposal_alone(default_model):
    problem = Problem("p", "Two and three?", "5", worked="2 + 3 = 5\n#### 5")
    (asked,) = ask(TASKS["gsm8k"], [problem], default_model, Wording(), None, show=True)
    each = (asked.tokens, asked.shown, asked.worked)
    plain, shown, worked = (b"".join(map(default_model.piece, tokens)).decode() for tokens in each)
    assert "####" not in plain
    assert "Here is a correct solution, which an expert wrote:\n\n2 + 3 = 5\n#### 5" in shown
    assert worked == "2 + 3 = 5\n#### 5"
    (without,) = ask(TASKS["gsm8k"], [problem], default_model, Wording(), None)
    assert (without.tokens, without.shown, without.worked) == (asked.tokens, None, None)


def test_a_model_without_a_template_reads_the_problem_twice_with_the_answer_between():
    problem = Problem("p", "1+1?", "2", worked="It is 2")
    plain = NUMBER["plain"]
    text = plain.write(problem)
    assert plain.shown(problem, chat=False) == f"{text} It is 2\n\n{text}"
    assert plain.before(text, chat=False) == " "
    assert Form(lambda p: p.text + "\n").before("1+1?\n", chat=False) == ""


def test_a_lab_model_which_reads_one_problem_and_no_more_is_shown_nothing():
    problem = Problem("p", "1+1?", "2", worked="1+1=2>2")
    assert BARE["plain"].shown(problem, chat=False) == BARE["plain"].write(problem) == "1+1?"


def test_the_verifier_of_a_chain_is_the_grader_of_the_row(default_model):
    problem = Problem("p", "Two and three?", "5", worked="#### 5")
    (asked,) = ask(TASKS["gsm8k"], [problem], default_model, Wording(), None, show=True)
    expert = expert_of(asked, default_model, Grader())
    assert (expert.prompt, expert.answer) == (asked.shown, asked.worked)
    right, wrong = (default_model.following(asked.tokens, text) for text in ("#### 5", "#### 6"))
    assert (expert.accepts(right), expert.accepts(wrong)) == (True, False)
    thinking = expert_of(replace(asked, thinking=True), default_model, Grader())
    assert not thinking.accepts(right), "a thought that is not closed is no answer"


def test_gsm8k_and_math_have_worked_answers_and_those_for_calculators_are_left_out(tmp_path):
    (tmp_path / "test.jsonl").write_text(lines([GSM8K, {"question": "q", "answer": "7"}]))
    first, second = TASKS["gsm8k"].problems(Source(tmp_path))
    assert (first.gold, first.worked) == ("5", "We add 2 and 3.\n2 + 3 = 5\n#### 5")
    assert (second.gold, second.worked) == ("7", "")
    row = {"problem": "p", "answer": "2", "solution": r"\boxed{2}"}
    (tmp_path / "MATH500.jsonl").write_text(lines([row]))
    (found,) = TASKS["math500"].problems(Source(tmp_path))
    assert found.worked == r"\boxed{2}"


def test_a_task_file_names_the_field_and_the_model_never_sees_it(tmp_path, capsys):
    row = {"question": "1+1", "answer": 2, "why": "1+1=2"}
    (task,) = find_tasks((task_file(tmp_path, [row, row | {"why": None}, row | {"why": " "}]),))
    assert [problem.worked for problem in task.problems(Source())] == ["1+1=2", "", ""]
    file = task_file(tmp_path, [row], prompt="{question} {why}")
    assert main(["eval", file, "--out", str(tmp_path / "out")]) == 1
    assert "its prompt has {why}, the right answer, which the model must not see" in capsys.readouterr().err


def test_worked_answers_that_can_begin_no_chain_are_left_out_by_name(default_model):
    texts = {"fine": "#### 5", "wrong": "#### 6", "long": "five " * 400 + "#### 5", "none": ""}
    problems = [Problem(name, "Two and three?", "5", worked=text) for name, text in texts.items()]
    asked = ask(TASKS["gsm8k"], problems, default_model, Wording(), None, show=True)
    found, (note,) = usable(asked, default_model, Grader())
    assert [each.problem.id for each in found if each.worked is not None] == ["fine"]
    assert len(found) == 4
    assert "wrong: the verifier rejects the expert's answer" in note
    assert "none: it has no worked answer" in note
    assert "and an answer has at most 320" in note


def test_a_problem_without_a_usable_answer_is_answered_by_the_other_methods(evaluate, tmp_path):
    rows = [{"id": n, "question": "5", "answer": 5, "why": why} for n, why in enumerate(("5", "6"))]
    file = task_file(tmp_path, rows, max_tokens=8)
    code, _, err = evaluate(file, "-m", "lab-base", "--method", "project:steps=2,base", "--seed", "1")
    assert code == 0
    assert "left out of --method project: 1: the verifier rejects the expert's answer" in err
    found = [(row["method"], row["id"]) for row in rows_in(tmp_path / "run")]
    assert sorted(found) == [("base", "0"), ("base", "1"), ("project:steps=2", "0")]


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ("humaneval", "asks a verifier while it writes: humaneval has programs"),
        ("alpaca", "alpaca has open answers, which a judge compares"),
        ("tiny", 'no problem of tiny has one (a task file names their field: worked = "solution")'),
    ],
)
def test_tasks_without_a_verifier_or_a_worked_answer_are_refused_at_once(evaluate, tmp_path, task, said):
    code, _, err = evaluate(task, "--method", "project", "-m", "nosuch")
    assert code in (1, 2)
    assert said in err
    assert not (tmp_path / "run").exists()


def test_where_no_worked_answer_is_usable_nothing_begins(evaluate, tmp_path):
    file = task_file(tmp_path, [{"question": "5", "answer": 5, "why": "6"}])
    code, _, err = evaluate(file, "--method", "project", "-m", "lab-base")
    assert code == 1
    assert "no worked answer can begin a chain of --method project: 0: " in err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("command", [("run", "hello"), ("chat",)])
def test_other_commands_refuse_it_and_say_why(command, capsys):
    assert main([*command, "--method", "project", "-m", "nosuch"]) == 2
    said = "needs a worked answer and a verifier, which only the problems of an eval have"
    assert said in capsys.readouterr().err
