"""Keys and values of 8 or 16 bits by hand: a choice that the check must find exact, that records keep, replay follows."""

from __future__ import annotations

import json

import pytest

import localpower
from localpower.cli.main import main
from localpower.engine import verdict
from localpower.engine.probe import Verdict
from localpower.engine.settings import F16, Q8_0, Settings, exact_candidates, fast
from localpower.errors import ModelError, UsageProblem, UserError
from localpower.evals.settings import refuse_changes
from localpower.loaded import ModelInfo
from localpower.loading import Request, load


@pytest.mark.parametrize(("kv", "kinds"), [(8, {Q8_0}), (16, {F16}), (None, {F16, Q8_0})])
def test_only_settings_of_the_wanted_bits_are_tried(kv, kinds):
    for gpu_layers in (0, 99):
        groups = exact_candidates(2, gpu_layers, kv)
        assert {settings.kv_type for group in groups for settings in group} == kinds
        assert all(groups)
        assert all(settings.kv_type == (Q8_0 if kv == 8 else F16) for settings in fast(2, gpu_layers, kv))


def test_a_verdict_on_a_choice_is_kept_apart_and_the_others_where_they_were(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x")
    keys = {kv: json.loads(verdict.key_of(path, 2, 0, True, kv)) for kv in (None, 8, 16)}
    assert keys[8] == [*keys[None], 8]
    assert keys[16] == [*keys[None], 16]
    assert verdict.key_of(path, 2, 0, True) == json.dumps(keys[None])


def test_bits_that_are_not_exact_are_refused_in_one_line_unless_fast(tiny_paths):
    path = str(tiny_paths["f16"])
    found = Verdict(False, Settings(2, flash=1, kv_type=Q8_0, tiled=True), 0.25, 1.0)
    with pytest.raises(
        ModelError, match=r"8 bits are not exact with this model here: log p moved by up to 0.25"
    ):
        load(Request(path, kv=8), settled=lambda *_: found)
    loose = load(
        Request(path, kv=8, fast=True),
        settled=lambda *_: Verdict(False, Settings(2, kv_type=Q8_0), 0.25, 1.0),
    )
    assert loose.exactness == 0.25
    loose.close()


def test_a_run_with_8_bits_is_recorded_so_takes_half_of_the_memory_and_is_checked_with_8_bits(
    tiny_paths, tmp_path, capsys
):
    path, events = str(tiny_paths["f16"]), tmp_path / "run.jsonl"
    ask = ["run", "-m", path, "--kv", "8", "--seed", "1", "--max-tokens", "12", "--raw", "--json"]
    assert main([*ask, "--events", str(events), "ab"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["model"]["kv"], answer["exactness"]) == (8, "exact")
    assert main(["replay", str(events), "--verify", "-m", path]) == 0
    lines = events.read_text("utf-8").splitlines()
    first = json.loads(lines[0])
    assert first["model"].pop("kv") == 8
    events.write_text("\n".join([json.dumps(first), *lines[1:]]) + "\n", "utf-8")
    assert main(["replay", str(events), "--verify", "-m", path]) == 1, "16 bits are another model"
    first["model"]["kv"] = "all"
    events.write_text("\n".join([json.dumps(first), *lines[1:]]) + "\n", "utf-8")
    capsys.readouterr()
    assert main(["replay", str(events), "--verify", "-m", path]) == 1
    assert "keys and values of 'all' bits" in capsys.readouterr().err
    with localpower.load(path, kv=8) as eight, localpower.load(path) as usual:
        assert eight.info.kv == 8
        assert "kv" not in usual.info.to_dict()
        half, whole = (model.loaded.longer_context(1000)[1] for model in (eight, usual))
        assert half / whole == 8.5 / 16
        one = eight.loaded.cells(10, 500, 1, 1)
        assert one.cells <= 10 + 3 * 500 + 64, "room for one dead answer, for memory is what was asked for"


def test_an_eval_does_not_go_on_with_other_bits():
    def settings(kv):
        return {
            "tasks": {},
            "methods": {},
            "models": {"m": ModelInfo("m", "m.gguf", "ab", "F16", kv).to_dict()},
        }

    assert refuse_changes(settings(8), settings(8), "runs/x") == []
    for was, now in ((8, None), (None, 8), (16, 8)):
        with pytest.raises(UserError, match=r"models\.m\.kv was"):
            refuse_changes(settings(was), settings(now), "runs/x")


def test_other_numbers_of_bits_are_refused_by_name():
    with pytest.raises(UsageProblem, match="kv must be 8 or 16, got 4"):
        localpower.load("toy", kv=4)
