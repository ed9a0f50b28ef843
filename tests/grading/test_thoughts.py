"""Reasoning is graded by nobody: marks of all families, thoughts that never end, and marks that are only text."""

from __future__ import annotations

import time

import pytest

from localpower.evals.grade import Grader
from localpower.grading import verdicts
from localpower.grading.math_verify import MathVerify
from localpower.grading.paper import grade_paper
from localpower.grading.thoughts import opens_thought, spoken
from tests.grading.test_code import TASK
from tests.grading.test_grading import HOSTILE

MARKS = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<Thought>", "</Thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<rationale>", "</rationale>"),
    ('<inner_thought depth="2">', "</inner_thought>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|begin_of_thought|>", "<|end_of_thought|>\n<|begin_of_solution|>"),
    ("<|START_THINKING|>", "<|END_THINKING|><|START_RESPONSE|>"),
    ("<|think|>", "<|/think|>"),
    ("<|channel>thought", "<channel|>"),
    ("<|channel|>analysis<|message|>", "<|end|>"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    ("<|channel|>commentary to=tool <|constrain|>json<|message|>", "<|channel|>final<|message|>"),
]


@pytest.mark.parametrize(("begin", "end"), MARKS)
def test_a_thought_is_left_out_whatever_marks_it(begin, end):
    assert spoken(f"{begin}maybe \\boxed{{3}}{end}It is 5.").strip() == "It is 5."


@pytest.mark.parametrize(("begin", "end"), MARKS)
def test_a_thought_that_is_never_closed_never_came_to_an_answer(begin, end):
    assert spoken(f"{begin}so maybe \\boxed{{5}}, or") == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("it may be 3</think>It is 5.", "It is 5."),
        ("assistantanalysis 3<|channel|>final<|message|>It is 5.<|return|>", "It is 5."),
        ("<think>one <think>two</think> 3</think>It is 5.", "It is 5."),
        ("Well. <think>3</think>It is 5.", "Well. It is 5."),
        ("<think>1</think>Well. <think>3</think>It is 5.", "Well. It is 5."),
        ("It is 5. <think>Or is it", ""),
        ("<think>code:\n```python\nx = 3\n</think>It is 5.", "It is 5."),
        ('<think>A tag, "</think>", is 3.</think>It is 5.', "It is 5."),
        ("<think># is it 3?</think>It is 5.", "It is 5."),
        ("<think>3</think><answer>5</answer>", "\nAnswer: 5\n"),
        ("It is 5.</s>\n", "It is 5.\n"),
        ("It is 5.<end_of_turn>", "It is 5."),
        ("A <s>not</s> 5.", "A <s>not</s> 5."),
    ],
)
def test_the_text_outside_thoughts_is_what_is_said(text, said):
    assert spoken(text) == said


@pytest.mark.parametrize(
    "text",
    [
        "    return s.replace('<think>', '')\n",
        '    return re.sub(r"<think>.*?</think>", "", s)\n',
        '    """Takes\n    <think> marks away.\n    """\n    return s[7:]\n',
        "    # up to </think>\n    return s[7:]\n",
        "```python\ndef f(s):\n    return s.split(CLOSED)  # </think>\n```\nIt splits.",
        "Use `<think>` first. The answer is 5.",
        r"The tag is \texttt{<think>}.",
        r"The tag is \verb|<think>| in full.",
        "\\begin{verbatim}\nx <think>\n\\end{verbatim}",
        "It is 3 < thinking > 2.",
    ],
)
def test_marks_in_code_strings_comments_and_braces_are_text(text):
    assert spoken(text) == text


def test_an_opening_mark_at_the_end_of_a_prompt_opens_a_thought():
    assert opens_thought("<|im_start|>assistant\n<think>\n")
    assert not opens_thought("<|im_start|>assistant\n<think>\n\n</think>\n\n")


THOUGHT = "<think>{}</think>"
SAID = {  # how a grader is asked, a wrong answer, a right one
    "math": (lambda text: verdicts.grade_math("5", completion=text), r"\boxed{3}", "The answer is 5."),
    "an answer by itself": (lambda text: verdicts.grade_math("5", answer=text), "3", "5"),
    "paper": (lambda text: grade_paper("5", completion=text), r"\boxed{3}", r"\boxed{5}"),
    "number": (lambda text: verdicts.grade_number("5", completion=text), "#### 3", "so 5"),
    "letter": (lambda text: verdicts.grade_letter("B", completion=text), r"\boxed{A}", "The answer is B."),
    "text": (lambda text: verdicts.grade_short("text", ["Paris"], text), "It is Lyon.", "It is Paris."),
    "list": (lambda text: verdicts.grade_short("list", ["1, 2"], text), "2, 1", "1, 2"),
    "countdown": (lambda text: verdicts.grade_countdown([4, 13], 17, text), r"\boxed{13 - 4}", "4 + 13"),
    "code": (
        lambda text: verdicts.grade_code(TASK, text),
        "```python\ndef total(xs):\n    return 0\n```\n",
        "```python\ndef total(xs):\n    return sum(xs)\n```",
    ),
}


@pytest.mark.parametrize(("grade", "wrong", "right"), SAID.values(), ids=SAID.keys())
def test_every_grader_grades_what_is_said_and_not_what_is_thought(grade, wrong, right):
    assert grade(THOUGHT.format(wrong) + right).verdict == "right"
    assert grade(THOUGHT.format(right) + wrong).verdict == "wrong"
    assert grade(f"<think>{right}, or").verdict == "none"


def test_math_verify_is_asked_about_what_is_said(monkeypatch):
    asked = []
    monkeypatch.setattr("localpower.grading.math_verify.require", lambda: None)
    monkeypatch.setattr(MathVerify, "_check", lambda self: None)
    monkeypatch.setattr(
        "localpower.grading.math_verify.Worker.ask",
        lambda _, request, s: asked.append(request) or ["right", "5"],
    )
    MathVerify().grade("5", completion=r"<think>\boxed{3}</think>\boxed{5}")
    assert asked == [["5", None, r"\boxed{5}"]]
    assert MathVerify().grade("5", completion=r"<think>\boxed{5}").verdict == "none"


def test_a_thought_that_the_prompt_opened_and_nobody_closed_is_no_answer():
    with Grader() as grader:
        assert grader.fields("number", "5", "so maybe 5, or")["verdict"] == "right"
        assert grader.fields("number", "5", "so maybe 5, or", thinking=True)["verdict"] == "none"
        assert grader.fields("number", "5", "maybe 3</think>It is 5.", thinking=True)["verdict"] == "right"


@pytest.mark.parametrize(
    "text",
    [
        *HOSTILE.values(),
        *(
            part * 100_000
            for part in ('"', "'", '"""', "`x", "```", "{", "<", "<|", "# ", "<think>", "</think>")
        ),
        *("<think></think>" * 50_000, "<|channel|>x" * 50_000, "<|channel|>final" * 50_000),
    ],
    ids=lambda text: text[:12],
)
def test_hostile_texts_are_read_at_once(text):
    begin = time.process_time()
    spoken(text)
    assert time.process_time() - begin < 2
