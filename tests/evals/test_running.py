"""An eval from the command to its folder: paired, resumable, the same whatever the batch. On the laboratory's model."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from itertools import count

import pytest

from localpower.cli.main import main
from localpower.completion import PLAIN
from localpower.evals.grade import Grader
from localpower.evals.jobs import EvalMethod, RenderedProblem, jobs
from localpower.evals.making import make_rows
from localpower.evals.problem import Problem
from localpower.evals.running import times_drawn
from localpower.evals.store import Folder, key, read
from localpower.evals.tasks import TASKS
from localpower.loaded.toy import LoadedToy
from localpower.samplers import Ancestral, BestOfNSampler
from tests.evals.files import PROGRAM, gpqa_csv, lines
from tests.evals.files import rows_in as answers_in

LAB = ("lab-chain", "-m", "lab-base", "--seed", "1")
GOLD = {"form": "number", "answers": ["1"]}
METHODS = ("--method", "base,low-temp,power:steps=3")


@pytest.fixture(scope="module")
def finished(own_cache, tmp_path_factory):
    """A run of all methods on three problems."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    assert main(["eval", *LAB, *METHODS, "--limit", "3", "--out", str(folder)]) == 0
    return folder


def problems(n):
    return [
        RenderedProblem(TASKS["tiny"], Problem(f"tiny/{i}", "", GOLD), "", (1, 2), False, 12, (), PLAIN)
        for i in range(n)
    ]


def rows_in(folder, *, timed=False):
    times = () if timed else ("seconds", "tokens_per_second")
    return {key(row): {k: v for k, v in row.items() if k not in times} for row in answers_in(folder)}


def test_every_method_answers_the_same_problems_and_every_answer_is_a_line(evaluate, tmp_path):
    code, out, err = evaluate(*LAB, *METHODS, "--limit", "5", "--samples", "2")
    assert code == 0
    rows = rows_in(tmp_path / "run")
    assert len(rows) == 5 * 2 * 3
    asked = [{(k[1], k[4]) for k in rows if k[3] == method} for method in METHODS[1].split(",")]
    assert asked[0] == asked[1] == asked[2]
    assert "power:steps=3" in out
    assert "seed 1" in err
    assert "answers, about" in err


def test_a_row_has_tokens_with_their_log_p_and_all_that_made_them(finished):
    problems = {p["id"]: p for p in json.loads((finished / "problems.json").read_text())["problems"]}
    for row in rows_in(finished, timed=True).values():
        assert len(row["tokens"]) == len(row["token_log_p"]) == len(row["token_entropy"]) == row["n_tokens"]
        assert sum(row["token_log_p"]) == pytest.approx(row["log_p"], abs=1e-9)
        assert row["verdict"] in ("right", "wrong", "none")
        assert row["grader"] == "value/3"
        fields = "seed alpha steps settings max_tokens decoded_tokens finish acceptance_rate"
        assert set(fields.split()) <= row.keys()
        assert row["seconds"] > 0
        assert problems[row["id"]]["prompts"]["lab-base"]["text"] == row["id"].removeprefix("lab-chain/")


def test_answers_do_not_depend_on_how_many_share_a_batch(evaluate, tmp_path):
    methods = ("--method", "base,power:steps=4,smc:particles=4")
    for width in ("1", "2", "7"):
        evaluate(*LAB, *methods, "--limit", "4", "--samples", "2", "--parallel", width, out=width)
    assert rows_in(tmp_path / "1") == rows_in(tmp_path / "2") == rows_in(tmp_path / "7")


def test_an_answer_can_be_repeated_by_run_with_its_seed(evaluate, tmp_path, capsys):
    evaluate(*LAB, "--method", "base,power:steps=4", "--limit", "3")
    for row in rows_in(tmp_path / "run").values():
        prompt, method = row["id"].removeprefix("lab-chain/"), row["method"].partition(":")[0]
        settings = ("--steps", "4", "--max-tokens", str(row["max_tokens"]), "--seed", str(row["seed"]))
        main(["run", prompt, "-m", "lab-base", "--json", "--method", method, *settings])
        again = json.loads(capsys.readouterr().out)
        assert (again["tokens"], again["log_p"], again["text"]) == (row["tokens"], row["log_p"], row["text"])


