"""What a start leaves behind: nothing where it fails, nothing new where all is there, and paths of any bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from localpower.catalogue import ENTRIES
from localpower.cli.main import main
from localpower.evals.store import Folder, read, replace_file
from tests.evals.files import lines
from tests.evals.test_report import row, write

ASK = ("--method", "base", "--seed", "1")


@pytest.fixture
def task(tmp_path):
    (tmp_path / "t.jsonl").write_text(lines([{"question": "1+1", "answer": "2"}]))
    (tmp_path / "t.toml").write_text("max_tokens = 3\n")
    return str(tmp_path / "t.toml")


REFUSALS = {
    "a model that is none": ("-m", "{}/none.gguf"),
    "a model twice": ("-m", "toy", "-m", "toy"),
    "data that is none": ("-m", "toy", "--data", "{}/none"),
    "a context that is too short": ("-m", "lab-base", "--ctx", "2"),
}


def refused(tmp_path, task, why, out):
    more = [each.format(tmp_path) for each in REFUSALS[why]]
    return main(["eval", task, *more, *ASK, "--out", str(out)]) in (1, 2)


@pytest.mark.parametrize("why", REFUSALS)
def test_a_start_that_is_refused_leaves_no_folder(tmp_path, task, why):
    out = tmp_path / "runs" / "deep"
    assert refused(tmp_path, task, why, out)
    assert not out.parent.exists()


@pytest.mark.parametrize("why", REFUSALS)
def test_a_folder_that_was_there_is_left_as_it_was(tmp_path, task, why):
    (tmp_path / "out").mkdir()
    assert refused(tmp_path, task, why, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_of_other_things_gets_nothing_new(tmp_path, task, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("x")
    assert main(["eval", task, "-m", "toy", *ASK, "--out", str(tmp_path / "out")]) == 1
    assert "has other files in it" in capsys.readouterr().err
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["thesis.tex"]


def test_a_start_that_fails_never_takes_an_answer_away(tmp_path):
    folder = Folder(tmp_path / "r")
    folder.begin({"format": 1}, [])
    folder.add({"n": 1})
    with pytest.raises(ValueError, match="JSON"), folder:
        folder.add({"n": float("nan")})
    assert (tmp_path / "r" / "settings.json").exists()
    assert (tmp_path / "r" / "answers.jsonl").read_text() == '{"n": 1}\n'


def test_a_file_that_says_this_already_is_not_written_again(tmp_path):
    replace_file(tmp_path / "x", "a")
    before = (tmp_path / "x").stat().st_ino
    replace_file(tmp_path / "x", "a")
    assert (tmp_path / "x").stat().st_ino == before


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell that limits the size of files")
def test_a_finished_run_is_gone_on_with_where_nothing_can_be_written(tmp_path, task):
    command = ["eval", task, "-m", "toy", *ASK, "--out", str(tmp_path / "out")]
    assert main(command) == 0
    limited = ["sh", "-c", 'ulimit -f 0; exec "$@"', "sh", sys.executable, "-m", "localpower", *command]
    done = subprocess.run(limited, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "1 answers are there already" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_of_any_bytes_are_paths_and_their_labels_are_texts(tmp_path, task):
    odd = os.fsdecode(bytes(tmp_path) + b"/bad\xff")
    for source in (Path(task), tmp_path / "t.jsonl", ENTRIES["lab-base"].path()):
        os.symlink(source, odd + source.suffix)
    command = ["eval", odd + ".toml", "-m", odd + ".gguf", *ASK, "--out", odd]
    strict = os.environ | {"PYTHONIOENCODING": "utf-8:strict"}
    command = [sys.executable, "-m", "localpower", *command]
    done = subprocess.run(command, capture_output=True, env=strict, check=False)
    assert (done.returncode, b"bad\\xff" in done.stdout) == (0, True)
    settings = json.loads(Path(odd, "settings.json").read_text("ascii"))
    assert settings["models"]["bad\\xff"]["path"] == odd + ".gguf"
    os.symlink(odd, odd + "2")
    assert main(["compare", odd, odd + "2", "--html", odd + ".html"]) == 0
    assert main(["regrade", odd]) == 0


def test_settings_that_an_older_version_wrote_with_such_a_name_are_read(tmp_path):
    run = write(tmp_path / "r", [row("a", "i", "right")])
    text = json.dumps(run.settings | {"system": "\udcff"}, ensure_ascii=False)
    (tmp_path / "r" / "settings.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    assert read(tmp_path / "r").settings["system"] == "\udcff"
