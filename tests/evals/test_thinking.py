"""Models that reason: thoughts that the prompt opened, marks without bytes, and what a judge is shown."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

import localpower as lp
from localpower.cli.main import main
from localpower.completion import PLAIN
from localpower.evals.alpaca import exported
from localpower.evals.asking import Wording, ask
from localpower.evals.grade import Grader
from localpower.evals.jobs import EvalMethod, RenderedProblem, jobs
from localpower.evals.judging import matches
from localpower.evals.likelihood import own_scores
from localpower.evals.making import make_rows
from localpower.evals.problem import Problem
from localpower.evals.settings import problem_rows
from localpower.evals.store import read
from localpower.evals.tasks import TASKS
from localpower.loaded.thoughts import thought_of
from localpower.loaded.toy import LoadedToy
from localpower.samplers import Ancestral
from localpower.text.marks import spelling
from localpower.toy import ToyModel
from tests.evals.test_report import row, write
from tests.gguf_files import write_llama
from tests.text.test_thinking import MARKS, TEMPLATE

WORDS = ("<end>", "5", "", "", "<think>", "\n", "</think>", "so ")
CONTROLS = {"[THINK]": 2, "[/THINK]": 3}
PROBLEM = Problem("tiny/0", "What?", {"form": "number", "answers": ["5"]})


class Thinker(LoadedToy):
    """Its prompts end as its template ends them."""

    def __init__(self, end):
        super().__init__(ToyModel(WORDS), has_template=True)
        self.end = end

    def prompts(self, conversations, *, raw, arguments):
        return [(7, *self.end)] * len(conversations)

    def control_token(self, text):
        return CONTROLS.get(text)

    def piece(self, token):
        """As a GGUF's: marks of thoughts are spelled."""
        marks = {number: mark.encode() for mark, number in CONTROLS.items()}
        return marks.get(token) or super().piece(token)


def asked(end, **wording):
    return ask(TASKS["tiny"], [PROBLEM], Thinker(end), Wording(**wording), None)


ENDS = {(4, 5): True, (2,): True, (4, 5, 6, 5): False, (2, 3): False}


@pytest.mark.parametrize(("end", "thinking"), ENDS.items())
def test_a_template_that_opens_a_thought_is_seen_at_the_prompts_end(end, thinking):
    (question,) = asked(end)
    assert question.thinking == thinking
    (problem,) = problem_rows({"m": {"tiny": [question]}}, save_text=True)
    assert problem["prompts"]["m"].get("thinking", False) == thinking


def test_a_raw_prompt_opens_no_thought_whatever_the_user_says():
    assert not asked((4, 5), raw=True)[0].thinking


def test_marks_that_are_control_tokens_are_spelled():
    vocabulary = SimpleNamespace(piece=ToyModel(WORDS).piece, control_token=CONTROLS.get)
    assert [spelling(vocabulary)(token) for token in (2, 1, 3)] == [b"[THINK]", b"5", b"[/THINK]"]


@pytest.mark.parametrize(
    ("tokens", "thinking", "verdict"),
    [
        ((1,), False, "right"),
        ((1,), True, "none"),
        ((2, 1, 3), False, "none"),
        ((2, 7, 3, 1), False, "right"),
        ((7, 6, 1), True, "right"),
    ],
)
def test_an_answer_is_graded_without_the_thought_that_its_tokens_spell(tokens, thinking, verdict):
    class Certain(ToyModel):
        def _row(self, context):
            next_token = (*tokens, 0)[min(len(context) - 1, len(tokens))]
            return np.where(np.arange(len(WORDS)) == next_token, 0.0, -np.inf)

    question = RenderedProblem(TASKS["tiny"], PROBLEM, "", (7,), True, 8, (), PLAIN, thinking)
    job = jobs([question], "m", [EvalMethod("base", lambda *_: (Ancestral(8), 1.0))], 1, 1, {})
    with Grader() as grader:
        model, how = Certain(WORDS), {"save_text": bool, "check": lambda: None}
        (made,) = make_rows(Thinker(()), model, list(job), 1, grader, **how)
    assert made["verdict"] == verdict


@pytest.fixture
def run(tmp_path):
    texts = {"base": "<think>long thoughts</think>Yes.", "power": "more thoughts</think>No."}
    rows = [row(method, "i", "ungraded", text=text) for method, text in texts.items()]
    return write(tmp_path / "r", rows, kind="open")