def test_a_finished_run_makes_nothing_again(evaluate, finished, tmp_path):
    shutil.copytree(finished, tmp_path / "run")
    before = (tmp_path / "run" / "answers.jsonl").read_bytes()
    code, _, err = evaluate(*LAB, *METHODS, "--limit", "3")
    assert code == 0
    assert "9 answers are there already" in err
    assert (tmp_path / "run" / "answers.jsonl").read_bytes() == before


@pytest.mark.parametrize("kept", [0, 1, 4.5, 8.999])
def test_a_run_goes_on_from_any_byte(evaluate, finished, tmp_path, kept):
    shutil.copytree(finished, tmp_path / "run")
    file = tmp_path / "run" / "answers.jsonl"
    parts = file.read_bytes().splitlines(keepends=True)
    last = parts[int(kept)][: int((kept % 1) * len(parts[int(kept)]))]
    file.write_bytes(b"".join(parts[: int(kept)]) + last)
    assert evaluate(*LAB, *METHODS, "--limit", "3")[0] == 0
    assert rows_in(tmp_path / "run") == rows_in(finished)


def stopped(arguments, folder, signal, words):
    """An eval that gets a signal once it has said some words: that line, its exit code, and what it says then."""
    command = [sys.executable, "-m", "localpower", "eval", *arguments, "--out", str(folder)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        line = next(line for line in process.stderr if words in line)
        process.send_signal(signal)
        said = process.communicate()
    return line, process.returncode, said


def test_kill_9_loses_at_most_what_was_being_made(evaluate, tmp_path):
    arguments = [*LAB, *METHODS, "--limit", "8", "--samples", "3", "--parallel", "3"]
    line, _, _ = stopped(
        arguments, tmp_path / "killed", signal.SIGKILL, " of 72 answers"
    )  # a tenth are there
    told = int(line.split(" of 72 answers")[0].split()[-1])
    assert (tmp_path / "killed" / "answers.jsonl").read_bytes().count(b"\n") >= told > 0
    evaluate(*arguments, out="killed")
    evaluate(*arguments, out="clean")
    assert rows_in(tmp_path / "killed") == rows_in(tmp_path / "clean")


def test_two_runs_at_once_in_one_folder_are_refused(evaluate, tmp_path):
    with Folder(tmp_path / "run"):
        code, _, err = evaluate(*LAB, *METHODS, "--limit", "1")
    assert (code, "another run writes to" in err) == (1, True)


BEGUN = ("eval", *LAB, "--limit", "2", "--method", "base,low-temp")


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """The folder of a run."""
    out = tmp_path_factory.mktemp("begun") / "run"
    assert main([*BEGUN, "--out", str(out)]) == 0
    return out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("--seed", "2"), "seed was 1, now 2"),
        (("--alpha", "3"), "methods.low-temp.alpha was not set, now 3.0"),
        (("--template-arg", "name=x"), "template_args.name"),
        (("--max-tokens", "20"), "tasks.lab-chain.max_tokens was 44, now 20"),
        (("--stop", "x"), 'stops was [], now ["x"]'),
        (("--answer-prefix", "ab"), 'answer_prefix was not set, now "ab"'),
        (("--grader", "paper"), 'grader was "value", now "paper"'),
        (("--limit", "1"), "limit was 2, now 1"),
        (("base",), "methods.low-temp"),
    ],
)
def test_changed_settings_are_refused_by_name(begun, capsys, change, words):
    before = {each.name: each.read_bytes() for each in begun.iterdir()}
    asked = [*BEGUN, *change] if change[0].startswith("--") else [*BEGUN[:-1], *change]
    assert main([*asked, "--out", str(begun)]) == 1
    err = capsys.readouterr().err
    assert {each.name: each.read_bytes() for each in begun.iterdir()} == before
    assert words in err
    assert err.count("\n") == 1


