"""One batch for all: who comes and goes, what is full, and that nobody's answer depends on anybody else."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from types import SimpleNamespace

import pytest

import localpower as lp
from localpower.api.question import ask
from localpower.api.request import PromptOptions, SamplingOptions
from localpower.errors import EngineError, UsageProblem
from localpower.registry import parse
from localpower.server.scheduler import Scheduler
from localpower.server.settings import Limits
from localpower.server.tickets import Busy, Closing, Done, Happened, Late, Ticket

WAIT_S = 60


class Ear(Future):
    """A hearer whose answer the test's thread waits for."""

    def __init__(self, on_event=lambda: None):
        super().__init__()
        self.begun, self._on_event = threading.Event(), on_event

    def __call__(self, item):
        if isinstance(item, Happened):
            self.begun.set()
            self._on_event()
        elif isinstance(item, Done):
            self.set_result(item.answer)
        else:
            self.set_exception(item.error)

    def answer(self):
        return self.result(WAIT_S)

    def error(self):
        return self.exception(WAIT_S)


@pytest.fixture
def running(tiny):
    """Schedulers that are closed at the end."""
    made = []

    def start(loaded=tiny, **limits):
        scheduler = Scheduler(loaded, Limits(**limits))
        scheduler.start()
        made.append(scheduler)
        return scheduler

    yield start
    for scheduler in made:
        scheduler.desk.close(0.0)
        scheduler.join()


def ticket(scheduler, text, method="power", seed=1, max_tokens=16, ear=None, seconds=WAIT_S):
    """A ticket and who hears of it."""
    ear = ear or Ear()
    question = ask(scheduler.loaded, text, SamplingOptions(parse(method), max_tokens), PromptOptions())
    return Ticket((question,), seed, ear, scheduler.clock() + seconds), ear


def submit(scheduler, *args, **fields):
    made, ear = ticket(scheduler, *args, **fields)
    scheduler.desk.submit(made)
    return made, ear


def alone(loaded, text, method, seed, max_tokens):
    """The answer that a request has without others."""
    model = lp.Model(loaded)
    try:
        return model.generate(text, method, seed=seed, max_tokens=max_tokens)
    finally:
        model._drop()


REQUESTS = [
    ("abc", "power", 3, 24),
    ("bca", "smc:particles=3", 4, 17),
    ("a", "base", 5, 30),
    ("cab", "power:block=8:steps=2", 6, 20),
    ("abcabcabcabcabc", "best-of-n:n=2", 7, 12),
    ("b", "low-temp", 8, 9),
    ("ba", "power:start=smc:2", 9, 14),
    ("ccc", "lookahead:block=4:candidates=2:rollouts=1", 10, 10),
]


@pytest.mark.parametrize(("kind", "n"), [("tiny", 8), ("tiny_shared", 8), ("tiny_hybrid", 2)])
def test_an_answer_has_the_bits_that_it_has_alone_whoever_else_is_served(kind, n, request, running):
    """Requests of every method come one after another while others run, and some leave in the middle."""
    loaded, requests = request.getfixturevalue(kind), REQUESTS[:n]
    assert loaded.exactness == "exact"
    scheduler = running(loaded, rows=6)
    leavers = [submit(scheduler, "abcab", "power:steps=500", seed=i, max_tokens=60) for i in range(2)]
    assert leavers[0][1].begun.wait(WAIT_S)
    ears = [submit(scheduler, *each)[1] for each in requests[:2]]
    for leaver, _ in leavers:
        scheduler.desk.cancel(leaver)
    ears += [submit(scheduler, *each)[1] for each in requests[2:]]
    for ear, asked in zip(ears, requests, strict=True):
        pair = ear.answer(), alone(loaded, *asked)
        one, other = ((each.tokens, each.log_p, each.decoded_tokens) for each in pair)
        assert one == other
    assert scheduler.counts.cancelled == 2


def test_an_answer_keeps_its_bits_when_the_cache_grows_under_it(tiny, running):
    scheduler = running(rows=3)
    _, first = submit(scheduler, "abc", "power:steps=40", seed=2, max_tokens=100)
    assert first.begun.wait(WAIT_S)
    _, long = submit(scheduler, "abc" * 400, "base", seed=3, max_tokens=30)
    assert first.answer().tokens == alone(tiny, "abc", "power:steps=40", 2, 100).tokens
    assert long.answer().tokens == alone(tiny, "abc" * 400, "base", 3, 30).tokens


def test_a_client_that_leaves_frees_its_rows_before_the_next_decode(running):
    scheduler = running(rows=1)
    made, ear = submit(scheduler, "abc", "power:steps=100000", max_tokens=200)
    assert ear.begun.wait(WAIT_S)
    _, next_one = submit(scheduler, "abc", "base", max_tokens=4)
    scheduler.desk.cancel(made)
    batches = scheduler.counts.batches
    assert next_one.answer()
    assert scheduler.counts.batches <= batches + 1 + 4, "one decode that had begun, and those of the newcomer"
    assert not ear.done()


def test_a_client_that_leaves_while_its_prompt_is_read_stops_the_reading(tiny, running):
    scheduler = running(rows=2)
    made, _ = ticket(scheduler, "abc" * 600, "base", max_tokens=4)
    real, checks = scheduler._check, []

    def check():
        if scheduler.live and scheduler.live[0].ticket is made:
            checks.append(made)
            if len(checks) == 2:  # of the batches that its prompt takes
                scheduler.desk.cancel(made)
        real()

    scheduler._check = check
    scheduler.desk.submit(made)
    _, ear = submit(scheduler, "ab", "base", max_tokens=3, seed=4)
    assert ear.answer().tokens == alone(tiny, "ab", "base", 4, 3).tokens
    assert len(checks) == 2


