"""`localpower replay`: the same view and answer again, and no forged number goes unseen."""

from __future__ import annotations

import json
import subprocess

import pytest

from localpower.cli.main import main
from localpower.errors import Interrupted
from localpower.runs.player import Player
from localpower.runs.trace import read_trace
from localpower.runs.verify import verify
from localpower.toy import ToyModel
from tests.cli.terminal import Deaf, Terminal, command

RUN = ("run", "--model", "toy", "--seed", "1", "--max-tokens", "24", "--temperature", "0.6", "hello there")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The lines of a run of two chains, and its answer."""
    path = tmp_path_factory.mktemp("trace") / "events"
    return path, command(*RUN, "--chains", "2", "--events", path, check=True).stdout


def lines_of(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def written(tmp_path, lines):
    path = tmp_path / "forged"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


def test_the_answer_is_printed_again(recorded, capsysbinary):
    path, answer = recorded
    assert main(["replay", str(path)]) == 0
    assert capsysbinary.readouterr().out.decode() == answer


def test_notes_that_cannot_be_written_cost_no_answer(recorded):
    path, answer = recorded
    with open("/dev/full", "w") as full:
        done = command("replay", path, capture_output=False, stdout=subprocess.PIPE, stderr=full)
    assert (done.returncode, done.stdout) == (0, answer)


def test_all_chains_are_printed_again(tmp_path, capsys):
    path = tmp_path / "events"
    assert main([*RUN, "--chains", "3", "--pick", "all", "--events", str(path)]) == 0
    answers = capsys.readouterr().out
    assert main(["replay", str(path)]) == 0
    assert capsys.readouterr().out == answers


def test_an_honest_record_passes_by_itself_and_against_its_model(recorded, capsys):
    path, _ = recorded
    assert main(["replay", str(path), "--verify", "--model", "toy"]) == 0
    findings = verify(read_trace(path), ToyModel())
    assert (findings.problems, findings.largest, findings.changed) == ([], 0.0, 0)
    assert findings.n_steps == 10
    assert findings.n_accepted > 0


def first(lines, kind):
    return next(line for line in lines if line["event"] == kind)


def change_settings(**values):
    return lambda lines: lines[0]["settings"].update(values)


def change(kind, **values):
    return lambda lines: first(lines, kind).update(values)


STEPS = {
    "log_u": lambda e: e.update(log_u=0.5 if e["accepted"] else -1e9),
    "a positive log_u": lambda e: e.update(log_u=0.5, accepted=False),
    "accepted": lambda e: e.update(accepted=not e["accepted"]),
    "log_ratio": lambda e: e.update(log_ratio=e["log_ratio"] + 1e-6),
    "log_w_x": lambda e: e.update(log_w_x=e["log_w_x"] + 1e-6),
    "log_w_y": lambda e: e.update(log_w_y=e["log_w_y"] - 1e-6),
    "log_kappa_x": lambda e: e.update(log_kappa_x=0.0),
    "log_kappa_y": lambda e: e.update(log_kappa_y=0.0),
    "cut": lambda e: e.update(cut=e["cut"] + 1),
    "a cut outside": lambda e: e.update(cut=99),
    "n_x": lambda e: e.update(n_x=e["n_x"] + 1),
    "n_y": lambda e: e.update(n_y=e["n_y"] + 1),
    "divergence": lambda e: e.update(divergence=99),
    "early": lambda e: e.update(early=not e["early"]),
    "n_decoded": lambda e: e.update(n_decoded=e["n_decoded"] + 1),
    "horizon": lambda e: e.update(horizon=99),
    "log p": lambda e: e["suffix"]["log_p"].__setitem__(0, e["suffix"]["log_p"][0] - 1e-6),
    "log q": lambda e: e["suffix"]["log_q"].__setitem__(0, e["suffix"]["log_q"][0] - 1e-6),
}
FORGERIES = {
    "the end's log p": lambda lines: lines[-1].update(log_p=lines[-1]["log_p"] + 1e-6),
    "an end that did not happen": change("finished", finish="length"),
    "an empty proposal": lambda lines: first(lines, "stepped")["suffix"].update(
        tokens=[], log_p=[], log_q=[], entropy=[], given=[], ended=False
    ),
    "a cut that was given": lambda lines: first(lines, "stepped")["suffix"].update(given=[0]),
    "two ends": lambda lines: lines.append(dict(lines[-1])),
    "a shorter horizon": change_settings(max_tokens=2),
}


@pytest.mark.parametrize("what", [*STEPS, *FORGERIES])
def test_a_forgery_is_found_from_the_record_alone(recorded, tmp_path, capsys, what):
    lines = lines_of(recorded[0])
    if what in FORGERIES:
        FORGERIES[what](lines)
    else:
        STEPS[what](next(x for x in lines if x["event"] == "stepped" and not x["suffix"]["ended"]))
    assert main(["replay", str(written(tmp_path, lines)), "--verify"]) == 1
    assert ("end: log p is" if what == "the end's log p" else "FAILED") in capsys.readouterr().out


FORMS = {  # and settings by which the recorded ratios are wrong
    "power:metropolised=yes": {"metropolised": False},
    "power:hot-cut=no:metropolised=yes": {"metropolised": False},
    "power:hot-cut=yes": {"hot_cut": False},
    "power:hot-cut=no": {"hot_cut": True},
    "power:start=smc:3": {"hot_cut": False},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_step_is_verified_by_its_own_ratio(tmp_path, form, capsys):
    path = tmp_path / "events"
    assert main([*RUN, "--method", form, "--chains", "2", "--events", str(path)]) == 0
    findings = verify(read_trace(path), ToyModel())
    assert (findings.problems, findings.largest, findings.changed) == ([], 0.0, 0)
    lines = lines_of(path)
    lines[0]["settings"] |= FORMS[form]
    assert verify(read_trace(written(tmp_path, lines))).problems, "the plain ratio is another"


def test_a_weight_of_nothing_at_the_first_token_is_no_contradiction(tmp_path, capsys):
    path = tmp_path / "events"
    assert main([*RUN, "--method", "power:restart-weight=0", "--steps", "20", "--events", str(path)]) == 0
    assert verify(read_trace(path), ToyModel()).problems == []


def test_what_is_not_recomputed_is_said(tmp_path, capsys):
    path = tmp_path / "events"
    assert main([*RUN[:-3], "hello", "--method", "smc", "--events", str(path)]) == 0
    assert main(["replay", str(path), "--verify"]) == 0
    assert "not checked: weights of particles" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("method", "change"),
    [("smc", {"log_w": []}), ("smc", {"parents": [99] * 8}), ("power", {"member": 30_000_000})],
)
def test_events_about_answers_that_a_run_does_not_hold_are_refused(tmp_path, method, change, capsys):
    path = tmp_path / "events"
    assert main([*RUN[:-3], "hello", "--method", method, "--events", str(path)]) == 0
    lines = lines_of(path)
    next(line for line in lines if set(change) <= set(line)).update(change)
    capsys.readouterr()
    assert main(["replay", str(written(tmp_path, lines))]) == 1
    assert "is no event of a run" in capsys.readouterr().err


def test_a_forgery_that_is_consistent_in_itself_is_found_by_the_model(recorded):
    findings = verify(read_trace(recorded[0]), ToyModel(seed=1))  # the record of another model
    assert findings.problems == []
    assert findings.largest > 0.1
    assert findings.changed > 0


def test_another_model_is_refused(recorded, tiny_paths, capsys):
    assert main(["replay", str(recorded[0]), "--verify", "-m", str(tiny_paths["f32"])]) == 1
    assert "recorded with another model (toy)" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["f32", "f16", "window", "hybrid", "recurrent"])
def test_a_run_of_a_gguf_is_evaluated_again_to_the_same_bits(tiny_paths, tmp_path, capsys, kind):
    path, model = tmp_path / "events", str(tiny_paths[kind])
    run = ["run", "-m", model, "--seed", "4", "--max-tokens", "24", "--temperature", "0.6", "--chains", "2"]
    assert main([*run, "--events", str(path), "abc"]) == 0
    assert main(["replay", str(path), "--verify", "-m", model, "--json"]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report["passed"]
    assert report["largest_difference"] == 0.0
    assert report["changed_decisions"] == 0
    assert report["evaluated_tokens"] > 3


def test_a_recording_that_was_cut_off_shows_what_it_has(recorded, tmp_path, capsys):
    data = recorded[0].read_bytes()
    path = tmp_path / "cut"
    path.write_bytes(data[: len(data) * 2 // 3])
    assert main(["replay", str(path)]) == 0
    assert "the recording ends before the run does" in capsys.readouterr().err
    assert main(["replay", str(path), "--verify"]) == 1
    assert "the recording ends before the run does" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "holds no run"),
        (b"hello\n", "line 1 of {} is no event of a run"),
        (b"[1]\n", "line 1 of {} is no event of a run"),
        (b'{"event": "sneezed"}\n', "line 1 of {} is no event of a run"),
        (
            b'{"event": "finished", "finish": "stop", "n_tokens": 1, "log_p": 0, "t": 0, "pieces": {}}\n',
            "no run",
        ),
        (b"\xff\xfe\n", "line 1 of {} is no event of a run"),
    ],
)
def test_what_is_no_recording_is_refused_in_one_line(tmp_path, capsys, data, words):
    path = tmp_path / "file"
    path.write_bytes(data)
    assert main(["replay", str(path)]) == 1
    error = capsys.readouterr().err
    assert words.format(path) in error
    assert error.count("\n") == 1


ODD = {
    "deep brackets": lambda lines: lines.insert(1, "[" * 100_000),
    "an endless time": change("extended", t=10**400),
    "a late time": change("extended", t=1e300),
    "an infinite chain": change("extended", chain=float("inf")),
    "a huge integer": lambda lines: first(lines, "extended")["suffix"].update(log_p=[10**400]),
    "numbers that are none": lambda lines: first(lines, "extended")["suffix"].update(log_q=[float("nan")]),
    "a token of words": lambda lines: first(lines, "extended")["suffix"].update(tokens=["a"]),
    "too few numbers": lambda lines: first(lines, "stepped")["suffix"].update(log_p=[]),
    "block a word": change_settings(block="x"),
    "stops a number": change_settings(stops=[1]),
    "seed negative": change_settings(seed=-1),
    "exactness a word": change_settings(exactness="foo"),
    "temperature negative": change_settings(temperature=-1),
    "max_tokens negative": change_settings(max_tokens=-100),
    "chains a word": change("started", n_chains="x"),
    "another end": change("finished", finish="\x1b[31mnonsense"),
}


@pytest.mark.parametrize("arguments", [[], ["--verify"]], ids=["show", "verify"])
@pytest.mark.parametrize("what", ODD)
def test_odd_recordings_cost_one_line(recorded, tmp_path, capsys, what, arguments):
    lines = lines_of(recorded[0])
    ODD[what](lines)
    path = tmp_path / "odd"
    path.write_text("".join((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in lines), "utf-8")
    assert main(["replay", str(path), *arguments]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "bug" not in error
    assert "\x1b" not in error


def test_another_token_in_a_greedy_run_is_found_by_the_model(tmp_path, capsys):
    path = tmp_path / "events"
    run = ["run", "--model", "toy", "--method", "low-temp", "--temperature", "0"]
    assert main([*run, "--events", str(path), "hello"]) == 0
    lines = lines_of(path)
    suffix = first(lines, "extended")["suffix"]
    suffix["tokens"][0] = 1 + suffix["tokens"][0] % 9
    assert main(["replay", str(written(tmp_path, lines)), "--verify", "-m", "toy"]) == 1
    assert "FAILED" in capsys.readouterr().out


def test_ctrl_c_ends_a_slow_replay_within_a_tenth_of_a_second(recorded):
    waited = []

    def check():
        if sum(waited) > 2.0:
            raise Interrupted

    with pytest.raises(Interrupted):
        Player(read_trace(recorded[0]), 1e-5, waited.append).play(Deaf(), check)
    assert sum(waited) < 2.11


def test_a_proposal_grows_in_the_time_it_took(recorded):
    told, waited = [], []

    class Ear:
        def event(self, chain, event):
            told.append(event)

        def asked(self, chain, context):
            told.append(len(context))

    trace = read_trace(recorded[0])
    player = Player(trace, 2.0, waited.append)
    player.play(Ear())
    drawn = sum(len(moment.event.suffix) for moment in trace.moments if hasattr(moment.event, "suffix"))
    assert len(told) == drawn + len(trace.moments)
    assert abs(sum(waited) - trace.moments[-1].seconds / 2.0) < 1e-9, "twice as fast as it was"


def test_in_a_terminal_the_live_view_plays_and_leaves_the_answer(recorded):
    terminal = Terminal("replay", str(recorded[0]), "--speed", "0.5")
    assert terminal.finish() == 0
    assert b"step" in terminal.raw
    assert recorded[1].strip() in terminal.text
    assert "step" not in terminal.text


def test_the_choice_that_a_chain_begins_with_is_checked_where_it_can_be_and_else_named(tmp_path, capsys):
    path = tmp_path / "events"
    assert main([*RUN, "--method", "power:start=best-of-n:3", "--events", str(path)]) == 0
    assert verify(read_trace(path), ToyModel()).problems == []
    lines = lines_of(path)
    first(lines, "chosen")["log_z"] += 1.0
    assert "log Z" in verify(read_trace(written(tmp_path, lines))).problems[0]
    assert main([*RUN, "--method", "power:start=smc:3", "--events", str(path)]) == 0
    assert "weights of particles" in verify(read_trace(path), ToyModel()).unchecked


@pytest.mark.parametrize("old", [{"staged": 4}, {"tries": 3}, {"cuts": "early"}])
def test_a_recording_of_a_form_that_is_gone_is_refused_by_name(recorded, tmp_path, old, capsys):
    lines = lines_of(recorded[0])
    lines[0]["settings"] |= old
    assert main(["replay", str(written(tmp_path, lines)), "--verify"]) == 1
    assert "no longer knows" in capsys.readouterr().err


def test_a_recording_of_a_method_that_is_gone_is_refused_by_name(recorded, tmp_path, capsys):
    lines = lines_of(recorded[0])
    lines[0]["method"] = "tempering"
    assert main(["replay", str(written(tmp_path, lines))]) == 1
    assert "--method tempering, which this version no longer knows" in capsys.readouterr().err
