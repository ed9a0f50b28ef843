"""The user's own defaults: which goes before which, and files that cannot be meant."""

from __future__ import annotations

import json
import os
import tomllib
from types import SimpleNamespace

import pytest
from click.shell_completion import ShellComplete

from localpower.cli.main import cli, main
from tests.cli.terminal import command

RUN = ("run", "-m", "toy", "--seed", "1", "--max-tokens", "8", "--json", "hello")


pytestmark = pytest.mark.usefixtures("folder")


def alpha(capsys, *more):
    assert main([*RUN, *more]) == 0
    return json.loads(capsys.readouterr().out)["alpha"]


def test_a_command_line_goes_before_the_environment_that_before_the_file(folder, capsys, monkeypatch):
    assert alpha(capsys) == 4.0
    (folder / "config.toml").write_text("alpha = 2\n")
    assert alpha(capsys) == 2.0
    (folder / "config.toml").write_text("alpha = 2\n[run]\nalpha = 3\n[chat]\nalpha = 9\n")
    assert alpha(capsys) == 3.0
    monkeypatch.setenv("LOCALPOWER_ALPHA", "5")
    assert alpha(capsys) == 5.0
    assert alpha(capsys, "--alpha", "6") == 6.0


def test_set_and_unset_leave_every_other_line_as_it_is(folder, capsys):
    path = folder / "config.toml"
    path.write_text("# mine\nsteps = 3 # few\n\n[chat]\nalpha = 9\n")
    assert main(["config", "set", "alpha", "2"]) == 0
    assert main(["config", "set", "alpha", "3"]) == 0
    assert path.read_text() == "# mine\nsteps = 3 # few\nalpha = 3.0\n\n[chat]\nalpha = 9\n"
    assert main(["config", "unset", "alpha"]) == 0
    assert path.read_text() == "# mine\nsteps = 3 # few\n\n[chat]\nalpha = 9\n"


def test_config_shows_each_value_and_where_it_comes_from(folder, capsys, monkeypatch):
    (folder / "config.toml").write_text("steps = 3\n[chat]\nmax-tokens = 99\n")
    monkeypatch.setenv("LOCALPOWER_ALPHA", "5")
    assert main(["config"]) == 0
    rows = {line.split()[0]: line.split() for line in capsys.readouterr().out.splitlines()}
    assert rows["steps"] == ["steps", "3", str(folder / "config.toml")]
    assert rows["max-tokens"] == ["max-tokens", "99", str(folder / "config.toml"), "[chat]"]
    assert rows["alpha"] == ["alpha", "5", "LOCALPOWER_ALPHA"]
    assert rows["pick"] == ["pick", "random", "built", "in"]


