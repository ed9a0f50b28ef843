"""`run --tools` and `replay --verify` through the real command, on the toy model, which calls nothing."""

from __future__ import annotations

import json

import pytest

from tests.cli.terminal import command

TOY = ("run", "--model", "toy", "--seed", "1", "--max-tokens", "16", "--no-log", "--tools", "calculator")


def test_a_run_with_tools_tells_their_part_and_is_verified_with_them(tmp_path):
    events = tmp_path / "run.jsonl"
    done = command(*TOY, "--json", "--events", str(events), "hello there")
    assert done.returncode == 0, done.stderr
    assert "tools calculator: no call · 0 calls made in all" in done.stderr
    trace = json.loads(done.stdout)["trace"]
    assert (trace["format"], trace["environment"], trace["calls"]) == ("plain", "calculator", 0)
    assert trace["tools"][0]["function"]["name"] == "calculator"
    started = json.loads(events.read_text("utf-8").splitlines()[0])
    assert started["settings"]["tools"]["turns"] == 8
    checked = command("replay", "--verify", str(events), "--json")
    assert checked.returncode == 0, checked.stdout
    assert json.loads(checked.stdout)["observations"] == 0


@pytest.mark.parametrize(
    ("arguments", "line", "code"),
    [
        (
            ("--method", "lookahead"),
            "--method lookahead cannot use tools (methods that can: power, base, low-temp",
            2,
        ),
        (("--fresh-environment",), "this environment answers the same at any time", 2),
        (("--tool-format", "hermes"), "takes a model with a chat template, and no --raw (plain needs no", 2),
        (("--observation-tokens", "1"), "--observation-tokens 1 is not enough for this model", 2),
        (("-m", "lab-tools"), "cannot spell what tools answer in the format plain (--tool-format inline", 2),
        (("--tools", "nowhere"), "there are no tools 'nowhere'", 2),
    ],
)
def test_what_cannot_be_is_one_line_and_draws_nothing(arguments, line, code):
    done = command(*TOY, *arguments, "hello")
    assert (done.returncode, done.stdout) == (code, "")
    assert line in done.stderr
    assert done.stderr.count("localpower: ") == 1


@pytest.mark.parametrize("option", ["--max-turns", "--observation-tokens", "--environment-seed"])
def test_a_setting_of_tools_without_tools_is_refused_by_name(option):
    done = command(*TOY[:-2], option, "3", "hello")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{option} means nothing without --tools" in done.stderr
