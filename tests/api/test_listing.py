"""`list_answers`: an exact law with a remainder, held against what the model draws."""

from __future__ import annotations

import json
import math
from collections import Counter

import pytest

import localpower as lp
from localpower.statistics import g_test
from localpower.toy import ToyModel
from localpower.toy import power_law as enumerated

FALSE_ALARM = 1e-4  # of each comparison with draws, were the seeds not fixed


@pytest.fixture(scope="module")
def lab(own_cache):
    with lp.load("lab-base", threads=1) as model:
        yield model


def test_shares_of_a_power_are_those_of_the_enumerated_law(toy):
    law = enumerated(ToyModel(), ToyModel().tokenize("a b"), 3, 4.0)
    exact = sum(p for tokens, p in law.items() if len(tokens) == 3)
    found = lp.list_answers(toy, "a b", mass=1, max_tokens=3)
    whole = found.share(lambda answer: len(answer.tokens) == 3, alpha=4)
    assert whole.low == pytest.approx(exact)
    assert whole.high == pytest.approx(exact)


def test_bounds_of_a_part_of_the_list_hold_the_share_of_every_first_token(toy):
    law = enumerated(ToyModel(), ToyModel().tokenize("a b"), 3, 2.0)
    for rows in (2, 6, 20):
        part = lp.list_answers(toy, "a b", mass=1, max_tokens=3, rows=rows, at_once=1)
        for first in range(ToyModel().n_vocab):
            exact = sum(p for tokens, p in law.items() if tokens[0] == first)
            low, high = part.share(lambda answer, first=first: answer.tokens[0] == first, alpha=2)
            assert low <= exact + 1e-12
            assert high >= exact - 1e-12


def test_variation_is_bounded_by_what_is_missing(toy):
    law = enumerated(ToyModel(), ToyModel().tokenize("a b"), 3, 2.0)
    drawn = [answer.tokens for answer in toy.generate_many(["a b"] * 50, "base", seed=1, max_tokens=3)]
    seen = Counter(drawn)
    exact = 0.5 * sum(abs(law.get(t, 0.0) - seen[t] / 50) for t in law.keys() | seen.keys())
    whole = lp.list_answers(toy, "a b", mass=1, max_tokens=3).variation(drawn, alpha=2)
    assert whole == pytest.approx((exact, exact))
    for rows in (2, 8, 40):
        low, high = lp.list_answers(toy, "a b", mass=1, max_tokens=3, rows=rows).variation(drawn, alpha=2)
        assert low - 1e-12 <= exact <= high + 1e-12


def test_listed_answers_have_the_numbers_of_generated_ones(lab):
    answer = lab.generate("ab|r?", "base", seed=5, max_tokens=44)
    law = lp.list_answers(lab, "ab|r?", mass=0.9, max_tokens=44)
    same = next(each for each in law.answers if each.tokens == answer.tokens)
    assert (same.text, same.finish) == (answer.text, answer.finish)
    assert same.log_p == pytest.approx(answer.log_p, abs=1e-12)


def test_a_models_draws_follow_the_law_that_was_listed(lab):
    law = lp.list_answers(lab, "ab|r?", mass=0.9, max_tokens=44)
    drawn = lab.generate_many(["ab|r?"] * 300, "base", seed=1, max_tokens=44, at_once=16)
    seen = Counter(answer.tokens for answer in drawn)
    counts = [seen[each.tokens] for each in law.answers]
    fit = g_test([*counts, 300 - sum(counts)], [*(math.exp(a.log_p) for a in law.answers), law.missing])
    assert fit.df >= 3
    assert fit.log_p > math.log(FALSE_ALARM)


def test_it_is_plain_json_and_says_what_is_wrong(toy):
    found = lp.list_answers(toy, "a b", max_tokens=2)
    assert json.loads(json.dumps(found.to_dict()))["rows"] == found.rows
    for wrong in ({"mass": 0}, {"mass": 2}, {"alpha": 0.5}, {"alpha": math.inf}, {"rows": 0}, {"at_once": 0}):
        with pytest.raises(lp.UsageProblem):
            lp.list_answers(toy, "a b", **wrong)
    with pytest.raises(lp.UsageProblem, match="no answers"):
        found.variation([])
    with pytest.raises(lp.UsageProblem, match="alpha"):
        found.share(lambda answer: True, alpha=0)
