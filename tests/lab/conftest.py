"""What the tests of the experiment share."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def experiment():
    """`python scripts/lab` as a module."""
    spec = importlib.util.spec_from_file_location("experiment", ROOT / "scripts" / "lab" / "__main__.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
