"""Traces through an engine and from end to end: what is drawn, given, counted, recorded and checked again."""

from __future__ import annotations

import json
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest

from localpower.api.model import Model
from localpower.api.recording import check_recording
from localpower.chance import StreamDice
from localpower.completion import Completion, Rules
from localpower.errors import ContextFull, UsageProblem
from localpower.events import Extended, Finished, Stepped, from_json, to_json
from localpower.loaded.tooling import spelling
from localpower.loaded.toy import LoadedToy
from localpower.runs.interrupt import Interrupts
from localpower.runs.record import Recorder
from localpower.runs.tally import Tally
from localpower.runs.trace import read_trace
from localpower.samplers.kernel import Optimizations
from localpower.samplers.mh import PowerMH
from localpower.tools import exchange as exchanges
from localpower.tools.exchange import Exchange
from localpower.tools.formats import Frame, Piece
from localpower.tools.plain import Inline
from localpower.tools.use import ToolUse
from localpower.toy import ToyModel
from tests.tools.traces import Counter

WORDS = ("<end>", "[1]", "[2]", "a", "b", "?")


class Toy(LoadedToy):
    """A toy whose observations are its own words, a letter each."""

    def following(self, before, text, *, controls=False):
        return tuple(WORDS.index(letter) for letter in text if letter in "ab?")

    def frame(self, *_, **__):
        raise AssertionError("the inline format has no frame")


def toy_model(**settings):
    return Model(Toy(ToyModel(WORDS, seed=3, **settings)))


def use(environment=None, **settings):
    return ToolUse(environment or Counter(), **{"name": "counter", "format": "inline", **settings})


class Telling(Inline):
    """Errors in a letter that the tiny file can spell."""

    def opening(self, observations, frame):
        return [Piece(each.text if each.ok else ":") for each in observations]


def through(engine, loaded, sampler, seed, form=Telling(), chances=1):  # noqa: B008 a frozen value
    """The states of a run, and the exchange that answered."""
    own = Exchange(Counter(), form, Frame(), spelling(loaded), seed=0, turns=4, tokens=8, chances=chances)
    tally, states = Tally(), []
    prompt = loaded.following((), "ab")
    for event in replace(sampler, rules=Rules(turns=own)).run(engine, prompt, StreamDice(seed)):
        tally = tally.add(event)
        states.append(tally.state)
    return prompt, states, own


SAMPLER = PowerMH(2.0, 0.5, max_tokens=14, block=14, steps=6)


@pytest.mark.parametrize("chances", [1, 4], ids=["seeded", "fresh"])
def test_early_rejection_batches_and_drafts_change_no_trace_through_llama_cpp(tiny16, chances):
    loaded = tiny16
    engine = loaded.engine(loaded.following((), "ab"), 64, 4, lambda: None)
    rounds = 0
    for seed in range(4):
        runs = [
            through(engine, loaded, sampler, seed, chances=chances)[1]
            for sampler in (
                SAMPLER,
                replace(SAMPLER, optimizations=Optimizations(early=False)),
                replace(SAMPLER, prefetch=4),
                replace(SAMPLER, drafts="on"),
            )
        ]
        assert all(other == runs[0] for other in runs)
        rounds += sum(len(state.rounds) for state in runs[0])
    assert rounds > 0, "no trace had an observation"


@pytest.mark.parametrize(
    "optimizations", [Optimizations(), Optimizations(skip=False, early=False)], ids=["on", "off"]
)
def test_log_p_of_what_was_drawn_is_that_of_the_whole_trace_read_afresh(tiny16, optimizations):
    loaded = tiny16
    engine = loaded.engine(loaded.following((), "ab"), 64, 4, lambda: None)
    checked = 0
    for seed in range(8):
        prompt, states, _ = through(engine, loaded, replace(SAMPLER, optimizations=optimizations), seed)
        for x in {each for each in states if each.rounds}:
            fresh = engine.score(prompt, x.tokens)
            assert (x.log_p[~x.given] == fresh[~x.given]).all()
            assert (x.log_p[x.observed] == 0.0).all()
            checked += int(x.observed.sum())
    assert checked > 0


