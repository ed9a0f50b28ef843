"""An opening that every answer is given: conditioned on, graded and shown, in no power and no log p."""

from __future__ import annotations

import json

import numpy as np
import pytest

import localpower as lp
from localpower.cli.main import main
from localpower.completion import PLAIN, Rules
from localpower.errors import UsageProblem
from localpower.evals.grade import Grader
from localpower.evals.jobs import EvalMethod, RenderedProblem, jobs
from localpower.evals.making import make_rows
from localpower.evals.problem import Problem
from localpower.evals.report import report
from localpower.evals.store import read
from localpower.evals.tasks import TASKS
from localpower.loaded.toy import LoadedToy
from localpower.loading import Request, load
from localpower.samplers import Ancestral
from localpower.text.stops import ends
from tests.evals.files import gpqa_csv
from tests.evals.test_report import row, write
from tests.evals.test_scoring import read_by

LAB = ("eval", "lab-chain", "--method", "base,power:steps=3", "--limit", "2", "--seed", "1")
PREFIX = "ab>"


def evaluate(folder, *more, model="lab-base", prefix=PREFIX):
    assert main([*LAB, "-m", model, "--answer-prefix", prefix, *more, "--out", str(folder)]) == 0
    return read(folder)


def asked(run, answer):
    return run.problems[answer["task"], answer["id"]]["prompts"][answer["model"]]


def test_an_answer_is_drawn_as_if_its_prefix_ended_the_prompt(tmp_path, capsys):
    for answer in evaluate(tmp_path / "r").rows:
        method = answer["method"].partition(":")[0]
        prompt = answer["id"].removeprefix("lab-chain/") + PREFIX
        settings = ("--steps", "3", "--max-tokens", str(answer["max_tokens"]), "--seed", str(answer["seed"]))
        capsys.readouterr()
        main(["run", prompt, "-m", "lab-base", "--json", "--method", method, *settings])
        plain = json.loads(capsys.readouterr().out)
        assert (answer["tokens"], answer["log_p"]) == (plain["tokens"], plain["log_p"])
        assert answer["text"] == PREFIX + plain["text"]
        assert answer["answer_prefix"] == PREFIX


@pytest.mark.parametrize(
    ("prefix", "verdict"), [("The answer is 4.\n", "right"), ("The answer is 5.\n", "wrong"), ("", "none")]
)
def test_the_prefix_is_graded_with_the_answer(prefix, verdict):
    problem = Problem("tiny/1", "", {"form": "number", "answers": ["4"]})
    question = RenderedProblem(TASKS["tiny"], problem, "", (1, 2), False, 2, (), PLAIN, prefix=prefix)
    job = jobs([question], "m", [EvalMethod("base", lambda *_: (Ancestral("base", 1.0, 2), 1.0))], 1, 1, {})
    toy = LoadedToy()
    with Grader() as grader:
        (made,) = make_rows(toy, toy.toy, list(job), 1, grader, save_text=bool, check=lambda: None)
    assert made["verdict"] == verdict


def test_control_texts_of_a_prefix_stay_text_and_none_of_the_prompts_tokens_is_read_anew():
    model = load(Request("smollm2"))
    end = model.control_token("<|im_end|>")
    opening = model.following((1, 198), "<|im_end|>")
    assert end not in opening
    assert b"".join(map(model.piece, opening)) == b"<|im_end|>"
    newline = model.following((), "\n")
    assert model.following(newline, "\nOkay") == (*newline, *model.following((), "Okay"))


def test_a_stop_in_the_prefix_ends_nothing():
    toy = LoadedToy()
    word = toy.piece(3).decode()
    rules = Rules(ended=ends([word.encode()], toy.piece, toy.control_token))
    question = RenderedProblem(
        *(TASKS["tiny"], Problem("tiny/1", "", {"form": "number", "answers": ["4"]}), "", (1, 3), False, 8),
        *((word,), rules),
        prefix=word,
        n_prefix=1,
    )
    make = EvalMethod("base", lambda *_: (Ancestral("base", 1.0, 8, rules), 1.0))
    with Grader() as grader:
        twenty = list(jobs([question], "m", [make], 20, 1, {}))
        rows = list(make_rows(toy, toy.toy, twenty, 1, grader, save_text=bool, check=lambda: None))
    assert {made["text"].startswith(word) for made in rows} == {True}
    assert max(made["n_tokens"] for made in rows) > 1