def test_another_models_answers_are_never_mixed_in(evaluate):
    evaluate(*LAB, "--method", "base", "--limit", "1")
    code, _, err = evaluate(*LAB[:2], "lab-sft", *LAB[3:], "--method", "base", "--limit", "1")
    assert (code, "models.lab-base" in err) == (1, True)


def test_a_problem_that_a_newer_version_would_put_otherwise_is_not_mixed_in(evaluate, tmp_path):
    evaluate(*LAB, "--method", "base", "--limit", "1")
    file = tmp_path / "run" / "problems.json"
    stored = json.loads(file.read_text())
    stored["problems"][0]["prompts"]["lab-base"]["sha256"] = "of other words"
    file.write_text(json.dumps(stored))
    code, _, err = evaluate(*LAB, "--method", "base", "--limit", "1")
    assert (code, "begun with another prompt or other stops for lab-chain/" in err) == (1, True)


def test_more_problems_join_a_run_and_the_old_answers_stay(evaluate, tmp_path):
    evaluate(*LAB, "--method", "base", "--limit", "3")
    before = rows_in(tmp_path / "run")
    code, _, err = evaluate(*LAB, "--method", "base", "--limit", "6", "--samples", "2")
    after = rows_in(tmp_path / "run")
    assert code == 0
    assert "limit was 3 and is 6" in err
    assert len(after) == 12
    assert before.items() <= after.items()


def test_without_a_seed_a_run_goes_on_with_its_own(evaluate, tmp_path):
    arguments = ["lab-chain", "-m", "lab-base", "--method", "base", "--limit", "2"]
    evaluate(*arguments)
    assert evaluate(*arguments)[0] == 0


def test_two_models_are_asked_the_same(evaluate, tmp_path):
    code, out, _ = evaluate(*LAB, "-m", "lab-grpo", "--method", "base", "--limit", "4")
    rows = rows_in(tmp_path / "run")
    assert code == 0
    assert {k[1] for k in rows if k[2] == "lab-base"} == {k[1] for k in rows if k[2] == "lab-grpo"}
    assert "lab-grpo base - lab-base base" in out


def test_matched_best_of_n_draws_as_many_tokens_as_the_chain(evaluate, tmp_path):
    methods = ("power:steps=8", "best-of-n:matched")
    code, _, _ = evaluate(*LAB, "--method", ",".join(methods), "--limit", "30", "--samples", "2")
    rows = rows_in(tmp_path / "run").values()
    drawn = [sum(row["decoded_tokens"] for row in rows if row["method"] == method) for method in methods]
    assert (code, drawn[1]) == (0, pytest.approx(drawn[0], rel=0.15))


def test_the_matched_number_is_met_on_average_to_the_last_answer():
    asked = problems(40)
    method = EvalMethod("best-of-n:matched", lambda _, n: (BestOfNSampler(n=n), 4.0), "power")
    found = [job.sampler.n for job in jobs(asked, "m", [method], 1, 1, {("tiny", "best-of-n:matched"): 3.7})]
    assert set(found) == {3, 4}
    assert sum(found) == round(40 * 3.7)


def test_what_a_chain_costs_is_counted_in_its_own_first_draws():
    rows = [{"first_drawn": 10, "decoded_tokens": 35}, {"first_drawn": 30, "decoded_tokens": 85}]
    assert times_drawn(rows) == 3.0
    assert times_drawn([]) == 1.0