def test_copies_that_are_gone_are_made_again_and_change_no_trace():
    model, sampler = ToyModel(WORDS, seed=3), replace(SAMPLER, max_tokens=8, block=8)
    for seed, is_long in ((1, False), (7, True)):
        plain = through(model, Toy(model), sampler, seed, Inline())
        with patch.object(exchanges, "_COPIES", 1):
            again = through(model, Toy(model), sampler, seed, Inline())
        assert again[1] == plain[1]
        assert again[2].work.executed == plain[2].work.executed > 0
        assert plain[2].work.replayed == 0
        assert not is_long or again[2].work.replayed > 0


def test_events_keep_observations_and_their_chance():
    world = np.array([-1, 7, 7, -1])
    x = Completion((1, 2, 3, 0), True, *np.zeros((3, 4)), world >= 0, world)
    event = from_json(json.loads(json.dumps(to_json(Extended(0, 4, 0, x)))))
    assert isinstance(event, Extended)
    assert event.suffix == x
    assert event.suffix.rounds == [(1, 3)]
    assert event.suffix.last_turn == (0,)
    assert "observed" not in to_json(Extended(0, 4, 0, x.head(1)))["suffix"]


def test_an_answer_tells_its_turns_calls_and_what_they_cost():
    with toy_model() as model:
        answer = model.generate("x", "power:steps=4", seed=4, max_tokens=8, tools=use(turns=4))
    found = answer.to_dict()["trace"]
    assert found["calls"] == sum(len(turn.get("calls", ())) for turn in found["turns"]) > 0
    assert [turn["from"] for turn in found["turns"][1:]] == [turn["to"] for turn in found["turns"][:-1]]
    assert found["turns"][-1]["to"] == len(answer.tokens)
    assert found["calls_executed"] >= found["calls"]
    assert answer.text == found["turns"][-1]["text"]
    told = [turn["observations"] for turn in found["turns"] if turn["kind"] == "observation"]
    assert told == [[call["text"] for call in turn["calls"]] for turn in found["turns"] if turn.get("calls")]


def test_a_call_in_the_last_turn_is_not_made_and_the_answer_says_why_it_ends():
    with toy_model() as model:
        answer = model.generate("x", "base", seed=2, max_tokens=9, tools=use(turns=1))
    assert (answer.finish, answer.trace.finish) == ("turns", "turns")
    assert answer.trace.calls == answer.trace.calls_executed == 0
    assert answer.text.endswith("]")


@pytest.mark.parametrize("fresh", [False, True], ids=["seeded", "fresh"])
def test_a_recorded_run_with_tools_is_verified_and_a_changed_answer_is_found(tmp_path, fresh):
    path = tmp_path / "run.jsonl"
    tools = use(turns=4, fresh=fresh, name="counter")
    with toy_model() as model:
        recorder = Recorder(path, model.loaded.piece)
        with model.stream("x", "power:steps=6", seed=4, max_tokens=8, tools=tools) as stream:
            for event in stream:
                recorder.write(0 if not hasattr(event, "n_chains") else None, event)
        recorder.close()
    assert stream.answer.trace.observation_tokens > 0
    with patch("localpower.api.recording.open_tools", lambda *_, **__: Counter()):
        report, _ = check_recording(read_trace(path), None, Interrupts(()), tools=("counter",))
        assert report["passed"], report["problems"]
        assert report["observations"] > 0
        with patch.object(Counter, "call", lambda *_: "bbb"):
            report, findings = check_recording(read_trace(path), None, Interrupts(()), tools=("counter",))
    assert not report["passed"]
    assert "observation 1 is 'bbb' now" in findings.problems[0]
    report, findings = check_recording(read_trace(path), None, Interrupts(()))
    assert report["passed"]
    assert "--tools counter makes their calls again" in findings.unchecked


