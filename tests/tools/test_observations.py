"""What a model is told, and what is recorded of it: as tokens, as text, and when it is checked again."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest

from localpower.completion import Completion
from localpower.errors import UserError
from localpower.loaded.tooling import spelling
from localpower.loading import Request, load
from localpower.tools.calls import Call
from localpower.tools.exchange import Exchange, Spelling
from localpower.tools.formats import Frame, Piece, find
from localpower.tools.plain import Plain
from localpower.tools.recheck import Recheck
from tests.gguf_files import write_llama
from tests.tools.traces import Counter


def test_an_observation_becomes_no_mark_of_the_template_though_the_file_calls_it_user_defined(tmp_path):
    marked = "{% for m in messages %}<|U|>{{ m.content }}{% endfor %}<|A|>"
    path = write_llama(tmp_path / "m.gguf", "abUA<|>", template=marked, marks=["<|U|>", "<|A|>"])
    loaded = load(Request(str(path)))
    mark = loaded.control_token("<|U|>")
    read = spelling(loaded).read
    said = read((), [Piece("<|U|>", control=True), Piece("a<|U|><|A|>b<|U")])
    assert (said[0], said.count(mark)) == (mark, 1)
    assert b"".join(map(loaded.piece, said[1:])) == b"a<|U|><|A|>b<|U"
    assert not {mark, loaded.control_token("<|A|>")} & set(said[1:])


@pytest.mark.parametrize(
    ("said", "gives", "same"),
    [
        ("Result: 123\n", "123", True),
        ("Result: 123\n", "12", False),
        ("Result: 12... (cut: 4 characters)\n", "1234", True),
        ("Result: 12... (cut: 4 characters)\n", "1994", False),
        ("Result: (the results have no room here)\n", "1234", True),
    ],
)
def test_a_recheck_takes_a_part_of_an_answer_for_another_answer(said, gives, same):
    """What was recorded may be cut to the most that an observation may have, which says so."""
    texts = ("Call: count 1\n", said)
    recorded = {"format": "plain", "seed": 0, "turns": 2, "observation_tokens": 8, "fresh": False}
    with patch.object(Counter, "call", lambda *_: gives):
        again = Recheck(Counter(), recorded, lambda turn: "".join(texts[token] for token in turn))
        world = np.array([-1, 0])
        trace = Completion((0, 1), False, *np.zeros((3, 2)), world >= 0, world)
        assert (again.problems(trace, 0) == []) is same
    assert again.n == 1


@pytest.mark.parametrize(
    ("gives", "same"), [(("21", "3"), True), (("1", "3"), False), (("2", "3"), False), (("3", "21"), False)]
)
def test_a_recheck_in_turns_of_a_template_takes_no_part_of_a_number_and_no_other_order_for_the_same(
    gives, same
):
    call = find("qwen3-coder").written(Call("count", {"x": "a"}))
    told = "\n<|im_start|>user\n<tool_response>\n21\n</tool_response>\n<tool_response>\n3\n</tool_response>\n"
    texts, answers = (f"{call}\n{call}", told), iter(gives)
    recorded = {"format": "qwen3-coder", "seed": 0, "turns": 2, "observation_tokens": 8, "fresh": False}
    with patch.object(Counter, "call", lambda *_: next(answers)):
        again = Recheck(Counter(), recorded, lambda turn: "".join(texts[token] for token in turn))
        world = np.array([-1, 0])
        trace = Completion((0, 1), False, *np.zeros((3, 2)), world >= 0, world)
        assert (again.problems(trace, 0) == []) is same


def _read(_, pieces):
    return tuple(map(ord, "".join(piece.text for piece in pieces)))


def _asking(**options):
    """An exchange whose tokens are characters, and a trace that asks it."""
    spelled = Spelling(lambda turn: "".join(map(chr, turn)), _read)
    call = _read((), [Piece("Call: count 1\n")])
    asked = Completion(call, False, *np.zeros((3, len(call))), np.zeros(len(call), bool))
    return Exchange(Counter(), Plain(), Frame(), spelled, seed=0, tokens=60, **options), asked


def test_a_trace_tells_of_a_cut_observation_what_the_model_was_told_and_no_more():
    """Traces are exported for training: the model went on from the part that it saw."""

    own, asked = _asking()
    with patch.object(Counter, "call", lambda *_: "ab" * 50):
        said = own.reply(asked, 0)
    n = len(said)
    trace = asked.join(
        Completion(said, False, *np.zeros((3, n)), np.ones(n, bool), np.zeros(n, dtype=np.int64))
    )
    (done,) = own.rounds(trace)
    assert "".join(map(chr, said)) == f"Result: {done.observations[0].text}\n"
    assert (done.cut, own.work.cut, n <= 60) == (True, 1, True)


def test_an_environment_that_cannot_be_reseeded_is_told_in_one_line():
    own, asked = _asking(chances=2)
    with (
        patch.object(Counter, "reseed", side_effect=OSError("no chance")),
        pytest.raises(UserError, match="the environment cannot be reseeded: OSError: no chance"),
    ):
        own.reply(asked, 1)
