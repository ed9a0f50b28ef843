"""`localpower models alias`: names of one's own for models."""

from __future__ import annotations

import click

from localpower.cli import completion
from localpower.cli.sections import Plain


@click.command("alias", cls=Plain, short_help="Give a model a name of your own.")
@click.argument("name", required=False, shell_complete=completion.aliases)
@click.argument("model", required=False, shell_complete=completion.models)
@click.option("--remove", metavar="NAME", shell_complete=completion.aliases, help="The alias is taken out.")
def alias(name: str | None, model: str | None, remove: str | None) -> None:
    """Let NAME stand for MODEL wherever a model is named. Without arguments the aliases are listed.

    They are kept in the section [aliases] of the configuration file.
    """
    from localpower.api.aliases import known, take, unset
    from localpower.cli.terminal import say, write_answer

    if remove is not None:
        if name is not None:
            raise click.UsageError("--remove takes the name alone")
        say(f"the alias {remove} is taken out of {unset(remove)}")
        return
    if name is None:
        found = known()
        if not found:
            say("there are no aliases; `localpower models alias NAME MODEL` makes one")
        else:
            width = max(map(len, found))
            write_answer("\n".join(f"{each:<{width}}  {target}" for each, target in found.items()))
        return
    if model is None:
        found = {each.lower(): target for each, target in known().items()}
        if name.lower() not in found:
            raise click.UsageError(f"Missing argument 'MODEL': there is no alias {name} yet.")
        write_answer(found[name.lower()])
        return
    target, where = take(name, model)
    say(f"{name} stands for {target}, as {where} says")
