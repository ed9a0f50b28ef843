"""What is printed beside accuracy, by hand; and when too little variety is left."""

from __future__ import annotations

import pytest

from localpower.data.expectations import expectations, warnings
from tests.data.made import sample


def test_the_numbers_are_those_counted_by_hand():
    some = [
        sample("a", -1.0, verdict="right", tokens=(1, 2), entropy=0.2),
        sample("b", -3.0, verdict="wrong", tokens=(3, 4), entropy=0.6),
        sample("A.", -2.0, verdict="right", tokens=(5,), entropy=0.4),
        sample("c", -1.0, verdict="wrong", problem="i1", tokens=(6,), entropy=1.0),
        sample("d", -1.0, verdict="ungraded", problem="i2", tokens=(7,), entropy=0.0),
    ]
    (found,) = expectations(some)
    assert (found.n_answers, found.n_problems, found.n_tokens) == (5, 3, 7)
    assert (found.accuracy, found.coverage) == (2 / 4, 1 / 2)
    assert (found.distinct, found.answers_each) == (2 / 3, 3)
    assert found.entropy == pytest.approx((0.2 * 2 + 0.6 * 2 + 0.4 + 1.0) / 7)
    assert found.log_p == pytest.approx(-8 / 7)


def test_coverage_of_what_is_left_is_of_all_problems():
    some = [sample("a", problem=f"i{i}", verdict="right" if i < 2 else "wrong") for i in range(8)]
    (found,) = expectations(some[:2], some)
    assert (found.accuracy, found.coverage) == (1.0, 0.25)


def test_tokens_that_were_given_are_in_no_mean():
    (found,) = expectations([sample("ab", log_p=0.0, given=frozenset({1}), entropy=0.7)])
    assert (found.n_tokens, found.entropy) == (1, 0.7)


@pytest.mark.parametrize(
    ("alpha", "texts", "entropy", "words"),
    [
        (4.0, ("a", "a", "a", "b"), 0.5, "50% of"),
        (4.0, ("a", "a", "a", "a", "b"), 0.5, "40% of the answers to a problem differ"),
        (4.0, ("a", "b"), 0.17, "the entropy is 0.17 nats a token"),
        (4.0, ("a", "b"), 0.18, None),
        (2.0, ("a", "a", "a"), 0.01, None),
    ],
)
def test_an_alpha_above_two_that_leaves_little_is_told(alpha, texts, entropy, words):
    some = expectations([sample(text, alpha=alpha, entropy=entropy) for text in texts])
    found = warnings(some, some)
    if words is None or words == "50% of":
        assert found == []
    else:
        assert words in found[0]
        assert found[0].startswith("alpha 4 of power leaves little variety")


def test_a_selection_that_loses_solved_problems_is_told_where_alpha_is_steep():
    some = [sample("a", problem=f"i{i}", alpha=3.0) for i in range(10)]
    for n, told in ((9, 0), (8, 1)):
        assert len(warnings(expectations(some), expectations(some[:n], some))) == told
