"""Events are the record: JSON gives them back bit for bit, and folding them gives the state back."""

from __future__ import annotations

import json

import pytest

from localpower.chance import StreamDice
from localpower.events import Extended, Started, Stepped, from_json, to_json
from localpower.runs.tally import Tally
from localpower.samplers import PowerMH
from localpower.toy import ToyModel


@pytest.fixture(scope="module")
def events():
    sampler = PowerMH(3.0, 0.5, max_tokens=12, block=3, steps=4)
    return list(sampler.run(ToyModel(), (1, 2), StreamDice(5)))


def exactly(event):
    """All of an event: completions compare equal by their tokens alone."""
    if not isinstance(event, Extended | Stepped):
        return event
    part = event.suffix
    return to_json(event), part.log_p.tobytes(), part.log_q.tobytes(), part.entropy.tobytes()


def test_json_gives_every_event_back_bit_for_bit(events):
    started = Started("power", {"alpha": 3.0}, {"name": "toy"}, (1, 2), 1, "0")
    for event in [started, *events]:
        again = from_json(json.loads(json.dumps(to_json(event), allow_nan=False)))
        assert exactly(again) == exactly(event)


def test_folding_the_events_gives_the_final_state_and_its_log_p(events):
    tally = Tally()
    for event in events:
        tally = tally.add(event)
    assert events[-1].log_p == tally.state.total_log_p()
    assert events[-1].n_tokens == len(tally.state)
    fresh = ToyModel().score((1, 2), tally.state.tokens)
    assert abs(fresh - tally.state.log_p).max() < 1e-12


def test_what_is_no_event_is_refused():
    with pytest.raises(ValueError, match="unknown event 'x'"):
        from_json({"event": "x"})
    with pytest.raises(KeyError):
        from_json({"event": "finished"})
