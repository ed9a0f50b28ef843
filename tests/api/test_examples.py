"""The example packages of docs: installed by their entry points, every command knows what they bring."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

EXAMPLES = Path(__file__).parent.parent.parent / "docs" / "examples"


def localpower(tmp_path, *arguments):
    """The command line where the packages are installed: their modules, and the metadata that an installer writes."""
    for package in (file.parent for file in EXAMPLES.glob("*/pyproject.toml")):
        project = tomllib.loads((package / "pyproject.toml").read_text("utf-8"))["project"]
        module = next(package.glob("*.py"))
        (tmp_path / module.name).write_bytes(module.read_bytes())
        info = tmp_path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        )
        groups = project["entry-points"].items()
        lines = (f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in own.items()) for group, own in groups)
        (info / "entry_points.txt").write_text("\n".join(lines))
    paths = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "localpower", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": paths},
    )


def test_a_package_brings_a_method_and_another_a_task(tmp_path):
    assert "longest" in localpower(tmp_path, "methods").stdout
    done = localpower(
        tmp_path, "eval", "rivers", "-m", "toy", "--method", "base,longest:n=2", "--max-tokens", "6", "--seed", "1",
        "--out", "runs",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (tmp_path / "runs" / "answers.jsonl").read_text().splitlines()]
    assert {row["method"] for row in rows} == {"base", "longest:n=2"}
    assert len(rows) == 8


def test_a_package_brings_an_environment(tmp_path):
    assert "dice" in localpower(tmp_path, "tools").stdout
    done = localpower(tmp_path, "tools", "dice")
    assert done.stdout.startswith("throw: Throws a die"), done.stderr
    assert "Deterministic: yes" in done.stdout


def test_each_example_has_about_twenty_lines_of_code():
    for module in EXAMPLES.glob("*/*.py"):
        code = [line for line in module.read_text("utf-8").splitlines() if line.strip()]
        assert len(code) <= 30, module
