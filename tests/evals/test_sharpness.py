"""The sharpening report: which model is which, what is compared with what, what it refuses, and what it says is missing."""

from __future__ import annotations

import itertools
import json
import math

import pytest

from localpower.api.compare import compare
from localpower.cli.main import main
from localpower.errors import UserError
from localpower.evals.sharpness import sharpening_of
from localpower.evals.store import read
from localpower.jsonl import line
from tests.evals.test_report import HOSTILE, row, write

PLAIN = ("base", "power:steps=2")
METHODS = {name: {"method": name} for name in ("base", "low-temp", "power:steps=2")}


def answers(model, method, right, *, samples=None, task="made", **more):
    """right: by problem how many of the samples are right, the first ones."""
    return [
        row(method, name, "right" if s < n else "wrong", sample=s, model=model, task=task, **more)
        for name, n in right.items()
        for s in range(samples or 4)
    ]


def both(path, base, tuned, *more, samples=4, settings=None, **fields):
    """A run of models m and n with plain answers, and others."""
    sides = {"m": base, "n": tuned}
    rows = [each for m, right in sides.items() for each in answers(m, "base", right, samples=samples)]
    told = {"methods": METHODS, **(settings or {})}
    return write(path, [*rows, *more], models=("m", "n"), settings=told, **fields)


def only(runs, **names):
    (task,) = sharpening_of(runs if isinstance(runs, list) else [runs], **names).tasks.values()
    return task


def line_of(task, name):
    (found,) = [each for each in task.lines if each.name == name]
    return found


def test_of_two_models_the_first_is_taken_for_the_base_and_that_is_said(tmp_path, capsys):
    run = both(tmp_path / "r", {"i": 1}, {"i": 3})
    who = sharpening_of([run]).who
    assert (who.base, who.tuned, who.inferred) == ("m", "n", True)
    assert main(["compare", str(run.path), "--sharpening"]) == 0
    assert "base: m · tuned: n; the first of two models is taken for the base" in capsys.readouterr().out


def model_of(name, sha256=None, path=None):
    return {"name": name, "sha256": sha256 or name, "quantization": "F16", "path": path}


@pytest.mark.parametrize(
    "names", [{"base": "n"}, {"tuned": "m"}, {"base": "n", "tuned": "m"}, {"base": "n.gguf"}]
)
def test_a_name_or_a_file_says_which_model_is_which(tmp_path, names):
    models = {name: model_of(name, path=f"/x/{name}.gguf") for name in "mn"}
    who = sharpening_of([both(tmp_path / "r", {"i": 1}, {"i": 3}, settings={"models": models})], **names).who
    assert (who.base, who.tuned, who.inferred) == ("n", "m", len(names) == 1)


def test_models_may_come_from_two_runs_and_keep_their_file_under_another_name(tmp_path):
    one = write(tmp_path / "one", answers("m", "base", {"i": 1}))
    models = {"z": model_of("z", "m"), "n": model_of("n")}
    rows = [*answers("z", "low-temp", {"i": 2}), *answers("n", "base", {"i": 3})]
    two = write(tmp_path / "two", rows, models=("z", "n"), settings={"models": models, "methods": METHODS})
    task = only([one, two])
    assert [each.name for each in task.lines] == ["base, plain", "base, low-temp", "tuned, plain"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--base-model", "x"], "no model of these runs is called x"),
        (["--base-model", "m", "--tuned-model", "m"], "cannot be both the base and the tuned model"),
        ([], "there are 3 models: m, n, o (say --base-model NAME and --tuned-model NAME)"),
        (["--tuned-model", "n"], "there are 3 models"),
    ],
)
def test_models_that_are_not_clear_are_asked_for_in_one_line(tmp_path, capsys, options, words):
    rows = [each for model in "mno" for each in answers(model, "base", {"i": 1})]
    run = write(tmp_path / "r", rows, models=("m", "n", "o"))
    assert main(["compare", str(run.path), "--sharpening", *options]) == 1
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == 1


def test_a_third_model_is_left_out_with_a_line(tmp_path):
    rows = [each for model in "mno" for each in answers(model, "base", {"i": 1})]
    found = sharpening_of([write(tmp_path / "r", rows, models=("m", "n", "o"))], base="m", tuned="o")
    assert found.notes == ("left out, for it is of another model: n base",)