def test_config_shows_both_commands_where_a_value_is_for_one_of_them(folder, capsys):
    (folder / "config.toml").write_text("[chat]\nmax-tokens = 99\nno-session = true\n[run]\nsteps = 7\n")
    assert main(["config"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    path = str(folder / "config.toml")
    assert ["max-tokens", "256", "built", "in", "[run]"] in rows
    assert ["max-tokens", "99", path, "[chat]"] in rows
    assert [row for row in rows if row[0] == "steps"] == [
        ["steps", "7", path, "[run]"], ["steps", "5", "built", "in", "[chat]"],
    ]  # fmt: skip
    assert [row for row in rows if row[0] == "no-session"] == [["no-session", "on", path, "[chat]"]]


@pytest.mark.parametrize(
    ("text", "words", "code"),
    [
        ("colour = 1\n", "sets colour, which is no setting", 1),
        ("[chat]\ntop-k = 1\n", "sets [chat] top-k, which is no setting", 1),
        ("[eval]\nalpha = 1\n", "sets eval, which is no setting", 1),
        ("alpha = ['x']\n", "sets alpha, which is no setting", 1),
        ("stop = [1]\n", "sets stop, which is no setting", 1),
        ("alpha = [1]\n", "sets alpha, which is no setting", 1),
        ("alpha =\n", "cannot read", 1),
        ("alpha = 0.5\n", "expected a number of at least 1, got 0.5", 2),
        ('method = "magic"\n', "'magic' is none of", 2),
    ],
)
def test_a_file_that_cannot_be_meant_is_one_line(folder, capsys, text, words, code):
    (folder / "config.toml").write_text(text)
    assert main([*RUN]) == code
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(("key", "value"), [("alpha", ".5"), ("colour", "1"), ("fast", "maybe")])
def test_set_takes_what_the_command_line_would_take(folder, capsys, key, value):
    assert main(["config", "set", key, value]) == 2
    assert not (folder / "config.toml").exists()


def test_a_broken_file_keeps_nobody_from_help(folder, capsys):
    (folder / "config.toml").write_text("alpha =\n")
    assert main(["run", "--help"]) == 0


def test_an_eval_takes_the_machine_from_the_file_and_nothing_that_changes_answers(folder, capsys):
    (folder / "config.toml").write_text("alpha = 2\nmodel = 'toy'\n")
    out = folder / "runs"
    assert main(["eval", "tiny", "--limit", "2", "--max-tokens", "4", "--seed", "1", "--out", str(out)]) == 0
    settings = json.loads((out / "settings.json").read_text())
    assert list(settings["models"]) == ["toy"]
    assert settings["methods"]["power"]["alpha"] in (None, 4.0)


def test_a_chat_names_the_file_as_the_source_of_a_value(folder, capsys):
    from localpower.cli.chat import chat
    from localpower.cli.slash_settings import _source

    (folder / "config.toml").write_text("alpha = 2\n")
    context = chat.make_context("chat", [])

    talk = SimpleNamespace(changed=set(), from_preset=set(), sources={}, options=dict(context.params))
    alpha = next(param for param in chat.params if param.name == "alpha")
    assert _source(talk, context, "alpha", alpha) == "config"


def test_a_setting_of_one_command_is_set_and_unset_in_its_table(folder, capsys):
    path = folder / "config.toml"
    path.write_text("# mine\nsteps = 3\n\n[run]\nalpha = 9 # high\n")
    for key, value in (("chat.max-tokens", "512"), ("run.steps", "4"), ("chat.alpha", "2"), ("alpha", "5")):
        assert main(["config", "set", key, value]) == 0
    assert path.read_text() == (
        "# mine\nsteps = 3\nalpha = 5.0\n\n[run]\nalpha = 9 # high\nsteps = 4\n\n[chat]\nmax-tokens = 512\nalpha = 2.0\n"
    )
    for key in ("chat.max_tokens", "run.alpha", "chat.colour"):
        assert main(["config", "unset", key]) == (2 if "colour" in key else 0)
    assert tomllib.loads(path.read_text()) == {
        "steps": 3, "alpha": 5.0, "run": {"steps": 4}, "chat": {"alpha": 2.0}
    }  # fmt: skip


def test_several_stops_are_a_list_and_any_character_is_kept(folder, capsys):
    assert main(["config", "set", "stop", "###", 'a"\U0001f600\n']) == 0
    found = tomllib.loads((folder / "config.toml").read_text("utf-8"))
    assert found == {"stop": ["###", 'a"\U0001f600\n']}
    assert main(["config", "set", "alpha", "2", "3"]) == 2
    assert main([*RUN, "--events", str(folder / "e.jsonl")]) == 0
    started = json.loads((folder / "e.jsonl").read_text().splitlines()[0])
    assert started["settings"]["stops"] == found["stop"]


@pytest.mark.parametrize(
    ("key", "value", "shown"), [("seed", "7", 7), ("thinking-budget", "3", 3), ("think", "off", False)]
)
def test_settings_of_thoughts_and_chance_have_defaults_too(folder, capsys, key, value, shown):
    assert main(["config", "set", key, value]) == 0
    assert tomllib.loads((folder / "config.toml").read_text()) == {key: shown}
    assert main([*RUN[:3], *RUN[5:]]) == 0
    said = capsys.readouterr()
    words = {
        "seed": '"seed": 7',
        "think": "--no-think is not used",
        "thinking-budget": "--thinking-budget is not used",
    }
    assert words[key] in said.out + said.err


def test_a_quiet_default_says_nothing_beside_the_answer(folder, capsys):
    (folder / "config.toml").write_text("quiet = true\n")
    assert main([*RUN]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script(shell, capsys):
    assert main(["completion", shell]) == 0
    assert "_LOCALPOWER_COMPLETE" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("run --method po", "power"),
        ("run --method base,power:block=3:cu", "base,power:block=3:cuts="),
        ("eval cou", "countdown"),
        ("run -m lab-b", "lab-base"),
        ("ses", "sessions"),
        ("run --preset qu", "quick"),
        ("config set chat.max", "chat.max-tokens"),
        ("config unset presets.x.thinking", "presets.x.thinking-budget"),
        ("lo", "log"),
    ],
)
def test_names_and_values_are_completed(words, expected):
    *before, begun = words.split()
    found = ShellComplete(cli, {}, "localpower", "_LOCALPOWER_COMPLETE").get_completions(before, begun)
    assert expected in [each.value for each in found if each.type == "plain"]


def test_a_shell_is_answered():
    asked = {"_LOCALPOWER_COMPLETE": "bash_complete", "COMP_WORDS": "localpower lo", "COMP_CWORD": "1"}
    assert "plain,log" in command(env=os.environ | asked).stdout.splitlines()


def test_a_default_model_means_nothing_to_a_replay(folder, capsys, monkeypatch):
    path = folder / "run.jsonl"
    assert main([*RUN, "--events", str(path)]) == 0
    monkeypatch.setenv("LOCALPOWER_MODEL", "lab-base")
    assert main(["replay", str(path)]) == 0
    assert main(["replay", str(path), "--verify"]) == 0


@pytest.mark.parametrize(
    "text", ['system = """\n[INST] be nice\n"""\n', 'system = """\nalpha = 1\n"""\n', '"\\u0061lpha" = 2\n']
)
def test_a_file_that_set_cannot_change_safely_is_left_as_it_is(folder, capsys, text):
    (folder / "config.toml").write_text(text)
    code = main(["config", "set", "alpha", "3"])
    assert (code, (folder / "config.toml").read_text()) == (1, text)
    assert "set alpha there by hand" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "words"), [("chains = 1.5", "chains"), ("fast = 7", "fast"), ("chains = inf", "chains")]
)
def test_a_value_that_no_command_line_would_take_names_its_file(folder, capsys, text, words):
    (folder / "config.toml").write_text(text + "\n")
    assert main([*RUN]) == 2
    assert f"{folder}/config.toml: {words}: " in capsys.readouterr().err


def test_a_damaged_model_costs_a_process_of_its_own(folder, capsys):
    from localpower.catalogue import ENTRIES

    path = folder / "x.gguf"
    path.write_bytes(ENTRIES["lab-base"].path().read_bytes()[:2000])
    assert main(["models", "show", str(path)]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
