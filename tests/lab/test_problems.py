"""The laboratory's problems: solutions verify, other answers do not, and held-out ones stay out of the corpus."""

from __future__ import annotations

import authors
import numpy as np
import pytest

from localpower.lab.problems import FAMILIES, LEVELS, Problem, apply, draw, verify


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("level", LEVELS)
def test_every_solution_verifies_and_nothing_near_it_does(family, level):
    rng = np.random.default_rng(1)
    for held_out in (True, False):
        for _ in range(40):
            problem = draw(family, level, rng, held_out=held_out)
            assert problem.held_out == held_out
            assert verify(problem, f"working 1>2>{problem.solution}")
            for wrong in (problem.solution, ">", f">{problem.solution}0", f">{problem.solution}>"):
                assert not verify(problem, wrong)


def test_a_countdown_takes_any_right_expression():
    problem = Problem("countdown", 3, "3,5,7:22?", "3*5+7")
    for right in ("3*5+7", "7+5*3", "(3*5)+7", "7+(5*3)"):
        assert verify(problem, f">{right}")
    for wrong in ("22", "15+7", "3*5+7+0", "3*5+8", "3*5", "3*7+5-3", "7+5*3)", "3**5+7", "5*3+7 ", "3*5+07"):
        assert not verify(problem, f">{wrong}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "__import__('os')",
        "4/2",
        "2**1",
        "(" * 19 + "4-2" + ")" * 19,
        "4.0-2",
        "-2+4",
        "4 - 2",
        "4-0_2",
    ],
)
def test_only_short_sums_of_whole_numbers_are_expressions(text):
    problem = Problem("countdown", 1, "2,4:2?", "4-2")
    assert verify(problem, ">(4-2)")
    assert not verify(problem, f">{text}")


def test_the_operations_of_a_chain():
    assert [apply(o, "cabe") for o in "rsdun"] == ["ebac", "acbe", "cab", "ccabe", "dbca"]


def test_one_problem_in_eight_is_held_out_and_none_of_them_is_in_the_corpus():
    rng = np.random.default_rng(2)
    pages = [authors.page(rng)[0] for _ in range(2000)]
    assert not any(problem.held_out for problem in pages)
    anyone = [Problem("sum", 1, f"{a}+{b}?", "") for a in range(10, 60) for b in range(10, 60)]
    assert abs(np.mean([problem.held_out for problem in anyone]) - 1 / 8) < 0.035  # five sigma


def test_careful_authors_of_the_trap_are_right_and_most_authors_guess():
    rng = np.random.default_rng(3)
    right, guesses = [], 0
    for _ in range(3000):
        problem = draw("sum", 3, rng, held_out=False)
        answer = authors.write(problem, rng)
        guesses += answer.startswith(">")
        if "=" in answer:
            right.append(verify(problem, answer))
    assert 0.40 < guesses / 3000 < 0.50
    assert np.mean(right) > 0.9


def test_pages_fit_the_models_context():
    rng = np.random.default_rng(4)
    assert max(len(problem.prompt + answer) for problem, answer in map(authors.page, [rng] * 5000)) <= 58