def test_samples_of_a_problem_have_streams_of_their_own_and_methods_share_them():
    asked = problems(3)
    methods = [EvalMethod(name, lambda _asked, _n: (Ancestral(), 1.0)) for name in ("a", "b")]
    made = list(jobs(asked, "m", methods, 4, 1, {}))
    assert len({job.seed for job in made}) == 12
    assert len({(job.seed, job.asked.problem.id, job.sample) for job in made}) == 12


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--method", "greedy"), "is none of power"),
        (("--method", "base,base"), "given twice"),
        (("--method", "power:alpha=4,power:alpha=4.0"), "is the same as power:alpha=4,"),
        (("--method", "power:alpha=nan"), "must be a number from 1"),
        (("--method", "power:heat=1"), "power has no setting 'heat'"),
        (("--method", "power:max_tokens=9"), "power has no setting 'max-tokens'"),
        (("--method", "best-of-n:matched:n=3,power"), "takes its n"),
        (("--budget", "3s"), "depend on the machine"),
        (("--top-k", "5"), "refused"),
        (("--prompt-style", "paper"), "lab-chain has no prompt of style paper"),
        (("--limit", "0"), "0 is not in the range"),
        (("--stop", ""), "must not be empty"),
        (("--stop", "\udcff"), "valid Unicode"),
        (("--seconds", "nan"), "expected a number"),
        (("--method", "base,best-of-n:matched"), "matched to a power run"),
        (("-m", "lab-base"), "the same model as lab-base"),
        (("--limit", "2", "--samples", "1000000000"), "a run has at most 1,000,000"),
    ],
)
def test_an_option_that_cannot_be_right_gets_one_line(evaluate, arguments, words):
    code, _, err = evaluate(*LAB, *arguments)
    assert (code, words in err, err.count("\n")) == (2, True, 1)


def test_a_problem_too_long_for_the_context_is_named(evaluate, tmp_path):
    rows = [{"problem": "What is 1+1? " * 30_000, "answer": "2", "id": "endless"}]
    (tmp_path / "m.jsonl").write_text(lines(rows))
    code, _, err = evaluate("math500", "-m", "smollm2", "--data", str(tmp_path / "m.jsonl"))
    assert code == 1
    assert "math500/endless: the prompt has" in err


def gpqa_run(evaluate, tmp_path, *more):
    (tmp_path / "gpqa_diamond.csv").write_bytes(gpqa_csv())
    arguments = f"gpqa --data {tmp_path} -m smollm2 --max-tokens 4 --seed 1 --method low-temp --limit 1"
    return evaluate(*arguments.split(), *more)


def test_nothing_of_gpqas_questions_is_in_the_folder(evaluate, tmp_path):
    code, out, err = gpqa_run(evaluate, tmp_path)
    assert code == 0, err
    stored = b"".join(path.read_bytes() for path in (tmp_path / "run").iterdir())
    for word in ("Zorblax", "quixotic", "bumbling", "canary"):
        assert word.encode() not in stored
        assert word not in out + err
    problem = json.loads((tmp_path / "run" / "problems.json").read_text())["problems"][0]
    assert problem["gold"] in "ABCD"
    assert sorted(problem["order"]) == [0, 1, 2, 3]
    assert all(row["text"] is None and row["tokens"] for row in rows_in(tmp_path / "run").values())


def test_gpqas_answers_can_be_graded_again_from_their_tokens(evaluate, tmp_path, capsys):
    gpqa_run(evaluate, tmp_path)
    before = rows_in(tmp_path / "run")
    assert main(["regrade", str(tmp_path / "run")]) == 0
    assert rows_in(tmp_path / "run") == before
    assert "0 verdicts are others now" in capsys.readouterr().err


def test_gpqas_text_is_stored_when_asked_for_with_a_warning(evaluate, tmp_path):
    _, _, err = gpqa_run(evaluate, tmp_path, "--save-text")
    assert "stores questions in clear" in err
    assert "Zorblax" in (tmp_path / "run" / "problems.json").read_text()


def code_run(evaluate, tmp_path, *more):
    (tmp_path / "HumanEval.jsonl").write_text(lines([PROGRAM]))
    arguments = f"humaneval --data {tmp_path} -m smollm2 --max-tokens 8 --seed 1 --method low-temp"
    return evaluate(*arguments.split(), *more)


def test_programs_are_not_run_unless_asked_for(evaluate, tmp_path):
    code, out, err = code_run(evaluate, tmp_path)
    assert code == 0
    assert [row["verdict"] for row in rows_in(tmp_path / "run").values()] == ["ungraded"]
    assert "--run-code" in err
    assert "not graded" in out


