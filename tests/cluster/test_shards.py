"""A run in parts: disjoint, whole, the same as one process; what is missing is said, and mixtures are refused."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest

from localpower.cli.main import main
from localpower.errors import UsageProblem
from localpower.evals import store
from localpower.evals.parts import Part, Shard, read_run
from tests.cluster.made import rows_of

TOY = [
    *("eval", "tiny", "-m", "toy", "--seed", "1", "--max-tokens", "8", "--limit", "9"),
    *("--method", "base,power:steps=2"),
]


@pytest.fixture
def localpower(capsys):
    """Runs a command; returns exit code, stdout, stderr."""

    def call(*arguments):
        code = main([str(each) for each in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def evaluate(tmp_path, localpower):
    """Runs `localpower eval` into a folder."""
    return lambda *more, out="run": localpower(*TOY, *more, "--out", tmp_path / out)


@pytest.fixture(scope="module")
def one(own_cache, tmp_path_factory):
    """The folder that one process makes."""
    out = tmp_path_factory.mktemp("one") / "run"
    assert main([*TOY, "--out", str(out)]) == 0
    return out


@pytest.mark.parametrize("n", [1, 2, 3, 7, 64])
def test_a_problem_is_in_exactly_one_shard_of_any_n(n):
    for problem in ("", "tiny/1", "math500/test/algebra/12.json", "東京", "a" * 300):
        assert [Shard(i, n).has(problem) for i in range(1, n + 1)].count(True) == 1


def test_shards_of_the_first_problems_by_limit_are_of_about_one_size():
    """Both go by the sha256 of the id: were shards ranges of it, the first problems would all be in one."""
    ids = sorted((f"tiny/{i}" for i in range(4000)), key=_digest)[:400]
    sizes = [sum(Shard(i, 4).has(each) for each in ids) for i in range(1, 5)]
    assert max(abs(size - 100) for size in sizes) < 40  # five standard deviations


def _digest(text):
    return hashlib.sha256(text.encode()).digest()


@pytest.mark.parametrize("text", ["0/3", "4/3", "1/0", "1", "1/", "a/b", "1/2/3", "-1/3", "٢/٣", "1/999999"])
def test_what_is_no_shard_is_refused(text):
    with pytest.raises(UsageProblem):
        Shard.read(text)


def test_shards_make_what_one_process_makes(evaluate, one, tmp_path):
    for i in (3, 1, 2):
        assert evaluate("--shard", f"{i}/3")[0] == 0
    assert rows_of(tmp_path / "run") == rows_of(one)
    assert read_run(tmp_path / "run").lacking == ()


def test_compare_reads_all_parts_and_says_what_is_missing(evaluate, localpower, one, tmp_path):
    evaluate("--shard", "1/3")
    evaluate("--shard", "3/3")
    n = len(rows_of(tmp_path / "run"))
    code, out, _ = localpower("compare", tmp_path / "run", "--format", "markdown")
    assert code == 0
    assert f"run holds {n} of 18 answers; missing: shard 2/3" in out
    file = tmp_path / "run" / "parts" / "1-of-3" / "answers.jsonl"
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))
    assert "part 1-of-3 lacks answers" in localpower("compare", tmp_path / "run", "--format", "markdown")[1]
    evaluate("--shard", "1/3")
    evaluate("--shard", "2/3")
    same, found = ("accuracy", "n_answers", "tokens_per_answer", "acceptance_rate"), []
    for folder in (one, tmp_path / "run"):
        groups = json.loads(localpower("compare", folder, "--format", "json")[1])["tasks"]["tiny"]["groups"]
        found.append([{name: group[name] for name in same} for group in groups])
    assert found[0] == found[1]


def test_without_shard_the_same_command_makes_what_the_parts_lack(evaluate, one, tmp_path):
    evaluate("--shard", "2/3")
    code, _, err = evaluate()
    there = len((tmp_path / "run" / "parts" / "2-of-3" / "answers.jsonl").read_text().splitlines())
    own = (tmp_path / "run" / "answers.jsonl").read_text().splitlines()
    assert (code, f"{there} answers are there already" in err, len(own)) == (0, True, 18 - there)
    assert rows_of(tmp_path / "run") == rows_of(one)


def test_shards_of_another_n_make_nothing_again(evaluate, one, tmp_path):
    evaluate("--shard", "1/2")
    before = rows_of(tmp_path / "run")
    for i in range(1, 6):
        assert evaluate("--shard", f"{i}/5")[0] == 0
    lines = [n for file in (tmp_path / "run").rglob("answers.jsonl") for n in file.read_text().splitlines()]
    assert before.items() <= rows_of(tmp_path / "run").items()
    assert rows_of(tmp_path / "run") == rows_of(one)
    assert len(lines) == 18


@pytest.mark.parametrize("kept", [0, 0.5, 1.999])
def test_a_shard_goes_on_from_any_byte(evaluate, tmp_path, kept):
    evaluate("--shard", "1/2")
    file = tmp_path / "run" / "parts" / "1-of-2" / "answers.jsonl"
    whole, lines = rows_of(tmp_path / "run"), file.read_bytes().splitlines(keepends=True)
    last = lines[int(kept)][: int((kept % 1) * len(lines[int(kept)]))]
    file.write_bytes(b"".join(lines[: int(kept)]) + last)
    assert evaluate("--shard", "1/2")[0] == 0
    assert rows_of(tmp_path / "run") == whole


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("--seed", "2"), "seed was 1, now 2"),
        (("--max-tokens", "9"), "tasks.tiny.max_tokens was 8, now 9"),
        (("--limit", "8"), "limit was 9, now 8"),
        (("--alpha", "3"), "methods.power:steps=2.alpha was not set, now 3.0"),
    ],
)
def test_a_shard_of_other_settings_does_not_begin(evaluate, tmp_path, change, words):
    evaluate("--shard", "1/2")
    code, _, err = evaluate("--shard", "2/2", *change)
    assert (code, words in err.splitlines()[-1]) == (1, True)
    assert not (tmp_path / "run" / "parts" / "2-of-2").exists()


def test_parts_of_other_settings_that_were_copied_together_are_refused(evaluate, localpower, tmp_path):
    evaluate("--shard", "1/2", out="here")
    evaluate("--shard", "2/2", "--seed", "2", out="there")
    shutil.copytree(tmp_path / "there" / "parts", tmp_path / "here" / "parts", dirs_exist_ok=True)
    for command in (("compare",), ("regrade",), ("export", "--out", tmp_path / "data")):
        code, out, err = localpower(*command, tmp_path / "here")
        assert (code, out, "seed is 2 there and 1 here" in err, err.count("\n")) == (1, "", True, 1)


def test_more_problems_may_reach_one_part_before_the_others(evaluate, tmp_path):
    evaluate("--shard", "1/2")
    evaluate("--shard", "2/2")
    code, _, err = evaluate("--shard", "1/2", "--limit", "12")
    assert (code, "limit was 9 and is 12" in err) == (0, True)
    (lacking,) = read_run(tmp_path / "run").lacking
    assert "of 24 answers" in lacking
    evaluate("--shard", "2/2", "--limit", "12")
    assert read_run(tmp_path / "run").lacking == ()


def test_regrade_grades_every_part_and_changes_nothing_else(evaluate, localpower, tmp_path):
    evaluate("--shard", "1/2")
    evaluate("--shard", "2/2")
    before = rows_of(tmp_path / "run")
    file = tmp_path / "run" / "parts" / "2-of-2" / "answers.jsonl"
    file.write_text(file.read_text().replace('"verdict": "wrong"', '"verdict": "right"'))
    code, _, err = localpower("regrade", tmp_path / "run")
    assert (code, "18 answers graded again" in err) == (0, True)
    assert rows_of(tmp_path / "run") == before


def test_export_takes_the_answers_of_all_parts_and_says_what_is_missing(evaluate, localpower, tmp_path):
    evaluate("--shard", "1/3")
    evaluate("--shard", "2/3")
    n = sum(key[3] == "base" for key in rows_of(tmp_path / "run"))
    options = ("--method", "base", "--duplicates", "keep", "--unfinished", "--format", "tokens", "--json")
    code, out, err = localpower("export", tmp_path / "run", "--out", tmp_path / "data", *options)
    assert (code, json.loads(out)["rows"]["train"]) == (0, n)
    assert "missing: shard 3/3" in err


def test_two_processes_on_one_part_and_a_whole_run_beside_a_part_are_refused(evaluate, tmp_path):
    with Part(tmp_path / "run", Shard(1, 2)):
        for more in (("--shard", "1/2"), ()):
            code, _, err = evaluate(*more)
            assert (code, "another run writes to" in err, err.count("\n")) == (1, True, 1)
        assert evaluate("--shard", "2/2")[0] == 0
    with store.Folder(tmp_path / "run"):
        code, _, err = evaluate("--shard", "1/2")
        assert (code, "another run writes to" in err) == (1, True)
    assert evaluate("--shard", "1/2")[0] == 0


def test_export_and_regrade_wait_for_parts_that_are_written(evaluate, localpower, tmp_path):
    evaluate("--shard", "1/2")
    with Part(tmp_path / "run", Shard(1, 2)):
        for command in (("export", "--out", tmp_path / "data"), ("regrade",)):
            code, _, err = localpower(*command, tmp_path / "run")
            assert (code, "writ" in err) == (1, True)
        assert localpower("compare", tmp_path / "run")[0] == 0


def test_a_shard_that_cannot_begin_leaves_nothing(localpower, tmp_path):
    """Its folder and the lock of the whole run are made before the task's file is looked for."""
    arguments = ("eval", "svamp", "-m", "toy", "--seed", "1", "--shard", "1/2", "--data", tmp_path / "none")
    code, _, err = localpower(*arguments, "--out", tmp_path / "run")
    assert (code, err.count("\n")) == (1, 1)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--method", "power,best-of-n:matched"), "matched to all answers"),
        (("--cross-score",), "--cross-score needs"),
        (("--workers", "local:2"), "give one of the two"),
    ],
)
def test_what_needs_all_answers_is_refused_in_a_shard(evaluate, more, words):
    code, _, err = evaluate("--shard", "1/2", *more)
    assert (code, words in err, err.count("\n")) == (2, True, 1)


