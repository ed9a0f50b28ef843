"""`--prompt-cache`: the same answer without evaluating the prompt, and no trust in files."""

from __future__ import annotations

import json

import numpy as np
import pytest

PROMPT = (0, 1, 2, 1, 0, 0, 2, 1, 1, 2) * 4
OTHER = (*PROMPT[:25], 2, 2, 2)


@pytest.fixture(params=["tiny", "tiny_window", "tiny_hybrid", "tiny_recurrent"])
def loaded(request):
    return request.getfixturevalue(request.param)


def engine_of(loaded, prompt):
    return loaded.engine(prompt, 8, 1, lambda: None)


def first_row(loaded, prompt, path=None):
    """The row after the prompt, the tokens evaluated for it, and what was said."""
    engine = engine_of(loaded, prompt)
    said = loaded.warm(engine, prompt, path) if path else []
    row = engine.logits([prompt])[0].copy()
    evaluated = engine.counters.prefill_tokens
    engine.close()
    return row, evaluated, said


def test_the_second_run_evaluates_one_token_and_gets_the_same_bits(loaded, tmp_path):
    path = tmp_path / "cache"
    reference, _, _ = first_row(loaded, PROMPT)
    first, evaluated, said = first_row(loaded, PROMPT, path)
    assert (evaluated, said) == (len(PROMPT), [])
    second, evaluated, said = first_row(loaded, PROMPT, path)
    assert evaluated == 1
    assert said == [f"{path}: 39 of 40 prompt tokens need no evaluation"]
    assert np.array_equal(reference, first)
    assert np.array_equal(reference, second)


def test_a_prompt_that_begins_alike_evaluates_the_rest(loaded, tmp_path):
    path = tmp_path / "cache"
    first_row(loaded, PROMPT, path)
    row, evaluated, _ = first_row(loaded, OTHER, path)
    state = loaded.weights.is_recurrent()  # cannot be cut: evaluated from the beginning
    assert evaluated == (len(OTHER) if state else len(OTHER) - 25)
    assert np.array_equal(row, first_row(loaded, OTHER)[0])
    assert first_row(loaded, OTHER, path)[1] == 1, "the file now holds this prompt"


def damage(path, kind):
    data = path.read_bytes()
    lines = data.split(b"\n", 2)
    if kind == "foreign":
        path.write_bytes(b"my diary")
    elif kind == "cut":
        path.write_bytes(data[:-10])
    elif kind == "flipped":
        path.write_bytes(data[:-10] + bytes(10))
    elif kind == "header":
        path.write_bytes(lines[0] + b"\n{\n" + lines[2])
    else:
        header = json.loads(lines[1])
        header["owner"][kind] = "another"
        path.write_bytes(b"\n".join((lines[0], json.dumps(header).encode(), lines[2])))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("cut", "it is damaged; it is made anew"),
        ("flipped", "it is damaged; it is made anew"),
        ("header", "its header is damaged; it is made anew"),
        ("model", "it was made with another model; it is made anew"),
        ("llama.cpp", "it was made with another llama.cpp; it is made anew"),
        ("set of engine settings", "it was made with another set of engine settings; it is made anew"),
    ],
)
def test_a_stale_or_damaged_file_is_refused_in_one_line_and_made_anew(tiny, tmp_path, kind, reason):
    path = tmp_path / "cache"
    reference, _, _ = first_row(tiny, PROMPT, path)
    damage(path, kind)
    row, evaluated, said = first_row(tiny, PROMPT, path)
    assert said == [f"{path} is not used: {reason}"]
    assert evaluated == len(PROMPT)
    assert np.array_equal(row, reference)
    assert first_row(tiny, PROMPT, path)[1] == 1


def test_a_file_that_is_not_ours_is_never_written_over(tiny, tmp_path):
    path = tmp_path / "diary"
    path.write_bytes(b"my diary")
    _, evaluated, said = first_row(tiny, PROMPT, path)
    assert evaluated == len(PROMPT)
    assert said == [f"{path} is not used: it is not a prompt cache of localpower; it is left as it is"]
    assert path.read_bytes() == b"my diary"


def test_a_folder_or_a_full_disk_costs_the_cache_and_nothing_else(tiny, tmp_path):
    _, _, said = first_row(tiny, PROMPT, tmp_path)
    assert said == [f"{tmp_path} is not used: it is a folder; it is left as it is"]
    missing = tmp_path / "no" / "folder"
    _, _, said = first_row(tiny, PROMPT, missing)
    assert said == [f"{missing} could not be written: No such file or directory"]
