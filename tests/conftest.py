"""Shared fixtures: a cache of the suite's own, and models written for it."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

import localpower as lp
from localpower.engine.settings import EXACT_BATCH, F16, LARGE_BATCH
from localpower.loading import Request, load
from tests import forked
from tests.gguf_files import TEMPLATE, write_gemma3, write_k_quant, write_lfm2, write_llama, write_mamba


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Nothing a test learns about a model ends up among the user's verdicts, and none of theirs in a test.

    Nor does an answer of a test end up in the user's log, and no setting of the user's changes a test. What one process of pytest-xdist learns of a model the others
    know: to check the engine for the default model takes 20 seconds.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCALPOWER_CACHE", str(shared / "cache"))
        for kind in ("STATE", "CONFIG", "DATA"):
            patch.setenv(f"LOCALPOWER_{kind}", str(tmp_path_factory.mktemp(kind.lower())))
        patch.setenv("LOCALPOWER_LOG", "off")
        patch.setenv("GGML_CPU_TILED_MM", "0")  # read once a process: a test of --fast may come first
        patch.setattr(forked, "began_with", dict(os.environ))
        yield


@pytest.fixture(scope="session")
def tiny_paths(tmp_path_factory):
    """F32: a lone row has other bits than two. F16 with a chat template. A window, a state beside attention, a state alone, a K-quant. All spell a, b, c."""
    folder = tmp_path_factory.mktemp("models")
    return {
        "f32": write_llama(folder / "f32.gguf"),
        "f16": write_llama(folder / "f16.gguf", "abc[]:", seed=2, dtype=np.float16, template=TEMPLATE),
        "window": write_gemma3(folder / "window.gguf"),
        "hybrid": write_lfm2(folder / "hybrid.gguf"),
        "recurrent": write_mamba(folder / "recurrent.gguf"),
        "k-quant": write_k_quant(folder / "k-quant.gguf"),
    }


@pytest.fixture(scope="session")
def tiny(own_cache, tiny_paths):
    """The F32 file, loaded, a stream for each sequence."""
    return streaming(load(Request(str(tiny_paths["f32"]))))


@pytest.fixture(scope="session")
def tiny16(own_cache, tiny_paths):
    """The F16 file, loaded, a stream for each sequence."""
    return streaming(load(Request(str(tiny_paths["f16"]))))


def streaming(loaded):
    """A stream for each sequence, and lone rows padded: both ways are exact here, and which is quicker is chance."""
    assert loaded.exactness == "exact"
    streams = replace(
        loaded.verdict.settings, streams=True, flash=0, batch=LARGE_BATCH, kv_type=F16, min_rows=2
    )
    return replace(loaded, verdict=replace(loaded.verdict, settings=streams))


def sharing(loaded, **settings):
    """The same model with one cache for all sequences instead of a stream for each."""
    shared = replace(loaded.verdict.settings, streams=False, flash=1, batch=EXACT_BATCH, **settings)
    return replace(loaded, verdict=replace(loaded.verdict, settings=shared))


@pytest.fixture(scope="session")
def tiny_shared(tiny):
    """The F32 file with one cache for all sequences."""
    return sharing(tiny)


@pytest.fixture(scope="session")
def tiny16_shared(tiny16):
    """The F16 file with one cache for all sequences."""
    return sharing(tiny16)


def _loaded(kind):
    """A fixture: a file of `tiny_paths`, loaded."""

    @pytest.fixture(scope="session", name=f"tiny_{kind.replace('-', '_')}")
    def fixture(own_cache, tiny_paths):
        return load(Request(str(tiny_paths[kind])))

    return fixture


tiny_window, tiny_hybrid, tiny_recurrent, tiny_k_quant = map(
    _loaded, ("window", "hybrid", "recurrent", "k-quant")
)


@pytest.fixture(scope="session")
def default_model(own_cache):
    """SmolLM2, loaded."""
    return load(Request())


@pytest.fixture
def toy(own_cache):
    """The toy as the library has it."""
    with lp.load("toy") as model:
        yield model