def test_one_model_alone_is_refused_with_what_would_do(tmp_path, capsys):
    run = write(tmp_path / "r", answers("m", "base", {"i": 1}))
    assert main(["compare", str(run.path), "--sharpening"]) == 1
    err = capsys.readouterr().err
    assert "needs answers of a base and a tuned model, and there are those of m alone" in err
    assert "localpower eval TASK -m BASE -m TUNED" in err
    assert err.count("\n") == 1


def test_options_that_mean_nothing_without_it_are_usage_errors(tmp_path, capsys):
    for options in (["--base-model", "m"], ["--scorer", "a", "--scorer", "b"]):
        assert main(["compare", str(tmp_path), *options]) == 2
    assert "--scorer is given once" in capsys.readouterr().err


def change(run, **fields):
    """Of every row of model n."""
    path = run.path / "answers.jsonl"
    rows = [r | (fields if r["model"] == "n" else {}) for r in run.rows]
    path.write_text("".join(map(line, rows)), "ascii")
    return read(run.path)


def test_no_shared_problem_other_graders_and_other_problems_are_refused(tmp_path):
    with pytest.raises(UserError, match="no problem that both models answered"):
        only(both(tmp_path / "a", {"i": 1}, {"j": 1}))
    with pytest.raises(UserError, match="were graded by other and value/1"):
        only(change(both(tmp_path / "b", {"i": 1}, {"i": 1}), grader="other"))
    with pytest.raises(UserError, match="no graded answers of both models"):
        only(change(both(tmp_path / "c", {"i": 1}, {"i": 1}), verdict="ungraded"))
    with pytest.raises(UserError, match="has no plain answers of n"):
        only(change(both(tmp_path / "d", {"i": 1}, {"i": 1}), method="power:steps=2"))
    one = write(tmp_path / "one", answers("m", "base", {"i": 1}))
    two = write(tmp_path / "two", answers("n", "base", {"i": 1}), models=("n",))
    two.problems["made", "i"]["gold"] = "5"
    with pytest.raises(UserError, match="problem i of made is not the same in both runs"):
        only([one, two])


def test_a_task_that_cannot_be_compared_leaves_the_others(tmp_path):
    more = answers("m", "base", {"k": 1}, task="lone")
    found = sharpening_of([both(tmp_path / "r", {"i": 1}, {"i": 1}, *more)])
    assert list(found.tasks) == ["made"]
    assert "lone is left out: lone has no plain answers of n" in found.notes[0]


@pytest.mark.parametrize("p", [0.25, 0.7])
def test_a_mock_of_known_solve_rate_has_the_pass_at_k_of_its_rate(tmp_path, p):
    """Every outcome of 3 samples with its chance: what the report says is right in expectation, exactly."""
    expected = {1: 0.0, 2: 0.0, 3: 0.0}
    for i, drawn in enumerate(itertools.product((True, False), repeat=3)):
        verdicts = enumerate("right" if each else "wrong" for each in drawn)
        rows = [row("base", "i", verdict, sample=s, model="m") for s, verdict in verdicts]
        rows += answers("n", "base", {"i": 3}, samples=3)
        task = only(write(tmp_path / str(i), rows, models=("m", "n")))
        chance = math.prod(p if each else 1 - p for each in drawn)
        for point in task.pair.passes:
            expected[int(point.at)] += chance * point.base.value
    assert expected == pytest.approx({k: 1 - (1 - p) ** k for k in expected})


def test_solved_sets_list_what_one_alone_solves_and_how_many_of_these_sharpening_solves(tmp_path):
    base, tuned = {f"i{i}": i < 2 for i in range(20)}, {f"i{i}": 4 * (i > 0) for i in range(20)}
    power = {f"i{i}": int(i < 12) for i in range(20)}
    task = only(both(tmp_path / "r", base, tuned, *answers("m", "power:steps=2", power)))
    solved, null = task.pair.solved, task.null
    assert (solved.k, solved.both, solved.neither, solved.base_only) == (4, 1, 0, ("i0",))
    assert len(solved.tuned_only) == 18
    assert (null.name, null.recovered, null.alone) == ("base, power:steps=2", 10, 18)
    assert "10 of these 18 are solved by as many sharpened answers of the base" in task.finding[-1]


