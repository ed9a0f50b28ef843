"""Every method from the command line: budgets, own options, diagnosis, replay."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from localpower import load
from localpower.cli.main import main
from localpower.registry import find, names
from localpower.runs.trace import read_trace
from localpower.runs.verify import verify
from localpower.toy import ToyModel
from localpower.ui.summary import summary

ALONE = [name for name in names() if not find(name).needs_expert]  # a run knows no worked answer
RUN = ("run", "--model", "toy", "--seed", "1", "--max-tokens", "24")


def told(capsys, *arguments):
    assert main([*RUN, *arguments, "--json", "hello there"]) == 0
    out, err = capsys.readouterr()
    return json.loads(out), err


@pytest.mark.parametrize("method", ALONE)
def test_every_method_answers_and_its_recording_holds(method, tmp_path, capsys):
    path = tmp_path / "events"
    result, _ = told(capsys, "--method", method, "--chains", "2", "--events", str(path))
    assert result["method"] == method
    assert result["finish"] in ("stop", "length")
    findings = verify(read_trace(path), ToyModel())
    assert (findings.problems, findings.largest, findings.changed) == ([], 0.0, 0)
    assert main(["replay", str(path)]) == 0
    assert capsys.readouterr().out == result["text"] + "\n"


@pytest.mark.parametrize("method", ALONE)
@pytest.mark.parametrize("budget", ["100t", "4x"])
def test_a_schedule_that_fits_the_budget_is_shown_and_kept(method, budget, capsys):
    result, err = told(capsys, "--method", method, "--budget", budget)
    assert result["decoded_tokens"] <= 100
    if result["finish"] == "budget":
        assert result["guarantee"] == "approximate"
        assert "the budget ran out" in err
    if method == "power":
        assert result["planned_steps"] >= result["n_steps"]
    else:
        assert f"--budget {budget}: " in err


@pytest.mark.parametrize(
    "method",
    [
        *(name for name in ALONE if name != "lookahead"),  # it has no first draw, and counts its answer
        *("power:block=3", "power:start=smc:3", "power:start=best-of-n:2"),
        "best-of-n:n=9",
    ],
)
@pytest.mark.parametrize("chains", ["1", "2"])
def test_no_run_costs_more_than_its_budget_of_plain_answers(method, chains, capsys):
    for seed in range(12):
        arguments = ("--method", method, "--budget", "4x", "--seed", str(seed), "--chains", chains)
        assert told(capsys, *arguments)[0]["cost_multiple"] <= 4.0


@pytest.mark.parametrize(
    ("method", "of"),
    [
        ("power:steps=9", "the first draw"),
        ("power:steps=9:start=smc:3", "the mean first draw"),
        ("smc", "the mean first draw"),
        ("lookahead", "the answer"),
    ],
)
def test_the_view_and_the_summary_say_the_same_cost_and_of_what(method, of, capsys):
    assert main([*RUN, "--method", method, "hello there"]) == 0
    found = re.findall(r"([\d.]+x) tokens.* of (the [a-z ]+\w)", capsys.readouterr().err)
    assert len(found) >= 2
    assert {words for _, words in found} == {of}
    assert found[-2] == found[-1]


@pytest.mark.parametrize("command", [RUN, ("chat", *RUN[1:])])
def test_quiet_leaves_the_answer_alone(command, capsys, monkeypatch):
    assert main([*RUN, "hello there"]) == 0
    loud = capsys.readouterr()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"hello there\n")))
    assert main([*command, "--quiet", "--alpha", "4"]) == 0
    assert capsys.readouterr() == (loud.out, "")
    assert "log p" in loud.err


def test_quiet_problems_are_one_line(capsys):
    assert main([*RUN, "--quiet", ""]) == 1
    assert capsys.readouterr() == (
        "",
        'localpower: the prompt is empty (localpower run "PROMPT", or a text through a pipe)\n',
    )


def test_a_budget_decides_the_steps_and_those_given_by_hand_are_only_lowered(capsys):
    few, many = (told(capsys, "--budget", f"{times}x")[0]["planned_steps"] for times in (3, 30))
    assert 0 < few < many
    assert told(capsys, "--budget", "30x", "--steps", "2")[0]["planned_steps"] == 2


def test_a_budget_without_room_for_a_step_claims_nothing(capsys):
    result, err = told(capsys, "--budget", "1x")
    assert (result["planned_steps"], result["guarantee"]) == (0, "approximate")
    assert "no room for a step" in err


def test_half_a_plain_answer_has_no_room_for_steps(capsys):
    result, err = told(capsys, "--budget", "0.5x")
    assert "below one plain answer" in err
    assert result["n_steps"] == 0
    assert result["decoded_tokens"] <= 12


def test_planned_chains_are_seldom_cut_off(capsys):
    """A plan sets aside about twice what steps usually draw; runs that are cut off are not exact, and few."""
    cut = [told(capsys, "--budget", "6x", "--seed", str(seed))[0]["finish"] == "budget" for seed in range(40)]
    assert sum(cut) <= 8


@pytest.mark.parametrize("method", ALONE)
def test_a_budget_below_one_plain_answer_says_so(method, capsys):
    result, err = told(capsys, "--method", method, "--budget", "3t")
    assert "--budget 3t is below one plain answer" in err
    assert result["decoded_tokens"] <= 3


def test_seconds_end_a_run_too(capsys):
    result, _ = told(capsys, "--budget", "0.05s", "--steps", "100000", "--max-tokens", "200")
    assert result["planned_steps"] < 100000
    assert result["seconds"] < 5


@pytest.mark.parametrize("budget", ["4", "x", "0x", "-3t", "nanx", "infs", "1.5t", "", "1e400t"])
def test_what_is_no_budget_is_refused(budget, capsys):
    assert main([*RUN, "--budget", budget, "hello"]) == 2
    assert "30s, 5000t or 4x" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "name", "value"),
    [
        (("--method", "best-of-n:n=3"), "n", 3),
        (("--method", "best-of-n", "--pick", "logp"), "select", "logp"),
        (("--method", "smc:particles=5"), "particles", 5),
        (("--method", "smc:ramp=7"), "ramp", 7),
        (("--method", "smc:ess=0.25"), "ess", 0.25),
        (("--method", "lookahead:candidates=3:rollouts=1"), "candidates", 3),
        (("--method", "power:metropolised=yes"), "metropolised", True),
        (("--method", "power:start=smc:3"), "start", "smc:3"),
        (("--method", "power:hot-cut=no"), "hot_cut", False),
    ],
)
def test_options_of_a_method_are_in_its_json(arguments, name, value, capsys):
    assert told(capsys, *arguments)[0]["settings"][name] == value


@pytest.mark.parametrize(
    "arguments",
    [
        ("--method", "smc:particles=8", "--chains", "9"),
        ("--method", "smc:particles=0"),
        ("--method", "smc:particles"),
        ("--method", "smc:particles=1_0"),
        ("--method", "power:restart-weight=\u0660.\u0665"),
        ("--method", "smc:=4"),
        ("--method", "smc:block=4"),
        ("--method", "power:start=smc:0"),
        ("--method", "power:start=smc:62"),
        ("--method", "power:start=smc:2:block=5"),
        ("--method", "best-of-n", "--temperature", "0"),
    ],
)
def test_settings_that_can_never_be_right_are_refused(arguments, capsys):
    assert main([*RUN, *arguments, "hello"]) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--method", "smc", "--steps", "3"), "--steps means nothing to --method smc"),
        (("--method", "smc", "--temperature", "1"), "--temperature means nothing to --method smc"),
        (("--method", "base", "--alpha", "3"), "--alpha means nothing to --method base"),
        (
            ("--method", "power:cuts=entropy:restart-weight=0.1"),
            "restart-weight means nothing to cuts=entropy",
        ),
    ],
)
def test_an_option_of_another_method_is_noted(arguments, words, capsys):
    assert words in told(capsys, *arguments)[1]


def test_several_runs_of_particles_are_drawn_by_their_normalisers(tmp_path, capsys):
    path = tmp_path / "events"
    result, _ = told(capsys, "--method", "smc:particles=2", "--chains", "4", "--events", str(path))
    assert all(chain["log_z"] is not None for chain in result["chains"])
    estimates = np.array([chain["log_z"] for chain in result["chains"]])
    assert result["log_z"] == pytest.approx(np.log(np.exp(estimates).mean()))


def test_a_diagnosis_is_in_the_json_and_on_stderr(capsys):
    result, err = told(capsys, "--diagnose", "--chains", "2", "--steps", "40")
    assert len(result["diagnostics"]["acceptance_by_cut"]) == 10
    assert "where steps cut" in err
    assert "split R-hat" in err


def test_a_plot_needs_its_extra_and_says_so_before_the_run(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main([*RUN, "--plot", str(tmp_path / "p.png"), "hello"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "localpower[plots]" in err


def test_settings_that_are_options_too_may_follow_the_name(capsys):
    result, err = told(capsys, "--method", "power:steps=2:alpha=3:budget=9x", "--steps", "7")
    assert "--steps is not used: the method has steps=2" in err
    assert (result["n_steps"], result["alpha"], result["budget"]) == (2, 3.0, "9x")
    assert main([*RUN, "--method", "smc:steps=2", "x"]) == 2
    assert "smc has no setting 'steps'; it has particles, ramp, ess, alpha" in capsys.readouterr().err
    assert main([*RUN, "--method", "smc:ess=.5:ess=.6", "x"]) == 2
    assert "ess is given twice" in capsys.readouterr().err
    assert main([*RUN, "--method", "power:alpha=.5", "x"]) == 2
    assert "alpha of power must be a number from 1 to 1e+06, got '.5'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--particles", "4"), "--particles has moved into the method: use --method smc:particles=4"),
        (("--block", "9"), "use --method power:block=9 (lookahead has it too)"),
        (
            ("-n", "40"),
            "the length of an answer is --max-tokens; answers to choose from are --method best-of-n:n=40",
        ),
        (("-ngl", "5"), "did you mean --gpu-layers?"),
        (("--metropolised",), "use --method power:metropolised=yes"),
        (("--tries", "3"), "--tries is gone"),
        (("--method", "tempering:rungs=2"), "tempering is gone: use --method power:start=smc:4"),
        (("--temp", "1"), "did you mean --temperature?"),
        (("--max_tokens", "1"), "did you mean --max-tokens? (see localpower run --help)"),
        (
            ("--no-such-thing", "1"),
            "No such option: --no-such-thing; a prompt that begins with a dash follows -- (see localpower run --help)",
        ),
        (("say", "hi"), '(hi): a PROMPT of several words stands in quotation marks, "like this" (see'),
        (("--pick", "y"), "is not one of 'random', 'logp', 'all'. (see localpower run --help)"),
        (("sessions", "show", "a", "b"), "extra argument (b) (see localpower sessions show --help)"),
        (("export", "d", "--out", "e", "--format", "a,b"), "may be repeated: --format A --format B. (see"),
    ],
)
def test_a_wrong_use_is_one_line_that_says_what_was_meant(arguments, words, capsys):
    assert main([*arguments] if arguments[0] in ("sessions", "export") else [*RUN, *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line


def test_a_start_that_the_budget_makes_smaller_is_said_and_is_no_low_temperature_draw(capsys):
    assert main([*RUN, "--method", "power:start=smc:4", "--budget", "3x", "hello there"]) == 0
    err = capsys.readouterr().err
    assert "--budget 3x: start=smc:2" in err
    assert "low-temperature draw" not in err
    result, _ = told(capsys, "--method", "power:start=smc:4", "--budget", "3x")
    found = (result["guarantee"], result["settings"]["start"], result["n_started"])
    assert found == ("invariant", "smc:2", 2)


def test_the_summary_says_how_long_the_first_draw_was_and_what_came_of_the_proposals(capsys):
    assert main([*RUN, "--seed", "3", "--json", "hello there"]) == 0
    out, err = capsys.readouterr()
    result = json.loads(out)
    assert (result["n_tokens"], result["first_n_tokens"]) == (6, 15)
    assert "ended by itself · 6 tokens (the first draw had 15)" in err
    assert "1 of 4 proposals accepted, 1 repeated the answer" in err
    assert told(capsys, "--method", "base")[0]["first_n_tokens"] is None


def test_an_answer_that_repeats_itself_is_warned_of():
    answer = load("toy").generate("hello there", seed=3)
    assert "repeats itself (75 %" in summary(replace(answer, repetition=0.75))[-1]
    assert len(summary(replace(answer, repetition=0.25))) == 2


@pytest.mark.parametrize(
    ("name", "words"), [("no/such/p.png", "there is no folder"), ("p.foo", "its name must end in one of")]
)
def test_a_path_that_no_picture_can_have_is_refused_before_the_run(tmp_path, capsys, name, words):
    assert main([*RUN, "--plot", str(tmp_path / name), "hello"]) == 1
    out, err = capsys.readouterr()
    assert (out, words in err, err.count("\n")) == ("", True, 1)
