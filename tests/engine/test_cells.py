"""Memory for long answers: how many cells, what they take, and which number of chains fits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localpower.cli.main import main
from localpower.engine import cells, context
from localpower.engine.cells import Shape, plan
from localpower.errors import EngineError

KB = 1000


def test_streams_have_cells_for_a_state_and_a_proposal_of_each_chain():
    shape = Shape(100, 4096, rows=2, chains=2, layout="streams")
    assert shape.room() == (4196, 4)
    assert shape.total() == 4352 * 4, "in whole steps of 256"


def test_a_shared_cache_has_room_for_dead_answers_and_for_fewer_where_memory_is_short():
    shape = Shape(100, 4096, rows=1, chains=1)
    plenty = plan(shape, KB, 10**9)
    short = plan(shape, KB, shape.total(1) * KB)
    assert (plenty.spare, short.spare) == (4, 1)
    assert plenty.cells - short.cells == 3 * 4096
    assert short.fits


layouts = st.sampled_from(["streams", "states", "shared"])


@given(layouts, st.integers(1, 4), st.integers(1, 20), st.integers(1, 3), st.integers(10**5, 10**9))
def test_the_number_of_chains_that_is_said_to_fit_fits_and_one_more_does_not(
    layout, chains, size, width, free
):
    shape = Shape(50, 64 * size, chains * width, chains, layout=layout, extra=2 if layout == "states" else 0)
    found = plan(shape, KB, free)
    if found.fitting:
        assert plan(shape.of(found.fitting), KB, free).fits
    if found.fitting < 61:
        assert not plan(shape.of(found.fitting + 1), KB, free).fits


@pytest.mark.parametrize(
    ("horizon", "free", "told"), [(4096, 10**12, True), (64, 10**12, False), (64, 9 * 10**5, True)]
)
def test_memory_is_told_of_long_answers_and_where_there_is_little(horizon, free, told):
    assert plan(Shape(10, horizon, 1, 1), KB, free).is_long is told


def test_what_does_not_fit_says_what_does(tiny, monkeypatch):
    one = tiny.cells(10, 600, 1, 1).size
    monkeypatch.setattr(context, "free_memory", lambda: 2 * one)
    with pytest.raises(EngineError, match="at most --chains 2 fits") as error:
        tiny.engine((0, 1, 2, 1, 0, 1, 2, 0, 1, 2), 600, 9, lambda: None)
    assert "--chains 2 fits" in error.value.line()


def test_run_says_before_it_begins_what_a_long_answer_takes(own_cache, monkeypatch, capsys):
    monkeypatch.setattr(cells, "_LONG", 8)
    main(["run", "-m", "lab-base", "--method", "base", "--max-tokens", "8", "--seed", "1", "12+34="])
    assert "note: answers of up to 8 tokens after a prompt of" in capsys.readouterr().err
