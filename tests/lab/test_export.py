"""The exported GGUF is the trained network (needs the extra [lab])."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training and export need the extra [lab]")

from localpower.engine.batch import RowSpec  # noqa: E402
from localpower.engine.context import Context  # noqa: E402
from localpower.engine.settings import Settings  # noqa: E402
from localpower.engine.weights import Weights  # noqa: E402
from localpower.numerics import log_softmax  # noqa: E402

F32 = 0  # ggml's type


@pytest.fixture(scope="module")
def network():
    from network import Network

    torch.manual_seed(3)
    return Network().eval()


def logits_of(path, tokens, settings):
    weights = Weights(path)
    context = Context(weights, settings, n_cells=256, n_sequences=1)
    rows = [RowSpec(0, i, token, True) for i, token in enumerate(tokens)]
    found = np.array([row.copy() for row in context.decode(rows)])
    context.close()
    weights.close()
    return found


def test_a_network_comes_back_from_its_file(network, tmp_path):
    from network import export, load

    export(network, tmp_path / "model.gguf", "test", wide=True)
    again = load(tmp_path / "model.gguf")
    for one, other in zip(network.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(("wide", "largest"), [(True, 1e-4), (False, 3e-2)])
def test_logits_are_pytorchs(network, tmp_path, wide, largest):
    from network import BOS, encode, export

    tokens = [BOS, *encode("37+85?7+5=12,3+8+1=12>122")]
    with torch.no_grad():
        expected = network(torch.tensor([tokens]))[0].numpy()
    path = tmp_path / "model.gguf"
    export(network, path, "test", wide=wide)
    settings = Settings(1, flash=int(not wide), kv_type=F32 if wide else 1)
    found = logits_of(path, tokens, settings)
    gap = np.abs(found - expected) if wide else np.abs(log_softmax(found) - log_softmax(expected))
    assert gap.max() < largest