def test_the_null_is_chosen_by_its_kind_and_not_by_how_well_it_did(tmp_path):
    items = {f"i{i}": 1 for i in range(8)}
    strong, weak = {name: 4 for name in items}, {name: 0 for name in items}
    more = [*answers("m", "low-temp", strong), *answers("m", "power:steps=2", weak)]
    task = only(both(tmp_path / "r", items, items, *more))
    assert task.null.name == "base, power:steps=2"
    lone = only(both(tmp_path / "s", items, items, *answers("m", "low-temp", weak)))
    assert lone.null.name == "base, low-temp"
    assert only(both(tmp_path / "t", items, items)).null is None


@pytest.mark.parametrize(
    ("tuned", "power", "alike", "words"),
    [
        (3, 3, None, "no more than sharpening is shown"),
        (4, 1, None, "its plain answers are correct more often"),
        (2, 2, 4, "its answers that are sharpened alike are correct more often"),
        (1, 4, None, "no more than sharpening is shown"),
    ],
)
def test_the_answer_says_only_what_intervals_show(tmp_path, tuned, power, alike, words):
    items = [f"i{i}" for i in range(60)]

    def each(n):
        return {name: max(0, min(4, n + (i % 3) - 1)) for i, name in enumerate(items)}

    more = answers("m", "power:steps=2", each(power))
    more += [] if alike is None else answers("n", "power:steps=2", each(alike))
    task = only(both(tmp_path / "r", each(0), each(tuned), *more))
    assert words in task.finding[0]
    if (tuned, power) == (1, 4):
        assert "sharpening alone is ahead of the plain answers of the tuned model" in task.finding[2]


def test_what_sharpening_narrows_is_no_gain_of_tuning(tmp_path):
    items = [f"i{i}" for i in range(20)]
    once, sure = dict.fromkeys(items, 1), {name: 4 * (i < 8) for i, name in enumerate(items)}
    task = only(both(tmp_path / "r", once, once, *answers("m", "power:steps=2", sure)))
    assert (len(task.null.solved.tuned_only), task.null.solved.base_only) == (
        12,
        (),
    )  # the plain base has all
    assert task.finding[0] == "made: no more than sharpening is shown."
    none = dict.fromkeys(items, 0)
    more = only(both(tmp_path / "s", none, once, *answers("m", "power:steps=2", sure)))
    assert "with 4 answers it solves more problems, and more than the plain base too" in more.finding[0]
    assert "2 things were looked at, each at the 5 % level" in more.finding[0]


def test_what_the_sharpened_base_costs_is_said_beside_what_it_is_worth(tmp_path):
    items = {f"i{i}": i % 3 for i in range(12)}
    task = only(both(tmp_path / "r", items, items, *answers("m", "power:steps=2", items, decoded_tokens=21)))
    assert "for 21 drawn tokens each where the plain answers of the tuned model take 4" in task.finding[2]


@pytest.mark.parametrize(("alpha", "label"), [(2.0, "power:steps=2"), (4.0, "power:steps=9")])
def test_another_alpha_or_other_settings_are_not_sharpened_alike(tmp_path, alpha, label):
    items = {f"i{i}": i % 3 for i in range(12)}
    more = [*answers("m", "power:steps=2", items, alpha=4.0), *answers("n", label, items, alpha=alpha)]
    methods = METHODS | {label: {"method": label}}
    task = only(both(tmp_path / "r", items, items, *more, settings={"methods": methods}))
    assert (task.null.alike, task.null.tuned_name, task.null.unlike) == (None, None, (f"tuned, {label}",))
    assert not any("sharpened in the same way" in sentence for sentence in task.finding)
    assert any(f"tuned, {label} has other settings than base, power:steps=2" in note for note in task.notes)


