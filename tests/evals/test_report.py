"""What a report says of stored answers, and that nothing of an answer is markup, a table's bar or a number."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from localpower.api.compare import Report
from localpower.cli.main import main
from localpower.completion import PLAIN
from localpower.errors import UserError
from localpower.evals.groups import groups
from localpower.evals.jobs import RenderedProblem
from localpower.evals.problem import Problem
from localpower.evals.report import report
from localpower.evals.running import best_parallel
from localpower.evals.store import Folder, read
from localpower.evals.tasks import TASKS
from localpower.loaded.toy import LoadedToy
from localpower.statistics import wilson
from localpower.ui.eval_progress import EvalProgress, spell_seconds
from localpower.ui.tables import markdown, pair_cells, terminal


def row(method, item, verdict, *, sample=0, text="4", task="made", **more):
    return {
        "task": task, "id": item, "model": "m", "method": method, "sample": sample, "tokens": [1, 2], "text": text,
        "verdict": verdict, "extracted": None if verdict == "none" else text, "lenient": False, "grader": "value/1",
        "finish": "stop", "n_tokens": 2, "decoded_tokens": 4, "first_drawn": 2, "seconds": 0.5, "log_p": -1.5,
        "acceptance_rate": None, "token_log_p": [-1.0, -0.5], "token_entropy": [0.2, 0.4], **more,
    }  # fmt: skip


def write(path, rows, *, kind="number", models=("m",), settings=None, levels=None, prompt=None):
    methods = list(dict.fromkeys(row["method"] for row in rows))
    items = list(dict.fromkeys((row["task"], row["id"]) for row in rows))
    prompts = {"text": "What?", "tokens": [1], "sha256": "", "chat": False, "stops": [], **(prompt or {})}
    told = {
        "format": 1, "seed": 1, "prompt": "chat", "created": "2026-01-01T00:00:00", "system": None, "template_args": {}, "grader": "value",
        "methods": {name: {} for name in methods},
        "models": {name: {"name": name, "sha256": name, "quantization": "F16", "path": None} for name in models},
        "tasks": {task: {"kind": kind, "problems_sha256": "p"} for task in {row["task"] for row in rows}},
    }  # fmt: skip
    problems = [
        {"task": task, "id": item, "group": (levels or {}).get(item, ""), "gold": "4", "order": [], "question": "What?",
         "prompts": dict.fromkeys(models, prompts)}
        for task, item in items
    ]  # fmt: skip
    with Folder(path) as folder:
        folder.begin(told | (settings or {}), problems)
        folder.rewrite(rows)
    return read(path)


def of_task(tmp_path, rows):
    """What a report says of the one task of a run."""
    return report([write(tmp_path / "r", rows)])["tasks"]["made"]


def two_methods(n=40):
    """`b` gets every item of `a` right and five more."""
    rows = [row("a", f"i{i}", "right" if i % 2 else "wrong") for i in range(n)]
    return rows + [row("b", f"i{i}", "right" if i % 2 or i < 10 else "none") for i in range(n)]


def test_shares_have_wilson_intervals_and_pairs_the_exact_test(tmp_path):
    found = of_task(tmp_path, two_methods())
    a, b = found["groups"]
    assert a["accuracy"] == wilson(20, 40)._asdict()
    assert (b["accuracy"]["value"], b["none_share"], a["none_share"]) == (25 / 40, 15 / 40, 0)
    (pair,) = found["pairs"]
    assert (pair["only_first"], pair["only_second"], pair["p"]) == (0, 5, 0.0625)
    assert pair["difference"]["value"] == pytest.approx(5 / 40)
    assert pair["test"] == "exact McNemar"


def test_too_few_items_are_said_to_be_with_how_many_would_do(tmp_path):
    task = of_task(tmp_path, two_methods())
    needed = task["pairs"][0]["items_needed"]
    assert 40 < needed < 100
    (note,) = task["notes"]
    assert "40 problems are too few" in note
    assert f"b - a (+12.5 points): about {needed} problems" in note


def test_a_p_of_one_beside_a_range_gets_its_reason(tmp_path):
    rows = [row(m, f"i{i}", "right" if m == "b" or i else "wrong") for m in "ab" for i in range(8)]
    task = of_task(tmp_path, rows)
    assert task["pairs"][0]["p"] == 1.0
    assert task["pairs"][0]["difference"]["high"] > 0
    words = "b - a: p is 1 although there is a difference, because the two differ on only 1 problem,"
    assert words in task["notes"][-1]


def test_pairs_whose_p_is_one_for_the_same_reason_share_a_line(tmp_path):
    rows = [row(m, f"i{i}", "right" if m in "bc" or i else "wrong") for m in "abc" for i in range(8)]
    notes = of_task(tmp_path, rows)["notes"]
    (told,) = [note for note in notes if "p is 1" in note]
    assert told.startswith("b - a, c - a: ")


def test_enough_items_are_not_complained_about(tmp_path):
    rows = [row(m, f"i{i}", "right" if m == "b" or i < 5 else "wrong") for m in "ab" for i in range(30)]
    assert of_task(tmp_path, rows)["notes"] == []


def test_several_samples_are_clustered_and_have_a_curve(tmp_path):
    rows = [
        row(m, f"i{i}", "right" if (i + s) % 3 == 0 else "wrong", sample=s, text=str(s // 2))
        for m in "ab" for i in range(12) for s in range(4)
    ]  # fmt: skip
    task = of_task(tmp_path, rows)
    group = task["groups"][0]
    assert (group["n_items"], group["n_samples"], [p["k"] for p in group["pass_at"]]) == (12, 4, [1, 2, 4])
    assert group["distinct"] == 0.5
    assert task["pairs"][0]["test"] == "sign flips over problems"


def test_answers_that_repeat_themselves_are_counted(tmp_path, capsys):
    looping, plain = [1, 2, 3, 4, 5] * 4, list(range(20))
    rows = [row("a", f"i{i}", "right", tokens=looping if i < 3 else plain) for i in range(4)]
    run = write(tmp_path / "r", rows)
    assert report([run])["tasks"]["made"]["groups"][0]["loops_share"] == 0.75
    assert main(["compare", str(run.path)]) == 0
    heads, _, cells = capsys.readouterr().out.splitlines()[1:4]
    at = heads.index("loops")
    assert cells[at - 3 : at + 5].strip() == "75 %"


def test_the_columns_of_a_pair_count_for_the_name_that_stands_first(tmp_path):
    rows = [row(m, f"i{i}", "right" if m == "b" and i < 3 else "wrong") for m in "ab" for i in range(4)]
    heads, ((name, *cells),) = pair_cells(of_task(tmp_path, rows)["pairs"])
    told = dict(zip(heads[1:], cells, strict=True))
    assert (name, told["difference"], told["better on"], told["worse on"]) == ("b - a", "+75.0", "3", "0")


def test_costs_are_told_a_problem_and_over_a_plain_answer(tmp_path):
    for more, cost in (({}, 4), ({"plain_tokens": 4.0}, 2)):
        rows = [row("a", "i", "right", decoded_tokens=8, **more)]
        (group,) = report([write(tmp_path / str(cost), rows)])["tasks"]["made"]["groups"]
        found = (group["decoded_per_answer"], group["cost_multiple"], group["seconds_per_answer"])
        assert found == (8, cost, 0.5)


def test_runs_are_paired_by_the_problems_they_share(tmp_path):
    one = write(tmp_path / "one", [row("a", f"i{i}", "right") for i in range(4)])
    two = write(tmp_path / "two", [row("a", f"i{i}", "wrong") for i in range(2, 9)])
    (pair,) = report([one, two])["tasks"]["made"]["pairs"]
    assert (pair["first"], pair["second"], pair["n_items"]) == ("one a", "two a", 2)


def told(**task):
    return {"tasks": {"made": {"kind": "number", "problems_sha256": "p"} | task}}


@pytest.mark.parametrize(
    ("settings", "prompt", "words"),
    [
        (told(problems_sha256="q"), {}, "problems (only those with the same id are"),
        (told(max_tokens=9), {}, "longest answer (none or 9)"),
        ({}, {"stops": ["x"]}, 'stops (none or ["x"])'),
        ({}, {"chat": True}, "chat template (no or yes)"),
        ({"system": "Think."}, {}, 'system message (none or "Think.")'),
        ({"template_args": {"t": 1}}, {}, 'template arguments (none or {"t": 1})'),
        ({"methods": {"a": {"alpha": 2.0}}}, {}, None),
    ],
)
def test_what_differs_beside_method_and_model_is_one_note_with_its_values(tmp_path, settings, prompt, words):
    one = write(tmp_path / "one", [row("a", "i", "right")])
    two = write(tmp_path / "two", [row("a", "i", "right")], settings=settings, prompt=prompt)
    notes = report([one, two])["tasks"]["made"]["notes"]
    assert notes == [] if words is None else words in notes[0]
    assert len(notes) == (words is not None)


def test_a_method_that_is_called_alike_in_two_runs_and_is_another_is_told(tmp_path):
    one, two = (
        write(tmp_path / str(alpha), [row("a", "i", "right")], settings={"methods": {"a": {"alpha": alpha}}})
        for alpha in (2.0, 4.0)
    )
    (note,) = report([one, two])["tasks"]["made"]["notes"]
    assert note == "the runs differ in more than method and model: alpha of a (2.0 or 4.0)"


def test_answers_of_two_graders_are_told(tmp_path):
    runs = [write(tmp_path / name, [row("a", "i", "right", grader=name)]) for name in ("paper", "value")]
    (note,) = report(runs)["tasks"]["made"]["notes"]
    assert "graded by paper and value" in note


def test_answers_that_nobody_graded_have_no_share(tmp_path):
    task = of_task(tmp_path, [row("a", "i", "ungraded")])
    assert (task["groups"][0]["accuracy"], task["groups"][0]["none_share"], task["pairs"]) == (None, None, [])


def test_likelihoods_are_on_common_bins_and_confidence_is_minus_entropy(tmp_path):
    other = {"token_log_p": [-3.0, -3.0], "token_entropy": [2.0, 2.0]}
    rows = [row("a", "i", "right"), row("b", "i", "right", **other)]
    a, b = of_task(tmp_path, rows)["likelihood"]
    assert (a["log_p"]["mean"], b["log_p"]["mean"]) == (-0.75, -3.0)
    assert (a["confidence"]["mean"], b["confidence"]["mean"]) == (pytest.approx(-0.3), -2.0)
    assert a["log_p"]["edges"] == b["log_p"]["edges"]
    assert sum(a["log_p"]["counts"]) == 1


def test_quartiles_are_of_the_mean_log_p_and_confidence_of_each_groups_answers(tmp_path):
    numbers = [
        (method, f"i{i}", [shift - i - 1, shift - i + 1], [0.1 * i, 0.3 * i])
        for method, shift in (("a", 0.0), ("b", -10.0)) for i in range(5)
    ]  # fmt: skip
    rows = [row(m, item, "right", token_log_p=p, token_entropy=h) for m, item, p, h in numbers]
    run = write(tmp_path / "r", rows)
    for found, shift in zip(report([run])["tasks"]["made"]["likelihood"], (0.0, -10.0), strict=True):
        assert (found["log_p"]["n"], found["log_p"]["quartiles"]) == (5, [shift - 3, shift - 2, shift - 1])
        assert found["confidence"]["quartiles"] == pytest.approx([-0.6, -0.4, -0.2])
    assert "-3.00 to -1.00" in markdown(report([run]))


def test_accuracy_by_level_is_over_the_graded_problems_of_each(tmp_path):
    verdicts = {"i0": "right", "i1": "right", "i2": "wrong", "i3": "none", "i4": "right", "i5": "ungraded"}
    levels = dict.fromkeys(("i0", "i1"), "easy") | dict.fromkeys(("i2", "i3", "i4", "i5"), "hard")
    run = write(tmp_path / "r", [row("a", item, said) for item, said in verdicts.items()], levels=levels)
    (group,) = report([run])["tasks"]["made"]["groups"]
    assert group["by_group"] == {
        "easy": {"n": 2, **wilson(2, 2)._asdict()},
        "hard": {"n": 3, **wilson(1, 3)._asdict()},
    }


def test_groups_are_called_by_what_tells_them_apart(tmp_path):
    rows = [row("a", "i", "right"), row("b", "i", "wrong")]
    one, same_name, other = (write(tmp_path / name, rows) for name in ("x/r", "y/r", "z"))
    assert [group.label for group in groups([one])] == ["a", "b"]
    assert [group.label for group in groups([one, other])] == ["r a", "r b", "z a", "z b"]
    assert [group.label for group in groups([one, same_name])] == ["r a", "r b", "r a (2)", "r b (2)"]


HOSTILE = '</pre><script>alert(1)</script>[bold]|x|\n\x1b[31m"\u202e'


def test_a_markdown_cell_holds_no_bar(tmp_path):
    text = markdown(report([write(tmp_path / "r", [row("a|b", "i", "right")])]))
    assert "| a\\|b | 1 | 100.0 |" in text


@pytest.mark.parametrize("form", ["table", "markdown"])
def test_no_output_carries_control_characters_or_markup_of_labels_and_answers(tmp_path, capsys, form):
    run = write(tmp_path / "r", [row(HOSTILE, HOSTILE, "right", text=HOSTILE, task="t" + HOSTILE)])
    assert main(["compare", str(run.path), "--format", form]) == 0
    text = capsys.readouterr().out
    assert not set(text) & set("\x1b\x07\u202e")
    assert "<script>" not in text or form == "table"


def test_a_name_is_one_line_of_a_table_whatever_it_holds(tmp_path):
    run = write(tmp_path / "r", [row("a\nnote: b\u2028c\x9b1m", "i", "right")])
    table = [line for line in markdown(report([run])).splitlines() if "note: b" in line]
    assert table[0].startswith("| a note: b\ufffdc\ufffd1m | 1 | 100.0 |")
    shown = Report(report([run]), (run,)).table().splitlines()
    assert [line.split("  ")[0] for line in shown if "note" in line] == ["a note: b\ufffdc\ufffd1m"] * 2


def test_answers_that_are_explained_reach_the_terminal_without_control_characters(capsys):
    assert main(["explain", "a\x1bb=.5", "\udcff=.5"]) == 0
    assert not set(capsys.readouterr().out) & {"\x1b", "\udcff"}


def test_json_of_a_report_is_ascii(tmp_path, capsys):
    write(tmp_path / "r", [row("a\x9b1m", "i", "right")])
    assert main(["compare", str(tmp_path / "r"), "--format", "json"]) == 0
    assert capsys.readouterr().out.isascii()


def test_compare_prints_one_thing_on_stdout_in_each_format(tmp_path, capsys):
    write(tmp_path / "r", two_methods())
    outputs = {}
    for form in ("table", "markdown", "json"):
        assert main(["compare", str(tmp_path / "r"), "--format", form]) == 0
        outputs[form] = capsys.readouterr().out
    found = json.loads(outputs["json"])
    assert found["tasks"]["made"]["groups"][0]["label"] == "a"
    assert outputs["json"].count("\n") == 1
    assert "| a | 40 | 50.0 |" in outputs["markdown"]
    assert "b - a" in outputs["table"]
    assert "\x1b" not in outputs["table"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("{}/none",), "holds no run"),
        (("{}/empty",), "there are no answers"),
        (("{}/r", "--html", "{}/no/p.html"), "cannot write"),
        (("{}/r", "--export-alpaca", "{}/out"), "no open answers"),
        (("{}/r", "--scorer", "{}/none.gguf"), "none.gguf"),
    ],
)
def test_what_cannot_be_compared_gets_one_line(tmp_path, capsys, arguments, words):
    write(tmp_path / "r", two_methods(4))
    (tmp_path / "empty").mkdir()
    run = write(tmp_path / "e", [row("a", "i", "right")])
    (tmp_path / "empty" / "settings.json").write_text(json.dumps(run.settings))
    (tmp_path / "empty" / "problems.json").write_text('{"problems": []}')
    code = main(["compare", *(argument.format(tmp_path) for argument in arguments)])
    err = capsys.readouterr().err
    assert (code, words in err, err.count("\n")) == (1, True, 1)


JUDGED = {
    "task": "made", "id": "i0", "sample": 0, "label": "b", "against": "a", "judge": "j", "judge_sha256": "j",
    "first": 0.9, "second": 0.8, "texts_sha256": "t", "length_ours": 1, "length_theirs": 1,
}  # fmt: skip


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("answers", "garbage"),
        ("answers", json.dumps({"task": "made", "id": "i0"})),
        ("answers", json.dumps(row("a", "i0", "right", tokens=5))),
        ("answers", json.dumps(row("a", "of no problem", "right"))),
        ("judgments", "garbage"),
        ("judgments", json.dumps(JUDGED | {"first": "high"})),
    ],
)
def test_a_line_that_is_damaged_or_of_another_shape_is_named_and_never_skipped(tmp_path, capsys, file, line):
    write(tmp_path / "r", two_methods(4))
    path = tmp_path / "r" / f"{file}.jsonl"
    lines = path.read_text().splitlines(keepends=True) if path.exists() else [json.dumps(JUDGED) + "\n"] * 2
    path.write_text(lines[0] + line + "\n" + "".join(lines[1:]))
    assert main(["compare", str(tmp_path / "r")]) == 1
    assert f"line 2 of {path} is no " in capsys.readouterr().err


@pytest.mark.parametrize("file", ["answers", "judgments"])
def test_a_last_line_that_was_cut_off_is_left_out_with_a_note(tmp_path, capsys, file):
    write(tmp_path / "r", two_methods(4))
    path = tmp_path / "r" / f"{file}.jsonl"
    with path.open("a") as more:
        more.write(json.dumps(row("a", "i0", "none"))[:-9])
    assert main(["compare", str(tmp_path / "r")]) == 0
    assert f"note: the last line of {path} was cut off" in capsys.readouterr().err


def test_the_export_is_what_the_authors_tool_reads_the_first_answer_to_each(tmp_path):
    places = [(m, s, i) for m in ("base", "low-temp") for s in (1, 0) for i in range(2)]
    rows = [row(m, f"i{i}", "ungraded", text=f"{m}{i}{s}", sample=s) for m, s, i in places]
    write(tmp_path / "r", rows, kind="open")
    assert main(["compare", str(tmp_path / "r"), "--export-alpaca", str(tmp_path / "out")]) == 0
    found = json.loads((tmp_path / "out" / "made-low-temp.json").read_text())
    assert found[0] == {"instruction": "What?", "output": "low-temp00", "generator": "low-temp"}
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["made-base.json", "made-low-temp.json"]


def test_a_standing_counts_by_method_and_tells_the_time_left():
    standing = EvalProgress()
    standing.begin("m", "made", ["a", "b"], [row("a", "i0", "right")], 4)
    standing.n_missing, standing.expected, standing.drawn = 7, 700, 100
    assert standing.eta(10.0) == pytest.approx(60.0)
    standing.made(row("b", "i0", "wrong"))
    assert standing.eta(10.0) == pytest.approx(60.0)
    assert standing.lines()[0].startswith("a  1/4  accuracy 100 % (21 to 100)")
    assert "1 of 7 answers · 10 tok/s · eta 60 s" in standing.line(10.0)


@pytest.mark.parametrize(("seconds", "words"), [(40, "40 s"), (720, "12 min"), (12_000, "3 h 20 min")])
def test_durations_are_spelled_as_a_person_would(seconds, words):
    assert spell_seconds(seconds) == words


def test_methods_are_paired_within_a_model_and_models_by_a_method(tmp_path):
    rows = [row(method, "i", "right", model=model) for model in ("m", "n") for method in ("a", "b")]
    run = write(tmp_path / "r", [r | {"model": r["model"]} for r in rows], models=("m", "n"))
    pairs = {(p["first"], p["second"]) for p in report([run])["tasks"]["made"]["pairs"]}
    assert pairs == {("m a", "m b"), ("n a", "n b"), ("m a", "n a"), ("m b", "n b")}
    one = {(p["first"], p["second"]) for p in report([run], against="n a")["tasks"]["made"]["pairs"]}
    assert one == {("n a", "m a"), ("n a", "m b"), ("n a", "n b")}
    with pytest.raises(UserError, match="nothing called x"):
        report([run], against="x")


def test_a_report_is_drawn_as_a_picture_with_names_as_they_are(tmp_path):
    rows = [r | {"sample": s, "task": "$\\y$"} for r in two_methods(4) for s in (0, 1)]
    write(tmp_path / "r", [r | {"method": f"{r['method']}$\\x$_\x1b[2J"} for r in rows])
    assert main(["compare", str(tmp_path / "r"), "--plot", str(tmp_path / "p.png")]) == 0
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_without_matplotlib_is_refused_before_any_work(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["compare", str(tmp_path / "nowhere"), "--plot", str(tmp_path / "p.png")]) == 1
    assert "--plot needs matplotlib" in capsys.readouterr().err


@pytest.mark.parametrize("width", [50, 70, 100, 160])
def test_a_narrow_terminal_has_fewer_columns_and_no_line_too_many(tmp_path, width):
    found = report([write(tmp_path / "r", two_methods())])
    text = io.StringIO()
    Console(file=text, width=width, color_system=None).print(terminal(found, width))
    lines = text.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    (base,) = [line for line in lines if line.startswith("a ")][:1]
    assert "50.0" in base  # on one line with its name, whatever else is there
    assert ("s/answer" in text.getvalue()) == (width >= 100)


def test_answers_at_once_are_as_many_as_gain_and_fit():
    class Curve(LoadedToy):
        def speed(self, rows):
            return {1: 67.0, 2: 77.0, 4: 90.0, 8: 101.0}.get(rows)

    def asked(longest):
        return [RenderedProblem(TASKS["tiny"], Problem("t", ""), "", (1,), False, longest, (), PLAIN)]

    assert best_parallel(Curve(), asked(32), 1, 100) == 8
    assert best_parallel(Curve(), asked(32), 1, 5) == 4
    assert best_parallel(Curve(), asked(8000), 1, 100) == 1
    assert best_parallel(LoadedToy(), asked(32), 1, 100) == 1
