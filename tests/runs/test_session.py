"""What an interrupt leaves of a run."""

from __future__ import annotations

import pytest

from localpower.chance import StreamDice
from localpower.errors import Interrupted
from localpower.events import Finished
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
