"""What a run comes to: for tests that care for its end."""

from __future__ import annotations

from localpower.events import Chosen
from localpower.runs.tally import Tally


def end_of(sampler, model, prompt, dice):
    """The tally at the end, and the last choice; None where nothing was chosen."""
    tally, choice = Tally(), None
    for event in sampler.run(model, prompt, dice):
        tally = tally.add(event)
        choice = event if isinstance(event, Chosen) else choice
    return tally, choice
