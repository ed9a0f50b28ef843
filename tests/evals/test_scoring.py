"""Answers read by another model, and answers compared by one: what is kept, what is read anew, what is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from localpower import jsonl
from localpower.cli.main import main
from localpower.errors import UserError
from localpower.evals.judge import Judgement
from localpower.evals.judging import judge_all, judged, matches
from localpower.evals.scoring import Scorer
from localpower.evals.store import read
from localpower.loaded import ModelInfo
from localpower.loading import Request, load
from tests.evals.test_report import row, write


@pytest.fixture(scope="module")
def run_of_grpo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "r"
    arguments = ("lab-chain", "-m", "lab-grpo", "--method", "base", "--limit", "4", "--seed", "1")
    assert main(["eval", *arguments, "--out", str(folder)]) == 0
    return folder


def read_by(model, run, heard=lambda *_: None):
    """A scorer that has read the answers of a run."""
    scorer = Scorer(load(Request(model)), lambda: None)
    scorer.read_all(run, heard)
    return scorer


def test_a_scorer_gives_each_token_the_log_p_that_its_own_evaluation_has(run_of_grpo):
    run, base = read(run_of_grpo), load(Request("lab-base"))
    scorer = read_by("lab-base", run)
    for answer in run.rows:
        prompt = tuple(run.problems[answer["task"], answer["id"]]["prompts"]["lab-grpo"]["tokens"])
        tokens = tuple(answer["tokens"])
        engine = base.engine(prompt, len(tokens), 1, lambda: None)
        log_p, entropy = scorer.scores(run, answer)
        np.testing.assert_allclose(log_p, engine.score(prompt, tokens), atol=1e-6)
        assert len(entropy) == len(tokens)
        assert min(entropy) >= 0


def test_a_second_scorer_at_once_is_told_to_wait(run_of_grpo):
    run, other = read(run_of_grpo), load(Request("lab-sft"))
    with (
        jsonl.Writer(run_of_grpo / f"scores-{other.info.sha256[:12]}.jsonl"),
        pytest.raises(UserError, match="another process writes") as refused,
    ):
        Scorer(other, lambda: None).read_all(run)
    assert "wait until it has ended" in refused.value.hint


def test_a_models_own_answers_are_not_read_again(run_of_grpo):
    run = read(run_of_grpo)
    scorer = read_by("lab-grpo", run, lambda *_: pytest.fail("read again"))
    assert scorer.scores(run, run.rows[0]) == (run.rows[0]["token_log_p"], run.rows[0]["token_entropy"])


def test_answers_that_are_alike_are_read_once_and_have_the_same_numbers(run_of_grpo, tmp_path, monkeypatch):
    run = read(run_of_grpo)
    twins = [answer | {"sample": 1} for answer in run.rows]
    run = replace(run, path=tmp_path, rows=[*run.rows, *twins])
    scorer, read_of, heard = Scorer(load(Request("lab-base")), lambda: None), [], []
    alone = scorer._read
    monkeypatch.setattr(scorer, "_read", lambda run, row: read_of.append(row["sample"]) or alone(run, row))
    scorer.read_all(run, lambda done, n: heard.append((done, n)))
    assert read_of == [0] * len(twins)
    assert heard[-1] == (2 * len(twins), 2 * len(twins))
    for answer, twin in zip(run.rows, twins, strict=False):
        assert scorer.scores(run, answer) == scorer.scores(run, twin)
    read_by("lab-base", run, lambda *_: pytest.fail("read again"))


def test_a_model_of_another_vocabulary_reads_the_text(run_of_grpo):
    run = read(run_of_grpo)
    log_p, _ = read_by("smollm2", run).scores(run, run.rows[0])
    assert 0 < len(log_p) < len(run.rows[0]["tokens"])  # its tokens are longer than a character
    assert all(value < 0 for value in log_p)


def test_answers_whose_prompt_was_not_stored_are_counted(tmp_path):
    run = write(tmp_path / "r", [row("a", "i", "right")])
    run.problems["made", "i"]["prompts"]["m"]["text"] = None
    scorer = read_by("lab-base", run)
    assert scorer.n_skipped == 1
    assert scorer.scores(run, run.rows[0]) is None


def test_compare_shows_the_scorers_histograms(run_of_grpo, capsys):
    assert main(["compare", str(run_of_grpo), "--scorer", "lab-base", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    own = np.mean([np.mean(r["token_log_p"]) for r in read(run_of_grpo).rows])
    assert found["scorer"] == "lab-base"
    assert found["tasks"]["lab-chain"]["likelihood"][0]["log_p"]["mean"] != pytest.approx(own)


class LongerIsBetter:
    def __init__(self):
        self.asked = 0

    def preference(self, instruction, ours, theirs):
        self.asked += 1
        if len(ours) == 7:
            return None
        return Judgement(0.9, 0.7) if len(ours) > len(theirs) else Judgement(0.3, 0.1)


IDENTITY = ModelInfo("judge", sha256="j")


def open_run(path, more=()):
    rows = [row("base", f"i{i}", "ungraded", text="ok" * i) for i in range(1, 5)]
    rows += [row("power", f"i{i}", "ungraded", text="fine" * i) for i in range(1, 5)]
    return write(path, [*rows, *more], kind="open")


def test_every_method_is_held_against_the_first(tmp_path):
    found = matches(open_run(tmp_path / "r"), None)
    assert {(m.label, m.against) for m in found} == {("power", "base")}
    assert [(m.ours, m.theirs) for m in found][:2] == [("fine", "ok"), ("finefine", "okok")]


def test_an_opponent_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(UserError, match="no method greedy"):
        matches(open_run(tmp_path / "r"), "greedy")


def test_judgements_are_kept_and_not_made_again(tmp_path):
    run = open_run(tmp_path / "r")
    judge = LongerIsBetter()
    assert judge_all(run, judge, IDENTITY, matches(run, None)) == 0
    assert judge_all(run, judge, IDENTITY, matches(run, None)) == 0
    assert judge.asked == 4
    (found,) = judged([run], "made")
    assert (found["label"], found["against"], found["n"], found["n_dropped"]) == ("power", "base", 4, 0)
    assert found["raw"]["value"] == pytest.approx(0.8)
    assert found["position_bias"] == pytest.approx(0.1)


def test_a_judgement_after_a_line_that_was_cut_off_is_whole(tmp_path):
    run, path = open_run(tmp_path / "r"), tmp_path / "r" / "judgments.jsonl"
    judge_all(run, LongerIsBetter(), IDENTITY, matches(run, None))
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    judge, again = LongerIsBetter(), read(tmp_path / "r")
    judge_all(again, judge, IDENTITY, matches(again, None))
    assert judge.asked == 1
    assert path.read_bytes() == whole


def test_a_pair_that_is_too_long_is_counted_and_left_out(tmp_path):
    run = open_run(tmp_path / "r", [row("power", "i1", "ungraded", text="seven77", sample=1)])
    judge = LongerIsBetter()
    assert judge_all(run, judge, IDENTITY, matches(run, None)) == 1


def test_samples_of_an_instruction_count_as_one(tmp_path):
    rows = [row(m, "i", "ungraded", text=m * (s + 1), sample=s) for m in ("base", "power") for s in range(3)]
    run = write(tmp_path / "r", rows, kind="open")
    judge_all(run, LongerIsBetter(), IDENTITY, matches(run, None))
    (found,) = judged([run], "made")
    assert found["n"] == 1


class FirstOrSecond:
    def preference(self, instruction, ours, theirs):
        return Judgement(1.0, 0.0) if len(ours) % 2 else Judgement(0.0, 1.0)


def test_contradictions_of_several_samples_do_not_cancel(tmp_path):
    rows = [row(m, "i", "ungraded", text=m + "x" * s, sample=s) for m in ("base", "power") for s in range(2)]
    run = write(tmp_path / "r", rows, kind="open")
    judge_all(run, FirstOrSecond(), IDENTITY, matches(run, None))
    (found,) = judged([run], "made")
    assert (found["n"], found["n_dropped"]) == (0, 1)


def test_the_judge_that_plays_itself_is_told(tmp_path, capsys):
    sha256 = load(Request("smollm2")).info.sha256
    models = {"m": {"name": "m", "sha256": sha256, "quantization": "Q", "path": None}}
    rows = [row(m, "i", "ungraded", text=f"{m} answer") for m in "ab"]
    write(tmp_path / "r", rows, kind="open", settings={"models": models})
    assert main(["regrade", str(tmp_path / "r"), "--judge", "smollm2"]) == 0
    captured = capsys.readouterr()
    assert "the judge is one of the models it judges" in captured.err
    assert "b over a, says smollm2" in captured.out


def test_other_outputs_in_the_same_file_are_judged_anew(tmp_path):
    run, judge = open_run(tmp_path / "r"), LongerIsBetter()
    for output in ("So.", "Quite another, much longer answer."):
        (tmp_path / "ref.json").write_text(json.dumps([{"instruction": "What?", "output": output}]))
        judge_all(run, judge, IDENTITY, matches(run, str(tmp_path / "ref.json")))
    assert judge.asked == 16
    assert {each["n"] for each in judged([run], "made")} == {4}
