"""The plugin of `llm`, in llm itself: its commands, its options, its log."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

import localpower as lp


@pytest.fixture(scope="module")
def cli(tmp_path_factory):
    """The command `llm` with a folder of its own, and with no plugin but ours."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLM_LOAD_PLUGINS", "localpower")
        patch.setenv("LLM_USER_PATH", str(tmp_path_factory.mktemp("llm")))
        llm_cli = pytest.importorskip("llm.cli", reason="llm is not installed: pip install 'localpower[llm]'")
        yield llm_cli.cli
        from localpower.adapters.llm import _loaded

        for model in _loaded.values():
            model.close()
        _loaded.clear()


@pytest.fixture
def ask(cli):
    """llm with some words: what it wrote to stdout, or its one error."""

    def run(*words, stdin=None, fails=False):
        done = CliRunner().invoke(cli, list(words), input=stdin)
        assert (done.exit_code != 0) is fails, done.output
        return done.stderr if fails else done.stdout

    return run


@pytest.fixture
def talker(monkeypatch, tiny_paths):
    """The user's default model: one with a chat template."""
    monkeypatch.setenv("LOCALPOWER_MODEL", str(tiny_paths["f16"]))
    with lp.load(tiny_paths["f16"]) as model:
        yield model


def options(**settings):
    return [word for key, value in settings.items() for word in ("-o", key, str(value))]


def test_llm_finds_the_plugin_by_itself_and_its_help_loads_no_llama_cpp(tmp_path):
    pytest.importorskip("llm", reason="llm is not installed: pip install 'localpower[llm]'")
    code = """if True:
        import sys, click.testing, llm.cli
        run = click.testing.CliRunner().invoke
        assert "Usage" in run(llm.cli.cli, ["--help"]).output
        assert "localpower.adapters.llm" in sys.modules
        print(run(llm.cli.cli, ["models", "-q", "localpower"]).output)
        assert "llama_cpp" not in sys.modules
    """
    environment = {"LLM_LOAD_PLUGINS": "localpower", "LLM_USER_PATH": str(tmp_path), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    listed = done.stdout.split("\n")
    assert {"localpower: localpower", "localpower: localpower/toy"} <= set(listed)
    assert any(line.startswith("localpower: localpower/lab-base") for line in listed)


@pytest.mark.parametrize(
    ("method", "beside"),
    [
        ("power", {"steps": 3, "alpha": 3}),
        ("smc:particles=3", {"alpha": 3}),
        ("low-temp", {}),
        ("base", {}),
    ],
)
def test_an_answer_is_that_of_the_library(ask, method, beside, toy):
    said = ask("-m", "localpower/toy", "the cat", *options(method=method, seed=5, max_tokens=9, **beside))
    text = ":".join((method, *(f"{key}={value}" for key, value in beside.items())))
    assert said == toy.generate("the cat", text, seed=5, max_tokens=9).text + "\n"


def test_the_log_has_the_usage_the_drawn_seed_and_what_the_answer_is(ask, toy):
    said = ask("-m", "localpower/toy", "the cat", "-u")
    (row,) = json.loads(ask("logs", "-n", "1", "--json"))
    facts = row["response_json"]
    answer = toy.generate("the cat", seed=facts["seed"])
    assert said == answer.text + "\n"
    assert (row["input_tokens"], row["output_tokens"]) == (answer.prompt_tokens, answer.n_tokens)
    assert json.loads(row["token_details"]) == {"drawn": answer.decoded_tokens}
    assert (facts["log_p"], facts["guarantee"]) == (answer.log_p, "invariant")


def test_a_conversation_goes_on_with_all_that_was_said(ask, talker):
    short = options(method="base", max_tokens=5)
    first = ask("-m", "localpower", "ab", "-s", "c", *short, *options(seed=1))[:-1]
    second = ask("-c", "ca", *short, *options(seed=2))[:-1]
    said = [{"role": "system", "content": "c"}, {"role": "user", "content": "ab"}]
    assert first == talker.generate(said, "base", seed=1, max_tokens=5).text
    said += [{"role": "assistant", "content": first}, {"role": "user", "content": "ca"}]
    assert second == talker.generate(said, "base", seed=2, max_tokens=5).text


def test_a_chat_answers_turn_after_turn(ask, talker):
    shown = ask(
        "chat", "-m", "localpower", *options(method="base", max_tokens=4, seed=1), stdin="ab\nc\nexit\n"
    )
    first = talker.generate("ab", "base", seed=1, max_tokens=4).text
    said = [("user", "ab"), ("assistant", first), ("user", "c")]
    messages = [{"role": role, "content": text} for role, text in said]
    second = talker.generate(messages, "base", seed=1, max_tokens=4).text
    assert shown.endswith(f"> ab\n{first}\n> c\n{second}\n> exit\n")


def test_text_streams_where_it_cannot_change_any_more(cli):
    import llm

    model = llm.get_model("localpower/toy")
    drawn = list(model.prompt("the cat", method="base", seed=3))
    chain = list(model.prompt("the cat", method="power", seed=3))
    assert len(drawn) > 1
    assert len(chain) == 1


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"steps": -3}, "steps of power must be a whole number of at least 0, got '-3'"),
        ({"alpha": 0.5}, "alpha of power must be a number from 1"),
        ({"alpha": "nan"}, "alpha of power must be a number"),
        ({"method": "base", "steps": 3}, "base has no setting 'steps'"),
        ({"method": "power:steps=2", "steps": 3}, "steps is given twice"),
        ({"method": "nosuch"}, "--method 'nosuch' is none of power"),
        ({"budget": "4y"}, "budget of power must be something like 30s"),
        ({"max_tokens": 0}, "max_tokens must be a whole number from 1"),
        ({"seed": -1}, "seed must be a whole number from 0"),
        ({"stop": ""}, "it must not be empty"),
        ({"top_p": 0.9}, "top_p=0.9 is refused: it would change the target"),
        ({"nosuch": 1}, "nosuch\n  Extra inputs are not permitted"),
    ],
)
def test_what_can_never_be_right_is_refused_by_name(ask, settings, said):
    error = ask("-m", "localpower/toy", "the cat", *options(**settings), fails=True)
    assert said in error
    assert "Traceback" not in error


def test_a_system_message_that_the_model_cannot_be_given_is_refused_also_in_a_chat(ask):
    line = "Error: a system message cannot be used: this model has no chat template (leave it out)\n"
    assert ask("-m", "localpower/toy", "the cat", "-s", "be brief", fails=True) == line
    assert ask("chat", "-m", "localpower/toy", "-s", "be brief", stdin="the cat\n", fails=True) == line
