"""Commands about the turns of a chat: draw again, walk through answers, take back, and how an answer came about."""

from __future__ import annotations

import click

from localpower.cli.slash_settings import say
from localpower.cli.talk import Talk
from localpower.errors import UserError
from localpower.ui.diagnosis import lines
from localpower.ui.history import history, table


def alternative(talk: Talk, ctx: click.Context, rest: str) -> None:
    """/alt."""
    if talk.chat.turns and len(talk.chat.turns[-1].answers) == 1:
        raise UserError("there is one answer to the last message", "/regen draws another")
    turn = talk.chat.alternative(-1 if rest in ("-", "-1", "back") else 1)
    talk.keep()
    talk.show()
    facts = turn.answer.facts
    numbers = f" · seed {facts['seed']}" if "seed" in facts else ""
    numbers += f" · log p {facts['log_p']:.2f}" if isinstance(facts.get("log_p"), float) else ""
    say(f"answer {turn.chosen + 1} of {len(turn.answers)}{numbers}")


def thought(talk: Talk, ctx: click.Context, rest: str) -> None:
    """/thought."""
    for line in talk.thought().split("\n"):
        say(line)


def undo(talk: Talk, ctx: click.Context, rest: str) -> None:
    """/undo."""
    if talk.waiting:
        name, _ = talk.waiting.pop()
        say(f"{name} is taken back: it stood before the next message")
        return
    turn = talk.chat.undo()
    talk.heard = None
    talk.keep()
    say(f"The message is taken back: {' '.join(turn.question.split())[:60]}")


def edit(talk: Talk, ctx: click.Context, rest: str) -> None:
    """/edit."""
    if not rest:
        raise UserError("/edit needs a text", "it takes the place of the last message")
    talk.edit(rest)


def drop(talk: Talk, ctx: click.Context, rest: str) -> None:
    """/drop."""
    if not rest.isdecimal() or len(rest) > 9:
        raise UserError("/drop needs the number of turns to forget, the oldest first")
    talk.chat.drop(int(rest))
    talk.keep()
    n = len(talk.chat.turns)
    say(f"{n} turn{' is' if n == 1 else 's are'} left")


def clear(talk: Talk, ctx: click.Context, rest: str) -> None:
    """/clear."""
    talk.chat.clear()
    talk.waiting.clear()
    talk.heard = None
    kept = talk.part()
    say("The conversation is forgotten." + (f" It stays kept as {kept}." if kept else ""))


def trace(talk: Talk, ctx: click.Context, rest: str) -> None:
    """/trace."""
    if talk.heard is None:
        raise UserError("there is no answer yet")
    _which(talk)
    for line in history(talk.heard.chains[talk.heard.picked], talk.loaded.piece):
        say(line)


def diagnose(talk: Talk, ctx: click.Context, rest: str) -> None:
    """/diagnose."""
    if talk.heard is None:
        raise UserError("there is no answer yet")
    _which(talk)
    for line in lines(talk.heard.diagnosis.report()):
        say(line)


def _which(talk: Talk) -> None:
    """Say it where the run that is kept is not that of the answer on the screen."""
    turn = talk.chat.turns[-1]
    drawn = len(turn.answers)
    if turn.chosen != drawn - 1:
        say(
            f"This is about answer {drawn} of {drawn}, which was drawn last; answer {turn.chosen + 1} is shown."
        )


def stats(talk: Talk, ctx: click.Context, rest: str) -> None:
    """/stats."""
    for row in table(talk.chat.answers):
        say(row)
