"""`localpower bench`: engine and sampler speed side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from localpower.cli.options import engine_options, flag, path_option, seed_option
from localpower.cli.sections import Command
from localpower.errors import UserError


@click.command(cls=Command, short_help="Measure speed beside plain llama.cpp.")
@engine_options
@flag(
    "--quick",
    help="The bench has two prompts and short answers, and takes about two minutes with the default model.",
)
@flag(
    "--long",
    help="The bench measures a plain token after 256 to 32,768 tokens of context instead, as far as --ctx goes.",
)
@seed_option(default=1, help="The seed of every run.")
@flag("--json", "as_json", help="The JSON line is printed alone.")
@path_option(
    "--out", help="The JSON is written to FILE too; a bench that was stopped goes on from FILE.partial."
)
def bench(quick: bool, long: bool, seed: int, as_json: bool, out: Path | None, **options: Any) -> None:
    """Measure bare decoding, plain sampling and power sampling on the same prompts and seeds, interleaved.

    mh-fresh reads everything again for each proposal, as published code does; mh-reuse keeps the cache; mh has every
    optimization on; all three follow the same schedule. Tokens drawn are counted beside seconds: machines are noisy.

    --long measures other things: how fast a prompt is read and a token drawn, by the length of the context.
    """
    from localpower.bench.long import long_rows, long_table
    from localpower.bench.report import machine, table, where
    from localpower.bench.session import Bench
    from localpower.cli.requests import open_model
    from localpower.cli.terminal import say, tell, write_answer
    from localpower.loaded.gguf import LoadedGguf
    from localpower.runs.interrupt import Interrupts

    with Interrupts() as interrupts:
        loaded = open_model(options, interrupts)
        tell(loaded.notes)
        if not isinstance(loaded, LoadedGguf):
            raise UserError("bench measures GGUF models", "leave out --model toy")
        work = None
        if long:
            rows = list(long_rows(loaded, seed, interrupts, say))
            report = {"long": [row.to_dict() for row in rows], **machine(loaded, quick=quick, seed=seed)}
            lines = [*long_table(rows), where(report)]
        else:
            work = Bench(loaded, quick=quick, seed=seed, out=out, interrupts=interrupts, say=say)
            report = {"rows": work.rows(), **machine(loaded, quick=quick, seed=seed)}
            lines = table(report)
    if not as_json:
        for line in lines:
            write_answer(line)
    line = json.dumps(report)
    write_answer(line)
    if out:
        out.write_text(line + "\n", "utf-8")
        if work:
            work.done()