def test_a_shard_without_a_seed_is_refused_unless_the_run_has_one(evaluate, tmp_path):
    arguments = [each for each in TOY if each not in ("--seed", "1")]
    place = ["--out", str(tmp_path / "run")]
    assert main([*arguments, *place, "--shard", "1/2"]) == 2
    evaluate("--shard", "1/2")
    assert main([*arguments, *place, "--shard", "2/2"]) == 0


def test_a_shard_without_problems_is_made_at_once(evaluate):
    assert all(evaluate("--limit", "1", "--shard", f"{i}/3")[0] == 0 for i in (1, 2, 3))


def test_answers_of_other_machines_are_told(evaluate, localpower, tmp_path):
    evaluate("--shard", "1/2")
    evaluate("--shard", "2/2")
    file = tmp_path / "run" / "parts" / "2-of-2" / "answers.jsonl"
    file.write_text(file.read_text().replace('"machine": "a table"', '"machine": "another table"'))
    out = localpower("compare", tmp_path / "run", "--format", "markdown")[1]
    assert "on 2 kinds of machine" in out
    assert "a table; another table" in out


def test_a_dry_run_says_what_there_is_to_make_and_writes_nothing(evaluate, tmp_path):
    code, out, _ = evaluate("--dry-run", "--workers", "slurm:any,jobs=16")
    assert code == 0
    assert "tiny on toy: 18 answers, about " in out
    assert "machines like this one: " in out
    assert " by 16 workers" in out
    assert not (tmp_path / "run").exists()
    evaluate("--shard", "1/2")
    n = len(rows_of(tmp_path / "run"))
    assert f"{18 - n} answers, about" in evaluate("--dry-run")[1]
    evaluate()
    assert evaluate("--dry-run")[1] == "all answers are there\n"
