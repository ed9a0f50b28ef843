"""Fixtures of several tests of the command line."""

from __future__ import annotations

import pytest

from localpower.api import config


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of a configuration of the test's own, which no variable goes before, save that of the log."""
    monkeypatch.setenv("LOCALPOWER_CONFIG", str(tmp_path))
    for key in config.KEYS:
        if key != "log":
            monkeypatch.delenv(config.variable(key), raising=False)
    return tmp_path
