"""What cannot be exported: one line each, and nothing is left where the data would have been."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys

import pytest

import localpower as lp
from localpower.cli.main import main
from localpower.errors import UserError
from localpower.evals.store import Folder, at_rest
from tests.evals.test_report import row, write

GPQA = {"task": "gpqa"}


def rows(*methods, **more):
    return [
        row(method, f"i{i}", "right", text=f"{method} {i}", tokens=[ord(method[0]), i], **more)
        for method in methods
        for i in range(4)
    ]


@pytest.fixture
def refused(tmp_path, capsys):
    """Run the command; its one line. Nothing may be left but what was there."""

    def run(*words, out="d"):
        before = sorted(path for path in tmp_path.rglob("*"))
        code = main(["export", *map(str, words), "--out", str(tmp_path / out)])
        said = capsys.readouterr()
        assert code in (1, 2)
        assert said.out == ""
        (line,) = [line for line in said.err.splitlines() if not line.startswith("note: ")]
        assert sorted(path for path in tmp_path.rglob("*")) == before
        return line

    return run


def test_a_folder_that_an_eval_is_writing_to_is_refused(tmp_path, refused):
    run = write(tmp_path / "r", rows("a"))
    with Folder(run.path):
        assert "an eval or regrade is writing to" in refused(run.path)


def test_no_eval_begins_while_a_folder_is_read(tmp_path):
    run = write(tmp_path / "r", rows("a"))
    with at_rest(run.path), pytest.raises(UserError, match="another run writes"):
        Folder(run.path)


def test_an_eval_that_was_stopped_is_exported_and_told(tmp_path):
    run = write(tmp_path / "r", rows("a"), settings={"samples": 3})
    said = []
    lp.export(run.path, out=tmp_path / "d", say=said.append)
    assert any("holds 4 of 12 answers" in line for line in said)


@pytest.mark.parametrize("values", [{"token_log_p": []}, {"token_entropy": [1.0]}, {"tokens": [1, 2, 3]}])
def test_answers_without_log_p_of_each_token_are_refused(tmp_path, refused, values):
    run = write(tmp_path / "r", [row("a", "i", "right", **values)])
    assert "has no log p for each of its tokens" in refused(run.path)


def test_answers_of_two_models_are_refused_until_one_is_named(tmp_path, refused):
    some = [row("a", "i", "right"), row("a", "i", "right", text="5") | {"model": "n"}]
    run = write(tmp_path / "r", some, models=("m", "n"))
    assert "answers of 2 models" in refused(run.path)
    assert len(lp.export(run.path, out=tmp_path / "e", model="n").rows()) == 1


def test_answers_of_a_model_of_the_same_name_and_another_file_are_refused(tmp_path, refused):
    one = write(tmp_path / "one", rows("a"))
    two = write(tmp_path / "two", rows("a"), settings={"models": {"m": {"name": "m", "sha256": "other"}}})
    assert "export each folder by itself" in refused(one.path, two.path)


def test_answers_by_several_methods_are_refused_until_one_or_all_are_named(tmp_path, refused):
    run = write(tmp_path / "r", rows("a:x=1", "b"))
    assert "answers by 2 methods: a:x=1, b" in refused(run.path)
    for method, n in (("a", 4), ("b", 4), ("all", 8)):
        assert len(lp.export(run.path, out=tmp_path / f"e {method}", methods=method).rows()) == n


def test_a_method_that_means_two_things_is_refused(tmp_path, refused):
    settings = [{"methods": {"a": {"alpha": alpha}}} for alpha in (2.0, 4.0)]
    runs = [write(tmp_path / str(i), rows("a"), settings=each) for i, each in enumerate(settings)]
    assert "the method a has other settings in one folder" in refused(*(run.path for run in runs))


def test_questions_that_are_not_to_be_shown_are_refused_unless_it_is_said_twice(tmp_path, refused):
    stored = write(tmp_path / "r", rows("a", **GPQA), kind="letter")
    assert "the authors of gpqa ask that its questions are shown to nobody" in refused(stored.path)
    assert len(lp.export(stored.path, out=tmp_path / "e", save_text=True).rows()) == 4
    hidden = write(tmp_path / "h", rows("a", **GPQA), prompt={"text": None, "tokens": None})
    assert "was not stored" in refused(hidden.path, "--save-text")


def test_a_prompt_that_is_not_the_one_that_was_asked_is_refused(tmp_path, refused):
    run = write(tmp_path / "r", rows("a"), prompt={"sha256": "0" * 64})
    assert "is not the one that was asked" in refused(run.path)
    counted = write(tmp_path / "c", rows("a", prompt_tokens=7))
    assert "is not the one that was asked" in refused(counted.path)


def test_token_ids_of_another_model_are_refused(tmp_path, own_cache, refused):
    run = lp.evaluate("lab-sum", "lab-base", "base", limit=2, seed=1, out=tmp_path / "r")
    answers = [json.loads(line) for line in (run.path / "answers.jsonl").read_text().splitlines()]
    answers[0]["tokens"][0] = (answers[0]["tokens"][0] + 1) % 10
    (run.path / "answers.jsonl").write_text("".join(json.dumps(answer) + "\n" for answer in answers))
    assert "do not spell its text" in refused(run.path)


THERE = {
    "a file": (lambda d: d.write_text("x"), "is a file"),
    "other files": (lambda d: (d.mkdir(), (d / "thesis.tex").write_text("x")), "has other files in it"),
    "a link to nothing": (lambda d: d.symlink_to("nowhere"), "is a link to nothing"),
    "an export that is damaged": (lambda d: (d.mkdir(), (d / "export.json").write_text("{")), "other files"),
}


@pytest.mark.parametrize("what", THERE)
def test_what_stands_in_the_place_of_the_data_stays_as_it_is(tmp_path, refused, what):
    make, words = THERE[what]
    run = write(tmp_path / "r", rows("a"))
    make(tmp_path / "d")
    assert words in refused(run.path)
    assert words in refused(run.path, "--overwrite")


def test_an_export_is_replaced_only_where_that_is_wished_and_nobody_put_a_file_there(tmp_path, refused):
    run = write(tmp_path / "r", rows("a"))
    lp.export(run.path, out=tmp_path / "d", formats="sharegpt")
    assert "holds an export already" in refused(run.path)
    lp.export(run.path, out=tmp_path / "d", formats="tokens", overwrite=True)
    assert sorted(path.name for path in (tmp_path / "d").iterdir()) == ["README.md", "export.json", "tokens"]
    (tmp_path / "d" / "notes.txt").write_text("mine")
    assert "files that no export wrote, such as notes.txt" in refused(run.path, "--overwrite")


def test_an_empty_folder_may_be_there(tmp_path):
    run = write(tmp_path / "r", rows("a"))
    (tmp_path / "d").mkdir()
    assert len(lp.export(run.path, out=tmp_path / "d").rows()) == 4


@pytest.mark.parametrize("form", ["--parquet", "--jsonl"])
@pytest.mark.parametrize("before", [False, True])
def test_a_disk_that_is_full_leaves_what_was_there(tmp_path, form, before):
    """A limit on the size of files stands for it: the write fails in the same place with another reason."""
    long = [row("a", f"i{i}", "right", text=os.urandom(2000).hex(), tokens=[i, i]) for i in range(20)]
    run = write(tmp_path / "r", long)
    out = tmp_path / "new" / "d"
    if before:
        lp.export(run.path, out=out)
    names = sorted(tmp_path.rglob("*"))
    done = subprocess.run(
        [sys.executable, "-m", "localpower", "export", run.path, "--out", out, form, "--overwrite"],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    assert done.returncode == 1, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("localpower: ")]
    assert line == f"localpower: cannot write {out}: File too large (nothing of it was left)"
    assert "Traceback" not in done.stderr
    assert sorted(tmp_path.rglob("*")) == names


def test_a_place_that_cannot_be_made_is_one_line(tmp_path, refused):
    run = write(tmp_path / "r", rows("a"))
    (tmp_path / "f").write_text("x")
    assert "cannot write" in refused(run.path, out="f/d")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--task", "x"), "--task x: there are made"),
        (("--method", "x"), "--method x: there are a, all"),
        (("--model", "x"), "--model x: there are m"),
        (("--keep", "worst"), "--keep takes"),
        (("--keep", "right"), "no answer is left"),
        (("--split", "train=.5"), "must sum to 1"),
        (("--split", "a=.999,b=.001"), "no answer is left for the split b"),
        (("--max-per-problem", "0"), "0 is not in the range"),
        (("--format", "csv"), "is not one of"),
        (("--decontaminate", "nosuch"), "there is no task nosuch"),
        (("--decontaminate", "gsm8k", "--data", "/dev/null/none"), "does not exist"),
    ],
)
def test_choices_that_leave_nothing_or_can_never_be_right_are_one_line(tmp_path, refused, words, line):
    run = write(tmp_path / "r", [row("a", f"i{i}", "wrong") for i in range(2)])
    assert line in refused(run.path, *words)


def test_decontaminating_by_the_task_itself_is_refused(tmp_path, refused):
    run = write(tmp_path / "r", rows("a", task="tiny"))
    assert "the answers are to tiny" in refused(run.path, "--decontaminate", "tiny")


def test_a_folder_that_is_none_and_one_that_is_given_twice_are_refused(tmp_path, refused):
    run = write(tmp_path / "r", rows("a"))
    assert "holds no run" in refused(tmp_path / "none")
    assert "is given twice" in refused(run.path, tmp_path / "." / "r")


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, refused, monkeypatch):
    run = write(tmp_path / "r", rows("a"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "pip install 'localpower[data]'" in refused(run.path, "--parquet")


HOSTILE = "`x` | y\n---\n# z\x1b[31m\u202e{{ 7 * 7 }}"


def test_names_and_texts_of_others_are_no_markup_of_the_card(tmp_path):
    some = [row(HOSTILE, HOSTILE, "right", task=f"t{HOSTILE}", text=f'"{HOSTILE}\ud7ff')]
    run = write(tmp_path / "r", some)
    data = lp.export(run.path, out=tmp_path / "d")
    text = (tmp_path / "d" / "README.md").read_text()
    assert not set(text) & set("\x1b\u202e")
    assert "\n# z" not in text
    assert "49" not in text.split("## Where")[0]
    assert data.rows()[0]["messages"][1]["content"] == f'"{HOSTILE}\ud7ff'
    assert text.count("\n---\n") == 1


def test_a_lone_surrogate_is_written_as_a_question_mark(tmp_path):
    run = write(tmp_path / "r", [row("a", "i", "right", text="x\ud800y")])
    data = lp.export(run.path, out=tmp_path / "d", parquet=True)
    assert data.rows()[0]["messages"][1]["content"] == "x?y"


def test_an_export_through_a_link_replaces_what_it_points_to(tmp_path):
    run = write(tmp_path / "r", rows("a"))
    lp.export(run.path, out=tmp_path / "d")
    (tmp_path / "l").symlink_to("d")
    lp.export(run.path, out=tmp_path / "l", formats="sharegpt", overwrite=True)
    assert (tmp_path / "l").is_symlink()
    assert (tmp_path / "d" / "sharegpt").is_dir()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d", "l", "r"]
