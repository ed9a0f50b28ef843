"""The board as something rich can print. Model text is never markup and never moves the cursor."""

from __future__ import annotations

from rich.console import Console, Group
from rich.text import Text

from localpower.ui.board import Board, Cost
from localpower.ui.body import PLAIN, Fold, body
from localpower.ui.view import Piece, legend, numbers, sparkline

_LEGEND = 3  # the legend may take so many-th of the lines


def render(
    board: Board,
    piece: Piece,
    console: Console,
    elapsed: float,
    *,
    height: int,
    cost: Cost | None = None,
    explained: bool = False,
    fold: Fold = PLAIN,
) -> Group:
    """At most `height` lines: the end of the text, then what is growing, then the numbers.

    explained: and a legend. fold: how thoughts are shown.
    """
    chain = board.chains[0]
    line = numbers(board, elapsed, cost, console.width)
    foot: list[Text] = [Text(line, style="bold", no_wrap=True, overflow="ellipsis")]
    if chain.strip:
        foot.append(Text(f"steps {chain.strip}", style="dim", no_wrap=True, overflow="crop"))
        foot.append(Text(f"log p {sparkline(chain.log_p)}", style="dim", no_wrap=True, overflow="crop"))
    if len(board.chains) > 1:
        values = " · ".join(f"{c.tally.state.total_log_p():.1f}" for c in board.chains)
        foot.append(Text(f"chains {values}", style="dim", no_wrap=True, overflow="ellipsis"))
    if explained:
        lines = Text("\n".join(legend(board)), style="dim").wrap(console, console.width)
        foot += lines if len(lines) <= height // _LEGEND else ()
    shown = body(chain, piece, fold, console)
    room = max(height - len(foot), 1)
    return Group(*shown[-room:], *foot)
