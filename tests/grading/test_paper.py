"""The paper's rules, faults included: each claim is what openai/prm800k's grader says of the same pair."""

from __future__ import annotations

import time

import pytest

from localpower.grading.paper import grade_paper
from tests.grading.test_grading import CASES, HOSTILE


def right(gold, answer):
    return grade_paper(gold, answer=answer).verdict == "right"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (r"First \boxed{3}. Wait, it is \boxed{7}.", "7"),
        (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        (r"\boxed{\boxed{4}}", "4"),
        (r"\boxed{5}" + "\n\nQuestion: what is 2+2?\n" + r"\boxed{4}", "4"),
        (r"\boxed{ 5 } and more", "5"),
        (r"\boxed 5", None),
        (r"\boxed {5}", None),
        (r"\fbox{5}", None),
        (r"\boxed{3} and the word \boxed", None),
        (r"\boxed{3} then \boxed{4", None),
        (r"\boxed{}", None),
        ("so the final answer is 12.", None),
        ("", None),
    ],
)
def test_the_last_box_counts_if_a_brace_follows_and_is_closed_and_nothing_else_does(text, found):
    assert grade_paper("7", completion=text).extracted == found
    assert (grade_paper("7", completion=text).verdict == "none") == (found is None)


def test_an_answer_by_itself_is_taken_as_it_is():
    assert grade_paper("5", answer=" 5 ").extracted == "5"
    assert grade_paper("5", answer="  ").verdict == "none"
    assert grade_paper("5").verdict == "none"


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        (r"\frac{1}{2}", r"\dfrac12"),
        (r"\frac{1}{2}", "0.5"),
        (r"\frac{3}{4}", "3/4"),
        (r"\sqrt{3}", r"\sqrt3"),
        ("0.5x", ".5x"),
        ("5", "x = 5"),
        (r"\left(3, 4\right)", "(3,4)"),
        (r"5.4 \text{ cents}", "5.4"),
        (r"90^\circ", "90"),
        (r"90^{\circ}", "90"),
    ],
)
def test_the_benchmarks_normaliser(gold, answer):
    assert right(gold, answer)


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("12 inches", "12"),
        ("12 cm^2", "12"),
        ("45 degrees", "45"),
        (r"10\%", "10"),
        (r"\$10", "10"),
        ("2 or 3", "2,3"),
        ("2 and 3", "2,3"),
        ("3 million x", "3*10^6x"),
        (r"\text{Evelyn}", "evelyn"),
        (r"10,\!080", "10080"),
        ("10,080", "10080"),
        ("5", "5.0"),
        ("42", r"42\\"),
        (r"3\pi", "3pi"),
        (r"x \leq 5", r"x \le 5"),
        (r"3\frac{3}{4}", "3 3/4"),
        (r"3\frac{3}{4}", r"\frac{15}{4}"),
        (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{bmatrix} 1 \\ 2 \end{bmatrix}"),
    ],
)
def test_the_second_normaliser(gold, answer):
    assert right(gold, answer)


@pytest.mark.parametrize(
    ("gold", "answer", "same"),
    [
        (r"(3,\frac{\pi}{2})", "(3, 0.5pi)", True),
        (r"\left(3,\frac{\pi}{2}\right)", "[3, 0.5pi)", False),
        ("(3,4]", "(3,4)", False),
        ("(1,2)", "(1,2,3)", False),
        ("(x+1,2)", "(1+x,3)", False),
        ("-2,1", "1,-2", False),
        ("3, 5, 7", "7, 5, 3", False),
    ],
)
def test_tuples_agree_in_their_brackets_and_element_by_element(gold, answer, same):
    assert right(gold, answer) == same


REDUCED = [(r"\frac{1}{2}", r"\frac{2}{4}"), ("1/3", "2/6"), ("(1/2,3)", "(2/4,3)")]
WHOLE = [("2", r"\frac{4}{2}"), ("1024", "2^{10}"), ("5", "2+3"), ("x", "1")]


@pytest.mark.parametrize(("gold", "answer"), REDUCED + WHOLE)
def test_a_fraction_that_is_not_reduced_and_an_integer_that_is_not_written_as_one_are_wrong(gold, answer):
    assert not right(gold, answer)


@pytest.mark.parametrize(
    ("gold", "answer", "same"),
    [
        ("(x+1)^2", "x^2+2x+1", True),
        (r"\frac{5\sqrt{2}}{2}", r"\frac{5}{\sqrt{2}}", True),
        (r"\frac{x}{y}", r"x \cdot y^-1", True),
        ("a+b+c", "c+b+a", False),
        ("x^{12}+x", "x+x^{12}", False),
        (r"\tan^2(y)+1", r"\sec^2(y)", False),
        (r"\sqrt{3}", "1.732", False),
        ("2i", "i+i", True),
        ("2x", "(1+x)^2", False),
        ("(i+1)^2/2", "i", False),
    ],
)
def test_the_rest_is_compared_by_value_unless_it_has_three_letters_or_a_long_power(gold, answer, same):
    assert right(gold, answer) == same


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        (r"15\mbox{ cm}^2", "15"),
        (r"864 \mbox{ inches}^2", "864"),
        (r"(5,\infty)", r"(5,+\infty)"),
        (r"1 \pm \sqrt{19}", r"1+\sqrt{19}, 1-\sqrt{19}"),
        ("5", "f(2) = 5"),
        ("5", r"\theta = 5"),
        (r"x \in [-2,7]", "[-2,7]"),
        ("5", "**5**"),
        ("1,234,567,890,123", "1234567890123"),
    ],
)
def test_equal_answers_that_the_paper_counts_as_wrong(gold, answer):
    assert not right(gold, answer)


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("(1,000)", "1000"),
        ("100", "1e2"),
        (r"\frac{x+2}{7}", "x+2/7"),
        (r"\sqrt[3]{5}", r"\sqrt{5}"),
        ("52_8", "528"),
    ],
)
def test_different_answers_that_the_paper_counts_as_right(gold, answer):
    assert right(gold, answer)


def test_over_our_own_pairs_it_says_what_the_original_says():
    """Counted once with the original over the first 198: of 146 equal pairs 86 are right, of 52 different ones 3."""
    found = [(case["equal"], right(case["gold"], case["answer"])) for case in CASES[:198]]
    assert [found.count(pair) for pair in ((True, True), (True, False), (False, True))] == [86, 60, 3]


@pytest.mark.parametrize("gold", ["7", "1/2"])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_texts_are_wrong_or_none_at_once(text, gold):
    begin = time.process_time()
    for fields in ({"answer": text}, {"completion": text}, {"completion": rf"\boxed{{{text}}}"}):
        assert grade_paper(gold, **fields).verdict in ("wrong", "none")
    assert time.process_time() - begin < 3, "three gradings, one second each at most"


@pytest.mark.parametrize("text", ["{" * 4000, r"\frac" * 800, r"\sqrt[" * 600, "1," * 2000, r"\sqrt{" * 600])
def test_what_is_short_enough_to_be_read_hurts_neither(text):
    assert grade_paper("1/2", answer=text).verdict == "wrong"
    assert grade_paper(text, answer=text + " ").verdict == "right"
