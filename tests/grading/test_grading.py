"""Grading by value: pairs with known verdicts, what is taken for an answer, and texts that were made to hurt."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from localpower.cli.main import main
from localpower.grading.expression import NotRead, parse
from localpower.grading.extract import boxed, math_answer, number_answer
from localpower.grading.letters import letter_answer
from localpower.grading.paper import grade_paper
from localpower.grading.verdicts import grade_letter, grade_math, grade_number
from localpower.grading.worth import exact
from tests.evals.files import lines

CASES = [json.loads(line) for line in (Path(__file__).parent / "math.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['gold']} | {c['answer']}"[:60])
def test_an_answer_is_graded_by_its_value(case):
    found = grade_math(case["gold"], answer=case["answer"])
    assert found.verdict == ("right" if case["equal"] else "wrong")


@pytest.mark.parametrize("grade", [grade_math, grade_paper])
@pytest.mark.parametrize("gold", sorted({case["gold"] for case in CASES}))
def test_every_gold_answer_is_right_by_itself(gold, grade):
    assert grade(gold, answer=gold).verdict == "right"
    assert grade(gold, completion=f"So it is $\\boxed{{{gold}}}$.").verdict == "right"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (r"First \boxed{3}. Wait, it is \boxed{7}.", "7"),
        (r"\boxed {5}", "5"),
        (r"\fbox{5}", "5"),
        (r"\boxed 5", "5"),
        (r"\boxed{5} and the word \boxed", "5"),
        (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        (r"\boxed{\boxed{4}}", "4"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\boxed{3} then \boxed{4", "3"),
        (r"\boxed{}", None),
        (r"\boxed{5}. I put it in \boxed as asked", "5"),
        (r"\boxed{5}. I used \boxed 3 times", "5"),
        (r"\boxed{5} as asked in \boxed{}", "5"),
        (r"\boxed{5}, of the form \boxed{...}", "5"),
        (r"\boxed{5} within \boxed{answer}", "5"),
        ("no box", None),
    ],
)
def test_the_last_complete_box_counts(text, found):
    assert boxed(text) == found


RUN_ON = (
    *("\nQuestion 2:", "\n### Problem:", "\n**Question:**", "\n**Problem 3**:", "\nQ2:", "\nExercise:"),
    *("\nUser:", "\nHuman:", "\n### Problem 2\n", "\n**Problem 2.**"),
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("so the final answer is 12.", "12"),
        ("Answer: x = 3\nThat is all.", "x = 3"),
        ("the number 12 occurs", None),
        ("**Answer:** 7", "7"),
        (r"\boxed{5}" + "\n\nQuestion: what is 2+2?\n" + r"\boxed{4}", "5"),
        ("I say it again.\nProblem: what is 2+3?\nSolution: the answer is 5", "5"),
        (" \nQuestion: what is 2+3?\n\nQ: add\n" + r"\boxed{5}", "5"),
        ("The answer is 5.\nProblem: what is 2+2?\nThe answer is 4.", "5"),
        ("The final answer is 5. I hope it is correct.", "5"),
        ("The answer is 5, because 2 + 3 = 5.", "5"),
        ("The answer is 5 since it is odd.", "5"),
        ("The answer is 2.5, so we are done.", "2.5"),
        ("The answer is x = 1, 2", "x = 1, 2"),
        ("**Final Answer**: 18\nThat is 3 more.", "18"),
        ("**Final Answer**\n\n18\n", "18"),
        ("## Answer\n18", "18"),
        ("Answer:\n18", "18"),
        ("Answer:\n\\[\n18\n\\]", "18"),
        ("Answer:\nFirst we add all of the apples", None),
        ("The answer is not 4, so the answer must be 5.", "5"),
        ("The answer is 5. I checked that the answer is correct.", "5"),
        ("The answer to the problem is therefore **5**.", "5"),
        ("The answer is 5.\nThe answer is obtained by adding.", "5"),
        ("The answer is 5 (not 6).", "5"),
        ("The answer is 5; it is odd.", "5"),
        ("The answers are 1 and 2.", "1 and 2"),
        ("The answer is $3!$", "$3!$"),
        ("The answer is $5$!", "$5$"),
        ("The answer is $5$, and we are done.", "$5$"),
        (r"The answer is $5$ $\square$", "$5$"),
        ("Answer: 10 - an even number", "10"),
        ("**Answer:** 10 ✅", "10"),
        ("Answer - 17", "17"),
        ("**Answer** — 17", "17"),
        ("The answer → 17", "17"),
        ("Ans. 17", "17"),
        ("Answer：17", "17"),
        ("A common wrong answer is 8.", None),
        ("Answer:\n\nIt is 4 of all of the 9 apples", None),
        ("**Final Answer**\n\nIt is 4 of all of the 9 apples", "It is 4 of all of the 9 apples"),
        *((f"The answer is 5.{mark} add.\nThe answer is 4.", "5") for mark in RUN_ON),
    ],
)
def test_without_a_box_only_an_announced_answer_counts_and_run_on_text_does_not(text, found):
    assert math_answer(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("so\n#### 18", ("18", False)),
        ("#### $18", ("18", False)),
        ("#### 1,200", ("1200", False)),
        (r"it is \boxed{7} apples", ("7", False)),
        ("The answer is 18.00.", ("18.00", False)),
        ("he has 3 and then 4 left", ("4", True)),
        ("...", (None, False)),
        ("-5 degrees", ("-5", True)),
        ("**Final Answer**: 18\nThat is 3 more.", ("18", False)),
        ("Answer:\n18 apples, 3 more", ("18", False)),
        ("The answer is 18. So the answer is right.", ("18", False)),
        (r"Answer: $3 \times 6 = 18$", ("18", False)),
        (r"#### 11,\! 111", ("11111", False)),
        ("Once more.\nProblem: add 3 to 4.\n#### 7", ("7", False)),
        ("3 + 4 = 7\nQuestion: add 2.\n#### 9", ("7", True)),
        ("The answer is not 5.", (None, False)),
        ("It is 6; it isn't 5.", ("6", True)),
        ("It opens at 8:00", ("8", True)),
        ("\nProblem: find 5 of them.", (None, False)),
        ("Hm.\nProblem: find 3.\nThe answer is 5.\nAnd 7.", ("5", False)),
        ("It opens at 8:30", (None, False)),
        ("#### Step 1: eggs\nThe answer is 9.", ("9", False)),
        ("#### 1. Count\n16\n#### 2. Subtract\nSo the final answer is 9.", ("9", False)),
        ("#### 9\n\n#### Why\n3 * 3", ("9", False)),
        ("#### 3 * 3 = 9", ("9", False)),
        ("#### 9 = 3 * 3", ("9", False)),
        ("Answer: 5 + 15 = **20** apples", ("20", False)),
        ("The answer is 5 apples + 15 apples = 20 apples.", ("20", False)),
        ("The answer is 20 x 2 = 40 dollars", ("40", False)),
        ("Answer: 5 + 15 = 10 + 10 = 20", ("20", False)),
        ("Answer: Profit = $20 - $5 = $15", ("15", False)),
        (r"\boxed{x = 20 - 5 = 15}", ("15", False)),
        ("Answer: 20% of 75 = 15", ("15", False)),
        ("Answer: 5 boxes x 3 apples/box = 15 apples", ("15", False)),
        ("Answer: x = 20", ("20", False)),
        ("**Final Answer**\n\nJohn has 7 apples left, after giving 3 away.", ("7", False)),
    ],
)
def test_numbers_are_found_by_mark_box_words_or_last_of_all(text, found):
    assert number_answer(text) == found


def test_numbers_are_equal_by_value():
    assert grade_number("18", completion="#### 18.00").verdict == "right"
    assert grade_number("1,200", completion="#### 1200").verdict == "right"
    assert grade_number("18", completion="#### 19").verdict == "wrong"
    assert grade_number("18", completion="no idea").verdict == "none"


@pytest.mark.parametrize("said", [r"\boxed{5, 3}", "The answer is 5 or 3.", "The answer is (5, 3)."])
def test_several_numbers_are_not_one_of_them(said):
    assert grade_number("5", completion=said).verdict == "wrong"


def test_a_number_in_the_box_of_a_next_problem_is_not_the_answer():
    run_on = "\\boxed{4}\n\nProblem: what is 2+3?\n\\boxed{5}"
    assert grade_number("5", completion=run_on).extracted == "4"


CALLED_RIGHT = (
    "Option B is correct.", "Therefore, **Option B** is the correct answer.", "So B is the answer.",
    "B is the best choice", "I choose B.", "I would choose option (B).", "So I'd go with B.", "I'm going with B.",
    "We pick B.", "My choice is B.", "Answer - B", "Answer → B", "Answer=B", "Answer：B", "Ans. (B)", "ANSWER IS B",
    "Answer:\n> B", "Answer letter: B", "The answer is therefore B.", "The answer is, therefore, (B).",
    "The correct answer, therefore, is B.", "The answer is most likely B.", "The answer that best fits is B.",
    "The correct answer among the options is B.", "The best option would be B.", "Selected option: B", "Correct: B",
    "Final: B", "Hence, B.", "Thus B.", "B) 42 m/s", "**(B)** 42 m/s\n\nOption A is less.", "B. 42 m/s",
    "B\n\nThe mass is too small in A.", "B, because A is less.", "The answer is 42 m/s, which is option B.",
    "The answer is 42 m/s, i.e. (B).", "The answer is 42 m/s (B).", "The answer is (b).", "answer: b", r"\boxed{b}",
    "The answer is [[B]].", "The answer is <b>B</b>.", "The answer is not A but B.", "B is my answer.",
    r"\boxed{\bf{B}}", "Option B: 42 m/s", "**Option B)** 42 m/s", "option B\n\nThe mass in A is less.", "B - 42 m/s",
    "The correct answer is B. The answer A is tempting.", "The best option for this reaction would be B.",
    "answer: b) 5 m", "I choose B as my final answer.",
)  # fmt: skip
CALLED_NOTHING = (
    "The wrong answer is B.", "The incorrect option is B.", "Option B is incorrect.", "B is not the right answer.",
    "If B is correct, the mass is less than nothing.", "B is correct only if it is hot.",
    "Is it so that B is the best choice?", "Statement A is correct. Statement B is correct.",
    "I would choose A or B.", "I would choose A method.", "B. subtilis is one.", "A) 5 m\nB) 6 m",
    "Let us look at (B) first. It gives 4 m.", "The enzyme class B is the right one.",
    "The answer is between A and B.", "The answer is not 5 m (B).", "A\nB\nC", "(B) is impossible.",
    "B) would give 5 m", "We choose B as the constant.", "The answer is found as follows (B).",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (r"\boxed{C}. This is a good one.", "C"),
        (r"\boxed{\text{(B)}}", "B"),
        (r"\boxed{A) 5 m}", "A"),
        ("I think a good guess is hard.", None),
        ("25 °C", None),
        ("The answer is (D).", "D"),
        ("Answer: B", "B"),
        ("the answer is a mystery", None),
        (r"\boxed{A} no, \boxed{D}", "D"),
        (r"\boxed{Argon}", None),
        ("**Answer**: B", "B"),
        ("The answer is **Option B**.", "B"),
        ("Answer: [B]", "B"),
        ('The answer is "B".', "B"),
        ("So the correct option is (B)", "B"),
        ("The best choice: B", "B"),
        ("The correct answer to this question is B.", "B"),
        ("So the answer must be B.", "B"),
        (r"\boxed{C_6H_{12}O_6}, so the answer is D", "D"),
        (r"\boxed{A = 5}, so the answer is D", "D"),
        (r"\boxed{B) C_6H_6}", "B"),
        (r"\boxed{\text{Option B}}", "B"),
        ("Answer: C6H12O6", None),
        ("The answer is A = 5", None),
        ("Answer: A good approach", None),
        ("The answer is not A.", None),
        (r"\boxed{A, B}", None),
        (r"The answer is A, no, \boxed{A \text{ and } C}", None),
        ("The answer is A or B.", None),
        ("Answer: B, because A is wrong", "B"),
        (r"\boxed{B; C}", None),
        (r"\boxed{A\ B}", None),
        ("Answer choice: B\nA is wrong", "B"),
        ("The correct statement is (B).", "B"),
        ("Once more.\nQuestion: which?\nAnswer: B", "B"),
        ("Answer: B\nQuestion: which?\nAnswer: C", "B"),
        *((text, "B") for text in CALLED_RIGHT),
        *((text, None) for text in CALLED_NOTHING),
        ("The correct answer is A which is 5 m.", "A"),
        ("The answer is A\nwith 5 m", "A"),
        ("Answer: A very good way", None),
    ],
)
def test_a_letter_counts_only_where_it_is_the_answer(text, found):
    assert letter_answer(text) == found


def test_a_letter_is_graded():
    assert grade_letter("C", answer="(C)").verdict == "right"
    assert grade_letter("C", answer="C").verdict == "right"
    assert grade_letter("C", completion=r"\boxed{B}").verdict == "wrong"
    assert grade_letter("C", completion="hm").verdict == "none"


@pytest.mark.parametrize(
    "text", ["201!", "2^{1001}", "9^{9^9}", r"\\binom{1001}{500}", "1000000^{1000}*1000000^{1000}"]
)
def test_beyond_the_caps_nothing_is_evaluated_exactly(text):
    with pytest.raises(NotRead):
        exact(parse(text))


HOSTILE = {
    "tower": "9**9**9",
    "power": "(x+1)**9999",
    "factorial": "99999999!",
    "tower of braces": "2^{" * 60 + "2" + "}" * 60,
    "a million digits": "1" * 1_000_000,
    "open brackets": "(" * 500_000,
    "open boxes": r"\boxed{" * 100_000,
    "nested boxes": r"\boxed{" * 2000 + "5" + "}" * 2000,
    "announcements": "Answer: " * 100_000,
    "fractions": r"\frac" * 50_000,
    "wrappers": r"\text{" * 50_000 + "}" * 50_000,
    "a long list": "1," * 200_000,
    "words": "5 " + "apples " * 100_000,
    "blanks": "answer is" + " " * 500_000 + "x",
    "lines": "\n" * 1_000_000,
    "dollars": "$" * 500_000,
    "division by zero": "1/0",
    "surrogate": "\ud800",
    "code": "__import__('os').system('true')",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_texts_are_wrong_or_none_at_once(text):
    begin = time.process_time()
    for grade in (grade_math, grade_number, grade_letter):
        for field in ("answer", "completion"):
            assert grade("7", **{field: text}).verdict in ("wrong", "none")
    assert time.process_time() - begin < 12, "six gradings, two seconds each at most"


def graded(tmp_path, capsys, rows, kind="math"):
    """rows: or the text of their file."""
    path = tmp_path / "rows.jsonl"
    path.write_text(rows if isinstance(rows, str) else lines(rows), "utf-8")
    assert main(["grade", "--kind", kind, str(path)]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_one_json_line_a_row_in_the_same_order(tmp_path, capsys):
    rows = [
        {"gold": "1/2", "answer": "0.5"},
        {"gold": "1/2", "answer": None},
        {"gold": "1/2", "answer": 0.5},
        {"gold": "1/2", "answer": "  "},
        {"gold": "1/2", "completion": r"so \boxed{2}"},
        {"gold": 2, "completion": r"so \boxed{2}"},
        {"gold": "2", "completion": "no answer at all"},
    ]
    found = graded(tmp_path, capsys, rows)
    assert [row["verdict"] for row in found] == ["right", "none", "right", "none", "wrong", "right", "none"]
    assert [row["extracted"] for row in found] == ["0.5", None, "0.5", None, "2", "2", None]


@pytest.mark.parametrize("kind", ["gsm8k", "gpqa"])
def test_the_other_kinds_grade_too(tmp_path, capsys, kind):
    gold, text = {"gsm8k": ("5", "#### 5"), "gpqa": ("B", r"\boxed{B}")}[kind]
    assert graded(tmp_path, capsys, [{"gold": gold, "completion": text}], kind)[0]["verdict"] == "right"


@pytest.mark.parametrize(
    "text",
    [
        *("[1]\n", "x", "[" * 100_000 + "\n", '{"gold": "1"}\n', '{"answer": "1"}\n'),
        *('{"gold": [1], "answer": "1"}', '{"gold": "1", "answer": []}', '{"gold": "1", "completion": {}}'),
    ],
)
def test_a_line_that_is_no_row_is_named(tmp_path, capsys, text):
    path = tmp_path / "rows.jsonl"
    path.write_text(text, "utf-8")
    assert main(["grade", "--kind", "math", str(path)]) == 1
    assert "line 1 of" in capsys.readouterr().err


def test_line_separators_inside_an_answer_end_no_row_and_the_last_row_needs_no_line_break(tmp_path, capsys):
    rows = '{"gold": "1", "answer": "1"}\n{"gold": "2", "completion": "so\u2028\u0085the answer is 2"}'
    assert [row["verdict"] for row in graded(tmp_path, capsys, rows)] == ["right", "right"]


@pytest.mark.parametrize("field", ["answer", "completion"])
@pytest.mark.parametrize(("gold", "said"), [(1, 1.0), ("1" + "0" * 23, 1e23), ("0.00001", 0.00001)])
def test_a_number_in_a_row_is_the_text_that_a_person_writes(tmp_path, capsys, field, gold, said):
    (found,) = graded(tmp_path, capsys, "\ufeff" + json.dumps({"gold": gold, field: said}))
    assert found["verdict"] == "right"


def test_a_missing_file_costs_one_line(tmp_path, capsys):
    assert main(["grade", "--kind", "math", str(tmp_path / "none")]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
