"""`localpower explain`: why power sampling is not low temperature, in a table."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from localpower.cli.options import flag
from localpower.cli.sections import Plain
from localpower.cli.values import Finite

if TYPE_CHECKING:
    from localpower.example import FirstToken, Law

_SEEN = 0.0005  # a difference between shares that the table can show


@click.command(cls=Plain, short_help="Show why power sampling is not low temperature.")
@click.argument("answers", nargs=-1, metavar="[ANSWER=P]...")
@click.option("--alpha", type=Finite(1.0), default=4.0, help="The power.")
@flag("--json", "as_json", help="One JSON object is printed.")
def explain(answers: tuple[str, ...], alpha: float, as_json: bool) -> None:
    """Base, low temperature and power sampling on answers that you can count.

    Each ANSWER=P is an answer, one character a token, and its probability, such as ab=.40. Without any: the paper's
    example aa=0 ab=.40 ba=.25 bb=.25, in which the two sharpenings favour different first tokens.
    """
    from localpower.cli.terminal import write_answer
    from localpower.example import EXAMPLE, first_tokens
    from localpower.example import answers as answers_of

    law = _law(answers) if answers else EXAMPLE
    tokens, whole = first_tokens(law, alpha), answers_of(law, alpha)
    if as_json:
        report = {
            "alpha": alpha,
            "first_tokens": [asdict(token) for token in tokens],
            "answers": [asdict(answer) for answer in whole],
        }
        write_answer(json.dumps(report))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from localpower.ui.view import harmless

    first = Table("token", "base", "low temperature: raise the sum", "power: sum the raised", box=box.SIMPLE)
    for token in tokens:
        first.add_row(*(Text(harmless(cell)) for cell in _cells(token, alpha)))
    second = Table("answer", "base", "low temperature", "power", box=box.SIMPLE)
    for answer in whole:
        shares = (answer.base, answer.low_temperature, answer.power)
        second.add_row(Text(harmless(answer.text)), *map(_percent, shares))
    console = Console(file=sys.stdout, highlight=False)
    console.print(f"First token, alpha = {alpha:g}")
    console.print(first)
    console.print("Whole answer")
    console.print(second)
    console.print(Text(harmless(_why(tokens, alpha))))
    rest = 1.0 - math.fsum(law.values())
    if rest > 1e-9:
        console.print(
            Text(f"Answers of probability {rest:.2g} in all are not listed and left out of every column.")
        )


def _law(pairs: tuple[str, ...]) -> Law:
    law: dict[str, float] = {}
    for pair in pairs:
        text, equals, number = pair.rpartition("=")
        try:
            p = float(number)
        except ValueError:
            p = math.nan
        if not equals or not text or not 0.0 <= p <= 1.0:
            raise click.UsageError(f"expected ANSWER=P with P between 0 and 1, got {pair!r}")
        if text in law:
            raise click.UsageError(f"{text!r} is given twice")
        law[text] = p
    total = math.fsum(law.values())
    if not 0.0 < total <= 1.0 + 1e-9:
        raise click.UsageError(f"the probabilities sum to {total:g}, expected more than 0 and at most 1")
    return law


def _cells(token: FirstToken, alpha: float) -> tuple[str, str, str, str]:
    from localpower.example import log_sum_of_powers

    total = math.fsum(token.parts)
    plus = " + ".join(f"{p:g}" for p in token.parts)
    powers = " + ".join(f"{p:g}^{alpha:g}" for p in token.parts)
    raised = _number(log_sum_of_powers([total], alpha))
    summed = _number(log_sum_of_powers(token.parts, alpha))
    return (
        token.token,
        f"{plus} = {total:g}\n{_percent(token.base)}",
        f"({plus})^{alpha:g} = {raised}\n{_percent(token.low_temperature)}",
        f"{powers} = {summed}\n{_percent(token.power)}",
    )


def _number(log: float) -> str:
    """exp(log), also where that is too small for a float."""
    if log == -math.inf:
        return "0"
    return f"{math.exp(log):.3g}" if log > -700 else f"10^{log / math.log(10):.0f}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _why(tokens: list[FirstToken], alpha: float) -> str:
    """What the numbers above show, and no more."""
    if alpha == 1.0:
        return "At alpha = 1 nothing is sharpened: all columns are the base distribution."
    moved = [token.power - token.low_temperature for token in tokens]
    if max(map(abs, moved)) < _SEEN:
        return f"Both methods agree on the first token here: {_alike(tokens, alpha)}."
    low = _favourite(tokens, [token.low_temperature for token in tokens])
    power = _favourite(tokens, [token.power for token in tokens])
    more, less = (tokens[moved.index(end(moved))] for end in (max, min))
    favour = f"Both favour {low}." if low == power else f"Power favours {power}, low temperature {low}."
    return (
        f"{favour} Power gives {more.token} more than low temperature does ({_percent(more.power)}, not "
        f"{_percent(more.low_temperature)}) and {less.token} less ({_percent(less.power)}, not "
        f"{_percent(less.low_temperature)}): it raises each whole answer before it adds, and the probability of "
        f"{less.token} is spread more evenly over different answers."
    )


def _alike(tokens: list[FirstToken], alpha: float) -> str:
    """Why."""
    from localpower.example import log_sum_of_powers

    if all(sum(p > 0 for p in token.parts) <= 1 for token in tokens):
        return "each token leads to a single answer, so that the sum is that answer, and both raise it"
    if max(token.power for token in tokens) > 1.0 - _SEEN:
        return "one token has nearly all of the probability under both"
    possible = [token.parts for token in tokens if any(token.parts)]
    spread = [log_sum_of_powers(parts, alpha) - alpha * math.log(math.fsum(parts)) for parts in possible]
    if math.isclose(max(spread), min(spread), abs_tol=1e-6):
        return "the probability of every token is spread alike over the answers that it leads to"
    return "the difference is smaller than what the table can show"


def _favourite(tokens: list[FirstToken], shares: list[float]) -> str:
    """The token with the largest share, or all that share the lead."""
    best = [token.token for token, share in zip(tokens, shares, strict=True) if share > max(shares) - _SEEN]
    return best[0] if len(best) == 1 else f"{', '.join(best[:-1])} and {best[-1]} alike"
