"""A server in a process of its own: real sockets, the official client, signals, and clients that misbehave."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import httpx2
import openai
import pytest

ENDLESS = {"steps": 2_000_000_000}
WAIT_S = 60


def waited(there):
    """Look until something is there: a process tells nothing by itself."""
    end = time.monotonic() + WAIT_S
    while not there():
        assert time.monotonic() < end
        time.sleep(0.02)


class Server:
    """`localpower serve` with some options, until it is stopped. lines: what it has said."""

    def __init__(self, *options, model="toy"):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "localpower", "serve", "-m", str(model), "--port", "0", *options],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.lines = []
        for line in self.process.stderr:
            self.lines.append(line)
            if found := re.search(r"the page is (http\S+)/", line):
                self.url = found[1]
                break
        else:
            pytest.fail(f"no server: {self.lines}")
        self._reader = threading.Thread(target=lambda: self.lines.extend(self.process.stderr), daemon=True)
        self._reader.start()

    def client(self, **fields):
        fields = {"api_key": "none", "max_retries": 0} | fields
        return openai.OpenAI(base_url=f"{self.url}/v1", **fields)

    def metric(self, name):
        text = httpx2.get(f"{self.url}/metrics").text
        return int(float(re.search(rf"^localpower_{name} (\S+)$", text, re.M)[1]))

    def until(self, name, value):
        """Wait until a number has a value."""
        waited(lambda: self.metric(name) == value)

    def connect(self):
        host, port = self.url.removeprefix("http://").split(":")
        return socket.create_connection((host, int(port)), timeout=WAIT_S)

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        code = self.process.wait(WAIT_S)
        self._reader.join(WAIT_S)
        return code

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join(WAIT_S)
        self.process.stderr.close()
        self.process.stdout.close()


@contextlib.contextmanager
def running(*options, **fields):
    server = Server(*options, **fields)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture(scope="module")
def server():
    with running("--rows", "4", "--queue", "3", "--time-limit", "50") as server:
        yield server


def answered(client, model="toy", **fields):
    """What the official client makes of a chat request."""
    messages = [{"role": "user", "content": "one two"}]
    return client.chat.completions.create(model=model, messages=messages, **fields)


def endless(client, **fields):
    """A request that ends only when somebody ends it; localpower: besides its steps."""
    body = {"localpower": ENDLESS | fields.pop("localpower", {})}
    return answered(client, max_tokens=200, extra_body=body, **fields)


def head(length):
    """Of a chat request, with a body so long."""
    lines = ("Host: 127.0.0.1", "Content-Type: application/json", f"Content-Length: {length}", "", "")
    return "\r\n".join(("POST /v1/chat/completions HTTP/1.1", *lines)).encode()


def test_the_official_client_reads_answers_streams_models_and_errors(server):
    with server.client() as client:
        asked = {"seed": 3, "max_tokens": 20}
        whole = answered(client, **asked, logprobs=True)
        chunks = list(answered(client, **asked, stream=True, stream_options={"include_usage": True}))
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        assert text == whole.choices[0].message.content
        n_tokens = whole.choices[0].localpower["n_tokens"]
        assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens == n_tokens
        assert whole.localpower["seed"] == 3
        assert "".join(each.token for each in whole.choices[0].logprobs.content) == text
        short = client.completions.create(model="toy:base", prompt="one", max_tokens=5, seed=1)
        assert short.choices[0].finish_reason
        assert "toy:smc" in [model.id for model in client.models.list()]
        assert client.models.retrieve("toy:base").id == "toy:base"
        with pytest.raises(openai.BadRequestError, match="top_p") as refused:
            answered(client, top_p=0.5)
        assert refused.value.param == "top_p"
        with pytest.raises(openai.NotFoundError):
            answered(client, "gpt")
        raw = answered(client.with_raw_response, temperature=0.7)
        assert "temperature 0.7 is not used" in raw.headers["x-localpower-warning"]


def test_states_pass_through_the_official_client(server):
    with server.client() as client:
        body = {"localpower": {"states": True, "steps": 3}}
        chunks = list(answered(client, seed=3, stream=True, extra_body=body))
    states = [chunk.localpower["state"] for chunk in chunks if not chunk.choices]
    assert [state["kind"] for state in states].count("step") == 3


def test_closing_a_stream_of_the_official_client_frees_its_rows(server):
    with server.client() as client:
        stream = endless(client, stream=True)
        next(iter(stream))
        server.until("running", 1)
        stream.close()
        server.until("running", 0)
    assert server.metric("rows_busy") == 0


def test_a_client_that_vanishes_frees_its_rows_whether_it_streams_or_not(server):
    said = [{"role": "user", "content": "one two"}]
    body = json.dumps({"messages": said, "max_tokens": 200, "localpower": ENDLESS}).encode()
    with server.connect() as connection:
        connection.sendall(head(len(body)) + body)
        server.until("running", 1)
    server.until("running", 0)


def test_a_flood_is_turned_away_with_a_time_to_come_back_and_leaves_nothing(server):
    statuses, lock = [], threading.Lock()
    with server.client(timeout=WAIT_S) as client:
        blockers = [endless(client, stream=True) for _ in range(4)]
        server.until("rows_busy", 4)

        def one():
            try:
                answered(client, "toy:base", max_tokens=4)
                found = 200
            except openai.RateLimitError as error:
                found = 429 if 1 <= int(error.response.headers["retry-after"]) <= 60 else 0
            with lock:
                statuses.append(found)

        threads = [threading.Thread(target=one) for _ in range(12)]
        for thread in threads:
            thread.start()
        waited(lambda: statuses.count(429) == 9)
        for blocker in blockers:
            blocker.close()
        for thread in threads:
            thread.join(WAIT_S)
    assert sorted(statuses) == [200] * 3 + [429] * 9
    server.until("running", 0)


def test_a_hundred_megabytes_are_refused_before_they_are_read(server):
    with server.connect() as connection:
        connection.sendall(head(104857600) + b" " * 1000)
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "data", [b"\x00\xff\x00\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"POST /v1/models" + b"x" * 70000]
)
def test_what_is_no_http_harms_nobody(server, data):
    with server.connect() as connection:
        connection.sendall(data)
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(100)[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 403", b"")
    assert httpx2.get(f"{server.url}/health").json()["status"] == "ok"


def test_the_first_signal_returns_current_states_and_refuses_newcomers():
    with running("--grace", "0.2") as own, own.client(timeout=WAIT_S) as client:
        found = []
        stream = endless(client, stream=True, localpower={"states": True})
        reader = threading.Thread(target=lambda: found.extend(stream))
        reader.start()
        own.until("running", 1)
        waited(lambda: found)  # a state has been told
        assert own.stop(signal.SIGTERM) == 0
        reader.join(WAIT_S)
    told = found[-1].choices[0].localpower
    assert told["finish"] == "interrupted"
    assert told["n_tokens"] > 0  # its text may be empty: the end alone
    assert any("the current state is returned" in line for line in own.lines)
    assert not any("Traceback" in line for line in own.lines)


def test_the_second_signal_stops_at_once():
    with running("--grace", "50") as own, own.client(timeout=WAIT_S) as client:
        stream = endless(client, stream=True)
        own.until("running", 1)
        own.process.send_signal(signal.SIGINT)
        waited(lambda: any("stopping" in line for line in own.lines))
        assert own.stop(signal.SIGINT) == 130
        with contextlib.suppress(httpx2.TransportError):
            stream.close()
    assert not any("Traceback" in line for line in own.lines)


def test_the_model_file_may_be_replaced_while_it_is_served(tiny_paths, tmp_path):
    path = tmp_path / "model.gguf"
    path.write_bytes(tiny_paths["f32"].read_bytes())
    with running(model=path) as own, own.client() as client:
        name = client.models.list().data[0].id
        ask = {"model": name, "prompt": "abc", "max_tokens": 20, "seed": 1}
        before = client.completions.create(**ask).choices[0].text
        other = tmp_path / "other.gguf"
        other.write_bytes(tiny_paths["f16"].read_bytes())
        os.replace(other, path)
        assert client.completions.create(**ask).choices[0].text == before
        assert httpx2.get(f"{own.url}/health").json()["model_file"] == "replaced"


def test_another_address_needs_a_key_that_opens_it_and_ctrl_c_ends_a_server(tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("# ours\nsesame\n")
    with running("--host", "0.0.0.0", "--api-key-file", str(keys)) as own:
        with own.client(api_key="sesame") as client:
            assert client.models.list().data
        with own.client(api_key="wrong") as client, pytest.raises(openai.AuthenticationError):
            client.models.list()
        assert own.stop(signal.SIGINT) == 130
    assert not any("Traceback" in line for line in own.lines)
