"""Presets: settings under a name, what goes before them, and ones that cannot be meant."""

from __future__ import annotations

import json
import os

import pytest

from localpower.cli.main import main
from tests.cli.terminal import command

RUN = ("run", "-m", "toy", "--seed", "1", "--max-tokens", "8", "--json", "hello")


pytestmark = pytest.mark.usefixtures("folder")


def run(capsys, *more):
    assert main([*RUN, *more]) == 0
    shown = capsys.readouterr()
    return json.loads(shown.out), shown.err


def chat(text, *more, code=0):
    wide = os.environ | {"COLUMNS": "200"}
    done = command("chat", "-m", "toy", "--max-tokens", "3", *more, stdin=text, env=wide)
    assert done.returncode == code, done.stderr
    return done.stderr


def row(said, name):
    return next(line.split() for line in said.splitlines() if line.split()[:1] == [name])


@pytest.mark.parametrize(("name", "steps"), [("quick", 3), ("careful", 20)])
def test_two_presets_are_built_in(capsys, name, steps):
    assert run(capsys, "--preset", name)[0]["steps"] == steps
    assert main(["methods"]) == 0
    assert row(capsys.readouterr().out, name)[:3] == [name, "steps", str(steps)]


def test_a_command_line_goes_before_a_preset_that_before_the_environment(folder, capsys, monkeypatch):
    (folder / "config.toml").write_text("steps = 1\nalpha = 2\n[presets.mine]\nsteps = 7\nmax-tokens = 5\n")
    monkeypatch.setenv("LOCALPOWER_STEPS", "2")
    found, _ = run(capsys, "--preset", "mine")
    assert (found["steps"], found["alpha"], found["max_tokens"]) == (7, 2.0, 8)
    assert run(capsys, "--preset", "mine", "--steps", "4")[0]["steps"] == 4
    assert run(capsys)[0]["steps"] == 2


def test_a_preset_of_the_users_own_goes_before_the_one_of_that_name(folder, capsys):
    (folder / "config.toml").write_text("[presets.quick]\nalpha = 9\n")
    found, _ = run(capsys, "--preset", "quick")
    assert (found["alpha"], found["steps"]) == (9.0, 5)


def test_a_preset_may_be_the_default_and_be_taken_away(capsys, monkeypatch):
    monkeypatch.setenv("LOCALPOWER_PRESET", "quick")
    assert run(capsys)[0]["steps"] == 3
    assert run(capsys, "--preset", "careful")[0]["steps"] == 20
    assert run(capsys, "--preset", "none")[0]["steps"] == 5
    assert main(["config"]) == 0
    assert row(capsys.readouterr().out, "steps") == ["steps", "3", "preset", "quick"]


def test_config_shows_where_a_preset_is_named_that_is_not_there(folder, capsys):
    (folder / "config.toml").write_text("preset = 'nobody'\n")
    assert main(["config"]) == 0
    shown = capsys.readouterr()
    assert row(shown.out, "preset") == ["preset", "nobody", str(folder / "config.toml")]
    assert "there is no preset 'nobody'" in shown.err


def test_an_eval_takes_a_preset_that_is_given_and_none_that_is_a_default(folder, capsys, monkeypatch):
    monkeypatch.setenv("LOCALPOWER_PRESET", "quick")
    arguments = ["eval", "tiny", "-m", "toy", "--limit", "1", "--max-tokens", "4", "--method", "power"]
    for more, steps in (([], None), (["--preset", "careful"], 20)):
        out = folder / str(steps)
        assert main([*arguments, *more, "--out", str(out)]) == 0
        assert json.loads((out / "settings.json").read_text())["methods"]["power"]["steps"] == steps