def test_a_judge_is_shown_no_thoughts(run):
    (match,) = matches(run, None)
    assert (match.ours, match.theirs) == ("No.", "Yes.")


def test_a_thought_that_nobody_closed_is_nothing_to_a_judge(run):
    run.problems["made", "i"]["prompts"]["m"]["thinking"] = True
    run.rows[1]["text"] = "still thinking"
    assert [match.ours for match in matches(run, None)] == [""]


def test_what_is_exported_for_another_judge_has_no_thoughts(run):
    assert [rows[0]["output"] for rows in exported([run]).values()] == ["Yes.", "No."]


def test_the_outputs_of_a_file_are_shown_without_thoughts(run, tmp_path):
    file = tmp_path / "outputs.json"
    file.write_text('[{"instruction": "What?", "output": "<think>a</think>So."}]')
    assert {match.theirs for match in matches(run, str(file))} == {"So."}


def test_an_answer_graded_again_is_graded_without_its_thought(run):
    run.settings["tasks"]["made"]["kind"] = "number"
    run.problems["made", "i"] |= {"gold": "5"}
    run.problems["made", "i"]["prompts"]["m"]["thinking"] = True
    row = run.rows[0] | {"text": "maybe 5"}
    with Grader() as grader:
        assert grader.regrade(row, run, lambda row: row["text"])["verdict"] == "none"


@pytest.fixture(scope="module")
def thinker(tmp_path_factory):
    """A GGUF whose template opens a thought unless it is told not to."""
    path = tmp_path_factory.mktemp("thinker") / "thinker.gguf"
    return write_llama(path, "abc[]:", template=TEMPLATE, marks=MARKS, scale=0.05)


@pytest.fixture
def evaluate(tmp_path, tiny_paths, capsys):
    """Runs `localpower eval` on two problems of a task file; returns exit code, stderr."""
    (tmp_path / "t.jsonl").write_text('{"question": "a", "answer": "5"}\n{"question": "b", "answer": "5"}\n')
    (tmp_path / "t.toml").write_text('data = "t.jsonl"\ngrader = "number"\nmax_tokens = 40\n')

    def call(model, *options):
        arguments = ["eval", str(tmp_path / "t.toml"), "-m", str(model), "--seed", "1", "--method", "base"]
        capsys.readouterr()
        return main([*arguments, *options, "--out", str(tmp_path / "r")]), capsys.readouterr().err

    return call


def test_a_thinking_budget_ends_thoughts_and_what_was_given_is_in_no_likelihood(evaluate, thinker, tmp_path):
    code, _ = evaluate(thinker, "--thinking-budget", "1")
    run = read(tmp_path / "r")
    assert (code, run.settings["thinking_budget"]) == (0, 1)
    for answer in run.rows:
        assert 1 < answer["thinking_tokens"] <= answer["n_tokens"]
        assert [answer["token_log_p"][i] for i in answer["given"]] == [0.0] * len(answer["given"])
        assert "</think>" in answer["text"]
        log_p, entropy = own_scores(run, answer)
        assert len(log_p) == len(entropy) == answer["n_tokens"] - len(answer["given"])
    said = str(lp.compare(tmp_path / "r"))
    assert "thought" in said


def test_thoughts_are_switched_for_a_whole_run_and_another_switch_is_refused(evaluate, thinker, tmp_path):
    assert evaluate(thinker, "--no-think")[0] == 0
    (problem, _) = json.loads((tmp_path / "r" / "problems.json").read_text())["problems"]
    assert "thinking" not in problem["prompts"]["thinker"]
    assert read(tmp_path / "r").settings["think"] is False
    code, err = evaluate(thinker, "--think")
    assert (code, "think was False, now True" in err) == (1, True)


@pytest.mark.parametrize(
    ("prompt", "prefix", "opened"),
    [((2,), (), True), ((2,), (1,), True), ((2,), (1, 3), False), ((7,), (2, 1), True), ((7,), (1,), False)],
)
def test_a_prefix_may_open_a_thought_and_close_the_one_that_the_template_opened(prompt, prefix, opened):
    assert thought_of(Thinker(()), prompt + prefix, len(prefix)).opened == opened


def test_a_model_without_thoughts_is_told_of_once(evaluate, tiny_paths):
    _, err = evaluate(tiny_paths["f16"], "--thinking-budget", "3", "--think")
    assert err.count("--thinking-budget is not used: this model is not known to write thoughts") == 1
    assert err.count("--think is not used: the chat template has no switch") == 1
