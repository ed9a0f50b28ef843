"""What the tests of the library share."""

from __future__ import annotations

import pytest

import localpower as lp


@pytest.fixture
def toy():
    with lp.load("toy") as model:
        yield model
