"""What is refused: by name, in OpenAI's form, without harm to anybody else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localpower.server.models import listed
from localpower.server.parse import chat_request, completion_request
from localpower.server.problems import ApiError
from localpower.server.settings import Access, Limits, Manner
from tests.server.conftest import ask, chat, serving


def refused(client, status=400, path="/v1/chat/completions", **fields):
    """The error of a request."""
    response = client.post(path, json=chat(**fields))
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert "\n" not in error["message"]
    assert "--" not in error["message"], "a request has no command line"
    return error


CHANGING = {
    "top_p": 0.9,
    "top_k": 40,
    "min_p": 0.05,
    "frequency_penalty": 0.5,
    "presence_penalty": -1,
    "repetition_penalty": 1.1,
    "logit_bias": {"1": 5},
}


@pytest.mark.parametrize("name", CHANGING)
def test_what_would_change_the_target_is_refused_by_name(client, name):
    error = refused(client, **{name: CHANGING[name]})
    assert error["param"] == name
    assert name in error["message"]


def test_what_clients_send_without_an_effect_is_taken(client):
    neutral = {"top_p": 1, "frequency_penalty": 0, "presence_penalty": 0.0, "logit_bias": {}, "min_p": None}
    books = {"user": "me", "store": False, "metadata": {"a": "b"}, "top_k": None}
    books["response_format"] = {"type": "text"}
    reply = ask(client, **neutral, **books)
    assert reply["choices"][0]["message"] == ask(client)["choices"][0]["message"]
    assert reply["localpower"]["warnings"] == []


@pytest.mark.parametrize("temperature", [0, 0.7, 1.0])
def test_a_clients_usual_temperature_changes_nothing_and_the_reply_says_so(client, temperature):
    response = client.post("/v1/chat/completions", json=chat(temperature=temperature))
    assert response.json()["choices"][0]["message"] == ask(client)["choices"][0]["message"]
    assert f"temperature {temperature:g} is not used" in response.headers["x-localpower-warning"]
    assert "temperature" in response.json()["localpower"]["warnings"][0]


def test_a_lenient_server_ignores_what_it_would_refuse_and_warns(toy):
    with serving(toy, manner=Manner(lenient=True)) as client:
        response = client.post("/v1/chat/completions", json=chat(top_p=0.9, typo=1))
    assert response.status_code == 200
    assert "top_p 0.9 would change the target" in response.headers["x-localpower-warning"]
    assert "'typo' is no parameter" in response.headers["x-localpower-warning"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"typo": 1}, "'typo' is no parameter"),
        ({"messages": []}, "messages must be"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "judge", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}, "text alone"),
        ({"messages": [{"role": "user", "content": " "}]}, "the prompt is empty"),
        ({"n": 0}, "n must be"),
        ({"n": 9}, "from 1 to 8"),
        ({"seed": 1.5}, "seed must be"),
        ({"max_tokens": 0}, "max_tokens must be"),
        ({"max_tokens": True}, "max_tokens must be"),
        ({"stop": ""}, "stop must not be empty"),
        ({"stop": 3}, "stop must be"),
        ({"stream": "yes"}, "stream must be"),
        ({"top_logprobs": 2}, "goes with logprobs"),
        ({"stream_options": {"include_usage": True}}, "goes with stream"),
        ({"response_format": {"type": "json_object"}}, "response_format is not supported"),
        ({"localpower": {"method": "gibbs"}}, "'gibbs' is none of power"),
        ({"localpower": {"method": "project"}}, "'project' is none of power"),
        ({"localpower": {"alpha": 0.5}}, "alpha of power"),
        ({"localpower": {"particles": 3}}, "power has no setting 'particles'"),
        ({"localpower": {"alpha": [4]}}, "localpower.alpha must be"),
        ({"localpower": {"method": "smc:particles=50"}}, "room for 8"),
        ({"localpower": 3}, "localpower must be an object"),
        ({"max_tokens": 5000}, "more than the 4096"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(client, fields, words):
    assert words in refused(client, **fields)["message"]


def test_another_model_is_not_found(client):
    for name in ("gpt-4o", "toys", "toy:gibbs", "toy:base-4"):
        error = refused(client, 404 if name != "toy:gibbs" else 400, model=name)
        assert error["param"] in ("model", "localpower.method")


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b'{"n": NaN}', b"\xff", b"[" * 100_000, b'"' + b"a" * 99]
)
def test_what_is_no_request_is_refused(client, data):
    response = client.post("/v1/chat/completions", content=data, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"


def test_only_json_is_read_so_that_no_foreign_page_can_ask_unasked(client):
    headers = {"content-type": "text/plain"}
    response = client.post("/v1/chat/completions", content=json.dumps(chat()), headers=headers)
    assert response.status_code == 415


def test_a_body_beyond_the_limit_is_refused_whether_or_not_it_says_how_long_it_is(toy):
    with serving(toy, Limits(body=500)) as client:
        headers = {"content-type": "application/json"}
        assert client.post("/v1/completions", content=b" " * 501, headers=headers).status_code == 413
        chunks = (b" " * 100 for _ in range(100))
        assert client.post("/v1/completions", content=chunks, headers=headers).status_code == 413


def test_unknown_paths_and_verbs_are_told_in_the_same_form(client):
    assert client.get("/v1/embeddings").json()["error"]["message"] == "this server has no such path"
    wrong = client.get("/v1/chat/completions")
    assert wrong.status_code == 405
    assert wrong.json()["error"]["message"] == "GET is not a method of this path; it has POST"
    assert client.get("/v1/localpower/watch").status_code == 404, "nobody allowed it"


def test_a_key_is_required_of_everything_that_tells_something(toy):
    with serving(toy, access=Access(keys=("first", "sécond"))) as client:
        keys = {"Bearer firs": 401, "first": 401, "Bearer first": 200, "Bearer sécond": 200}
        for path in ("/v1/models", "/metrics", "/v1/models/toy"):
            assert client.get(path).status_code == 401
            for key, status in keys.items():
                assert client.get(path, headers={"authorization": key.encode()}).status_code == status
        assert refused(client, 401)["code"] == "invalid_api_key"
        assert client.get("/health").status_code == client.get("/").status_code == 200


def test_a_web_page_of_another_address_may_not_ask_unless_it_is_allowed(toy):
    headers = {"origin": "http://evil.example"}
    with serving(toy) as client:
        assert client.get("/v1/models", headers=headers).status_code == 403
        assert client.get("/v1/models", headers={"origin": "http://testserver"}).status_code == 200
        assert "access-control-allow-origin" not in client.get("/v1/models").headers
    with serving(toy, access=Access(origins=("http://evil.example",))) as client:
        allowed = client.get("/v1/models", headers=headers)
        assert allowed.headers["access-control-allow-origin"] == "http://evil.example"
        request = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
        asked = headers | request
        assert client.options("/v1/chat/completions", headers=asked).status_code == 200
        assert client.get("/v1/models", headers={"origin": "http://other.example"}).status_code == 403


def test_a_name_that_is_bent_to_this_address_is_not_answered(toy):
    with serving(toy, access=Access(hosts=frozenset({"localhost", "127.0.0.1"}))) as client:
        assert client.get("/v1/models", headers={"host": "evil.example:8080"}).status_code == 403
        assert client.get("/v1/models", headers={"host": "localhost:8080"}).status_code == 200


def test_the_log_holds_no_prompt_unless_asked(toy):
    for manner, holds in ((Manner(), False), (Manner(prompts=True), True)):
        lines = []
        with serving(toy, manner=manner, log=lines.append) as client:
            ask(client, text="one two three")
            refused(client, top_p=0.5)
        assert ("one two three" in " ".join(lines)) is holds
        assert any("top_p 0.5" in line for line in lines)


FIELDS = [
    *("model", "messages", "n", "seed", "stop", "max_tokens", "stream", "localpower"),
    *("temperature", "tools", "logprobs"),
]
NAMES = st.sampled_from(FIELDS) | st.text(max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(NAMES | st.sampled_from(["role", "content", "method", "alpha"]), inner, max_size=3)
    ),
    max_leaves=12,
)


def outcome(read, body, manner):
    """The status of a request that is only read."""
    try:
        read(dict(body), "toy", Limits(), manner)
    except ApiError as error:
        json.dumps(error.body())
        return error.status
    return 200


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(NAMES, VALUES, max_size=6), st.booleans(), st.booleans())
def test_rubbish_is_refused_and_never_a_bug(body, whole, lenient):
    if whole:
        body = {"messages": [{"role": "user", "content": "x"}], "prompt": "x"} | body
    for read in (chat_request, completion_request):
        assert outcome(read, body, Manner(lenient=lenient)) in (200, 400, 404)


@pytest.mark.parametrize(
    "fields",
    [
        {"model": "\ud800"},
        {"\ud800": 1},
        {"localpower": {"\ud800": [1]}},
        {"localpower": {"method": "\ud800"}},
        {"messages": [{"role": "user", "content": "\ud800"}]},
        {"x" * 100_000: 1},
    ],
)
def test_odd_words_of_a_client_come_back_readable_and_short(client, fields):
    headers = {"content-type": "application/json"}
    response = client.post("/v1/chat/completions", content=json.dumps(chat(**fields)), headers=headers)
    assert response.status_code in (200, 400, 404)
    assert len(response.text) < 5000
    response.json()


def test_more_answers_than_there_can_ever_be_room_for_are_not_told_to_come_back(toy):
    with serving(toy, Limits(rows=2, queue=1)) as client:
        assert "room for 2" in refused(client, n=3)["message"]


def test_listed_names_are_few_and_begin_with_the_models_own():
    names = listed("a:b")
    assert names[0] == "a:b"
    assert all(name.startswith("a:b") for name in names)
    assert len(names) < 12
