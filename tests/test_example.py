"""The two-token example: the exponent of sums against the sum of exponents."""

from __future__ import annotations

import itertools
import json
import math
import re

import numpy as np
import pytest

from localpower.cli.explain import _why
from localpower.cli.main import main
from localpower.example import EXAMPLE, answers, first_tokens


def test_the_papers_example_at_alpha_two_is_its_arithmetic():
    a, b = first_tokens(EXAMPLE, 2.0)
    assert math.isclose(a.low_temperature, 0.4**2 / (0.4**2 + 0.5**2))
    assert math.isclose(a.power, 0.4**2 / (0.4**2 + 2 * 0.25**2))
    assert b.low_temperature > a.low_temperature
    assert a.power > b.power


@pytest.mark.parametrize("alpha", [1.0, 1.7, 4.0, 5000.0])
def test_shares_sum_to_one_and_first_tokens_are_the_marginals_of_answers(alpha):
    rng = np.random.default_rng(1)
    texts = ["".join(pair) for pair in itertools.product("abc", repeat=2)] + ["a", "cbb"]
    law = dict(zip(texts, rng.dirichlet(np.ones(len(texts))), strict=True))
    whole = answers(law, alpha)
    for column in ("base", "low_temperature", "power"):
        assert math.isclose(math.fsum(getattr(answer, column) for answer in whole), 1.0)
        for token in first_tokens(law, alpha):
            below = math.fsum(getattr(x, column) for x in whole if x.text[0] == token.token)
            assert math.isclose(below, getattr(token, column), abs_tol=1e-15)


def test_at_alpha_one_all_columns_are_the_base_law():
    for answer in answers(EXAMPLE, 1.0):
        assert math.isclose(answer.base, answer.power, abs_tol=1e-15)
        assert math.isclose(answer.base, answer.low_temperature, abs_tol=1e-15)


def test_the_table_shows_the_arithmetic_and_one_sentence_says_why(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    assert main(["explain", "--alpha", "2"]) == 0
    shown = capsys.readouterr().out
    for part in ("0^2 + 0.4^2 = 0.16", "(0.25 + 0.25)^2 = 0.25", "56.1 %", "39.0 %", "raise the sum"):
        assert part in shown
    assert "Power favours a, low temperature b. Power gives a more" in shown
    assert "the probability of b is spread more" in " ".join(shown.split())
    assert "0.1 in all are not listed" in shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ab=.40", "ba=.6"), "agree on the first token here: each token leads to a single answer"),
        (("aa=.25", "ab=.25", "ba=.2", "bb=.2"), "is spread alike over the answers"),
        (("aa=.1", "ab=.1", "b=.2", "--alpha", "1.00001"), "smaller than what the table can show"),
        (("aa=.1", "ab=.1", "b=.2", "c=.6"), "Both favour c. Power gives c more"),
        (("aa=.5", "ab=.4", "--alpha", "3"), "one token has nearly all of the probability"),
        (("aa=.2", "ab=.2", "b=.4"), "Power favours b, low temperature a and b alike. Power gives b more"),
    ],
)
def test_the_conclusion_is_one_that_the_numbers_show(arguments, words, capsys):
    assert main(["explain", *arguments]) == 0
    assert words in " ".join(capsys.readouterr().out.split())


def test_what_is_said_to_be_spread_more_is():
    rng = np.random.default_rng(3)
    for _ in range(200):
        law = dict(zip(("aa", "ab", "ba", "bb", "c"), rng.dirichlet(np.full(5, 0.7)).tolist(), strict=True))
        tokens = first_tokens(law, 3.0)
        spread = {t.token: sum((p / sum(t.parts)) ** 3.0 for p in t.parts) for t in tokens}
        for more, less in re.findall(r"Power gives (\w) more .* and (\w) less", _why(tokens, 3.0)):
            assert spread[more] > spread[less]


def test_powers_too_small_for_a_float_are_still_told(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    assert main(["explain", "--alpha", "1000", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["first_tokens"][0]["power"] == 1.0
    assert main(["explain", "--alpha", "1000"]) == 0
    assert "10^-398" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["x=2"], "expected ANSWER=P with P between 0 and 1, got 'x=2'"),
        (["x=nan"], "between 0 and 1"),
        (["=.5"], "expected ANSWER=P"),
        (["half"], "expected ANSWER=P"),
        (["a=.5", "a=.1"], "'a' is given twice"),
        (["a=.9", "b=.9"], "the probabilities sum to 1.8"),
        (["a=0"], "the probabilities sum to 0"),
        (["--alpha", "0.5"], "at least 1"),
    ],
)
def test_what_is_no_distribution_is_a_usage_error(capsys, arguments, words):
    assert main(["explain", *arguments]) == 2
    assert words in capsys.readouterr().err
