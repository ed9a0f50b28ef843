"""The engine check: every way in which a batch moves bits on this machine is found, and none where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from localpower.engine.check import Checker, compare
from localpower.engine.settings import LARGE_BATCH, Q8_0, Settings
from localpower.engine.weights import Weights

STREAMS = {"streams": True, "flash": 0, "batch": LARGE_BATCH}
ROW = np.array([0.0, 1.0, -np.inf], np.float32)


@pytest.mark.parametrize(
    ("kind", "settings", "likeliest"),
    [
        ("f32", STREAMS, "9 answers side by side"),
        ("f32", STREAMS | {"min_rows": 2}, None),
        ("f32", {"kv_type": Q8_0}, "16 rows at a time"),
        ("f32", {"min_rows": 2}, None),
        ("window", {"kv_type": Q8_0}, None),
        ("hybrid", {"kv_type": Q8_0}, None),
        ("recurrent", {"kv_type": Q8_0}, None),
    ],
)
def test_the_first_shape_finds_rows_that_have_other_bits_alone(tiny_paths, kind, settings, likeliest):
    weights = Weights(tiny_paths[kind])
    checker = Checker(weights, Settings(2, **settings), threads=2)
    found = list(checker.differences())
    assert len(found) >= 7
    assert next((d.shape for d in found if d.log_p > 0), None) == likeliest
    checker.close()
    weights.close()


def test_logits_that_are_off_by_a_millionth_are_found_in_every_shape(tiny_paths, monkeypatch):
    weights = Weights(tiny_paths["f32"])
    checker = Checker(weights, Settings(2, min_rows=2), threads=2)
    checker._reference = [
        row + np.float32(1e-6) * np.arange(len(row), dtype=np.float32) for row in checker._reference
    ]
    assert all(difference.log_p > 0 for difference in checker.differences())
    checker.close()
    weights.close()


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        (ROW, 0.0),
        (np.array([3.0, 1.0, -np.inf], np.float32), 1.8),
        (np.array([0.0, 1.0, 2.0], np.float32), np.inf),
        (np.full(3, np.nan, np.float32), np.inf),
    ],
)
def test_impossible_tokens_and_nan_are_differences_like_any_other(other, difference):
    found = compare("shape", [ROW], [other]).log_p
    assert found == difference or abs(found - difference) < 0.1


def test_rows_of_nan_are_never_called_the_same():
    nan = np.full(3, np.nan, np.float32)
    assert compare("shape", [nan], [nan]).log_p == np.inf
