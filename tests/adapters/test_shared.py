"""One model asked by many threads: each gets its own answer, and questions that are alike share batches."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

import localpower as lp
from localpower.adapters.settings import method_of, refuse
from localpower.adapters.shared import Kind, SharedModel


def test_each_thread_gets_the_answer_that_its_question_has_alone(toy):
    shared = SharedModel(toy)
    kinds = [Kind(lp.Power(steps=2), 9), Kind(lp.Base(), 5, ("cat",))]
    asked = [(f"word{i}", kinds[i % 2], i) for i in range(20)]
    with ThreadPoolExecutor(10) as threads:
        found = list(threads.map(lambda each: shared.wait(shared.question(*each)), asked))
    for (prompt, kind, seed), answer in zip(asked, found, strict=True):
        alone = toy.generate(prompt, kind.method, seed=seed, max_tokens=kind.max_tokens, stops=kind.stops)
        assert answer.tokens == alone.tokens


def test_who_waits_for_the_same_kind_is_answered_in_one_batch(toy, monkeypatch):
    batches, many = [], toy.generate_many
    monkeypatch.setattr(toy, "generate_many", lambda p, *a, **k: batches.append(p) or many(p, *a, **k))
    shared, kind = SharedModel(toy, at_once=3), Kind(lp.Base(), 5)
    waiting = [shared.question(f"word{i}", kind, i) for i in range(5)]
    other = shared.question("other", Kind(lp.Base(), 6), 1)
    waiting[1].gone = True
    for each in (waiting[0], other, *waiting[2:]):
        shared.wait(each)
    assert batches == [["word0", "word2", "word3"], ["other"], ["word4"]]


def test_a_question_that_cannot_be_asked_harms_nobody_in_its_batch(toy):
    shared, kind = SharedModel(toy), Kind(lp.Base(), 5)
    good, bad = shared.question("the cat", kind, 1), shared.question(" ", kind, 1)
    assert shared.wait(good).tokens == toy.generate("the cat", "base", seed=1, max_tokens=5).tokens
    with pytest.raises(lp.UserError, match="the prompt is empty"):
        shared.wait(bad)


def test_settings_that_would_change_the_target_are_refused_and_idle_ones_are_not():
    refuse({"top_p": 1.0, "top_k": 0, "min_p": None, "logit_bias": {}, "seed": 3})
    with pytest.raises(lp.UsageProblem, match=r"top_p=0.9 is refused: it would change the target"):
        refuse({"top_p": 0.9})


def test_a_setting_is_the_methods_own_and_is_given_once():
    assert method_of(None, {"alpha": 3, "steps": None}) == lp.Power(alpha=3)
    assert method_of("smc:particles=4", {"alpha": "2"}) == lp.SMC(particles=4, alpha=2)
    with pytest.raises(lp.UsageProblem, match="steps is given twice"):
        method_of("power:steps=3", {"steps": 4})
    with pytest.raises(lp.UsageProblem, match="base has no setting 'alpha'"):
        method_of("base", {"alpha": 4})
