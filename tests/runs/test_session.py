"""What an interrupt leaves of a run."""

from __future__ import annotations

import numpy as np
import pytest

from localpower.chance import StreamDice
from localpower.cli.planning import Wishes, fitted, make_sampler
from localpower.completion import Rules
from localpower.errors import Interrupted
from localpower.events import Finished, Stepped
from localpower.runs.gather import gather
from localpower.runs.interrupt import Interrupts
from localpower.runs.session import run_chains
from localpower.samplers import PowerMH
from localpower.toy import ToyModel

PROMPT = (1, 2)
SAMPLER = PowerMH(2.0, 0.5, max_tokens=400, block=20, steps=50)


class Stopping(ToyModel):
    """A toy that never ends an answer and is interrupted after `calls` calls."""

    def __init__(self, calls, error):
        super().__init__(end_bias=-50.0)
        object.__setattr__(self, "left", calls)
        object.__setattr__(self, "error", error)

    def logits(self, contexts):
        object.__setattr__(self, "left", self.left - 1)
        if self.left < 0:
            raise self.error
        return super().logits(contexts)


class Ear:
    def __init__(self):
        self.last = {}

    def event(self, chain, event):
        self.last[chain] = event

    def asked(self, chain, context):
        pass


@pytest.mark.parametrize("error", [Interrupted, KeyboardInterrupt], ids=["first Ctrl-C", "second"])
def test_every_chain_ends_with_its_last_accepted_state(error):
    ear = Ear()
    try:
        tallies = run_chains(Stopping(300, error), SAMPLER, PROMPT, StreamDice(1), 2, listeners=[ear])
    except KeyboardInterrupt:
        pytest.fail("the second Ctrl-C lost what was accepted")
    for index, tally in enumerate(tallies):
        assert (tally.finish, len(tally.state)) == ("interrupted", 20)
        assert ear.last[index] == Finished("interrupted", 20, tally.state.total_log_p())


def test_once_the_states_are_brought_in_no_signal_raises():
    interrupts = Interrupts()
    interrupts._handle(2, None)
    with pytest.raises(KeyboardInterrupt):
        interrupts._handle(2, None)
    interrupts.close()
    try:
        interrupts._handle(2, None)
    except KeyboardInterrupt:
        pytest.fail("a third Ctrl-C would lose what was accepted")


class Steady(ToyModel):
    """One possible token everywhere: every step of a chain is free and asks the model for nothing."""

    def _row(self, context):
        row = np.full(self.n_vocab, -np.inf)
        row[1] = 0.0
        return row


def test_a_chain_of_free_steps_hears_an_interrupt_too():
    interrupts = Interrupts()

    class Impatient(Ear):
        def event(self, chain, event):
            super().event(chain, event)
            interrupts.requested = isinstance(event, Stepped)

    sampler = PowerMH(2.0, 0.5, max_tokens=4, block=4, steps=1000)
    (tally,) = run_chains(
        Steady(), sampler, PROMPT, StreamDice(1), 1, listeners=[Impatient()], interrupts=interrupts
    )
    assert (tally.finish, tally.n_steps) == ("interrupted", 1)


def test_the_watcher_hears_of_the_proposal_that_is_decided_next():
    heard = []

    def run(handle):
        handle.logits([(1,), (2,), (3,)])
        yield from ()

    list(gather(ToyModel(), [run], lambda _, context: heard.append(context)))
    assert heard == [(1,)]


@pytest.mark.parametrize(
    ("widest", "steps", "chains", "width"), [(8, 5, 1, 5), (8, 9, 20, 3), (0, 5, 1, 1), (8, 0, 1, 1)]
)
def test_auto_prefetch_is_no_wider_than_engine_steps_and_sequences_allow(widest, steps, chains, width):
    wishes = Wishes(alpha=4.0, max_tokens=64, steps=steps, chains=chains)
    sampler, _ = make_sampler(wishes, Rules(), chat=False)
    fit = fitted(sampler, wishes, widest)
    assert (fit.prefetch, fit.adaptive) == (width, True)
