"""The model of lm-evaluation-harness, in the harness itself: generated answers, log-likelihoods, its command."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys

import numpy as np
import pytest

import localpower as lp

pytest.importorskip(
    "lm_eval", reason="lm_eval is not installed: scripts/adapters installs it and runs these tests"
)
pytestmark = pytest.mark.filterwarnings("default")  # of the harness and of what it imports

ROWS = [
    {"id": str(i), "q": question, "answer": "a", "choices": ["a", "bc", "ca"], "gold": 1}
    for i, question in enumerate(["ab", "abc", "cb", "c"])
]
TASK = {
    "dataset_path": "json",
    "test_split": "test",
    "doc_to_text": "{{q}}",
    "doc_to_target": "{{answer}}",
    "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
}
GENERATED = {
    "task": "drawn",
    "output_type": "generate_until",
    "generation_kwargs": {"until": ["cc"], "max_gen_toks": 9, "do_sample": False},
}
CHOSEN = {
    "task": "chosen",
    "output_type": "multiple_choice",
    "doc_to_choice": "{{choices}}",
    "doc_to_target": "{{gold}}",
    "target_delimiter": "",
    "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
}
ROLLED = {
    "task": "rolled",
    "output_type": "loglikelihood_rolling",
    "doc_to_text": "",
    "doc_to_target": "{{q}}",
} | {"metric_list": [{"metric": "bits_per_byte", "aggregation": "bits_per_byte", "higher_is_better": False}]}


@pytest.fixture(scope="module", autouse=True)
def offline(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("HF_HOME", str(tmp_path_factory.mktemp("hf")))
        patch.setenv("HF_DATASETS_CACHE", str(tmp_path_factory.mktemp("datasets")))
        yield


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
    return path


@pytest.fixture
def harness(tiny_paths, rows):
    """Run a task; its samples in order, as the harness logs them, and the configuration of its results."""
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager

    import localpower.adapters.lm_eval  # noqa: F401 - its import makes the model known

    def run(task, model="f16", **settings):
        more = settings.pop("more", {})
        files = {"data_files": {"test": str(rows)}}
        found = simple_evaluate(
            model="localpower",
            model_args={"model": str(tiny_paths[model]), **settings},
            tasks=[copy.deepcopy(TASK | task | {"dataset_kwargs": files})],
            log_samples=True,
            task_manager=TaskManager(include_defaults=False),  # it would read thousands of files
            bootstrap_iters=0,
            **more,
        )
        samples = sorted(found["samples"][task["task"]], key=lambda sample: sample["doc_id"])
        return samples, found["config"]

    return run


@pytest.mark.parametrize("chat", [False, True])
def test_generated_answers_are_those_of_our_own_eval(harness, tiny_paths, rows, tmp_path, chat):
    samples, told = harness(GENERATED, method="power:steps=2", seed=3, more={"apply_chat_template": chat})
    task = tmp_path / "mine.toml"
    task.write_text(
        f'data = "{rows}"\nprompt = "{{q}}"\nmax_tokens = 9\nstops = ["cc"]\ntemplate = {str(chat).lower()}\n'
    )
    with lp.load(tiny_paths["f16"]) as model:
        method = lp.Power(steps=2, alpha=None if chat else 4)
        run = lp.evaluate([str(task)], models=[model], methods=[method], seed=3, out=tmp_path / "out")
    own = {answer.id: answer.text for answer in run.answers}
    assert {sample["doc"]["id"]: sample["resps"][0][0] for sample in samples} == own
    assert len(set(own.values())) > 1
    assert told["localpower"]["guarantee"] == "invariant"
    assert told["localpower"]["drawn_tokens"] > 0
    assert samples[0]["arguments"][0][0] == ("[ab]:" if chat else "ab")


def test_log_likelihoods_are_those_of_a_direct_evaluation_bit_for_bit(harness, tiny_paths):
    samples, _ = harness(CHOSEN, model="f32")
    with lp.load(tiny_paths["f32"]) as model:
        engine = model.space((0,), 32, 1, _Never(), 1, 1)
        for sample in samples:
            prompt = model.loaded.written(sample["doc"]["q"])
            for text, (given,) in zip(sample["doc"]["choices"], sample["resps"], strict=True):
                tokens = model.loaded.written(text)
                engine.prompt_length = len(prompt)
                greedy = [int(np.argmax(row)) for row in engine.rows(prompt, tokens)] == list(tokens)
                assert tuple(given) == (float(np.sum(engine.score(prompt, tokens))), greedy)
    assert {sample["resps"][i][0][1] for sample in samples for i in range(3)} == {True, False}


def test_a_rolling_log_likelihood_adds_up_over_windows(harness, tiny_paths):
    whole, _ = harness(ROLLED, model="f32")
    with lp.load(tiny_paths["f32"]) as model:
        opener = (model.loaded.opener(),)
        for sample in whole:
            (each,) = lp.score(model, [(opener, sample["doc"]["q"])])
            assert sample["resps"][0][0] == each.log_p
        short, _ = harness(ROLLED, model="f32", ctx=3)  # two tokens at most after the opener, or three in all
        a, b, c = model.loaded.written("abc")
        first, second = lp.score(model, [(opener, (a, b)), ((a, b), (c,))])
        assert short[1]["resps"][0][0] == pytest.approx(first.log_p + second.log_p, abs=1e-12)


class _Never:
    def check(self):
        pass


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"pretrained": "x"}, "no model argument 'pretrained'"),
        ({"top_p": 0.5}, "top_p=0.5 is refused: it would change the target"),
        ({"method": "base", "steps": 3}, "base has no setting 'steps'"),
        ({"gen": {"top_k": 40}}, "top_k=40 is refused"),
        ({"gen": {"num_beams": 4}}, "does not know the generation setting 'num_beams'"),
        ({"ctx": 8}, "more than the context of 8"),
    ],
)
def test_what_would_change_the_target_or_does_not_fit_is_refused_by_name(harness, settings, said):
    more = {"gen_kwargs": settings.pop("gen")} if "gen" in settings else {}
    with pytest.raises(lp.UserError, match=said):
        harness(GENERATED, more=more, **settings)


def test_settings_that_change_nothing_may_be_given(harness):
    plain, _ = harness(GENERATED, method="base")
    same, _ = harness(GENERATED, method="base", more={"gen_kwargs": {"top_p": 1.0, "temperature": 0.7}})
    assert [sample["resps"] for sample in same] == [sample["resps"] for sample in plain]


def test_the_harness_own_command_knows_the_model(tmp_path, rows, tiny_paths):
    task = TASK | GENERATED | {"dataset_kwargs": {"data_files": {"test": str(rows)}}}
    (tmp_path / "drawn.yaml").write_text(json.dumps(task), "utf-8")  # JSON is YAML
    words = f"run --tasks drawn --include_path {tmp_path} --model_args model={tiny_paths['f16']},steps=2"
    command = [sys.executable, "-m", "localpower.adapters.lm_eval", *words.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    assert "|exact_match|" in done.stdout
    wrong = subprocess.run([*command, "alpha=0"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert wrong.stderr.splitlines()[-1].startswith("localpower: alpha of power must be a number from 1")
    assert "Traceback" not in wrong.stderr
