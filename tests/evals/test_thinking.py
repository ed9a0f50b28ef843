"""Models that reason: thoughts that the prompt opened, marks without bytes, and what a judge is shown."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from localpower.completion import PLAIN
from localpower.evals.alpaca import exported
from localpower.evals.asking import Wording, ask
from localpower.evals.grade import Grader
from localpower.evals.jobs import EvalMethod, RenderedProblem, jobs
from localpower.evals.judging import matches
from localpower.evals.making import make_rows
from localpower.evals.problem import Problem
from localpower.evals.settings import problem_rows
from localpower.evals.tasks import TASKS
from localpower.loaded.toy import LoadedToy
from localpower.samplers import Ancestral
from localpower.text.marks import spelling
from localpower.toy import ToyModel
from tests.evals.test_report import row, write

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


@pytest.mark.parametrize(
    ("end", "thinking"), [((4, 5), True), ((2,), True), ((4, 5, 6, 5), False), ((2, 3), False)]
)
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
        (made,) = make_rows(
            Thinker(()), Certain(WORDS), list(job), 1, grader, save_text=bool, check=lambda: None
        )
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
    with Grader() as grader:
        assert (
            grader.regrade(run.rows[0] | {"text": "maybe 5"}, run, lambda row: row["text"])["verdict"]
            == "none"
        )
