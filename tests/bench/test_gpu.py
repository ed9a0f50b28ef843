"""GPUs without one: what is chosen on curves that others published, and the script that measures a card."""

from __future__ import annotations

import json
import sys
from functools import partial
from types import SimpleNamespace
from unittest.mock import MagicMock

import click
import pytest

from localpower.cli.main import cli
from localpower.completion import PLAIN
from localpower.engine.probe import Verdict
from localpower.engine.settings import exact_candidates, fast
from localpower.evals.jobs import RenderedProblem
from localpower.evals.problem import Problem
from localpower.evals.running import best_parallel
from localpower.evals.tasks import TASKS
from localpower.loaded.gguf import LoadedGguf
from localpower.loading import ALL_LAYERS, _layers
from localpower.readers import AUTO_LAYERS
from localpower.width import best_width, relative_cost
from scripts.measure import gpu

# Tokens a second by rows, an 8B in Q4_0 unless said: llama.cpp pull requests 7676 (4090; its lone row is about 150),
# 15131 (4090, BF16), 17505 (MI60, at 32k of context), 29152 (3090, a mixture of experts), and docs/performance.md (H200).
CARDS = {
    "4090": {1: 150, 16: 1937, 32: 3428, 64: 5420},
    "4090 bf16": {1: 65, 2: 124, 4: 246, 8: 485},
    "mi60 32k": {1: 64, 2: 113, 4: 97, 8: 168, 16: 230, 32: 269, 64: 289},
    "3090 moe": {1: 190, 2: 335, 4: 465},
    "h200 7b": {1: 342, 4: 968, 16: 2177, 64: 5382},
}


def curve(card):
    """Seconds of a step by its rows."""
    return {rows: rows / rate for rows, rate in CARDS[card].items()}


def loaded(card, *, exact=False):
    """A model on a card, as its check found it."""
    settings = fast(4, ALL_LAYERS)[0]
    verdict = Verdict(exact, settings, 0.0 if exact else 0.005, 1.0, curve=curve(card))
    weights = SimpleNamespace(is_recurrent=lambda: False)
    return LoadedGguf(weights, MagicMock(), None, verdict, "exact" if exact else 0.005, [], 4096)


def asked(longest):
    return [RenderedProblem(TASKS["tiny"], Problem("t", ""), "", (1,), False, longest, (), PLAIN)]


def test_sixteen_rows_of_a_large_consumer_card_cost_a_quarter_more_and_sixty_four_less_than_twice_as_much():
    assert relative_cost(curve("4090"), 16) == pytest.approx(1.24, abs=0.01)
    assert relative_cost(curve("4090"), 64) == pytest.approx(1.77, abs=0.01)


@pytest.mark.parametrize(
    ("card", "proposals"), [("4090", 8), ("4090 bf16", 8), ("h200 7b", 6), ("3090 moe", 4), ("mi60 32k", 2)]
)
def test_a_batch_has_as_many_proposals_as_the_card_is_good_for(card, proposals):
    assert best_width(partial(relative_cost, curve(card)), 0.25, 8) == proposals


def test_where_batches_move_log_p_no_proposals_share_one():
    """On a GPU the settings are not exact: log p of a token would depend on what was proposed beside it."""
    assert loaded("4090").widest() == 0
    assert not loaded("4090").goes_ahead()
    assert loaded("4090", exact=True).widest() == 8


@pytest.mark.parametrize(
    ("card", "at_once"), [("4090", 16), ("4090 bf16", 8), ("h200 7b", 16), ("mi60 32k", 16), ("3090 moe", 4)]
)
def test_an_eval_has_as_many_answers_at_once_as_the_card_is_good_for(card, at_once):
    assert best_parallel(loaded(card), asked(256), 1, 1000) == at_once


def test_an_eval_of_long_answers_has_fewer_at_once_for_the_memory():
    assert best_parallel(loaded("4090"), asked(2000), 1, 1000) == 4


def test_automatic_layers_are_all_where_the_build_has_a_gpu_and_none_elsewhere(monkeypatch):
    monkeypatch.setattr("localpower.engine.library.supports_gpu", lambda: True)
    assert (_layers(AUTO_LAYERS), _layers(7), _layers(0)) == (ALL_LAYERS, 7, 0)
    monkeypatch.setattr("localpower.engine.library.supports_gpu", lambda: False)
    assert _layers(AUTO_LAYERS) == 0


def test_on_a_gpu_weights_are_never_rearranged_for_the_cpu_and_layers_reach_every_candidate():
    groups = exact_candidates(4, ALL_LAYERS)
    assert {settings.gpu_layers for group in groups for settings in group} == {ALL_LAYERS}
    assert all(settings.repack for group in groups for settings in group)
    assert len(fast(4, ALL_LAYERS)) == 1


def test_every_command_of_the_script_is_one_that_the_program_takes(tmp_path):
    plan = list(gpu.steps(tmp_path / "m.gguf", "auto", 15.0, max_tokens=512, widest=64))
    assert [step.name for step in plan] == ["model", "rows", "selftest", *gpu.METHODS]
    assert sum(step.limit for step in plan[3:]) < 10 * 90
    for step in plan[2:]:
        name, *words = step.words[3:]
        command = cli.get_command(click.Context(cli), name)
        context = command.make_context(name, words)
        assert context.params["gpu_layers"] == AUTO_LAYERS


def test_the_script_goes_on_with_what_failed_or_was_not_run(tmp_path):
    head = {"card": "a card", "model": "m", "seconds": 15.0}
    done, failed = (
        {"name": n, "seconds": 1, "value": {}, "problem": p} for n, p in (("base", None), ("power", "x"))
    )
    file = tmp_path / "gpu.json.partial"
    file.write_text("\n".join(map(json.dumps, (head, done, failed))) + '\n{"name": "smc')
    assert list(gpu.kept(file, head)) == ["base"]
    with pytest.raises(SystemExit, match="another machine"):
        gpu.kept(file, head | {"card": "another"})


def test_the_scripts_table_has_a_line_for_every_method_also_for_one_that_failed():
    answer = {"tokens_per_second": 151.25, "decoded_tokens": 5, "chains": [{"decoded_tokens": 5}] * 8}
    found = {
        "rows": {
            "value": {"table": {"1 rows at 100": {"chosen": 150.0}, "64 rows at 100": {"chosen": 5420.0}}}
        },
        "base": {"value": answer, "problem": None},
        "power": {"value": None, "problem": "longer than 90 s"},
    }
    lines = gpu.table(found)
    assert "| 64 rows at 100 | 5,420 |" in lines
    assert "| base | 151.25 | 40 |  |  |  |  |" in lines
    assert [line for line in lines if line.startswith("| power | longer than 90 s |")]
    assert len([line for line in lines if line.split(" |")[0][2:] in gpu.METHODS]) == len(gpu.METHODS)


def test_a_step_of_the_script_that_fails_says_why():
    words = (sys.executable, "-c", "import sys; print('no json'); sys.exit('the card is too small')")
    found = gpu.run(gpu.Step("base", words, 60))
    assert (found["value"], found["problem"]) == (None, "no line of JSON: the card is too small")