@pytest.mark.parametrize("method", ["lookahead", "project"])
def test_methods_that_cannot_use_tools_are_refused_by_name(method):
    with toy_model() as model, pytest.raises(UsageProblem, match=f"--method {method} cannot use tools"):
        model.generate("x", method, seed=1, tools=use())


def test_a_fresh_environment_takes_one_with_chance_and_no_metropolised_steps():
    with toy_model() as model:
        with pytest.raises(UsageProblem, match="answers the same at any time"):
            model.generate("x", seed=1, tools=ToolUse.of("calculator", fresh=True))
        with pytest.raises(UsageProblem, match="metropolised"):
            model.generate("x", "power:metropolised=yes", seed=1, tools=use(fresh=True))


def test_what_tools_may_answer_counts_against_the_context_before_anything_is_drawn():
    loaded = Toy(ToyModel(WORDS))
    loaded.n_ctx = 100
    with (
        Model(loaded) as model,
        pytest.raises(ContextFull, match="in 7 turns 1792: more than the context of 100"),
    ):
        model.generate("x", seed=1, max_tokens=8, tools=use())


def test_an_answer_longer_than_its_limit_is_cut_and_counted():
    with toy_model() as model, patch.object(Counter, "call", lambda *_: "ab" * 500):
        answer = model.generate("x", "base", seed=2, max_tokens=6, tools=use(observation_tokens=9))
    rounds = [turn for turn in answer.trace.turns if turn.kind == "observation"]
    assert answer.trace.observations_cut >= len(rounds) > 0
    assert all(turn.end - turn.begin <= 9 for turn in rounds)


def test_ctrl_c_inside_a_tool_ends_the_run_with_what_was_accepted():
    events, how = [], {"seed": 2, "max_tokens": 8, "tools": use()}
    stopped = patch.object(Counter, "call", side_effect=KeyboardInterrupt)
    with toy_model() as model, stopped, pytest.raises(KeyboardInterrupt):
        model.generate("x", "base", **how, on_event=lambda _, event: events.append(event))
    assert isinstance(events[-1], Finished)
    assert events[-1].finish == "interrupted"
    assert not any(isinstance(event, Stepped) for event in events)


def test_what_the_prompt_opens_the_first_turn_with_is_part_of_it():
    words = Toy(ToyModel(("<end>", "1", "]")))
    own = Exchange(Counter(), Inline(), Frame(), spelling(words), seed=0, turns=3, tokens=8)
    assert own.after((1, 2), 0, end=False) == "on"
    own.opening = "["
    assert own.after((1, 2), 0, end=False) == "asks"
    assert own.after((1, 2), 1, end=False) == "on"


def test_many_prompts_get_the_traces_that_each_gets_alone():
    with toy_model() as model:
        many = model.generate_many(["x", "x y"], "power:steps=2", seed=4, max_tokens=8, tools=use(turns=4))
        alone = [
            model.generate(prompt, "power:steps=2", seed=4 + i, max_tokens=8, tools=use(turns=4))
            for i, prompt in enumerate(("x", "x y"))
        ]
    assert [answer.tokens for answer in many] == [answer.tokens for answer in alone]
    assert [answer.trace.turns for answer in many] == [answer.trace.turns for answer in alone]
    assert sum(answer.trace.calls for answer in many) > 0


def test_a_chat_goes_on_in_the_world_that_its_calls_have_left():
    with toy_model() as model:
        chat = model.chat("base", seed=4, max_tokens=8, tools=use(turns=3))
        first = chat.send("x")
        made = chat.turns[0].answer.calls
        assert len(made) == first.trace.calls > 0
        second = chat.send("y")
        assert second.trace.state["n"] == len(made) + second.trace.calls
        chat.restore(json.loads(json.dumps(chat.to_dict())))
        assert chat.turns[0].answer.calls == made
        again = chat.regenerate()
        assert again.trace.state["n"] == len(made) + again.trace.calls
