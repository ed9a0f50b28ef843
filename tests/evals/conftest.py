"""What the tests of evals share."""

from __future__ import annotations

import pytest

from localpower.cli.main import main


@pytest.fixture
def evaluate(tmp_path, capsys):
    """Runs `localpower eval`; returns exit code, stdout, stderr."""

    def call(*arguments, out="run"):
        code = main(["eval", *arguments, "--out", str(tmp_path / out)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call