def test_what_the_tuned_models_sharpened_answers_were_asked_otherwise_is_told(tmp_path):
    items = {f"i{i}": i % 3 for i in range(12)}
    run = both(tmp_path / "r", items, items, *answers("m", "power:steps=2", items))
    asked = {"methods": METHODS, "system": "Be brief."}
    other = write(tmp_path / "s", answers("n", "power:steps=2", items), models=("n",), settings=asked)
    task = only([run, other])
    assert task.null.tuned_name == "tuned, power:steps=2"
    words = "the runs differ in more than method and model: system message"
    assert any(words in each for each in task.rivals)


def test_without_sharpened_answers_it_cannot_be_said(tmp_path):
    task = only(both(tmp_path / "r", {"i": 1, "j": 2}, {"i": 4, "j": 4}))
    assert task.finding[0] == "made: it cannot be said."
    assert "no sharpened answers of the base are stored" in task.finding[2].lower()


def test_quartiles_are_chosen_by_one_half_of_the_bases_answers_and_told_by_the_other(tmp_path):
    """Each problem is right in its even samples alone: the half that is compared knows nothing of that luck."""
    rows = [
        row("base", f"i{i}", "right" if s % 2 == 0 and s < 2 * (i % 5) else "wrong", sample=s, model=model)
        for model in "mn" for i in range(40) for s in range(8)
    ]  # fmt: skip
    task = only(write(tmp_path / "r", rows, models=("m", "n")))
    assert [(each.low, each.high) for each in task.strata] == [(0, 1), (2, 2), (3, 3), (4, 4)]
    assert {each.of for each in task.strata} == {4}
    assert [each.pair.n_problems for each in task.strata] == [16, 8, 8, 8]
    assert all(each.pair.passes[0].base.value == 0.0 for each in task.strata)
    assert {each.pair.k for each in task.strata} == {4}


def test_many_problems_of_one_rate_are_one_stratum(tmp_path):
    items = {f"i{i}": 4 * (i >= 35) for i in range(40)}
    task = only(both(tmp_path / "r", items, items))
    assert [(each.low, each.high, each.pair.n_problems) for each in task.strata] == [(0, 0, 35), (2, 2, 5)]


def test_equal_tokens_buy_fewer_answers_of_a_dearer_method(tmp_path):
    items = {f"i{i}": i % 3 for i in range(12)}
    dear = answers("m", "power:steps=2", items, decoded_tokens=8)
    task = only(both(tmp_path / "r", items, items, *dear))
    plain, power = line_of(task, "base, plain"), line_of(task, "base, power:steps=2")
    bought = [(each.multiple, each.tokens, each.k) for each in plain.budgets]
    assert bought == [(1, 4, 1), (2, 8, 2), (4, 16, 4)]
    assert [(each.multiple, each.k) for each in power.budgets] == [(2, 1), (4, 2)]
    by_k = {each.k: each.passed.value for each in power.passes}
    assert [each.passed.value for each in power.budgets] == pytest.approx([by_k[1], by_k[2]])


def test_unequal_samples_are_told_and_each_side_keeps_what_has_no_bias(tmp_path):
    base, tuned = {f"i{i}": i % 5 for i in range(10)}, {f"i{i}": i % 3 for i in range(10)}
    rows = [*answers("m", "base", base, samples=8), *answers("n", "base", tuned, samples=4)]
    task = only(write(tmp_path / "r", rows, models=("m", "n")))
    assert task.pair.k == 4
    assert [each.k for each in line_of(task, "base, plain").passes] == [1, 2, 4, 8]
    assert task.pair.passes[0].base.value == pytest.approx(sum(base.values()) / 80)
    assert any("8 of the base and 4 of the tuned model" in each for each in task.rivals)


def test_a_run_that_is_not_finished_uses_what_most_answers_allow_and_says_so(tmp_path):
    items = {f"i{i}": 1 for i in range(10)}
    rows = [*answers("m", "base", items), *answers("n", "base", items)]
    rows = [r for r in rows if not (r["model"] == "n" and r["sample"] == 3 and r["id"] in ("i7", "i8"))]
    task = only(write(tmp_path / "r", rows, models=("m", "n"), settings={"samples": 4}))
    assert (task.pair.k, task.pair.n_problems) == (4, 8)
    assert "tuned, plain is not finished: 2 answers are still to be made" in task.notes
    assert "2 problems have fewer than 4 answers of both: they are left out" in task.notes


