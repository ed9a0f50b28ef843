"""A loaded model: the answers of the command line, one call at a time, usable after whatever happened."""

from __future__ import annotations

import json
import os
import pickle
import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import localpower as lp
from localpower.api.model import Model
from localpower.cli.main import main
from localpower.events import Finished, Started
from localpower.registry import parse

SHORT = {"seed": 1, "max_tokens": 12}


@pytest.fixture
def gguf(tiny):
    model = Model(tiny)
    yield model
    model._engine = None  # the file is the suite's: only the model is given up


def elsewhere(call, *arguments, **options):
    """What a call returns in another thread."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(call, *arguments, **options).result()


def _raised(call):
    try:
        call()
    except lp.UserError as error:
        return error.message
    return None


@pytest.mark.parametrize(
    "method", ["power:steps=3", "smc:particles=3", "base", "best-of-n:n=2", "power:budget=3x"]
)
def test_generate_gives_what_run_prints(capsys, toy, method):
    words = ["run", "-m", "toy", "--json", "--seed", "1", "--max-tokens", "12"]
    assert main([*words, "--method", method, "a b"]) == 0
    printed = json.loads(capsys.readouterr().out)
    answer = toy.generate("a b", method, **SHORT).to_dict()
    for timed in ("seconds", "tokens_per_second", "time_multiple"):
        answer[timed] = printed[timed]
    assert answer == printed


def test_several_chains_answer_as_on_the_command_line(capsys, toy):
    assert main(["run", "-m", "toy", "--chains", "3", "--pick", "all", "--json", "--seed", "1", "a b"]) == 0
    printed = json.loads(capsys.readouterr().out)
    answer = toy.generate("a b", seed=1, chains=3, pick="all")
    assert [chain.text for chain in answer.chains] == [chain["text"] for chain in printed["chains"]]
    assert (answer.picked, answer.text) == (printed["picked"], printed["text"])


def test_many_prompts_get_the_answers_that_they_get_alone(gguf):
    prompts = ["abc", "cab", "bca", "a"]
    answers = gguf.generate_many(prompts, lp.Power(steps=2), at_once=3, **SHORT)
    for i, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
        alone = gguf.generate(prompt, lp.Power(steps=2), seed=1 + i, max_tokens=12)
        assert (answer.tokens, answer.log_p, answer.seed) == (alone.tokens, alone.log_p, alone.seed)
    assert gguf.generate_many([], **SHORT) == []


def test_a_budget_in_seconds_is_refused_for_many(toy):
    with pytest.raises(lp.UsageProblem, match="depend on each other"):
        toy.generate_many(["a"], lp.Power(budget="3s"))


def test_a_stream_gives_the_events_and_then_the_answer(toy):
    stream = toy.stream("a b", lp.Power(steps=2), **SHORT)
    events = list(stream)
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)
    assert stream.answer.tokens == toy.generate("a b", lp.Power(steps=2), **SHORT).tokens


def test_a_stream_that_is_given_up_frees_the_model(toy):
    stream = toy.stream("a b", **SHORT)
    next(stream)
    with pytest.raises(lp.UserError, match="answering already"):
        toy.generate("a", **SHORT)
    next(stream)
    stream.close()
    assert (stream.answer.finish, stream.answer.guarantee) == ("interrupted", "approximate")
    assert toy.generate("a", **SHORT).finish in ("stop", "length")


def test_a_second_thread_gets_an_error_and_the_first_its_answer(toy):
    stream = toy.stream("a b", **SHORT)
    next(stream)
    errors = [elsewhere(_raised, call) for call in (lambda: toy.generate("a", **SHORT), lambda: next(stream))]
    assert errors == ["this model is answering already", "a stream belongs to the thread that began it"]
    assert len(list(stream)) > 1


def test_another_thread_may_use_the_model_when_it_is_free(gguf):
    assert elsewhere(gguf.generate, "abc", **SHORT).tokens == gguf.generate("abc", **SHORT).tokens


def test_ctrl_c_is_a_keyboard_interrupt_and_leaves_the_model_usable(gguf):
    before = signal.getsignal(signal.SIGINT)

    def stop(_chain, event):
        if isinstance(event, lp.Stepped):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        gguf.generate("abc", lp.Power(steps=500), max_tokens=12, seed=1, on_event=stop)
    assert signal.getsignal(signal.SIGINT) is before
    assert gguf.generate("abc", **SHORT).tokens == gguf.generate("abc", **SHORT).tokens


def test_what_the_caller_raises_passes_through(toy):
    class Own(Exception):
        pass

    def fail(_chain, _event):
        raise Own

    with pytest.raises(Own):
        toy.generate("a b", **SHORT, on_event=fail)
    assert toy.generate("a b", **SHORT).finish


@pytest.mark.parametrize("prompt", ["", "  ", [], [{"role": "user"}]])
def test_a_prompt_that_is_none_is_refused(toy, prompt):
    with pytest.raises(lp.UserError, match="prompt"):
        toy.generate(prompt)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_tokens": 0}, "max_tokens must be a whole number"),
        ({"max_tokens": True}, "max_tokens must be a whole number"),
        ({"chains": 99}, "chains must be a whole number from 1 to 61"),
        ({"pick": "best"}, "pick must be random, logp or all"),
        ({"stops": [""]}, "must not be empty"),
        ({"template_args": {"messages": 1}}, "messages cannot be set"),
        ({"method": "powr"}, "'powr' is none of power"),
        ({"method": lp.Power(prefetch=40), "chains": 2}, "must be at most 61, got 80"),
    ],
)
def test_an_option_that_can_never_be_right_is_refused_in_one_line(toy, options, words):
    with pytest.raises(lp.UsageProblem, match=words):
        toy.generate("a", **options)


def test_a_closed_model_says_so(toy):
    toy.close()
    toy.close()
    with pytest.raises(lp.UserError, match="the model is closed"):
        toy.generate("a")


def test_closing_frees_the_file(tiny_paths):
    model = lp.load(tiny_paths["f32"])
    model.generate("abc", **SHORT)
    weights = model.loaded.weights
    model.close()
    with pytest.raises(lp.EngineError, match="closed"):
        weights.is_recurrent()


def test_a_chat_goes_on_where_it_was_and_a_failed_turn_is_not_part_of_it(tiny16):
    model = Model(tiny16)
    chat = model.chat(lp.Power(steps=1), **SHORT)
    first = chat.send("ab")
    with pytest.raises(lp.UserError, match="context"):
        chat.send("abc" * 1000)
    assert [m["role"] for m in chat.messages] == ["user", "assistant"]
    second = chat.regenerate()
    assert (first.seed, second.seed) == (1, 2)
    assert len(chat.messages) == 2
    chat.clear()
    assert chat.messages == ()


def test_an_eval_that_never_begins_leaves_no_folder(tmp_path, toy):
    out = tmp_path / "new" / "run"
    with pytest.raises(lp.UserError, match="no task"):
        lp.evaluate("nosuch", [toy], out=out)
    with pytest.raises(lp.UserError, match=r"math500|MATH500"):
        lp.evaluate("math500", [toy], out=out, data=tmp_path)
    assert not (tmp_path / "new").exists()


def test_an_eval_from_python_is_the_one_of_the_command_line(tmp_path, capsys, toy):
    common = ("--limit", "3", "--seed", "1", "--max-tokens", "6", "--method", "base,power:steps=2")
    assert main(["eval", "tiny", "-m", "toy", *common, "--out", str(tmp_path / "a")]) == 0
    capsys.readouterr()
    run = lp.evaluate(
        "tiny", [toy], ["base", lp.Power(steps=2)], limit=3, seed=1, max_tokens=6, out=tmp_path / "b"
    )
    other = lp.EvalRun.read(tmp_path / "a")
    assert [answer.tokens for answer in run.answers] == [answer.tokens for answer in other.answers]
    assert run.answers[0].to_dict().keys() >= {"verdict", "log_p", "guarantee"}
    assert capsys.readouterr() == ("", "")


def test_a_stream_left_by_break_frees_the_model_and_ctrl_c(toy):
    before = signal.getsignal(signal.SIGINT)
    for _ in toy.stream("a b", **SHORT):
        break
    assert signal.getsignal(signal.SIGINT) is before
    assert toy.generate("a", **SHORT).finish


def test_streams_of_two_models_leave_ctrl_c_as_it_was_in_any_order(toy):
    before = signal.getsignal(signal.SIGINT)
    other = lp.load("toy")
    first, second = toy.stream("a", **SHORT), other.stream("a", **SHORT)
    next(first), next(second)
    first.close()
    assert signal.getsignal(signal.SIGINT) is not before, "the second one still hears of it"
    second.close()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, before)


def test_a_model_is_not_closed_under_an_answer_of_another_thread(gguf):
    found = []

    def close(*_):
        found.append(elsewhere(_raised, gguf.close))

    answer = gguf.generate("abc", lp.Power(steps=1), **SHORT, on_event=close)
    assert answer.finish in ("stop", "length")
    assert set(found) == {"the model is answering"}


def test_what_fails_among_many_leaves_the_model_usable(gguf):
    for _ in range(3):
        with pytest.raises(lp.UserError, match="context"):
            gguf.generate_many(["abc", "abc" * 2000], **SHORT)
        assert gguf.generate("abc", **SHORT).tokens


@pytest.mark.parametrize(
    "call",
    [
        lambda model: model.generate(None),
        lambda model: model.generate(["a"]),
        lambda model: model.generate("a", seed=-1),
        lambda model: model.generate("a", seed=1.5),
        lambda model: model.generate("a", stops="ab"),
        lambda model: model.generate("a", template_args={"x": object()}),
        lambda model: model.generate("a", lp.Power),
        lambda model: model.generate("a", system=5),
        lambda model: model.generate_many("abc"),
        lambda model: model.chat().send(""),
        lambda model: lp.load("toy", threads=10**6),
        lambda model: lp.load("toy", ctx="a"),
        lambda model: lp.evaluate("tiny", model, out="never", limit=-1),
        lambda model: lp.evaluate("tiny", model, [], out="never"),
    ],
)
def test_a_value_of_the_wrong_kind_is_a_user_error(toy, call):
    with pytest.raises(lp.UserError):
        call(toy)


def test_numbers_of_numpy_are_numbers(toy):
    answer = toy.generate("a", lp.Power(alpha=np.float64(2.5)), seed=np.int64(3), max_tokens=np.int64(5))
    assert json.loads(json.dumps(answer.to_dict()))["seed"] == 3
    assert answer.alpha == 2.5


@pytest.mark.parametrize(
    "method", [lp.Power(start="smc:4", cuts="uniform", alpha=3, hot_cut=False), lp.SMC(ess=0.25), lp.Base()]
)
def test_a_method_is_a_value_that_its_text_and_its_repr_give_back(method):
    assert eval(f"lp.{method!r}") == method == parse(str(method))
    assert hash(pickle.loads(pickle.dumps(method))) == hash(method)


def test_a_prompt_may_be_its_tokens_and_each_of_many_may_have_its_own_seed(gguf):
    texts = ["ab", "cab"]
    prompts = [gguf.loaded.written(text) for text in texts]
    alone = [gguf.generate(text, **SHORT) for text in texts]
    assert [gguf.generate(tokens, **SHORT).tokens for tokens in prompts] == [each.tokens for each in alone]
    heard = {}
    together = gguf.generate_many(prompts, seed=[7, 1], max_tokens=12, on_answer=heard.__setitem__)
    assert [heard[0], heard[1]] == together
    assert [each.seed for each in together] == [7, 1]
    assert together[1].tokens == alone[1].tokens
    for call in (
        lambda: gguf.generate((1, 2, 10**6)),
        lambda: gguf.generate_many([(0,), (10**6,)]),
        lambda: next(lp.stream_text(gguf, (10**6,))),
        lambda: lp.list_answers(gguf, (10**6,)),
        lambda: gguf.generate_many(texts, seed=[1]),
        lambda: gguf.generate((-1,)),
        lambda: gguf.generate((1,), system="ab"),
    ):
        with pytest.raises(lp.UsageProblem, match=r"no token 1000000|1 seeds for 2|a token must be|as it is"):
            call()
