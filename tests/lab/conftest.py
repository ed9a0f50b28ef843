"""What the tests of the experiment share: its scripts can be imported by name."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

LAB = Path(__file__).parent.parent.parent / "scripts" / "lab"
sys.path.insert(0, str(LAB))


@pytest.fixture(scope="session")
def experiment():
    """`python scripts/lab` as a module."""
    spec = importlib.util.spec_from_file_location("experiment", LAB / "__main__.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
