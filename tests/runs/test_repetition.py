"""The share of an answer that repeats itself."""

from __future__ import annotations

import pytest

from localpower.runs.repetition import LOOPING, repetition


@pytest.mark.parametrize("tokens", [(), (1,), (1, 2, 3, 4)])
def test_an_answer_with_less_than_two_runs_of_four_tokens_has_no_share(tokens):
    assert repetition(tokens) is None


def test_the_share_counts_runs_that_stood_there_before():
    assert repetition((1, 2, 3, 4, 5)) == 0.0
    assert repetition((1, 2, 3, 4, 1, 2, 3, 4)) == pytest.approx(1 / 5)
    assert repetition((7,) * 8) == pytest.approx(4 / 5)


def test_a_list_that_names_its_subject_again_is_no_loop_and_a_phrase_said_four_times_is():
    listed = tuple(token for i in range(8) for token in (1, 2, 10 + i, 20 + i, 30 + i))
    assert repetition(listed) < LOOPING < repetition((1, 2, 3, 4, 5, 6) * 4)