def test_programs_are_run_after_all_answers_are_made(evaluate, tmp_path):
    code_run(evaluate, tmp_path)
    file = tmp_path / "run" / "answers.jsonl"
    row = json.loads(file.read_text())
    file.write_text(json.dumps(row | {"text": PROGRAM["canonical_solution"]}) + "\n")
    code, _, err = code_run(evaluate, tmp_path, "--run-code")
    (after,) = rows_in(tmp_path / "run").values()
    assert code == 0
    assert (after["verdict"], after["isolation"] in ("namespaces", "process")) == ("right", True)
    assert "1 programs are run in isolation" in err


def test_regrading_runs_programs_and_changes_nothing_else(evaluate, tmp_path):
    code_run(evaluate, tmp_path)
    (before,) = rows_in(tmp_path / "run").values()
    assert main(["regrade", str(tmp_path / "run"), "--run-code"]) == 0
    (after,) = rows_in(tmp_path / "run").values()
    assert after["verdict"] in ("wrong", "none")
    graded = ("verdict", "extracted", "lenient", "grader", "isolation")
    assert dict.fromkeys(graded) | after == after
    assert before | {name: after[name] for name in graded} == after


def paper_run(evaluate, tmp_path):
    (tmp_path / "m.jsonl").write_text(lines([{"problem": "1+1?", "answer": "2", "id": i} for i in range(2)]))
    arguments = f"math500 --data {tmp_path}/m.jsonl -m lab-base --seed 1 --max-tokens 6 --method base"
    return evaluate(*arguments.split(), "--grader", "paper")


def test_regrading_keeps_the_runs_grader_unless_another_is_named(evaluate, tmp_path):
    paper_run(evaluate, tmp_path)
    assert main(["regrade", str(tmp_path / "run"), "--run-code"]) == 0
    assert {row["grader"] for row in rows_in(tmp_path / "run").values()} == {"paper/3"}
    assert paper_run(evaluate, tmp_path)[0] == 0
    assert main(["regrade", str(tmp_path / "run"), "--grader", "value"]) == 0
    assert {row["grader"] for row in rows_in(tmp_path / "run").values()} == {"value/3"}
    assert json.loads((tmp_path / "run" / "settings.json").read_text())["grader"] == "value"


def test_answers_of_an_older_grader_are_not_mixed_with_new_ones(evaluate, tmp_path):
    """As a kill between the two strokes of regrade, or an older version, leaves them."""
    paper_run(evaluate, tmp_path)
    file = tmp_path / "run" / "answers.jsonl"
    file.write_text(file.read_text().replace('"paper/3"', '"paper/1"', 1))
    code, _, err = paper_run(evaluate, tmp_path)
    assert (code, "were graded by paper/1" in err, "regrade" in err) == (1, True, True)


def test_of_an_answer_with_two_lines_the_later_counts(evaluate, tmp_path):
    """So a program's verdict is on the disk when it is known, and a kill loses one of them."""
    evaluate(*LAB, "--method", "base", "--limit", "2")
    file = tmp_path / "run" / "answers.jsonl"
    first = json.loads(file.read_text().splitlines()[0])
    with file.open("a") as more:
        more.write(json.dumps(first | {"verdict": "none"}) + "\n")
    stored = read(tmp_path / "run")
    assert len(stored.rows) == 2
    assert {key(row): row["verdict"] for row in stored.rows}[key(first)] == "none"


@pytest.mark.parametrize("command", ["eval", "regrade"])
def test_verdicts_of_programs_are_on_the_disk_one_by_one(evaluate, tmp_path, monkeypatch, command):
    code_run(evaluate, tmp_path, "--samples", "3")
    monkeypatch.setattr("localpower.evals.store.Folder.rewrite", lambda *_: pytest.fail("killed here"))
    again = {
        "eval": lambda: code_run(evaluate, tmp_path, "--samples", "3", "--run-code"),
        "regrade": lambda: main(["regrade", str(tmp_path / "run"), "--run-code"]),
    }
    with pytest.raises(pytest.fail.Exception):
        again[command]()
    assert all(row["verdict"] != "ungraded" for row in read(tmp_path / "run").rows)


