"""The board as something rich can print. Model text is never markup and never moves the cursor."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from rich.console import Console, Group, RenderableType
from rich.text import Text

from localpower.model import Tokens
from localpower.text.vocabulary import readable
from localpower.ui.board import Board, ChainView

_BARS = "▁▂▃▄▅▆▇█"
_SETTLED_S = 1.5  # before that a rate says more about the start than about the end
Piece = Callable[[int], bytes]


def harmless(text: str) -> str:
    """Text whose control characters, escape sequences included, are shown instead of obeyed."""
    return "".join(
        char if char in "\n\t" or char.isprintable() or not _is_control(char) else _picture(char)
        for char in text.replace("\r\n", "\n")
    )


def _is_control(char: str) -> bool:
    code = ord(char)
    bidi = 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069
    return code < 0x20 or 0x7F <= code < 0xA0 or bidi


def _picture(char: str) -> str:
    code = ord(char)
    return chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else "\ufffd"


def spelled(piece: Piece, tokens: Iterable[int]) -> str:
    """Tokens as harmless text."""
    return harmless(readable(b"".join(piece(token) for token in tokens), final=False))


def answer_text(chain: ChainView, piece: Piece) -> Text:
    """The accepted completion: kept text plain, what the last accepted step rewrote tinted after a mark."""
    tokens: Tokens = chain.tally.state.tokens
    cut = chain.rewritten
    if cut is None or cut >= len(tokens):
        return Text(spelled(piece, tokens))
    return Text.assemble(
        spelled(piece, tokens[:cut]), ("|", "yellow"), (spelled(piece, tokens[cut:]), "cyan")
    )


def numbers(board: Board, elapsed: float, plain: float | None = None) -> str:
    """The one line of numbers. plain: seconds of a plain answer as long as that of the first chain, where known."""
    chain, settings = board.chains[0], board.settings
    tally = chain.tally
    parts = []
    steps = board.steps
    if steps is not None:
        stages = -(-settings["max_tokens"] // settings["block"])
        parts.append(f"block {min(-(-max(chain.horizon, 1) // settings['block']), stages)}/{stages}")
        parts.append(f"step {chain.step}/{steps}")
        if tally.acceptance_rate is not None:
            parts.append(f"accepted {100 * tally.acceptance_rate:.0f} %")
    else:
        parts.append(f"token {len(tally.state) + len(chain.growing)}/{settings['max_tokens']}")
    if chain.ess is not None:
        parts.append(f"ess {chain.ess:.1f}/{len(tally.members)}")
        parts.append(f"resampled {chain.resampled}x")
    parts.append(f"log p {tally.state.total_log_p():.1f}")
    rate = board.n_decoded / elapsed if elapsed > 0 else 0.0
    parts.append(f"{rate:.0f} tok/s")
    if settings.get("method") not in ("base", "low-temp") and len(tally.state):
        cost = board.n_decoded / len(tally.state) / len(board.chains)
        parts.append(multiples(cost, elapsed / plain if plain else None))
    if rate > 0 and elapsed >= _SETTLED_S and not tally.finish and settings.get("method") != "lookahead":
        each = 1 if steps is not None else len(tally.members)  # of the answers that grow together
        parts.append(f"eta {math.ceil(board.remaining() * len(board.chains) * each / rate)} s")
    return " · ".join(parts)


def multiples(cost: float, time: float | None) -> str:
    """What an answer cost, over a plain one of its length: in tokens, and in time where that was measured."""
    both = f"{cost:.1f}x tokens" if time is None else f"{cost:.1f}x tokens, {time:.1f}x time"
    return f"{both} of a plain answer"


def sparkline(values: tuple[float, ...]) -> str:
    """log p over time, lowest to highest."""
    if not values:
        return ""
    low, high = min(values), max(values)
    scale = (len(_BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(_BARS[round((value - low) * scale)] for value in values)


def render(
    board: Board,
    piece: Piece,
    console: Console,
    elapsed: float,
    *,
    height: int,
    plain: float | None = None,
) -> RenderableType:
    """At most `height` lines: the last lines of the text, then what is growing, then the numbers."""
    chain = board.chains[0]
    foot: list[Text] = [Text(numbers(board, elapsed, plain), style="bold", no_wrap=True, overflow="ellipsis")]
    if chain.strip:
        foot.append(Text(f"steps {chain.strip}", style="dim", no_wrap=True, overflow="crop"))
        foot.append(Text(f"log p {sparkline(chain.log_p)}", style="dim", no_wrap=True, overflow="crop"))
    if len(board.chains) > 1:
        values = " · ".join(f"{c.tally.state.total_log_p():.1f}" for c in board.chains)
        foot.append(Text(f"chains {values}", style="dim", no_wrap=True, overflow="ellipsis"))
    body = answer_text(chain, piece)
    if chain.growing:
        body = Text.assemble(body, "\n", ("> " + spelled(piece, chain.growing), "dim"))
    lines = body.wrap(console, max(console.width, 1))
    room = max(height - len(foot), 1)
    return Group(*lines[-room:], *foot)
