"""`localpower methods`: every method, its settings, defaults and guarantee."""

from __future__ import annotations

import shutil

import click
from click.formatting import wrap_text

from localpower.cli.sections import Plain
from localpower.cli.terminal import say, write_answer
from localpower.errors import UsageProblem

_MEANING = {
    "exact": "the answer is a draw from the stated law",
    "invariant": "a chain that leaves p^alpha invariant, begun elsewhere and run for finitely many steps",
    "asymptotic": "the law of the answer tends to p^alpha as answers are added",
    "approximate": "no law is claimed",
}
_NOTE = "Settings follow the name: --method smc:particles=16:ramp=12. A method's page is `localpower methods NAME`."


def _line(name: str) -> str:
    """One broken package does not hide the others."""
    from localpower.registry import find

    try:
        method = find(name)
    except UsageProblem as problem:
        return problem.message
    return f"{method.guarantee:<13}{method.summary()}"


def _presets() -> list[str]:
    """A line for each: what it sets."""
    from localpower.api.presets import BUILT_IN, presets
    from localpower.errors import UserError

    try:
        known = presets()
    except UserError as error:
        say(f"note: {error.line()}")
        known = BUILT_IN
    lines = ["Presets (--preset NAME of run, chat and eval):"]
    for each in known.values():
        sets = ", ".join(f"{key} {value}" for key, value in each.settings.items()) or "nothing"
        lines.append(f"{each.name:<11}{sets}{f' ({each.words})' if each.words else f' ({each.source})'}")
    return lines


@click.command("methods", cls=Plain, short_help="List the methods of sampling and their settings.")
@click.argument("name", required=False)
def methods(name: str | None) -> None:
    """List the methods of sampling, or the settings of the method NAME."""
    from localpower.registry import find, names

    if name is None:
        lines = [f"{each:<11}{_line(each)}" for each in names()]
        meanings = [f"{word:<13}{meaning}" for word, meaning in _MEANING.items()]
        write_answer("\n".join([*lines, "", *meanings, "", _NOTE, "", *_presets()]))
        return
    method = find(name.split(":")[0])
    reads = ", ".join(f"--{use}" for use in sorted(method.uses())) or "none"
    lines = [
        f"{method.name}: {method.summary()}",
        f"Guarantee: {method.guarantee} ({_MEANING[method.guarantee].replace('p^alpha', method.target)}).",
        f"Options of run, chat and eval that it reads, besides --max-tokens and --budget: {reads}.",
    ]
    indent = " " * (4 + max((len(option.name) for option in method.options()), default=0))
    for option in method.options():
        text = f"{option.help} It is {option.reader.expected}.  [default: {option.default_text}]"
        head = f"  {option.name}".ljust(len(indent))
        lines.append(wrap_text(text, shutil.get_terminal_size().columns, head, indent))
    write_answer("\n".join(lines))