def test_a_verdict_says_which_packages_the_program_was_allowed(evaluate, tmp_path):
    code_run(evaluate, tmp_path, "--run-code", "--allow-import", "numpy")
    (row,) = rows_in(tmp_path / "run").values()
    assert row["isolation"].partition(" + ")[2] == "numpy"


def test_stops_of_a_task_end_answers_inside_the_sampler_for_every_method(evaluate, tmp_path):
    """The lab's answers hold `>`; as a stop it ends every method's answer there, and counts as its end."""
    evaluate(*LAB, *METHODS, "--limit", "4", "--stop", ">")
    for row in rows_in(tmp_path / "run").values():
        assert ">" not in row["text"]
        assert row["finish"] == "stop" or row["n_tokens"] == row["max_tokens"]


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(tmp_path):
    arguments = [*LAB, *METHODS, "--limit", "40", "--samples", "4"]
    _, code, (out, err) = stopped(arguments, tmp_path / "run", signal.SIGINT, " of 480 answers")
    assert (code, out) == (130, "")
    assert "the same command goes on from there" in err
    assert 0 < len(rows_in(tmp_path / "run")) < 480


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell that limits the size of files")
def test_a_full_disk_is_one_line_and_loses_nothing_that_was_written(evaluate, tmp_path):
    arguments = [*LAB, *METHODS, "--limit", "4", "--samples", "2"]
    evaluate(*arguments, out="whole")
    command = [sys.executable, "-m", "localpower", "eval", *arguments, "--out", str(tmp_path / "run")]
    limited = ["sh", "-c", 'ulimit -f 16; exec "$@"', "sh", *command]  # blocks of 512 or 1,024 bytes
    done = subprocess.run(limited, capture_output=True, text=True, check=False)
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 1
    assert "answers.jsonl: File too large" in last
    assert "the same command goes on" in last
    assert (tmp_path / "run" / "answers.jsonl").read_bytes().count(b"\n") > 0
    evaluate(*arguments)
    assert rows_in(tmp_path / "run") == rows_in(tmp_path / "whole")


def test_regrading_without_running_programs_keeps_what_is_known_of_them(evaluate, tmp_path):
    code_run(evaluate, tmp_path, "--run-code")
    before = rows_in(tmp_path / "run")
    assert main(["regrade", str(tmp_path / "run")]) == 0
    assert rows_in(tmp_path / "run") == before
    assert all(row["verdict"] != "ungraded" for row in before.values())


def test_the_time_that_passes_is_shared_by_the_answers_being_written():
    """A clock that ticks once a look: what all answers took together is what passed, however many were at it."""
    toy, ticks = LoadedToy(), count()
    asked = problems(5)
    method = EvalMethod("base", lambda _asked, _n: (Ancestral(max_tokens=12), 1.0))
    with Grader() as grader:
        made = make_rows(
            toy, toy.toy, list(jobs(asked, "toy", [method], 2, 1, {})), 3, grader,
            save_text=lambda _: True, check=lambda: None, clock=lambda: float(next(ticks)),
        )  # fmt: skip
        seconds = [row["seconds"] for row in made]
    assert len(seconds) == 10
    assert sum(seconds) <= next(ticks)
    assert sum(seconds) == pytest.approx(next(ticks), abs=10)


@pytest.mark.parametrize("kind", ["window", "hybrid", "recurrent"])
def test_no_kind_of_memory_mixes_up_prompts_that_share_a_batch(evaluate, tmp_path, tiny_paths, kind):
    arguments = f"tiny -m {tiny_paths[kind]} --limit 3 --seed 5 --max-tokens 10".split()
    methods = ("--method", "power:metropolised=yes:block=5,smc:particles=3,best-of-n:n=2")
    for width in ("1", "3"):
        assert evaluate(*arguments, *methods, "--parallel", width, out=width)[0] == 0
    assert rows_in(tmp_path / "1") == rows_in(tmp_path / "3")
