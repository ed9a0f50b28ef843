"""Runs whose engine is replaced between two of their batches."""

from __future__ import annotations

import numpy as np
import pytest

from localpower.chance import StreamDice
from localpower.runs.crowd import Crowd, Run
from localpower.samplers import PowerMH
from localpower.toy import ToyModel

PROMPT = (2, 3)


class Buffered(ToyModel):
    """A table whose rows are views of one buffer, which says nothing once the engine has gone."""

    def logits(self, contexts, prompt_lengths=None):
        object.__setattr__(self, "_buffer", np.array(super().logits(contexts)))
        return list(self._buffer)

    def go(self):
        self._buffer[:] = np.nan


def states(replaced, copied):
    """The tokens of what a chain says, on engines that are replaced after every batch or never."""
    engine, told = Buffered(), []
    crowd = Crowd(engine)
    sampler = PowerMH(4.0, 0.25, max_tokens=12, block=12, steps=4)
    crowd.admit(0, Run(PROMPT, lambda model: sampler.run(model, PROMPT, StreamDice(3))))
    while len(crowd):
        told += [event.suffix.tokens for _, event in crowd.turn() if hasattr(event, "suffix")]
        if replaced:
            if copied:
                crowd.settle()
            if hasattr(engine, "_buffer"):
                engine.go()
            engine = Buffered()
            crowd.move(engine)
    return told


def test_rows_that_no_run_has_read_outlive_the_engine_that_made_them():
    assert states(replaced=True, copied=True) == states(replaced=False, copied=True)


def test_control_without_a_copy_the_rows_of_the_engine_that_went_are_read():
    with pytest.raises(ValueError, match="finite sum, got nan"):
        states(replaced=True, copied=False)
