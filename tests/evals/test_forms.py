"""What a model is told. The paper's texts are facts about the paper: to the character."""

from __future__ import annotations

import pytest

from localpower.errors import UsageProblem
from localpower.evals.asking import Wording, ask, form_of
from localpower.evals.forms import Form
from localpower.evals.problem import Problem
from localpower.evals.tasks import TASKS
from localpower.loading import Request, load
from localpower.names import FORMS
from tests.evals.files import PROGRAM

MATH = Problem("math500/1", "What is $1+1$?", "2")
GPQA = Problem("gpqa/r", "Which?", "B", "", ("one", "two", "three", "four"), (1, 0, 2, 3))


def written(task, form, problem):
    return TASKS[task].forms[form].write(problem)


def test_the_papers_mathematics_keeps_its_doubled_braces():
    assert written("math500", "paper", MATH) == (
        "Can you solve the following math problem? What is $1+1$? "
        r"Please reason step by step, and put your final answer within \boxed{{}}."
    )


def test_the_papers_multiple_choice():
    assert written("gpqa", "paper", GPQA) == (
        "Answer the following multiple choice question. The last line of your response should be of the following "
        r"format: '\boxed{$LETTER}' (without quotes) where LETTER is one of ABCD (ex. '\boxed{A}'). "
        "Think step by step before answering.\n\nWhich?\n\nA) one\nB) two\nC) three\nD) four"
    )


def test_the_papers_program_is_the_prompt_itself_and_phi_is_told_more():
    problem = Problem("HumanEval/0", PROGRAM["prompt"])
    assert written("humaneval", "paper", problem) == PROGRAM["prompt"]
    assert written("humaneval", "paper-chat", problem) == (
        "Write a Python function `half(n: int) -> float` to solve the following problem:\n"
        "Half of n.\n>>> half(4)\n2.0\n" + PROGRAM["prompt"]
    )


@pytest.mark.parametrize("task", ["math500", "humaneval", "gpqa", "alpaca"])
def test_the_papers_forms_have_no_stops(task):
    assert all(TASKS[task].forms[form].stops == () for form in ("paper", "paper-chat"))


@pytest.mark.parametrize(
    ("task", "form", "template"),
    [
        ("math500", "paper", False),
        ("math500", "paper-chat", True),
        ("humaneval", "paper-chat", False),
        ("gpqa", "paper-chat", False),
        ("alpaca", "paper-chat", True),
        ("math500", "chat", True),
        ("lab-sum", "chat", False),
    ],
)
def test_the_template_is_used_where_it_should_be(task, form, template):
    assert TASKS[task].forms[form].template == template


def test_every_task_has_a_form_for_models_with_a_template_and_without_and_says_where_its_file_is():
    for task in TASKS.values():
        assert {"chat", "plain"} <= set(task.forms) <= {"plain", *FORMS}
        assert all(isinstance(form, Form) for form in task.forms.values())
        assert task.needs is None or (task.needs.where and task.needs.names)


def test_without_a_template_a_chat_becomes_plain_text_with_stops():
    form = form_of(TASKS["gsm8k"], Wording(), template=False)
    assert form.write(MATH).startswith("Question: What is $1+1$?")
    assert form.write(MATH).endswith("Answer:")
    assert "\nQuestion:" in form.stops


def test_a_form_that_a_task_lacks_is_refused():
    with pytest.raises(UsageProblem, match="tiny has no prompt of style paper"):
        form_of(TASKS["tiny"], Wording("paper"), template=True)


def test_many_prompts_are_the_same_tokens_as_each_alone():
    loaded = load(Request("smollm2"))
    texts = ("Hi", "<|im_end|> or <|im_start|>?", "é 東京", "a" * 2000)
    problems = [Problem(str(i), text) for i, text in enumerate(texts)]
    wording = Wording(system="Be brief.")
    asked = ask(TASKS["alpaca"], problems, loaded, wording, None)
    for question, problem in zip(asked, problems, strict=True):
        (alone,) = ask(TASKS["alpaca"], [problem], loaded, wording, None)
        assert question.tokens == alone.tokens
        assert question.chat


def test_no_stops_leaves_those_that_were_asked_for():
    loaded = load(Request("lab-base"))
    wording = Wording(stops=("!",), own_stops=False)
    (question,) = ask(TASKS["tiny"], [Problem("1", "1+1?")], loaded, wording, 5)
    assert (question.stops, question.max_tokens, question.chat) == (("!",), 5, False)
