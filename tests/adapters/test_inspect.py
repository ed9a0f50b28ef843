"""The provider of Inspect, in Inspect itself: a task evaluated, its settings, what it refuses."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys

import pytest

import localpower as lp

pytest.importorskip(
    "inspect_ai", reason="inspect_ai is not installed: scripts/adapters installs it and runs these tests"
)
pytestmark = pytest.mark.filterwarnings("default")  # of Inspect and of what it imports

TASK = """
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import includes
from inspect_ai.solver import generate

@task
def cats():
    rows = [Sample(input=text, target="cat") for text in ("the cat", "a dog", "the dog sees")]
    return Task(dataset=rows, solver=generate(), scorer=includes())
"""


@pytest.fixture
def model(tiny_paths):
    """A model by Inspect's own name for it, with a chat template unless it is the toy."""
    from inspect_ai.model import get_model

    def make(name=None, **settings):
        return get_model(f"localpower/{name or tiny_paths['f16']}", memoize=False, **settings)

    return make


def asked(model, prompt, tools=(), **config):
    from inspect_ai.model import GenerateConfig

    return asyncio.run(model.generate(prompt, tools=tools, config=GenerateConfig(**config)))


def test_inspect_eval_runs_a_task_with_the_librarys_answers(tmp_path, toy):
    (tmp_path / "task.py").write_text(TASK, "utf-8")
    words = "eval task.py --model localpower/toy --display none --log-format json --seed 7"
    words += " -M method=power -M steps=3 --max-tokens 9"
    command = [sys.executable, "-m", "inspect_ai", *words.split()]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr + done.stdout
    (log,) = (tmp_path / "logs").glob("*.json")
    found = json.loads(log.read_text("utf-8"))
    assert found["status"] == "success"
    for sample in found["samples"]:
        answer = toy.generate(sample["input"], lp.Power(steps=3), seed=7, max_tokens=9)
        assert sample["output"]["choices"][0]["message"]["content"] == answer.text
        facts = sample["output"]["metadata"]["localpower"][0]
        assert (facts["log_p"], facts["seed"], facts["guarantee"]) == (answer.log_p, 7, "invariant")
        assert sample["output"]["usage"]["output_tokens"] == answer.n_tokens


def test_choices_stops_lengths_and_log_probabilities_are_those_of_the_library(model):
    output = asked(
        model(method="base"), "ab", seed=3, num_choices=2, max_tokens=6, stop_seqs=["cc"], logprobs=True
    )
    with lp.load(str(model().name)) as own:
        answers = [own.generate("ab", "base", seed=s, max_tokens=6, stops=["cc"]) for s in (3, 4)]
    assert [choice.message.content for choice in output.choices] == [each.text for each in answers]
    ends = {"stop": "stop", "length": "max_tokens"}
    assert [choice.stop_reason for choice in output.choices] == [ends[each.finish] for each in answers]
    for choice, answer in zip(output.choices, answers, strict=True):
        assert len(choice.logprobs.content) == answer.n_tokens
        assert sum(each.logprob for each in choice.logprobs.content) == pytest.approx(answer.log_p, abs=1e-12)


def test_a_conversation_is_sent_whole(model):
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser

    roles = [ChatMessageSystem, ChatMessageUser, ChatMessageAssistant, ChatMessageUser]
    said = [("system", "c"), ("user", "ab"), ("assistant", "ba"), ("user", "ca")]
    messages = [role(content=text) for role, (_, text) in zip(roles, said, strict=True)]
    output = asked(model(), messages, seed=1, max_tokens=5)
    with lp.load(str(model().name)) as own:
        plain = [{"role": role, "content": text} for role, text in said]
        assert output.completion == own.generate(plain, seed=1, max_tokens=5).text


def test_many_at_once_get_their_own_answers_and_one_that_cannot_be_asked_harms_none(model):
    from inspect_ai.model import GenerateConfig

    one = model(method="power:steps=2", ctx=60)
    texts = ["ab", "c" * 80, "abc", "b", "ca", "cb"]

    async def all_of_them():
        each = (one.generate(t, config=GenerateConfig(seed=i, max_tokens=8)) for i, t in enumerate(texts))
        return await asyncio.gather(*each, return_exceptions=True)

    found = asyncio.run(all_of_them())
    assert "more than the context of 60" in str(found[1])
    with lp.load(str(one.name), ctx=60) as own:
        for i, text in enumerate(texts):
            if i != 1:
                answer = own.generate(text, "power:steps=2", seed=i, max_tokens=8)
                assert found[i].completion == answer.text


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"alpha": 0}, "alpha of power must be a number from 1"),
        ({"top_k": 5}, "top_k=5 is refused"),
        ({"nosuch": 5}, "no model argument 'nosuch'"),
        ({"method": "base", "steps": 5}, "base has no setting 'steps'"),
    ],
)
def test_model_arguments_that_can_never_be_right_are_one_line(model, settings, said):
    from inspect_ai._util.error import PrerequisiteError

    with pytest.raises(PrerequisiteError) as refused:
        model("toy", **settings)
    assert said in str(refused.value.message)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"top_p": 0.9}, "top_p=0.9 is refused: it would change the target"),
        ({"frequency_penalty": 0.5}, "frequency_penalty=0.5 is refused"),
        ({"best_of": 3}, "best_of is not offered"),
        ({"top_logprobs": 3}, "top_logprobs is not offered"),
        ({"system_message": "be brief"}, "no chat template for a system message"),
    ],
)
def test_settings_of_a_task_that_are_not_offered_are_refused_by_name(model, config, said):
    with pytest.raises(lp.UserError, match=said):
        asked(model("toy"), "the cat", **config)


def test_tools_are_refused_by_name(model):
    from inspect_ai.tool import tool

    @tool
    def adder():
        async def execute(x: int):
            """Add one.

            Args:
                x: A number.
            """
            return x + 1

        return execute

    with pytest.raises(lp.UserError, match="tools are not offered by localpower: the task has adder"):
        asked(model("toy"), "the cat", tools=[adder()])


def test_low_temperature_takes_the_tasks_temperature(model, toy):
    cold = toy.generate("the cat", lp.LowTemperature(temperature=0), seed=1).text
    assert asked(model("toy", method="low-temp"), "the cat", seed=1, temperature=0.0).completion == cold