def test_truncation_templates_files_and_compute_are_told_where_they_differ(tmp_path):
    run = both(tmp_path / "r", {"i": 1, "j": 2}, {"i": 1, "j": 2})
    assert only(run).rivals == ()
    run = change(run, finish="length", decoded_tokens=9)
    run.settings["models"]["n"]["quantization"] = "Q4_1"
    run.settings["tasks"]["made"]["max_tokens"] = 32
    for problem in run.problems.values():
        problem["prompts"]["n"] = problem["prompts"]["m"] | {"chat": True, "stops": ["x"]}
    told = "\n".join(only(run).rivals)
    for words in (
        "0 % of the base's and 100 % of the tuned model's plain answers were cut off at 32 tokens",
        "m is asked in plain text without stops and n is asked through its chat template with 1 stops",
        "m is F16 and n is Q4_1",
        "takes 2.25 times the tokens of the base's (9 against 4)",
    ):
        assert words in told
    for problem in run.problems.values():
        problem["prompts"]["n"] = problem["prompts"]["m"] | {"sha256": "other"}
    assert "the two models read different tokens" in "\n".join(only(run).rivals)


def test_a_cue_is_a_line_of_its_own_and_no_draw_from_the_model(tmp_path):
    run = both(tmp_path / "r", {"i": 1, "j": 1}, {"i": 2, "j": 2})
    asked = {"answer_prefix": "\n\nOkay"}
    cue = write(tmp_path / "cue", answers("m", "base", {"i": 3, "j": 4}), settings=asked)
    task = only([run, cue])
    names = ["base, plain", 'base, plain, cue "\\n\\nOkay"', "tuned, plain"]
    assert [each.name for each in task.lines] == names
    assert task.base == "base, plain"
    assert task.lines[1].beside.one.value == pytest.approx(4 / 8 - 7 / 8)
    assert not any("a cue" in each for each in task.notes)
    assert any("the base with a cue (--answer-prefix)" in each for each in only(run).notes)


def score(run, sha256, numbers):
    """What a model read: the log p of each token, by model of the answers."""
    rows = [r for r in run.rows if r["model"] in numbers]
    keys = [[r[name] for name in ("task", "id", "model", "method", "sample")] for r in rows]
    told = [
        {"key": key, "token_log_p": numbers[r["model"]], "token_entropy": [0.1] * len(numbers[r["model"]])}
        for key, r in zip(keys, rows, strict=True)
    ]
    (run.path / f"scores-{sha256[:12]}.jsonl").write_text("".join(map(line, told)), "ascii")


def test_likelihoods_and_divergences_come_from_what_each_model_read_of_the_other(tmp_path):
    more = answers("m", "power:steps=2", {"i": 4, "j": 4})
    run = both(tmp_path / "r", {"i": 1, "j": 1}, {"i": 2, "j": 2}, *more)
    score(run, "m", {"n": [-2.0, -0.5]})
    score(run, "n", {"m": [-1.0, -3.0]})
    task = only(run)
    plain = line_of(task, "base, plain")
    assert (plain.under_base.per_answer, plain.under_base.per_token) == (-1.5, -0.75)
    assert (plain.under_tuned.per_answer, plain.under_tuned.per_token) == (-4.0, -2.0)
    assert (task.kl_from_base.per_answer, task.kl_from_base.n) == (2.5, 8), "the power samples are no draws"
    assert (task.kl_from_base.error, task.kl_from_base.per_token) == (0.0, 1.25)
    assert task.kl_from_tuned.per_answer == 1.0
    assert not any("has not read" in each for each in task.notes)


def test_scores_that_are_missing_are_told_with_the_command_that_makes_them(tmp_path):
    task = only(both(tmp_path / "r", {"i": 1, "j": 1}, {"i": 2, "j": 2}))
    assert (task.kl_from_base, task.lines[0].under_tuned) == (None, None)
    (told,) = [each for each in task.notes if "has not read" in each]
    assert "n has not read the answers of base, plain, and m has not read the answers of tuned, plain" in told
    assert "localpower compare DIR --sharpening --scorer m --scorer n" in told


