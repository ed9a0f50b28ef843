"""Events are the record; those of every method are in tests/samplers/test_contract.py."""

from __future__ import annotations

import json

import pytest

from localpower.events import Started, from_json, to_json


def test_json_gives_the_beginning_of_a_run_back():
    started = Started("power", {"alpha": 3.0}, {"name": "toy"}, (1, 2), 1, "0")
    assert from_json(json.loads(json.dumps(to_json(started), allow_nan=False))) == started


def test_what_is_no_event_is_refused():
    with pytest.raises(ValueError, match="unknown event 'x'"):
        from_json({"event": "x"})
    with pytest.raises(KeyError):
        from_json({"event": "finished"})
