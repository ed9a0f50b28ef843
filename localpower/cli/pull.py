"""`localpower models pull` and `rm`: models that are fetched, and taken away again."""

from __future__ import annotations

import click

from localpower.cli import completion
from localpower.cli.options import flag
from localpower.cli.sections import Plain
from localpower.cli.terminal import can_redraw, interactive, is_quiet, say
from localpower.elsewhere import spell_size
from localpower.errors import UsageProblem


@click.command("pull", cls=Plain, short_help="Fetch a model.")
@click.argument("name", shell_complete=completion.to_pull)
def pull(name: str) -> None:
    """Fetch the model NAME of `models list`, or OWNER/REPO or OWNER/REPO/FILE of the model hub.

    The file goes into the hub's own cache, where other programs find it too. What was cut goes on where it was. A file
    with a wrong checksum is removed. HF_TOKEN, HF_HOME and the hub's other variables are heeded.
    """
    fetched(name)


def fetched(name: str) -> None:
    """Fetch a model, show how far it is, and say what came of it. Raises UserError."""
    from localpower.api.pull import Progress, Several
    from localpower.api.pull import pull as fetch
    from localpower.ui.transfer import Transfer

    with Transfer(say, redraw=can_redraw()) as shown:
        try:
            done = fetch(
                name, Progress(shown.began, shown.came, shown.said, lambda text: say(f"note: {text}"))
            )
        except Several as several:
            shown.close()
            for file in several.files:
                say(f"  {file}")
            raise
        except KeyboardInterrupt:
            shown.close()
            say("what came by now is kept: the same command goes on from there")
            raise
    came = f"fetched in {done.seconds:.1f} s" if done.came else "it was here already"
    say(f"{done.path}")
    say(f"{spell_size(done.size)}, {came}; -m {done.name} uses it")


@click.command("rm", cls=Plain, short_help="Remove a model that was fetched.")
@click.argument("name", shell_complete=completion.models)
@flag("--yes", help="It is not asked first.")
def rm(name: str, yes: bool) -> None:
    """Remove the model NAME from the model hub's cache.

    Files of Ollama, of LM Studio and your own are never removed.
    """
    from localpower.api.pull import removable, remove

    path, size = removable(name)
    if not yes:
        if not interactive():
            raise UsageProblem("nobody can be asked here", "--yes removes it without a question")
        click.confirm(f"Remove {path}, {spell_size(size)}?", abort=True, err=True)
    say(f"removed; {remove(path)} are free again")


def offer(name: str | None) -> None:
    """Where a model of the catalogue is named, or none, and it is not here: ask whether to fetch it.

    Where nobody can be asked, and after a no, nothing is done: what opens the model says what is missing.
    """
    from localpower.api.pull import missing

    if is_quiet() or not interactive():
        return
    entry = missing(name)
    if entry is None:
        return
    size = f", {spell_size(entry.size)}" if entry.size else ""
    question = f"The model {entry.name} is not on this machine. Fetch it now ({entry.licence}{size})?"
    if click.confirm(question, default=True, err=True):
        fetched(entry.name)