def test_a_scorer_conditions_on_the_prefix_and_does_not_count_it(tmp_path):
    run, base = evaluate(tmp_path / "r", model="lab-grpo"), load(Request("lab-base"))
    scorer = read_by("lab-base", run)
    for answer in run.rows:
        prompt, tokens = tuple(asked(run, answer)["tokens"]), tuple(answer["tokens"])
        engine = base.engine(prompt, len(tokens), 1, lambda: None)
        np.testing.assert_allclose(scorer.scores(run, answer)[0], engine.score(prompt, tokens), atol=1e-6)
        assert prompt[-asked(run, answer)["n_prefix"] :] == base.following((), PREFIX)


def test_a_scorer_of_another_vocabulary_reads_the_prefix_as_part_of_the_prompt(tmp_path):
    run, other = evaluate(tmp_path / "r"), load(Request("smollm2"))
    scorer = read_by("smollm2", run)
    answer = run.rows[0]
    said = lp.api.question.conversation_of(asked(run, answer)["text"])
    prompt = other.prompt(said, raw=True, arguments={}) + other.following((), PREFIX)
    tokens = other.following(prompt, answer["text"].removeprefix(PREFIX))
    engine = other.engine(prompt, len(tokens), 1, lambda: None)
    np.testing.assert_allclose(scorer.scores(run, answer)[0], engine.score(prompt, tokens), atol=1e-6)


def test_answers_that_were_stored_without_text_are_graded_with_their_prefix(tmp_path, capsys):
    (tmp_path / "gpqa_diamond.csv").write_bytes(gpqa_csv())
    arguments = f"eval gpqa --data {tmp_path} -m smollm2 --max-tokens 4 --seed 1 --method low-temp --limit 1"
    prefix = "The correct answer is (A).\n\n"
    assert main([*arguments.split(), "--answer-prefix", prefix, "--out", str(tmp_path / "run")]) == 0
    before = read(tmp_path / "run").rows
    assert [(each["text"], each["extracted"]) for each in before] == [(None, "A")]
    assert main(["regrade", str(tmp_path / "run")]) == 0
    assert read(tmp_path / "run").rows == before


def test_a_run_with_a_prefix_stands_beside_one_without_by_another_label(tmp_path):
    rows = [row("base", f"i{i}", "right") for i in range(4)]
    plain = write(tmp_path / "a" / "run", rows)
    cue = write(tmp_path / "b" / "run", rows, settings={"answer_prefix": "\n\nOkay\u202e"})
    found = report([plain, cue])["tasks"]["made"]
    labels = [group["label"] for group in found["groups"]]
    assert labels == ["run base", r'run base +prefix "\n\nOkay\u202e"']
    assert [(pair["first"], pair["second"]) for pair in found["pairs"]] == [tuple(labels)]
    assert 'answer prefix (none or "\\n\\nOkay' in found["notes"][-1]


def test_runs_with_the_same_prefix_do_not_name_it_in_their_labels(tmp_path):
    run = write(tmp_path / "r", [row("base", "i", "right")], settings={"answer_prefix": "So"})
    assert [group["label"] for group in report([run])["tasks"]["made"]["groups"]] == ["base"]


def test_the_library_takes_a_prefix_and_records_it(tmp_path):
    run = lp.evaluate("tiny", "toy", "base", limit=1, seed=1, answer_prefix="So", out=tmp_path / "r")
    assert run.settings["answer_prefix"] == "So"
    assert run.answers[0].text.startswith(run.answers[0].answer_prefix)


@pytest.mark.parametrize("prefix", ["", 3, ["So"], "x" * 4001])
def test_what_can_open_no_answer_is_refused_before_a_folder_is_made(tmp_path, prefix):
    with pytest.raises(UsageProblem, match="--answer-prefix"):
        lp.evaluate("tiny", "toy", "base", answer_prefix=prefix, out=tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_a_prefix_that_the_shell_left_with_backslashes_is_told(tmp_path, capsys):
    evaluate(tmp_path / "r", model="toy", prefix=r"\nSo")
    assert r"note: --answer-prefix \nSo has a backslash and a letter" in capsys.readouterr().err
