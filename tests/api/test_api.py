"""The library: the page that describes it runs, and its names are the ones it describes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import localpower as lp

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "api.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.model
def test_the_examples_of_the_page_run_as_they_stand(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    for example in EXAMPLES:
        exec(compile(example, "docs/api.md", "exec"), names)
    out, err = capsys.readouterr()
    assert "alpha of power must be a number from 1" in out
    assert err == "", "a library is quiet"
    assert (tmp_path / "runs" / "x" / "answers.jsonl").read_bytes().count(b"\n") == 6


def test_the_page_names_every_public_name_and_the_stub_types_it():
    stub = (ROOT / "localpower" / "__init__.pyi").read_text("utf-8")
    typed = set(re.findall(r" as (\w+)$", stub, re.MULTILINE)) | {"__version__"}
    assert typed == set(lp.__all__)
    assert [
        name for name in lp.__all__ if name != "__version__" and not re.search(rf"\b{name}\b", PAGE)
    ] == []
    assert all(getattr(lp, name) is not None for name in lp.__all__)


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, localpower; print(*{m.split('.')[0] for m in sys.modules} & {'numpy', 'click', 'rich', 'llama_cpp'})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nosuch'"):
        lp.nosuch  # noqa: B018