@pytest.mark.parametrize(
    ("text", "words", "code"),
    [
        ("[presets.x]\ncolour = 1\n", "sets [presets.x] colour, which is no setting", 1),
        ("[presets.x]\nfast = true\n", "sets [presets.x] fast, which is no setting", 1),
        ("[presets.x]\nparticles = 3\n", 'as in method = "smc:particles=8"', 1),
        ("[presets]\nx = 3\n", "sets presets.x, which is no preset", 1),
        ('[presets."a b"]\nsteps = 3\n', "which is no preset", 1),
        ("presets = 3\n", "sets presets, which is no setting", 1),
        ('[presets.x]\nmethod = "smc"\nsteps = 3\n', "sets steps, which its method smc does not have", 1),
        ('[presets.x]\nmethod = "magic"\n', "the preset x (", 1),
        ("[presets.x]\nalpha = 0.5\n", "preset x (", 2),
        ("[presets.y]\nalpha = 2\n", "there is no preset 'x'; presets: quick, careful, y", 2),
    ],
)
def test_a_preset_that_cannot_be_meant_is_one_line(folder, capsys, text, words, code):
    (folder / "config.toml").write_text(text)
    assert main([*RUN, "--preset", "x"]) == code
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == 1


def test_what_a_preset_sets_in_vain_is_told(folder, capsys):
    _, err = run(capsys, "--preset", "quick", "--method", "base")
    assert "note: --preset quick: steps means nothing to this method" in err
    (folder / "config.toml").write_text("[presets.x]\nchains = 2\n")
    arguments = ["eval", "tiny", "-m", "toy", "--limit", "1", "--preset", "x", "--method", "base"]
    assert main([*arguments, "--out", str(folder / "r")]) == 0
    assert "note: --preset x: chains means nothing to eval" in capsys.readouterr().err


def test_a_chat_shows_what_comes_from_its_preset_and_changes_it(folder):
    (folder / "config.toml").write_text("[presets.mine]\nalpha = 3\nsteps = 7\n")
    lines = "/set steps\n/preset mine\n/set alpha\n/preset careful\n/set alpha\n/preset none\n/set steps\n"
    said = chat(lines, "--preset", "quick")
    lines = [line.split() for line in said.splitlines()]
    steps = [line[1:4] for line in lines if line[:1] == ["steps"]]
    alpha = [line[1:4] for line in lines if line[:1] == ["alpha"]]
    assert steps == [
        ["3", "preset", "quick"], ["7", "preset", "mine"], ["20", "preset", "careful"], ["automatic:", "5", "default"],
    ]  # fmt: skip
    assert alpha == [["3.0", "preset", "mine"], ["3.0", "preset", "mine"], ["automatic:", "4", "default"]]


def test_a_chat_goes_back_to_what_its_command_line_said_when_a_preset_is_taken_away():
    said = chat("/preset careful\n/preset none\n/set steps\n", "--steps", "2")
    assert row(said.split("preset none")[1], "steps")[1:4] == ["2", "command", "line"]


def test_a_setting_put_back_in_a_chat_is_its_presets(folder):
    said = chat("/steps 9\n/steps default\n", "--preset", "quick")
    steps = [line.split()[1:4] for line in said.splitlines() if line.startswith("steps")]
    assert steps == [["9", "set", "here"], ["3", "preset", "quick"]]


def test_a_chat_lists_the_presets_with_what_they_set(folder):
    (folder / "config.toml").write_text("[presets.mine]\nalpha = 3\n")
    lines = [line.strip() for line in chat("/preset\n").splitlines()]
    assert any(line.startswith("careful:") and line.endswith("(steps 20)") for line in lines)
    assert any(line.startswith("mine:") and line.endswith("(alpha 3)") for line in lines)


def test_a_preset_that_is_not_there_changes_nothing_in_a_chat():
    said = chat("/preset bold\n/set steps\n", "--preset", "quick", code=1)
    assert "there is no preset 'bold'" in said
    assert row(said, "steps")[1] == "3"


def test_a_preset_is_written_by_config_set(folder, capsys):
    for key, value in (("presets.mine.steps", "7"), ("presets.mine.method", "power:block=4")):
        assert main(["config", "set", key, value]) == 0
    capsys.readouterr()
    assert run(capsys, "--preset", "mine")[0]["settings"]["block"] == 4
    assert main(["config", "set", "presets.mine.fast", "on"]) == 2
    assert main(["config", "set", "preset", "nobody"]) == 2
