"""The laboratory's models as shipped: known by name, exact, and what PyTorch said they are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from localpower.catalogue import ENTRIES
from localpower.chance import StreamDice
from localpower.engine.files import sha256
from localpower.lab.problems import draw, verify
from localpower.loading import Request, load
from localpower.runs.session import run_chains
from localpower.samplers import Ancestral
from localpower.text.conversation import Conversation

ROOT = Path(__file__).parent.parent.parent
EXPECTED = json.loads((Path(__file__).parent / "expected.json").read_text("utf-8"))
NAMES = [name for name in ENTRIES if name.startswith("lab-")]


@pytest.fixture(scope="module", params=NAMES)
def loaded(request, own_cache):
    return load(Request(request.param))


def prompt_of(loaded, text):
    return loaded.prompt(Conversation.of(text), raw=True, arguments={})


def test_every_file_has_its_card(loaded):
    cards = (ROOT / "models" / "README.md").read_text("utf-8")
    assert sha256(Path(loaded.info.path)) in cards
    assert Path(loaded.info.path).stat().st_size < 2_700_000


def test_log_p_is_pytorchs_to_three_hundredths(loaded):
    assert loaded.exactness == "exact"
    for row in EXPECTED[loaded.info.name]:
        prompt = prompt_of(loaded, row["prompt"])
        answer = (*prompt_of(loaded, row["answer"])[1:], *loaded.weights.eos)
        engine = loaded.engine(prompt, 60, 1, lambda: None)
        found = engine.score(prompt, answer)
        engine.close()
        assert np.abs(found - np.array(row["log_p"])).max() < 3e-2


@pytest.mark.parametrize("loaded", [name for name in NAMES if name != "lab-tools"], indirect=True)
def test_easy_chains_are_mostly_solved(loaded):  # lab-tools learned products alone: test_products.py
    rng = np.random.default_rng(1)
    right = 0
    for i in range(40):
        problem = draw("chain", 1, rng, held_out=True)
        prompt = prompt_of(loaded, problem.prompt)
        engine = loaded.engine(prompt, 60, 1, lambda: None)
        (tally,) = run_chains(engine, Ancestral("base", 1.0, 60), prompt, StreamDice(i), 1)
        right += verify(problem, b"".join(map(loaded.piece, tally.state.tokens)).decode())
        engine.close()
    assert right >= 20
