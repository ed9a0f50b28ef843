"""A hub of the test's own, and a cache of its own for what is fetched from it."""

from __future__ import annotations

import pytest

from tests.hub.stand_in import serving

VARIABLES = ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN", "HF_HUB_OFFLINE", "LOCALPOWER_MODEL")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """One repository o/r with two models."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LOCALPOWER_CONFIG", str(tmp_path / "config"))
    with serving() as (found, address):
        monkeypatch.setenv("HF_ENDPOINT", address)
        found.repos["o/r"] = {"a-Q4_0.gguf": content(1), "b-Q8_0.gguf": content(2), "README.md": b"#"}
        yield found


def content(seed, size=300_000):
    """Bytes that begin like a GGUF."""
    block = bytes((seed * i * i) % 251 for i in range(1009))
    return b"GGUF" + (block * (size // 1009 + 1))[: size - 4]
