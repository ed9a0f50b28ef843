"""`localpower models`: which models there are, and what is known of one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from localpower.cli import completion
from localpower.cli.alias import alias
from localpower.cli.options import flag
from localpower.cli.pull import pull, rm
from localpower.cli.sections import Group
from localpower.cli.terminal import say, write_answer

if TYPE_CHECKING:
    from localpower.api.models import Known

_LONGEST = 18  # a longer name has a line of its own


@click.group("models", cls=Group, short_help="List, fetch, describe, name or remove models.")
def models() -> None:
    """List, fetch, describe, name or remove models: ours, and those of Ollama, LM Studio and the model hub."""


@models.command("list", short_help="List the models of this machine.")
@flag("--json", "as_json", help="One JSON object for each model is printed.")
def list_(as_json: bool) -> None:
    """List the models of this machine, with what -m calls them, and those of the catalogue that may be fetched.

    alpha is the power that is used where nobody says one. Formats and licences are as far as files say them.
    """
    from localpower.api.models import known

    rows = known()
    write_answer("\n".join((json.dumps(row.to_dict()) for row in rows) if as_json else lines(rows)))


@models.command("show", short_help="Describe a model.")
@click.argument("name", required=False, shell_complete=completion.models)
@flag("--json", "as_json", help="One JSON object is printed.")
@flag("--template", help="The chat template is printed too.")
def show(name: str | None, as_json: bool, template: bool) -> None:
    """Describe the model NAME, or the default one: its file, context, end tokens, and which context fits in memory."""
    from localpower.api.models import describe

    found: dict[str, Any] = describe(name)
    if not template:
        found["chat_template"] = bool(found["chat_template"])
    if as_json:
        write_answer(json.dumps(found))
        return
    for key, value in found.items():
        shown = _spelled(key, value)
        write_answer(
            f"{key.replace('_', ' '):<18} {f'{shown:,}' if type(shown) is int else shown}", prose=template
        )


def _spelled(key: str, value: Any) -> Any:
    """A value for people."""
    if value is None:
        return "not measured yet" if key in ("exactness", "tokens_per_second", "measured_on") else "none"
    if isinstance(value, bool):
        return ("no", "yes")[value]
    if key == "exactness" and not isinstance(value, str):
        return f"log p moves by up to {value:.2g} nats with the batch shape"
    if isinstance(value, dict):
        return ", ".join(
            f"{f'{speed:.0f}' if speed >= 10 else f'{speed:.2g}'} with {rows} at a time"
            for rows, speed in value.items()
        )
    return ", ".join(map(repr, value)) if isinstance(value, list) else value


@models.command("path", short_help="Print the file of a model.")
@click.argument("name", required=False, shell_complete=completion.models)
def path(name: str | None) -> None:
    """Print the path of the file of the model NAME, or of the default one."""
    from localpower.api.models import path_of

    write_answer(str(path_of(name)), prose=True)


@models.command("default", short_help="Show or set the default model.")
@click.argument("name", required=False, shell_complete=completion.models)
def default(name: str | None) -> None:
    """Show the default model, or set it to NAME in the configuration file."""
    from localpower.api.config import Place, write
    from localpower.api.models import as_default, usual

    if name is None:
        write_answer("{} ({})".format(*usual()))
        return
    name = as_default(name)
    say(f"the default model is {name} from now on, as {write(Place('', 'model'), name)} says")


for _command in (pull, rm, alias):
    models.add_command(_command)


def lines(rows: Sequence[Known]) -> list[str]:
    """A table that fits 80 columns: those that are here, then those that may be fetched."""
    here = [row for row in rows if not _to_fetch(row)]
    away = [row for row in rows if _to_fetch(row)]
    head = _line("name", "size", "format", "licence", "kind", "alpha", "")
    found = [head, *(line for row in here for line in _shown(row))]
    if away:
        found += ["", "Not on this machine: `localpower models pull NAME` fetches one. All are"]
        found += ["unverified: nobody of localpower has seen these files; what is said of them"]
        found += ["is from public descriptions.", "", head, *(line for row in away for line in _shown(row))]
    return found


def _to_fetch(row: Known) -> bool:
    return row.kind == "catalogue" and row.path is None and not row.verified


def _shown(row: Known) -> Iterator[str]:
    alpha = "" if row.alpha is None else f"{row.alpha:g}"
    notes = ["default"] if row.default else []
    if row.path is not None and not row.verified:
        notes.append("unverified")
    if row.target is not None:
        notes.append(f"stands for {row.target}")
    if row.note:
        notes.append(row.note)
    size = row.size or ""
    name = row.name
    if len(name) > _LONGEST:
        yield name
        name = ""
    cells = (size, row.quantization or "", row.licence or "", row.template or "", alpha)
    if row.target is not None or not any(cells):
        yield f"{name:<{_LONGEST}}  {', '.join(notes)}".rstrip()
        return
    yield _line(name, *cells, ", ".join(notes))


def _line(name: str, size: str, quant: str, licence: str, kind: str, alpha: str, note: str) -> str:
    return f"{name:<{_LONGEST}} {size:>7}  {quant:<8}  {licence:<10}  {kind:<8}  {alpha:>5}  {note}".rstrip()
