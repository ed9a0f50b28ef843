"""A few inputs of every kind, always the same ones, and all that was ever found."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz.kills import KILLS
from tests.fuzz.properties import PROPERTIES

FOUND = [
    json.loads(line) for line in (Path(__file__).parent / "corpus.jsonl").read_text("utf-8").splitlines()
]


@pytest.mark.parametrize("name", PROPERTIES)
def test_no_input_is_answered_with_anything_but_a_result_or_one_clear_line(name):
    tried = PROPERTIES[name]
    few = settings(
        max_examples=tried.examples, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
    )
    few(given(tried.inputs)(tried.check))()


@pytest.mark.parametrize("find", FOUND, ids=lambda find: find["why"])
def test_what_was_found_once_stays_mended(find):
    PROPERTIES[find["property"]].check(find["input"])


@pytest.mark.parametrize("number", range(len(KILLS)), ids=KILLS)
def test_what_was_finished_survives_a_kill(number, tmp_path):
    """Each of KILLS asserts that what was finished before is there unchanged, and that the same command makes the rest."""
    list(KILLS.values())[number](tmp_path, random.Random(number))
