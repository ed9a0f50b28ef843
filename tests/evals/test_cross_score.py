"""`eval --cross-score` and `compare --scorer` twice: each model reads the other's answers, once, into the same files."""

from __future__ import annotations

import json

import pytest

from localpower.api.compare import compare
from localpower.cli.main import main
from localpower.evals.scoring import scores_path, stored_scores
from localpower.evals.store import read

EVAL = ("eval", "lab-chain", "--method", "base", "--limit", "3", "--samples", "2", "--seed", "1")
TWO = (*EVAL, "-m", "lab-base", "-m", "lab-grpo")


@pytest.fixture(scope="module")
def crossed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "r"
    assert main([*TWO, "--cross-score", "--out", str(folder)]) == 0
    return folder


def kept(folder):
    run = read(folder)
    return [scores_path(run, model["sha256"]).read_bytes() for model in run.settings["models"].values()]


def test_every_model_reads_the_answers_of_the_other_alone(crossed):
    run = read(crossed)
    for name, model in run.settings["models"].items():
        readers = {key[2] for key in stored_scores(run, model["sha256"])}
        assert readers == set(run.settings["models"]) - {name}


def test_the_same_command_reads_nothing_twice_and_finishes_what_was_cut_off(crossed, capsys):
    whole = kept(crossed)
    capsys.readouterr()
    assert main([*TWO, "--cross-score", "--out", str(crossed)]) == 0
    assert "read 6 of 6 answers" not in capsys.readouterr().err
    run = read(crossed)
    path = scores_path(run, run.settings["models"]["lab-base"]["sha256"])
    path.write_bytes(path.read_bytes()[:-20])
    assert main([*TWO, "--cross-score", "--out", str(crossed)]) == 0
    assert "was cut off" in capsys.readouterr().err
    assert kept(crossed) == whole


def test_scorers_of_compare_write_what_cross_score_writes(crossed, tmp_path, capsys):
    assert main([*TWO, "--out", str(tmp_path / "r")]) == 0
    err = capsys.readouterr().err
    assert "reads the answers of the others" not in err
    options = ("--sharpening", "--scorer", "lab-base", "--scorer", "lab-grpo", "--format", "json")
    assert main(["compare", str(tmp_path / "r"), *options]) == 0
    assert kept(tmp_path / "r") == kept(crossed)
    found = json.loads(capsys.readouterr().out)
    assert found["scorer"] == "lab-base"
    assert found["sharpening"]["tasks"]["lab-chain"]["kl_from_tuned"]["n"] == 6


def test_what_was_read_is_in_the_report(crossed):
    task = compare(crossed, sharpening=True).sharpening.tasks["lab-chain"]
    plain = next(each for each in task.lines if each.name == "base, plain")
    gap = plain.under_base.per_answer - plain.under_tuned.per_answer
    assert task.kl_from_base.per_answer == pytest.approx(gap)
    assert plain.under_tuned.missing == 0


def test_one_model_cannot_read_anothers_answers(tmp_path, capsys):
    assert main([*EVAL, "-m", "lab-base", "--cross-score", "--out", str(tmp_path / "r")]) == 2
    assert "--cross-score needs two models" in capsys.readouterr().err
    assert not (tmp_path / "r").exists()
