"""Clients of applications that serve the toy and a tiny file."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest
from starlette.testclient import TestClient

from localpower.loading import Request, load
from localpower.server.app import create
from localpower.server.settings import Access, Limits, Manner


@contextmanager
def serving(loaded, limits=None, access=None, manner=None, log=lambda _: None):
    """A client of an application that serves a model."""
    app = create(loaded, limits or Limits(), access or Access(), manner or Manner(), log)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="session")
def toy(own_cache):
    return load(Request("toy"))


@pytest.fixture(scope="module")
def client(toy):
    """Of a server with all defaults that serves the toy."""
    with serving(toy) as client:
        yield client


def chat(text="one two", **fields):
    """The body of a chat request."""
    said = [{"role": "user", "content": text}]
    return {"model": "toy", "messages": said, "max_tokens": 12, "seed": 1} | fields


def ask(client, **fields):
    """The reply to a chat request that is answered."""
    response = client.post("/v1/chat/completions", json=chat(**fields))
    assert response.status_code == 200, response.text
    return response.json()


def streamed(client, **fields):
    """The server-sent events of a streamed reply: (name, value); None for a name that is not said."""
    response = client.post("/v1/chat/completions", json=chat(**fields, stream=True))
    found = []
    for block in response.text.split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith(":")]
        if lines:
            name = next((line[7:] for line in lines if line.startswith("event: ")), None)
            data = next(line[6:] for line in lines if line.startswith("data: "))
            found.append((name, data if data == "[DONE]" else json.loads(data)))
    return found
