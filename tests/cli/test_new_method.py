"""A method is one object: what is registered here is found by every command, and no other file knows of it."""

from __future__ import annotations

import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace

import pytest

from localpower import registry
from localpower.cli.chat import chat
from localpower.cli.main import main
from localpower.cli.requests import sampling
from localpower.cli.slash import obey
from localpower.errors import UsageProblem
from localpower.runs.trace import read_trace
from localpower.runs.verify import verify
from localpower.toy import ToyModel

TOY = ("--model", "toy", "--seed", "1")


EXAMPLE = Path(__file__).parent.parent.parent / "docs/examples/localpower-longest/localpower_longest.py"
SPEC = spec_from_file_location("localpower_longest", EXAMPLE)
MODULE = module_from_spec(SPEC)
SPEC.loader.exec_module(MODULE)
Longest = MODULE.Longest


class Talk:
    """What /set changes."""

    def __init__(self, options):
        self.options = options
        self.changed, self.from_preset, self.sources = set(), frozenset(), {}

    def set(self, options):
        sampling(options)
        self.options = options


@pytest.fixture(autouse=True)
def registered():
    registry.register(Longest)
    yield
    registry.unregister("longest")


def ran(capsys, *arguments):
    assert main(list(arguments)) == 0
    return capsys.readouterr()


def test_run_draws_by_it_with_its_settings_and_refuses_those_it_lacks(capsys):
    run = ("run", *TOY, "--max-tokens", "8")
    result = json.loads(ran(capsys, *run, "--method", "longest:n=5", "--json", "x").out)
    assert (result["method"], result["settings"]["n"], result["guarantee"]) == ("longest", 5, "approximate")
    assert "approximate" in ran(capsys, "methods").out.split("longest")[1].splitlines()[0]
    assert "[default: 3]" in ran(capsys, "methods", "longest").out
    assert main([*run, "--method", "longest:n=10", "x"]) == 2
    assert "n of longest must be a whole number from 1 to 9, got '10'" in capsys.readouterr().err
    assert main([*run, "--method", "longest:m=1", "x"]) == 2
    assert "it has n" in capsys.readouterr().err
    assert (
        "--alpha means nothing to --method longest"
        in ran(capsys, *run, "--method", "longest", "--alpha", "2", "x").err
    )


def test_budgets_fit_it_and_its_recording_is_verified_and_replayed(tmp_path, capsys):
    path = tmp_path / "events"
    run = ("run", *TOY, "--max-tokens", "8", "--method", "longest", "--events", str(path))
    shown = ran(capsys, *run, "--budget", "16t", "--json", "x")
    assert len(json.loads(shown.out)["tokens"]) <= 5
    assert "--budget 16t: answers of at most 5 tokens" in shown.err
    findings = verify(read_trace(path), ToyModel())
    assert (findings.problems, findings.largest) == ([], 0.0)
    assert ran(capsys, "replay", str(path)).out.rstrip("\n") == json.loads(shown.out)["text"]
    assert main(["replay", str(path), "--verify"]) == 0


def test_eval_compares_it_with_others(tmp_path, capsys):
    out = ran(
        capsys, "eval", "tiny", *TOY, "--limit", "3", "--max-tokens", "6", "--method", "base,longest:n=2",
        "--out", str(tmp_path / "runs"),
    ).out  # fmt: skip
    assert "longest:n=2" in out


def test_set_knows_its_settings():
    context = chat.make_context("chat", [])
    talk = Talk(dict(context.params))
    obey("/set method longest", talk, context)
    obey("/set n 4", talk, context)
    assert talk.options["method"] == "longest:n=4"
    obey("/set n default", talk, context)
    assert talk.options["method"] == "longest"
    with pytest.raises(UsageProblem, match="n of longest"):
        obey("/set n 99", talk, context)


def test_set_shows_what_is_in_force_when_the_method_brings_its_own():
    context = chat.make_context("chat", [])
    talk = Talk(dict(context.params))
    obey("/set method power:alpha=2:steps=3", talk, context)
    assert (talk.options["method"], talk.options["alpha"], talk.options["steps"]) == ("power", 2.0, 3)
    obey("/set alpha 3", talk, context)
    assert (talk.options["method"], talk.options["alpha"]) == ("power", 3.0)


def test_a_name_that_is_taken_is_refused():
    with pytest.raises(ValueError, match="there is a method called longest"):
        registry.register(Longest)


def test_a_package_adds_a_method_by_its_entry_point(monkeypatch):
    entry = SimpleNamespace(name="other", load=lambda: Longest)
    monkeypatch.setattr(registry, "_entries", lambda: {"other": entry})
    assert "other" in registry.names()
    assert registry.find("other") is Longest
    entry.load = lambda: 3
    with pytest.raises(UsageProblem, match="gives 3"):
        registry.find("other")
