"""Traces whose calls stand in tags, small enough to know all of them. What a turn calls is told by its words alone."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from localpower.completion import Rules
from localpower.numerics import log_softmax
from localpower.samplers.kernel import Kernel
from localpower.tools.exchange import Exchange, Spelling
from localpower.tools.formats import Frame, Piece
from localpower.tools.tags import Qwen3Coder
from localpower.toy import ToyModel
from tests.tools.mutants import _as_is, _plain
from tests.tools.traces import ALPHA, LETTERS, PROMPT, Counter, read

OPEN, CLOSE = "<tool_call>\n<function=count>\n<parameter=x>\n1", "\n</parameter>"
CALL = f"{OPEN}{CLOSE}\n</function>\n</tool_call>\n"
BAD = None


def split_calls(turn):
    """Of the words "<end>", OPEN, CLOSE: arguments, or BAD. Tags may be missing behind the last value."""
    said = turn[turn.index(1) :] if 1 in turn else ()
    if not said:
        return []
    closed = said[1:]
    return [BAD] if 1 in closed or not closed else ["1" + CLOSE * (len(closed) - 1)]


def whole_calls(turn):
    """Of the words "<end>", CALL, CLOSE: a tag that ends no value makes the calls before it bad ones."""
    said = turn[turn.index(1) :] if 1 in turn else ()
    return [BAD] if 2 in said else ["1"] * len(said)


def _toy(word, seed):
    """Some words are impossible, so that few traces have all that can happen: calls, bad ones, and both in one turn."""
    return ToyModel(("<end>", word, CLOSE), seed=seed, spread=0.8, zero_every=3)


MODELS = {
    "a call is two tokens": (_toy(OPEN, 53), split_calls),
    "several calls in a turn": (_toy(CALL, 8), whole_calls),
}


class Told(Qwen3Coder):
    """What tools give is a letter, as the toy can spell it."""

    def opening(self, observations, frame):
        return [Piece(each.text if each.ok else "?") for each in observations]


def rules(model, turns=3):
    spelled = Spelling(lambda turn: b"".join(map(model.piece, turn)).decode(), read)
    return Rules(turns=Exchange(Counter(), Told(), Frame(), spelled, seed=0, turns=turns, tokens=8))


def target(model, calls_of, horizon, turns=3):
    """{(tokens, chances): p^alpha}, normalised, of every trace: all calls are made again for each."""
    found = {}

    def observation(rounds):
        environment = Counter()
        environment.reset(0)
        for calls in rounds:
            said = ""
            for argument in calls:
                try:
                    said += "?" if argument is BAD else environment.call("count", {"x": argument})
                except RuntimeError:
                    said += "?"
        return tuple(LETTERS[letter] for letter in said)

    def walk(tokens, turn, rounds, n, log_p):
        if n == horizon:
            found[tokens, (0,) * len(rounds)] = math.exp(ALPHA * log_p)
            return
        row = log_softmax(model.logits([PROMPT + tokens])[0])
        for token in map(int, np.flatnonzero(row > -math.inf)):
            longer, total = (*tokens, token), log_p + float(row[token])
            calls = calls_of(turn) if token == 0 else []
            if token:
                walk(longer, (*turn, token), rounds, n + 1, total)
            elif not calls or len(rounds) + 1 == turns or n + 1 == horizon:
                found[longer, (0,) * len(rounds)] = math.exp(ALPHA * total)
            else:
                made = (*rounds, calls)
                walk(longer + observation(made), (), made, n + 1, total)

    walk((), (), (), 0, 0.0)
    whole = sum(found.values())
    return {x: weight / whole for x, weight in found.items()}


def _from_the_cut(rules, x, cut):
    """A turn that was cut calls what its tokens after the cut spell, without the tags before it."""
    turns = rules.turns
    kept = cut - max((end for _, end in x.head(cut).rounds), default=0)
    first = len(x.head(cut).rounds)

    class Late:
        chances, reply, cut_off = 1, staticmethod(turns.reply), staticmethod(turns.cut_off)

        @staticmethod
        def after(turn, rounds, *, end):
            return turns.after(turn[kept:] if rounds == first else turn, rounds, end=end)

    return replace(rules, turns=Late)


MUTANT: type[Kernel] = _plain(_as_is, _from_the_cut)