def test_beyond_the_queue_requests_are_refused_with_a_time_to_come_back(running):
    scheduler = running(rows=1, queue=2)
    slow, ear = submit(scheduler, "abc", "power:steps=100000", max_tokens=200)
    assert ear.begun.wait(WAIT_S)
    waiting = [submit(scheduler, "abc", "base")[0] for _ in range(2)]
    with pytest.raises(Busy) as refused:
        submit(scheduler, "abc", "base")
    assert 1 <= refused.value.after <= 60
    for made in [slow, *waiting]:
        scheduler.desk.cancel(made)
    assert submit(scheduler, "abc", "base")[1].answer()


def test_more_rows_than_there_are_is_refused_by_number(running):
    with pytest.raises(UsageProblem, match="draws 9 answers at once"):
        submit(running(rows=8), "abc", "smc:particles=9")


def test_what_all_runs_leave_of_the_rows_is_shared_among_them():
    live = {i: SimpleNamespace(rows=rows) for i, rows in enumerate((1, 1, 4))}
    scheduler = SimpleNamespace(limits=SimpleNamespace(rows=16), _live=live)
    assert [Scheduler._room(scheduler, i) for i in live] == [4, 4, 7]


def test_a_wide_request_waits_for_room_and_is_not_overtaken(running):
    scheduler = running(rows=4)
    order = []
    _, long = submit(scheduler, "abc", "power:steps=30", max_tokens=60)
    wide = Ear(on_event=lambda: order.append(("wide", long.done())))
    submit(scheduler, "abc", "smc:particles=4", ear=wide)
    late = Ear(on_event=lambda: order.append(("late", wide.done())))
    submit(scheduler, "abc", "base", ear=late)
    for ear in (long, wide, late):
        assert ear.answer()
    assert set(order) == {("wide", True), ("late", True)}, "each begins when the one before it has made room"


class Breaking:
    """A model whose engine refuses what holds a certain token, as a damaged file may."""

    def __init__(self, loaded, token):
        self._loaded, self._token = loaded, token

    def __getattr__(self, name):
        return getattr(self._loaded, name)

    def engine(self, *args, **kwargs):
        engine = self._loaded.engine(*args, **kwargs)
        whole, token = engine.logits, self._token

        def logits(contexts, prompt_lengths=None):
            if any(context[0] == token for context in contexts):
                raise EngineError("the model gave NaN")
            return whole(contexts, prompt_lengths)

        engine.logits = logits
        return engine


def test_a_request_that_the_engine_refuses_takes_nobody_with_it(tiny, running):
    token = tiny.written("c")[0]
    scheduler = running(Breaking(tiny, token), rows=4)
    good = [submit(scheduler, "ab", "power", seed=i, max_tokens=30)[1] for i in range(2)]
    assert good[0].begun.wait(WAIT_S)
    bad = submit(scheduler, "cb", "base")[1]
    assert isinstance(bad.error(), EngineError)
    for i, ear in enumerate(good):
        assert ear.answer().tokens == alone(tiny, "ab", "power", i, 30).tokens


class Broken(lp.Method):
    """A method of another package that raises in the middle."""

    name, guarantee = "broken", "approximate"

    def run(self, model, prompt, dice, target):
        model.logits([prompt])
        raise ZeroDivisionError("a bug")
        yield


def test_a_run_that_raises_a_bug_is_told_and_the_others_go_on(toy, running):
    scheduler = running(toy, rows=2)
    good = submit(scheduler, "one", "power", max_tokens=20)[1]
    ear = Ear()
    question = ask(toy, "one", SamplingOptions(Broken(), 5), PromptOptions())
    scheduler.desk.submit(Ticket((question,), 1, ear, scheduler.clock() + WAIT_S))
    assert isinstance(ear.error(), ZeroDivisionError)
    assert good.answer()
    assert submit(scheduler, "one", "base")[1].answer()


def test_time_is_over_for_a_run_with_its_state_and_for_one_that_waits_without(running):
    scheduler = running(rows=1)
    _, ran = submit(scheduler, "abc", "power:steps=100000", max_tokens=200, seconds=0.5)
    _, waited = submit(scheduler, "abc", "base", seconds=0.2)
    answer = ran.answer()
    assert (answer.finish, answer.guarantee) == ("budget", "approximate")
    assert len(answer.tokens) > 0
    assert "limit" in answer.notes[-1]
    assert isinstance(waited.error(), Late)


def test_closing_returns_current_states_and_refuses_who_waits_and_who_comes(running):
    scheduler = running(rows=1)
    _, ran = submit(scheduler, "abc", "power:steps=100000", max_tokens=200)
    _, waited = submit(scheduler, "abc", "base")
    assert ran.begun.wait(WAIT_S)
    scheduler.desk.close(0.0)
    answer = ran.answer()
    assert (answer.finish, answer.notes[-1]) == ("interrupted", "the server was stopped")
    assert isinstance(waited.error(), Closing)
    with pytest.raises(Closing):
        submit(scheduler, "abc", "base")
    scheduler.join()


def test_within_the_grace_answers_come_to_their_end(running):
    scheduler = running(rows=2)
    _, ear = submit(scheduler, "abc", "power", max_tokens=40)
    assert ear.begun.wait(WAIT_S)
    scheduler.desk.close(float(WAIT_S))
    assert ear.answer().finish in ("stop", "length")
    scheduler.join()
