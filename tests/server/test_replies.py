"""What a client gets: OpenAI's form, the library's answers."""

from __future__ import annotations

import pytest

import localpower as lp
from tests.server.conftest import ask, chat, serving, streamed

METHODS = ("power", "base", "low-temp", "best-of-n:n=3", "smc:particles=4", "lookahead:block=4")


@pytest.mark.parametrize("method", METHODS)
def test_an_answer_is_that_of_the_library_with_the_same_seed(client, method):
    reply = ask(client, localpower={"method": method}, seed=7)
    with lp.load("toy") as model:
        answer = model.generate("one two", method, seed=7, max_tokens=12)
    assert reply["choices"][0]["message"]["content"] == answer.text
    assert reply["usage"]["completion_tokens"] == answer.n_tokens
    told = reply["choices"][0]["localpower"]
    assert (told["log_p"], told["seed"]) == (answer.log_p, 7)
    assert reply["usage"]["decoded_tokens"] == answer.decoded_tokens
    assert (told["guarantee"], told["acceptance_rate"]) == (answer.guarantee, answer.acceptance_rate)


def test_choice_i_is_the_answer_of_seed_plus_i(client):
    several = [choice["message"]["content"] for choice in ask(client, n=3, seed=4)["choices"]]
    assert several == [ask(client, seed=4 + i)["choices"][0]["message"]["content"] for i in range(3)]


def test_without_a_seed_one_is_drawn_and_told(client):
    body = chat()
    del body["seed"]
    first = client.post("/v1/chat/completions", json=body).json()
    again = ask(client, seed=first["localpower"]["seed"])
    assert again["choices"][0]["message"] == first["choices"][0]["message"]


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("toy", "power"),
        ("", "power"),
        ("toy:power-4", "power:alpha=4"),
        ("toy:base", "base"),
        ("toy:low-temp-2", "low-temp:alpha=2"),
        ("toy:best-of-n", "best-of-n"),
        ("toy:smc:particles=2", "smc:particles=2"),
    ],
)
def test_a_models_name_chooses_the_method(client, name, method):
    assert ask(client, model=name)["localpower"]["method"] == method


def test_the_field_goes_before_the_name_and_settings_add_up(client):
    fields = {"steps": 3, "alpha": 2}
    for own, method in ((fields, "power:alpha=2:steps=3"), ({"method": "base"}, "base")):
        assert ask(client, model="toy:power-4", localpower=own)["localpower"]["method"] == method


def test_every_listed_model_can_be_asked(client):
    names = [model["id"] for model in client.get("/v1/models").json()["data"]]
    assert {"toy", "toy:power-4", "toy:base", "toy:smc"} <= set(names)
    assert not any("project" in name for name in names), "it needs an answer that is known to be right"
    for name in names:
        assert ask(client, model=name, max_tokens=4)["model"] == name
        assert client.get(f"/v1/models/{name}").json()["id"] == name


def test_finish_reason_says_whether_an_answer_ended_by_itself(client):
    reasons = {
        ask(client, model="toy:base", max_tokens=n, seed=3)["choices"][0]["finish_reason"] for n in (1, 200)
    }
    assert reasons == {"length", "stop"}


def test_a_stop_ends_an_answer_and_is_not_part_of_it(client):
    answers = ask(client, model="toy:base", max_tokens=40, n=8)["choices"]
    whole, seed = next(
        (c["message"]["content"], 1 + c["index"]) for c in answers if len(c["message"]["content"]) > 20
    )
    word = whole.split()[2]
    cut = ask(client, model="toy:base", max_tokens=40, seed=seed, stop=[word])["choices"][0]
    assert cut["finish_reason"] == "stop"
    assert word not in cut["message"]["content"]
    assert whole.startswith(cut["message"]["content"])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("stop", [None, " "])
def test_a_streamed_answer_is_the_whole_one(client, method, stop):
    fields = {"localpower": {"method": method}, "max_tokens": 30, "n": 2, "stop": stop}
    whole = ask(client, **fields)
    told = [data for _, data in streamed(client, **fields, stream_options={"include_usage": True})]
    assert told[-1] == "[DONE]"
    for choice in whole["choices"]:
        parts = [c for d in told[:-1] for c in d["choices"] if c["index"] == choice["index"]]
        assert "".join(part["delta"].get("content", "") for part in parts) == choice["message"]["content"]
        assert [part["finish_reason"] for part in parts][-1] == choice["finish_reason"]
    assert told[-2]["usage"] == whole["usage"]
    assert all(data["usage"] is None for data in told[:-2])


