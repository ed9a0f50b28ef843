"""What an interrupt leaves of a run."""

from __future__ import annotations

import itertools
import signal

import numpy as np
import pytest

from localpower import Power, Target
from localpower.api.request import suited
from localpower.chance import StreamDice
from localpower.completion import PLAIN
from localpower.errors import Interrupted
from localpower.events import Finished, Started, Stepped
from localpower.numerics import log_softmax
from localpower.runs.gather import Run, gather
from localpower.runs.heard import Forwarded
from localpower.runs.interrupt import Interrupts
from localpower.runs.pace import Pace
from localpower.runs.record import Recorder
from localpower.runs.session import pick, run_chains
from localpower.runs.tally import Tally
from localpower.runs.trace import read_trace
from localpower.runs.verify import verify
from localpower.samplers import Ancestral, PowerMH, PowerSMC
from localpower.statistics import g_test
from localpower.toy import ToyModel

PROMPT = (1, 2)
SAMPLER = PowerMH(2.0, 0.5, max_tokens=400, block=20, steps=50)


class Stopping(ToyModel):
    """A toy that never ends an answer and is interrupted after `calls` calls."""

    def __init__(self, calls, error):
        super().__init__(end_bias=-50.0)
        object.__setattr__(self, "left", calls)
        object.__setattr__(self, "error", error)

    def logits(self, contexts, prompt_lengths=None):
        object.__setattr__(self, "left", self.left - 1)
        if self.left < 0:
            raise self.error
        return super().logits(contexts)


@pytest.mark.parametrize("error", [Interrupted, KeyboardInterrupt], ids=["first Ctrl-C", "second"])
def test_every_chain_ends_with_its_last_accepted_state(error):
    last = {}
    try:
        tallies = run_chains(
            Stopping(300, error),
            SAMPLER,
            PROMPT,
            StreamDice(1),
            2,
            listeners=[Forwarded(last.__setitem__)],
            interrupts=Interrupts(),
        )
    except KeyboardInterrupt:
        pytest.fail("the second Ctrl-C lost what was accepted")
    for index, tally in enumerate(tallies):
        assert (tally.finish, len(tally.state)) == ("interrupted", 20)
        assert last[index] == Finished("interrupted", 20, tally.state.total_log_p())


def test_without_interrupts_to_tell_of_it_the_interrupt_is_raised_when_the_states_are_brought_in():
    last = {}
    model, heard = Stopping(300, KeyboardInterrupt()), Forwarded(last.__setitem__)
    with pytest.raises(KeyboardInterrupt):
        run_chains(model, SAMPLER, PROMPT, StreamDice(1), 2, listeners=[heard])
    assert [event.finish for event in last.values()] == ["interrupted", "interrupted"]


def test_once_the_states_are_brought_in_no_signal_raises():
    try:
        with Interrupts() as interrupts:
            signal.raise_signal(signal.SIGINT)
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
            interrupts.close()
            signal.raise_signal(signal.SIGINT)
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

    def impatient(_chain, event):
        interrupts.requested = isinstance(event, Stepped)

    sampler = PowerMH(2.0, 0.5, max_tokens=4, block=4, steps=1000)
    (tally,) = run_chains(
        Steady(), sampler, PROMPT, StreamDice(1), 1, listeners=[Forwarded(impatient)], interrupts=interrupts
    )
    assert (tally.finish, tally.n_steps) == ("interrupted", 1)


def test_the_watcher_hears_of_the_proposal_that_is_decided_next():
    heard = []

    def run(handle):
        handle.logits([(1,), (2,), (3,)])
        yield from ()

    list(gather(ToyModel(), [Run((), run)], lambda _, context: heard.append(context)))
    assert heard == [(1,)]


@pytest.mark.parametrize(
    ("widest", "steps", "chains", "width"), [(8, 5, 1, 5), (8, 9, 20, 3), (0, 5, 1, 1), (8, 0, 1, 1)]
)
def test_auto_prefetch_is_no_wider_than_engine_steps_and_sequences_allow(widest, steps, chains, width):
    sampler = Power(alpha=4.0, steps=steps).sampler(Target(4.0, 64, PLAIN))
    fit = suited(sampler, chains, widest, ahead=True)
    assert (fit.prefetch, fit.adaptive) == (width, True)


def test_the_pick_among_chains_is_uniform_and_knows_nothing_of_their_answers():
    """The pick and chain 0's token, counted over 500 seeds: a right pick fails for one choice of seeds in a million."""
    toy, sampler = ToyModel(words=("<end>", "a", "b"), seed=3), Ancestral(max_tokens=1)
    counts = np.zeros((toy.n_vocab, 3), np.int64)
    for seed in range(500):
        tallies = run_chains(toy, sampler, PROMPT, StreamDice(seed), 3)
        counts[tallies[0].state.tokens[0], pick(tallies, "random", StreamDice(seed))] += 1
    law = np.exp(log_softmax(toy.logits([PROMPT])[0]))
    assert g_test(counts.ravel(), np.outer(law, np.ones(3) / 3).ravel()).log_p > np.log(1e-6)


def test_runs_that_estimate_the_normaliser_are_drawn_by_it():
    heavy, light = Tally(log_z=0.0), Tally(log_z=-50.0)
    assert {pick([light, heavy, light], "random", StreamDice(seed)) for seed in range(20)} == {1}
    assert {pick([Tally(), heavy, Tally()], "random", StreamDice(seed)) for seed in range(40)} == {0, 1, 2}


@pytest.mark.parametrize("after", [1, 7, 20, 33])
def test_particles_that_were_interrupted_end_with_the_one_that_is_shown(after, tmp_path):
    left = itertools.count()
    recorder = Recorder(tmp_path / "events", ToyModel().piece)
    settings = {"alpha": 3.0, "seed": 1, "pick": "random", "stops": [], "exactness": "exact"}
    sampler = PowerSMC(3.0, 60, particles=5, ramp=8)
    recorder.write(None, Started("smc", sampler.settings() | settings, TOY, PROMPT, 1, "0"))
    run_chains(
        ToyModel(seed=2, end_bias=-4.0),
        sampler,
        PROMPT,
        StreamDice(1),
        1,
        listeners=[recorder],
        pace=Late(lambda: next(left) > after),
    )
    recorder.close()
    assert verify(read_trace(tmp_path / "events")).problems == []


TOY = {"name": "toy", "path": None, "sha256": None, "quantization": None}


class Late(Pace):
    """Whose seconds are over when `out` says so."""

    def __init__(self, out):
        super().__init__()
        self.out = out
