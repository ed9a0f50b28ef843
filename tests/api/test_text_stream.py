"""`stream_text`: what was sent never changes, and together it is the answer."""

from __future__ import annotations

import pytest

import localpower as lp
from localpower.api.text_stream import _Growing


@pytest.mark.parametrize("method", ["base", "low-temp", "power", "smc:particles=2"])
def test_the_pieces_are_the_text_that_generate_gives(toy, method):
    for seed in range(5):
        stream = lp.stream_text(toy, "the cat", method, seed=seed)
        assert stream.answer is None
        pieces = list(stream)
        alone = toy.generate("the cat", method, seed=seed)
        assert "".join(pieces) == alone.text == stream.answer.text
        assert stream.answer.tokens == alone.tokens
        assert all(pieces)
        drawn = sum(toy.loaded.piece(token) != b"" for token in alone.tokens)
        assert len(pieces) == (drawn if method in ("base", "low-temp") else bool(alone.text))


def test_nothing_is_sent_that_may_be_the_beginning_of_a_stop(toy):
    stopped = 0
    for seed in range(20):
        stream = lp.stream_text(toy, "the cat", "base", seed=seed, stops=["cat sees", "e d"])
        text = "".join(stream)
        assert text == toy.generate("the cat", "base", seed=seed, stops=["cat sees", "e d"]).text
        stopped += text.endswith(("the", "a", "th"))
    assert stopped, "some answer ended on a stop"


def test_an_unfinished_character_waits_for_its_end():
    growing = _Growing(lambda token: bytes([token]), ())
    data = "né😀.".encode()
    pieces = [growing.goes_on(tuple(data[: i + 1])) for i in range(len(data))]
    assert [each for each in pieces if each] == ["n", "é", "😀", "."]


def test_a_stream_that_is_left_frees_the_model(toy):
    with lp.stream_text(toy, "the cat", "base", seed=1) as stream:
        first = next(stream)
        with pytest.raises(lp.UserError, match="answering already"):
            toy.generate("the cat")
    assert toy.generate("the cat", "base", seed=1).text.startswith(first)
    assert stream.answer is None


def test_what_can_never_be_right_is_refused_before_anything_is_drawn(toy):
    with pytest.raises(lp.UsageProblem, match="max_tokens"):
        lp.stream_text(toy, "the cat", max_tokens=0)
