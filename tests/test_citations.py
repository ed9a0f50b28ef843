"""A file of this project that a comment, a docstring or a page names is there."""

from __future__ import annotations

import io
import re
import tokenize
from pathlib import Path

from localpower.catalogue import NAMES

ROOT = Path(__file__).parent.parent
TOP = {"docs", "localpower", "models", "scripts", "tests"}
PARENTS = (ROOT, ROOT / "localpower", ROOT / "scripts")  # code may say engine/check.py for short
INNER = TOP | {path.name for parent in PARENTS[1:] for path in parent.iterdir() if path.is_dir()}
MODELS = {f"localpower/{name}" for name in (*NAMES, "NAME", "default")}  # as other programs call them
NAMED = re.compile(r"(?<![\w/.:<{-])(?:[\w-]+/)+[\w.-]*[\w-]")


def missing(text, first=INNER):
    """Paths in a text that begin with one of these folders and lead nowhere."""
    named = [name for name in NAMED.findall(text) if name.split("/")[0] in first and name not in MODELS]
    return [name for name in named if not any((parent / name).exists() for parent in PARENTS)]


def prose(path):
    """Comments and docstrings of a module."""
    for token in tokenize.generate_tokens(io.StringIO(path.read_text("utf-8")).readline):
        if token.type == tokenize.COMMENT or token.string.startswith('"""'):
            yield token.string


def test_every_file_that_a_comment_a_docstring_or_a_page_names_exists():
    modules = [path for name in ("localpower", "tests", "scripts") for path in (ROOT / name).rglob("*.py")]
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("models/*.md")]
    found = {path.name: missing("\n".join(prose(path))) for path in modules}
    found |= {path.name: missing(path.read_text("utf-8"), TOP) for path in pages}
    assert {name: names for name, names in found.items() if names} == {}


def test_control_a_file_that_is_not_there_is_found_missing():
    assert missing("samplers/mh.py, tests/mutants.py and tests/x.py (and/or y/z.py)") == ["tests/x.py"]
