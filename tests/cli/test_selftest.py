"""`localpower selftest`: it passes here, and each of its parts, broken once, is what it then reports."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from functools import partial

import pytest

from localpower.cli.main import main
from localpower.cli.selftest import verdict
from localpower.engine.context import Context
from localpower.engine.probe import Verdict
from localpower.engine.settings import Settings
from localpower.samplers.cuts import UniformCuts
from localpower.selftest.law import ForgottenLengthTerm, check_law


@pytest.fixture
def selftest(monkeypatch, capsys):
    """Runs the command with fewer replicates; returns its exit code and what it found."""
    monkeypatch.setattr("localpower.selftest.law.check_law", partial(check_law, replicates=300, steps=6))

    def call(model):
        code = main(["selftest", "-m", str(model), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return call


def forget(self, rank, gain, total):
    return 0.0


def remember(self, rank, gain, total):
    return UniformCuts.log_share(self, rank, gain, total)


def test_it_passes_and_catches_its_wrong_sampler(selftest):
    code, found = selftest("toy")
    assert (code, found["passed"], found["engine"]) == (0, True, None)
    assert (found["sampler"]["passed"], found["wrong_sampler"]["flagged"]) == (True, True)


def test_a_sampler_without_its_length_term_fails(selftest, monkeypatch):
    monkeypatch.setattr(UniformCuts, "log_share", forget)
    code, found = selftest("toy")
    assert (code, found["passed"], found["sampler"]["passed"]) == (1, False, False)


def test_a_test_that_lets_a_wrong_sampler_pass_fails(selftest, monkeypatch):
    monkeypatch.setattr(ForgottenLengthTerm, "log_share", remember)
    code, found = selftest("toy")
    assert (code, found["passed"], found["wrong_sampler"]["flagged"]) == (1, False, False)


@pytest.fixture
def without_law(monkeypatch):
    """The law's two reports as they should be, without the work."""
    right = check_law("right", UniformCuts(), replicates=20, steps=1)
    reports = iter([right, replace(right, log_p=-100.0)])
    monkeypatch.setattr("localpower.selftest.law.check_law", lambda *_, **__: next(reports))


def test_the_engine_passes_by_a_verdict_made_anew_whatever_was_kept(
    selftest, without_law, tiny_paths, monkeypatch
):
    kept = Verdict(False, Settings(1), 9.0, 1.0).to_json()
    monkeypatch.setattr("localpower.engine.verdict.recall", lambda kind, key: kept)
    code, found = selftest(tiny_paths["f16"])
    assert (code, found["exactness"], found["engine"]["chain"]) == (0, "exact", 0.0)
    assert set(found["engine"]["shapes"].values()) == {0.0}
    assert len(found["engine"]["shapes"]) > 5


def test_an_engine_whose_chains_differ_from_a_fresh_evaluation_fails(
    selftest, without_law, tiny_paths, monkeypatch
):
    decode = Context.decode
    drift = itertools.count()

    def drifting(context, rows, at_least=0):
        rows = [row.copy() for row in decode(context, rows, at_least)]
        for row in rows:
            row[0] += 1e-5 * next(drift)
        return rows

    monkeypatch.setattr(Context, "decode", drifting)
    code, found = selftest(tiny_paths["f16"])
    assert (code, found["passed"], found["engine"]["exact"]) == (1, False, True)
    assert found["engine"]["chain"] > 0


def test_a_machine_without_exact_settings_is_not_called_passed_without_saying_so():
    report = {"passed": True, "engine": {"exact": False}, "wrong_sampler": {"flagged": True}}
    assert verdict(report) == "passed by the sampler; the engine is not exact; the wrong kernel was caught"
