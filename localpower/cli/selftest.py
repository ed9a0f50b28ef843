"""`localpower selftest`: proves exactness on this machine, or says what it found instead."""

from __future__ import annotations

import json
from typing import Any

import click

from localpower.cli.options import engine_options, flag
from localpower.cli.sections import Command
from localpower.errors import EXIT_OK, EXIT_PROBLEM

_GOING_BACK = {
    "attention": "rolled back to any position",
    "sliding-window": "rolled back to any position, its cells guarded",
    "recurrent": "rolled back to checkpoints; what lies between is evaluated again",
    "hybrid": "rolled back to checkpoints; what lies between is evaluated again",
}
_CHEAP_AT = 1.8  # lone rows for four: from there on particles are the quicker start (docs/samplers.md)
_CHEAP = ": rows are cheap here, and --method power:start=smc:4 is worth a try"


@click.command(cls=Command, short_help="Check the engine and the sampler on this machine.")
@engine_options
@flag("--json", "as_json", help="One JSON object is printed.")
def selftest(as_json: bool, **options: Any) -> int:
    """Check that log p keeps its bits whatever the batch, and that the sampler draws from its law."""
    from localpower.cli.requests import open_model
    from localpower.cli.terminal import tell, waiting, write_answer
    from localpower.runs.interrupt import Interrupts
    from localpower.selftest import whole

    with Interrupts() as interrupts:
        loaded = open_model(options, interrupts, fresh=True)
    tell(loaded.notes)
    with waiting() as wait:
        report = whole.selftest(loaded, wait)
    write_answer(json.dumps(report) if as_json else "\n".join(_lines(report)))
    return EXIT_OK if report["passed"] else EXIT_PROBLEM


def _lines(report: dict[str, Any]) -> list[str]:
    engine = report["engine"]
    lines = [f"model      {report['model']['name']} {report['model']['quantization'] or ''}".rstrip()]
    if engine is None:
        lines.append("engine     a table: exact by construction")
    else:
        lines.append(f"memory     {engine['memory']}: {_GOING_BACK[engine['memory']]}")
        lines.append(f"settings   {engine['words']}")
        for shape, difference in engine["shapes"].items():
            lines.append(f"  {'same bits' if difference == 0 else f'{difference:.2g} nats':<10} {shape}")
        afresh = "same bits" if engine["chain"] == 0 else f"{engine['chain']:.2g} nats"
        lines.append(f"  {afresh:<10} six chains evaluated again from nothing")
        lines += [f"rejected   {words}: {why}" for words, why in engine["tried"].items()]
        lines += [f"compared   {1000 * s:6.2f} ms a row  {words}" for words, s in engine["timed"].items()]
        lines.append(f"price      {engine['price']:.2f}x llama.cpp's own time for a lone row")
        cost = ", ".join(f"{rows} rows {times:.1f}x" for rows, times in engine["cost"].items())
        lines.append(f"batches    {cost} a lone row" + (_CHEAP if engine["cost"][4] < _CHEAP_AT else ""))
        exact = "exact" if engine["exact"] else f"not exact: {report['exactness']:.2g} nats"
        lines.append(f"engine     {exact}")
    for name, law in (("sampler", report["sampler"]), ("control", report["wrong_sampler"])):
        distance = f"total variation {law['total_variation']:.4f}, noise {law['noise_floor']:.4f}"
        lines.append(
            f"{name:<10} {law['kernel']}: {distance}, chance {10 ** (law['log_p'] / 2.302585093):.1g} "
            f"({law['replicates']} chains, {law['steps']} steps)"
        )
    lines.append(f"verdict    {verdict(report)}")
    return lines


def verdict(report: dict[str, Any]) -> str:
    """In a line. An engine that is not exact is no failure, but what passed is then the sampler alone."""
    words = "passed" if report["passed"] else "FAILED"
    if report["passed"] and report["engine"] and not report["engine"]["exact"]:
        words = "passed by the sampler; the engine is not exact"
    control = "caught" if report["wrong_sampler"]["flagged"] else "NOT caught"
    return f"{words}; the wrong kernel was {control}"
