"""Models and rules small enough for proofs by enumeration, and what such proofs have in common."""

from __future__ import annotations

import math

import numpy as np

from localpower.completion import PLAIN, Rules
from localpower.events import Chosen
from localpower.runs.tally import Tally
from localpower.samplers.population import shares
from localpower.testing import outcomes
from localpower.toy import ToyModel

PROMPT = (1, 2)
ABC = ("<end>", "a", "b")
TOYS = {
    "generic": ToyModel(ABC, seed=1),
    "near-certain end": ToyModel(ABC, seed=2, end_bias=4.0),
    "zero probabilities": ToyModel(("<end>", "a", "b", "c"), seed=3, zero_every=2),
}
# A stop that takes two tokens, and a forced token after a drawn 1: both end up in every formula.
RULES = {
    "plain": PLAIN,
    "stop on 1,2": Rules(ended=lambda run: run[-2:] == (1, 2)),
    "2 given after a first 1": Rules(given=lambda x: 2 if x == (1,) else None),
}


def folded(events):
    """The tally of a run's events."""
    tally = Tally()
    for event in events:
        tally = tally.add(event)
    return tally


def end_of(sampler, model, prompt, dice):
    """The tally at the end, and the last choice; None where nothing was chosen."""
    events = list(sampler.run(model, prompt, dice))
    return folded(events), next((each for each in reversed(events) if isinstance(each, Chosen)), None)


def invariance_error(transitions, pi):
    """Total variation between pi and pi K, whose last column leads to no state."""
    return 0.5 * np.abs(np.append(pi, 0.0) - pi @ transitions).sum()


def check_balance(transitions, pi):
    """A step stays among the states, leaves pi as it is, and goes either way between two states as often."""
    flow = pi[:, None] * transitions[:, :-1]
    assert transitions[:, -1].max() == 0.0, "a step left the support"
    assert np.abs(transitions.sum(axis=1) - 1.0).max() < 1e-12
    assert invariance_error(transitions, pi) < 1e-12
    assert np.abs(flow - flow.T).max() < 1e-12


def weighted_law(sampler, model, prompt, key=lambda answer: answer.tokens):
    """E[Z-hat times each answer's share of the weights], over all paths."""
    found: dict = {}
    for (tally, choice), probability in outcomes(lambda dice: end_of(sampler, model, prompt, dice)):
        scale = probability * math.exp(choice.log_z)
        for answer, share in zip(tally.members, shares(np.array(choice.log_w)), strict=True):
            found[key(answer)] = found.get(key(answer), 0.0) + scale * share
    return found


def relative_error(found, wanted):
    """Largest difference, over the largest value."""
    keys = set(found) | set(wanted)
    return max(abs(found.get(k, 0.0) - wanted.get(k, 0.0)) for k in keys) / max(wanted.values())
