"""`localpower bench`: engine and sampler speed side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from localpower.cli.options import engine_options
from localpower.cli.sections import Command
from localpower.errors import EXIT_OK, UserError


@click.command(cls=Command, short_help="Measure speed beside plain llama.cpp.")
@engine_options
@click.option(
    "--quick",
    is_flag=True,
    help="The bench has two prompts and short answers, and takes about two minutes with the default model.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0, max=2**64 - 1),
    default=1,
    show_default=True,
    help="The seed of every run.",
)
@click.option("--json", "as_json", is_flag=True, help="The JSON line is printed alone.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The JSON is written to FILE too; a bench that was stopped goes on from FILE.partial.",
)
def bench(quick: bool, seed: int, as_json: bool, out: Path | None, **options: Any) -> int:
    """Measure bare decoding, plain sampling and power sampling on the same prompts and seeds, interleaved.

    mh-fresh reads everything again for each proposal, as published code does; mh-reuse keeps the cache; mh has every
    optimization on; all three follow the same schedule. Tokens drawn are counted beside seconds: machines are noisy.
    """
    from localpower.bench.report import machine, table
    from localpower.bench.session import Bench
    from localpower.cli.requests import open_model
    from localpower.cli.terminal import say, write_answer
    from localpower.loaded.gguf import LoadedGguf
    from localpower.runs.interrupt import Interrupts

    with Interrupts() as interrupts:
        loaded = open_model(options, interrupts)
        for note in loaded.notes:
            say(f"note: {note}")
        if not isinstance(loaded, LoadedGguf):
            raise UserError("bench measures GGUF models", "leave out --model toy")
        work = Bench(loaded, quick=quick, seed=seed, out=out, interrupts=interrupts, say=say)
        report = {"rows": work.rows(), **machine(loaded, quick=quick, seed=seed)}
    if not as_json:
        for line in table(report):
            write_answer(line)
    line = json.dumps(report)
    write_answer(line)
    if out:
        out.write_text(line + "\n", "utf-8")
        work.done()
    return EXIT_OK