def test_a_log_p_that_is_no_finite_number_is_left_out_and_counted(tmp_path):
    run = both(tmp_path / "r", {"i": 1, "j": 1}, {"i": 2, "j": 2})
    score(run, "m", {"n": [-2.0, -0.5]})
    path = run.path / "scores-m.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0].replace("-2.0", "-1e999"), *lines[1:]]) + "\n")
    task = only(run)
    assert (task.kl_from_tuned.n, task.kl_from_tuned.per_answer) == (7, 1.0)
    assert any("1 plain answers of tuned, plain have no log p" in each for each in task.notes)
    for damaged in (lines[0].replace("-2.0", "NaN"), lines[0].replace('"made"', '["made"]')):
        path.write_text(damaged + "\n")
        with pytest.raises(UserError, match=r"line 1 of .*scores-m.jsonl is no score of an answer"):
            only(run)


def test_given_tokens_count_under_neither_model(tmp_path):
    given = {"given": [0], "token_log_p": [0.0, -0.5]}
    rows = [*answers("m", "base", {"i": 1, "j": 1}), *answers("n", "base", {"i": 2, "j": 2}, **given)]
    run = write(tmp_path / "r", rows, models=("m", "n"), settings={"methods": METHODS})
    score(run, "m", {"n": [-1.5]})
    task = only(run)
    tuned = line_of(task, "tuned, plain")
    assert (tuned.under_tuned.per_token, tuned.under_base.per_token) == (-0.5, -1.5)
    assert (line_of(task, "base, plain").entropy, tuned.entropy) == (pytest.approx(0.3), 0.4)
    assert (task.kl_from_tuned.per_answer, task.kl_from_tuned.per_token) == (1.0, 1.0)
    assert not any("in other tokens" in note for note in task.notes)


def test_answers_that_the_other_model_spells_otherwise_are_told(tmp_path):
    run = both(tmp_path / "r", {"i": 1}, {"i": 2})
    score(run, "m", {"n": [-2.5]})
    assert any("m spells 4 plain answers of tuned, plain in other tokens" in each for each in only(run).notes)


def test_one_sample_gives_what_one_sample_can(tmp_path):
    task = only(both(tmp_path / "r", {"i": 0, "j": 1}, {"i": 1, "j": 1}, samples=1))
    assert (task.pair.tax, task.strata, [each.at for each in task.pair.passes]) == (None, (), [1])
    assert any("of one sample there are no pass@k curves" in each for each in task.notes)


@pytest.mark.parametrize("form", ["table", "markdown", "json"])
def test_every_form_is_one_thing_on_stdout_without_control_characters(tmp_path, capsys, form):
    items = {f"i{i}{HOSTILE}": i % 4 for i in range(9)}
    run = both(tmp_path / "r", items, {name: 3 for name in items}, *answers("m", "power:steps=2", items))
    assert main(["compare", str(run.path), "--sharpening", "--format", form]) == 0
    out = capsys.readouterr().out
    assert not set(out) & set("\x1b\x07\u202e")
    if form == "json":
        found = json.loads(out)
        task = found["sharpening"]["tasks"]["made"]
        assert found["sharpening"]["who"]["base"] == "m"
        assert task["pair"]["passes"][0]["difference"].keys() == {"value", "low", "high"}
        assert found["tasks"]["made"]["groups"], "the ordinary report is there as well"
    else:
        assert "Is it just sharpening?" in out
        assert "Sharpening tax" in out


@pytest.mark.parametrize("width", [60, 100, 160])
def test_no_line_is_wider_than_the_terminal(tmp_path, width):
    items = {f"problem-{i}": i % 4 for i in range(30)}
    ways = [(model, method) for model in "mn" for method in ("low-temp", "power:steps=2")]
    more = [each for way in ways for each in answers(*way, items)]
    run = both(tmp_path / "r", items, {name: 3 for name in items}, *more)
    table = compare(run.path, sharpening=("m", "n")).table(width)
    assert max(map(len, table.splitlines())) <= width
    assert "taken for the base" not in table
    if width == 100:
        row_of = [each for each in table.splitlines() if each.startswith("base, power:steps=2")]
        assert all("(" in each or "." in each or "%" in each for each in row_of), "no row is folded"