def texts_of(client, method, **fields):
    told = streamed(client, localpower={"method": method}, **fields)[:-1]
    return [c["delta"]["content"] for _, d in told for c in d["choices"] if c["delta"].get("content")]


def test_text_of_a_chain_is_sent_when_no_step_can_change_it_any_more(client):
    assert len(texts_of(client, "power", max_tokens=60, seed=8)) == 1
    assert len(texts_of(client, "power:steps=0", max_tokens=60, seed=8)) > 1


@pytest.mark.parametrize("method", ["base", "smc:particles=2:ess=1", "lookahead:block=4"])
def test_text_of_what_only_grows_is_sent_as_it_grows(client, method):
    assert max(len(texts_of(client, method, max_tokens=60, seed=seed)) for seed in range(6)) > 1


def test_states_of_a_chain_are_told_to_whoever_asks_and_end_in_the_answer(client):
    told = streamed(client, localpower={"states": True, "steps": 6}, max_tokens=20)
    states = [data["localpower"]["state"] for name, data in told if name == "localpower.state"]
    content = "".join(c["delta"].get("content", "") for n, d in told[:-1] for c in d["choices"])
    assert [state["kind"] for state in states].count("step") == 6
    assert [state["text"] for state in states if state["text"] is not None][-1] == content
    assert all(data["choices"] == [] for name, data in told if name), "clients that count pass them over"
    assert not [name for name, _ in streamed(client) if name]


def test_log_probabilities_are_the_models_own(client):
    choice = ask(client, logprobs=True, top_logprobs=3, localpower={"steps": 4})["choices"][0]
    content = choice["logprobs"]["content"]
    assert "".join(each["token"] for each in content) == choice["message"]["content"]
    for each in content:
        tops = [top["logprob"] for top in each["top_logprobs"]]
        assert len(tops) == 3
        assert tops == sorted(tops, reverse=True)
        assert each["logprob"] <= tops[0]
        same = [top["logprob"] for top in each["top_logprobs"] if top["token"] == each["token"]]
        assert same in ([], [each["logprob"]])
    if choice["finish_reason"] == "length":
        assert sum(each["logprob"] for each in content) == pytest.approx(choice["localpower"]["log_p"])


def test_log_probabilities_change_no_answer(client):
    plain, told = (
        ask(client, seed=9, **fields)["choices"][0] for fields in ({}, {"logprobs": True, "top_logprobs": 5})
    )
    assert plain["message"] == told["message"]


def test_completions_answer_each_prompt_with_log_probabilities_in_their_form(client):
    body = {"model": "toy:base", "prompt": ["one", "two three"], "max_tokens": 6, "seed": 3}
    body |= {"logprobs": 2, "n": 2}
    reply = client.post("/v1/completions", json=body).json()
    assert [choice["index"] for choice in reply["choices"]] == [0, 1, 2, 3]
    for choice in reply["choices"]:
        found = choice["logprobs"]
        assert "".join(found["tokens"]) == choice["text"]
        for at, token in zip(found["text_offset"], found["tokens"], strict=True):
            assert choice["text"][at:].startswith(token)
    with lp.load("toy") as model:
        alone = model.generate("two three", "base", seed=6, max_tokens=6, raw=True)
    assert reply["choices"][3]["text"] == alone.text


def test_a_budget_in_seconds_ends_with_the_current_state_and_says_so(client):
    reply = ask(client, max_tokens=400, localpower={"budget": "0.05s", "steps": 100000})
    told = reply["choices"][0]["localpower"]
    assert told["budget"] == "0.05s"
    assert told["n_steps"] < 100000
    assert told["finish"] == "budget" or told["planned_steps"] == told["n_steps"]
    assert reply["choices"][0]["finish_reason"] in ("stop", "length")


def test_metrics_count_what_was_done(toy):
    with serving(toy) as client:
        reply = ask(client, n=2)
        client.post("/v1/chat/completions", json={})
        lines = client.get("/metrics").text.splitlines()
    assert f"localpower_answer_tokens_total {reply['usage']['completion_tokens']}" in lines
    assert f"localpower_decoded_tokens_total {reply['usage']['decoded_tokens']}" in lines
    assert "localpower_answers_total 2" in lines
    assert 'localpower_requests_total{path="/v1/chat/completions",status="400"} 1' in lines
    assert all(line.startswith("#") or len(line.rsplit(" ", 1)) == 2 for line in lines)
