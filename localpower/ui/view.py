"""What stands on the screen: text that is harmless, and the board in numbers. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from localpower.text.vocabulary import readable
from localpower.ui.board import Board, Cost

_BARS = "▁▂▃▄▅▆▇█"
_SETTLED_S = 1.5  # before that a rate says more about the start than about the end
_NARROW = 46  # columns; up to there the cost and the time to go are all that is shown
_WIDE = 100  # columns; from there on the line says what the cost is counted against
Piece = Callable[[int], bytes]


def harmless(text: str) -> str:
    """Text whose control characters, escape sequences included, are shown instead of obeyed. It is valid Unicode."""
    return "".join(
        char if char in "\n\t" or char.isprintable() or not _is_control(char) else _picture(char)
        for char in text.replace("\r\n", "\n")
    )


def one_line(text: str) -> str:
    """The same on one line: for names, and for cells of tables."""
    return harmless(text).translate({ord("\n"): " ", ord("\t"): " "})


def _is_control(char: str) -> bool:
    code = ord(char)
    bidi = 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069 or code in (0x061C, 0x200E, 0x200F)
    breaks = code in (0x2028, 0x2029)
    surrogate = 0xD800 <= code <= 0xDFFF  # of a path that is no UTF-8
    return code < 0x20 or 0x7F <= code < 0xA0 or bidi or breaks or surrogate


def _picture(char: str) -> str:
    code = ord(char)
    return chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else "\ufffd"


def spelled(piece: Piece, tokens: Iterable[int]) -> str:
    """Tokens as harmless text."""
    return harmless(readable(b"".join(piece(token) for token in tokens), final=False))


def numbers(board: Board, elapsed: float, cost: Cost | None = None, width: int | None = None) -> str:
    """The one line of numbers; what is too much for the width is left out, the cost and the time to go last."""
    if board.reading is not None:
        read, n = board.reading
        long, short = f"reading the prompt {read:,} of {n:,} tokens", f"prompt {read:,}/{n:,}"
        words = long if width is None or width >= len(long) else short
        return _fitted([(1, words), (2, f"{elapsed:.0f} s")], width)
    chain, settings = board.chains[0], board.settings
    tally = chain.tally
    parts = []  # with their ranks: the highest is left out first
    steps = board.steps
    if steps is not None:
        stages = -(-settings["max_tokens"] // settings["block"])
        if stages > 1:
            parts.append((9, f"block {min(-(-max(chain.horizon, 1) // settings['block']), stages)}/{stages}"))
        parts.append((3, f"step {chain.step}/{steps}"))
        if tally.acceptance_rate is not None:
            parts.append((5, f"accepted {100 * tally.acceptance_rate:.0f} %"))
    else:
        parts.append((3, f"token {len(tally.state) + len(chain.growing)}/{settings['max_tokens']}"))
    if chain.ess is not None:
        parts.append((6, f"ess {chain.ess:.1f}/{len(tally.members)}"))
        parts.append((8, f"resampled {chain.resampled}x"))
    parts.append((4, f"log p {tally.state.total_log_p():.1f}"))
    rate = board.n_decoded / elapsed if elapsed > 0 else 0.0
    parts.append((7, f"{rate:.0f} tok/s"))
    if cost is not None:
        parts.append((1, cost.short() if width is not None and width < _WIDE else str(cost)))
    if rate > 0 and elapsed >= _SETTLED_S and not tally.finish and settings.get("method") != "lookahead":
        each = 1 if steps is not None else len(tally.members)  # of the answers that grow together
        parts.append((2, f"eta {math.ceil(board.remaining() * len(board.chains) * each / rate)} s"))
    if width is not None and width <= _NARROW and cost is not None:
        eta = "".join(f" · {part}" for rank, part in parts if rank == 2)
        lines = [
            f"{words}{eta}" for words in (cost.short(), f"{cost.tokens:.1f}x tokens", f"{cost.tokens:.1f}x")
        ]
        return next((line for line in lines if len(line) <= width), lines[-1])
    return _fitted(parts, width)


def _fitted(parts: list[tuple[int, str]], width: int | None) -> str:
    """As many of the parts as fit, at least one."""
    while width is not None and len(parts) > 1 and sum(len(part) + 3 for _, part in parts) - 3 > width:
        parts.remove(max(parts))
    return " · ".join(part for _, part in parts)


def legend(board: Board) -> list[str]:
    """What the view's marks mean (docs/how-it-works.md says more); nothing where there are no steps."""
    if board.steps is None:
        return []
    return [
        "| begins what the last accepted step rewrote; > begins what is being drawn",
        "steps: # accepted, . rejected, `,` rejected early, = repeated the answer",
        "log p: of the answer after each step, the higher the likelier",
    ]


def sparkline(values: tuple[float, ...]) -> str:
    """log p over time, lowest to highest."""
    if not values:
        return ""
    low, high = min(values), max(values)
    scale = (len(_BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(_BARS[round((value - low) * scale)] for value in values)
