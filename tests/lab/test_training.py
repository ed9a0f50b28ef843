"""Training goes on where it was stopped by the same bytes, whatever is read together. Needs the extra `lab`."""

from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch", reason="the extra `lab` is not installed")

import train_grpo  # noqa: E402
from keeping import Kept  # noqa: E402
from network import Network, Shape  # noqa: E402

from localpower.lab.problems import Problem  # noqa: E402


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Two problems of two answers, one of each right."""
    monkeypatch.setattr(train_grpo, "GROUP", 2)
    posed = [Problem("chain", 1, "ab|r?", "ba"), Problem("sum", 1, "1+2?", "3")]
    monkeypatch.setattr(train_grpo, "problems_of", lambda seed, step: [p for p in posed for _ in range(2)])
    asked = iter(range(10**6))
    monkeypatch.setattr(train_grpo, "verify", lambda problem, text: next(asked) % 2 == 0)


def network():
    torch.manual_seed(1)
    return Network(Shape(width=8, layers=1, heads=2, hidden=8))


def trained(folder, *steps, parts):
    """The weights after so many steps, in as many runs as there are numbers."""
    for last in steps:
        base = network()
        net = copy.deepcopy(base)
        kept = Kept(folder, "tiny", net, train_grpo.adam(net), 1)
        train_grpo.optimise(base, kept, last, parts=parts)
    return torch.cat([weight.detach().flatten() for weight in net.parameters()])


def test_a_stopped_run_goes_on_to_the_same_bytes_as_an_unbroken_one(tmp_path):
    whole = trained(tmp_path / "whole", 4, parts=2)
    broken = trained(tmp_path / "broken", 1, 3, 4, parts=2)
    assert torch.equal(whole, broken)
    assert not torch.equal(whole, trained(tmp_path / "shorter", 3, parts=2))


def test_answers_of_like_length_are_read_together_and_nothing_changes_but_rounding(tmp_path):
    one, three = trained(tmp_path / "one", 2, parts=1), trained(tmp_path / "three", 2, parts=3)
    torch.testing.assert_close(one, three, atol=1e-5, rtol=1e-4)
    start = torch.cat([weight.detach().flatten() for weight in network().parameters()])
    assert (one - start).abs().max() > 1e-4
