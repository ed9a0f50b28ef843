"""`localpower bench`: what its rows hold, that they can be set side by side, and that a stopped one goes on."""

from __future__ import annotations

import json

import pytest

from localpower.bench.long import long_rows, long_table
from localpower.bench.measure import measure
from localpower.bench.prompts import LONG
from localpower.bench.rows import QUICK, TOKENS, WALL, rows
from localpower.cli.main import main
from localpower.loading import Request, load
from localpower.runs.interrupt import Interrupts

PROMISED = (
    "name cuts alpha max_tokens block steps n_steps seconds decoded_tokens prefill_tokens padded_rows saved_tokens "
    "tokens_per_second cost_multiple acceptance_rate"
)
NAMES = "raw-1 raw-2 raw-4 raw-8 raw-16 plain base mh-fresh mh-reuse mh default chains-8"


@pytest.fixture(scope="module")
def loaded(own_cache):
    return load(Request("lab-base"))


@pytest.fixture(scope="module")
def reported(own_cache, tmp_path_factory):
    """A finished bench: its file, and what it printed is the test's own business."""
    path = tmp_path_factory.mktemp("bench") / "out.json"
    assert main(["bench", "-m", "lab-base", "--quick", "--json", "--out", str(path)]) == 0
    return path


def test_every_row_has_the_promised_fields(reported):
    report = json.loads(reported.read_text("utf-8"))
    assert " ".join(row["name"] for row in report["rows"]).startswith(NAMES)
    for row in report["rows"]:
        assert set(PROMISED.split()) <= set(row)
    assert report["model"]["sha256"]
    assert {"machine", "threads", "build", "exactness", "seed", "date", "version"} <= set(report)
    assert not reported.with_name("out.json.partial").exists()


def test_the_three_chains_that_are_compared_differ_only_in_what_they_reuse(reported):
    by_name = {row["name"]: row for row in json.loads(reported.read_text("utf-8"))["rows"]}
    fresh, reuse, mh = by_name["mh-fresh"], by_name["mh-reuse"], by_name["mh"]
    for key in ("cuts", "alpha", "max_tokens", "block", "steps"):
        assert fresh[key] == reuse[key] == mh[key]
    for key in ("decoded_tokens", "n_steps", "acceptance_rate", "cost_multiple", "saved_tokens"):
        assert fresh[key] == reuse[key], "the memory of the engine changes no chain"
    assert fresh["prefill_tokens"] > 3 * reuse["prefill_tokens"]
    assert (reuse["saved_tokens"], reuse["early_share"]) == (0, 0.0)
    assert mh["saved_tokens"] > 0


def test_a_row_is_the_same_chain_whenever_it_is_measured(loaded):
    (row,) = [row for row in rows(QUICK, 4.0, 4.0, ahead=True) if row.name == "mh"]
    with Interrupts() as interrupts:
        prompt = (30, 3, 7, 10, 8, 5, 19)
        one, two = (measure(loaded, row, prompt, 0, 5, interrupts) for _ in range(2))
    one, two = ((each.decoded_tokens, each.n_accepted, each.padded_rows) for each in (one, two))
    assert one == two


def test_a_stopped_bench_goes_on_and_measures_nothing_twice(loaded, tmp_path, capsys):
    path = tmp_path / "out.json"
    partial = tmp_path / "out.json.partial"
    head = {"model": loaded.info.sha256, "quick": True, "seed": 1}
    known = [{"name": f"raw-{n} on prompt {k}", "value": [1.0, 0]} for n in (1, 2, 4, 8, 16) for k in (1, 2)]
    text = "".join(json.dumps(line) + "\n" for line in (head, *known))
    partial.write_text(text + '{"name": "base on pro', "utf-8")  # cut off in a line
    assert main(["bench", "-m", "lab-base", "--quick", "--json", "--out", str(path)]) == 0
    said = capsys.readouterr()
    assert "raw-1 on" not in said.err
    assert "base on prompt 1" in said.err
    assert json.loads(said.out)["rows"][0]["seconds"] == 2.0


def test_the_partial_file_of_another_bench_is_refused_in_one_line(tmp_path, capsys):
    path = tmp_path / "out.json"
    (tmp_path / "out.json.partial").write_text('{"model": "x", "quick": true, "seed": 1}\n', "utf-8")
    assert main(["bench", "-m", "lab-base", "--quick", "--out", str(path)]) == 1
    assert "belongs to another bench" in capsys.readouterr().err.splitlines()[-1]


def test_the_toy_model_is_refused_in_one_line(capsys):
    assert main(["bench", "-m", "toy"]) == 1
    assert "bench measures GGUF models" in capsys.readouterr().err


def test_one_prompt_has_a_long_head_and_the_full_size_is_the_papers_schedule():
    assert len(LONG.split()) > 100, "about 200 tokens or more"
    assert (TOKENS.max_tokens, TOKENS.block, TOKENS.steps, TOKENS.prompts) == (256, 16, 10, 10)
    assert (WALL.max_tokens, WALL.steps, WALL.prompts) == (128, 4, 3)
    assert (QUICK.max_tokens, QUICK.block, QUICK.steps, QUICK.prompts) == (64, 16, 4, 2)
    last = [row.name for row in rows(WALL, 4.0, 4.0, ahead=True)][-4:]
    assert last == ["cuts-restart", "cuts-entropy", "prefetch-4", "drafts-on"]


def test_long_measures_each_length_that_the_context_has_room_for(loaded):
    told = []
    with Interrupts() as interrupts:
        found = list(long_rows(loaded, 1, interrupts, told.append, lengths=(40, 80, loaded.n_ctx)))
    assert [row.context for row in found] == [40, 80]
    assert told == [f"{loaded.n_ctx} tokens are left out: the context has {loaded.n_ctx} (--ctx)"]
    for row in found:
        assert row.token_ms > row.llama_ms > 0
        assert min(row.reading, row.ours_us, row.megabytes) > 0
        assert row.cells >= row.context
    assert len(list(long_table(found))) == 3
