"""Traces small enough to know all of them: toy models whose words are calls, and an environment that remembers."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from localpower.completion import Completion, Rules, extend
from localpower.numerics import log_softmax
from localpower.testing import outcomes
from localpower.tools.environment import Tool
from localpower.tools.exchange import Exchange, Spelling
from localpower.tools.formats import Frame
from localpower.tools.plain import Inline
from localpower.toy import ToyModel

PROMPT, ALPHA = (1, 2), 3.0
ARGUMENT = {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]}
CALLS = ("<end>", "[1]", "[2]")  # a call is one token
SPLIT = ("<end>", "[", "1]", "2]")  # or two, between which a cut may fall
# Tokens of an observation: the end token and calls among them, which are text there.
LETTERS = {"a": 1, "b": 2, "?": 0}


class Counter:
    """Answers by what it was asked, how often it was, its seed, and what the last call was; the third call fails."""

    deterministic = False
    tools = (Tool("count", "", ARGUMENT),)

    def __init__(self):
        self.n, self.last, self.seed = 0, "", 0

    def reset(self, seed):
        self.n, self.last, self.seed = 0, "", seed

    def reseed(self, seed):
        self.seed = seed

    def call(self, name, arguments):
        self.n += 1
        before, self.last = self.last, arguments["x"]
        if self.n == 3 or (self.n == 2 and before == "2"):
            raise RuntimeError("worn out")
        return "ab"[(self.n + self.seed + (arguments["x"] == "2")) % 2] * (1 + (before == "1"))

    def fork(self):
        other = Counter()
        other.n, other.last, other.seed = self.n, self.last, self.seed
        return other

    def state(self):
        return {"n": self.n, "last": self.last}

    def check(self):
        return None


def read(before, pieces):
    return tuple(LETTERS[letter] for piece in pieces for letter in piece.text)


def exchange(model, chances=1, turns=3, seed=0, kind=Exchange):
    text = Spelling(lambda turn: b"".join(map(model.piece, turn)).decode(), read)
    # the sentence that stands in for what has no room is not spelled here: observations have at most two letters
    spelled = text._replace(
        read=lambda before, pieces: read(before, pieces) if len(pieces[0].text) < 3 else (0,)
    )
    return kind(Counter(), Inline(), Frame(), spelled, seed=seed, turns=turns, chances=chances)


def rules(model, **options):
    return Rules(turns=exchange(model, **options))


def traces(model, horizon, chances=1, turns=3, seed=0):
    """{(tokens, chances): (log p of drawn tokens, log p of chances)} of every trace, by walking them without a sampler.

    The environment begins anew for each trace and every call is made again: nothing is remembered.
    """
    found = {}

    def observation(calls, drawn):
        environment = Counter()
        environment.reset(seed)
        for argument, chance in zip(calls, drawn, strict=True):
            if chances > 1:
                environment.reseed(chance)
            try:
                text = environment.call("count", {"x": argument})
            except RuntimeError:
                text = "?"
        return tuple(LETTERS[letter] for letter in text)

    def walk(tokens, turn, calls, drawn, n, log_p):
        if n == horizon:
            found[tokens, drawn] = log_p, -len(drawn) * math.log(chances)
            return
        row = log_softmax(model.logits([PROMPT + tokens])[0])
        for token in map(int, np.flatnonzero(row > -math.inf)):
            longer, said = (*tokens, token), turn + (model.piece(token).decode() if token else "")
            total = log_p + float(row[token])
            body, closed, _ = said.partition("[")[2].partition("]")
            asks = bool(closed)
            if not asks and token:
                walk(longer, said, calls, drawn, n + 1, total)
            elif (
                not asks or len(drawn) + 1 == turns or n + 1 == horizon
            ):  # an end without a call, or a horizon
                found[longer, drawn] = total, -len(drawn) * math.log(chances)
            else:
                for chance in range(chances):
                    made = (*calls, body), (*drawn, chance)
                    walk(longer + observation(*made), "", *made, n + 1, total)

    walk((), "", (), (), 0, 0.0)
    return found


def key(x):
    return x.tokens, tuple(int(x.world[begin]) for begin, _ in x.rounds)


def target(model, horizon, **options):
    """p^alpha of drawn tokens times the chance of observations, normalised."""
    listed = traces(model, horizon, **options)
    weights = {x: math.exp(ALPHA * log_p + log_e) for x, (log_p, log_e) in listed.items()}
    total = sum(weights.values())
    return {x: weight / total for x, weight in weights.items()}


def states(model, horizon, temperature, rules):
    draw = partial(extend, model=model, prompt=PROMPT, start=Completion(), horizon=horizon)
    return {key(x): x for x, _ in outcomes(lambda dice: draw(dice, temperature=temperature, rules=rules))}


def matrix(step, known):
    """K[i, j], and in the last column the chance to leave the states."""
    order = {x: i for i, x in enumerate(known)}
    found = np.zeros((len(order), len(order) + 1))
    for i, x in enumerate(known.values()):
        for after, probability in outcomes(lambda dice, x=x: step(dice, x)):
            found[i, order.get(key(after), len(order))] += probability
    return found


MODELS = {
    "a call is a token": ToyModel(CALLS, seed=1),
    "a call is two tokens": ToyModel(SPLIT, seed=149, spread=1.0, zero_every=3),  # fewer paths
    "nothing but a call": ToyModel(CALLS[:2], seed=2),
}
