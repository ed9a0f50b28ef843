"""The answer on the screen: its thought, dim and folded under a line that counts it, and what the thought led to.

Kept text is plain, what the last accepted step rewrote is tinted after a mark, what is being drawn is dim and below.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rich.console import Console
from rich.text import Text

from localpower.model import Tokens
from localpower.text.thinking import Thought
from localpower.ui.board import ChainView
from localpower.ui.view import Piece, spelled

_MARK = "yellow"  # the style of the mark, and of nothing else
_TOLD = "green"  # what tools answered
_LAST = 3  # lines of a folded thought


@dataclass(frozen=True, slots=True)
class Fold:
    """How thoughts are shown. most: tokens that one may have. whole: all of its lines, not the last ones alone."""

    thought: Thought | None = None
    most: int | None = None
    whole: bool = False

    def length(self, tokens: Tokens) -> int:
        """How many tokens the thought of an answer takes, marks included."""
        return (self.thought.length(tokens) or 0) if self.thought else 0

    def counted(self, n: int, width: int) -> str:
        """The line above a thought of n tokens."""
        of = "" if self.most is None else f" of {self.most:,}"
        # The words that lead to the answer are not the model's.
        n = n if self.most is None else min(n, self.most)
        forms = (f"thought: {n:,}{of} tokens", f"thought: {n:,}{of}", f"{n:,}{of}")
        return next((form for form in forms if len(form) <= width), forms[-1][: max(width, 0)])


PLAIN = Fold()


def body(chain: ChainView, piece: Piece, fold: Fold, console: Console) -> list[Text]:
    """Its lines, none wider than the console."""
    state: Tokens = chain.tally.state.tokens
    cut = len(state) if chain.rewritten is None else chain.rewritten
    since, n = chain.branch, fold.length(state)
    drawn = fold.length(state[:since] + chain.growing) if chain.growing else 0
    goes_on = n > 0 and since == len(state)  # the thought is the same, and counted once
    thought = _tinted(piece, state[:n], cut, "dim", "dim cyan")
    told = [(max(begin - n, 0), end - n) for begin, end in chain.tally.state.rounds if end > n]
    said = _tinted(piece, state[n:], cut - n, "", "cyan", told)
    lines = _sections("", max(n, drawn) if goes_on else n, thought, said, fold, console)
    if chain.growing:
        inside = max(drawn - since, 0)  # of its tokens: in the thought
        thought = Text(spelled(piece, chain.growing[:inside]), "dim")
        said = Text(spelled(piece, chain.growing[inside:]), "dim")
        lines += _sections("> ", 0 if goes_on or not inside else drawn, thought, said, fold, console)
    return lines


def _tinted(
    piece: Piece, tokens: Tokens, cut: int, kept: str, new: str, told: Sequence[tuple[int, int]] = ()
) -> Text:
    """Tokens of which those from `cut` on were rewritten; the mark stands where that begins.

    told: where tools answered, which is neither kept nor new.
    """
    edges = sorted({0, len(tokens), *(i for span in told for i in span), *([cut] if cut > 0 else [])})
    parts: list[tuple[str, str]] = []
    for begin, end in pairwise(edge for edge in edges if edge <= len(tokens)):
        own = _TOLD if any(a <= begin < b for a, b in told) else kept if begin < cut else new
        if begin == cut:
            parts.append(("|", _MARK))
        parts.append((spelled(piece, tokens[begin:end]), own))
    return Text.assemble(*parts)


def _sections(lead: str, n: int, thought: Text, said: Text, fold: Fold, console: Console) -> list[Text]:
    """A thought and what comes after it. n: tokens that the line above it counts; 0: it has none. lead: before each."""
    width = max(console.width, 1)
    lines: list[Text] = []
    if thought and fold.thought:
        thought, rest = _bare(thought, fold.thought.marks)
        said = _stripped(Text.assemble(rest, said))
        lines = list((thought if n else _led(lead, thought)).wrap(console, width)) if thought else []
        shown = lines if fold.whole else [line for line in lines if line.plain.strip()][-_LAST:]
        hidden = _marked(lines) and not _marked(shown)
        if n:
            counted = lead + fold.counted(n, width - len(lead) - 2 * hidden)
            head = Text.assemble((counted, "dim"), (" |" if hidden else "", _MARK))
            head.truncate(width)
            shown = [head, *shown]
        if not said:
            return shown
        lines = shown
    return [*lines, *_led(lead, said).wrap(console, width)]


def _marked(lines: Iterable[Text]) -> bool:
    """Whether the mark of what was rewritten stands there."""
    return any(span.style == _MARK for line in lines for span in line.spans)


def _led(lead: str, text: Text) -> Text:
    return Text.assemble((lead, "dim"), text) if lead else text


def _bare(text: Text, marks: tuple[str, str]) -> tuple[Text, Text]:
    """A thought without its marks and the empty lines around it, and what its last token says after them."""
    opening, closing = marks
    space = len(text.plain) - len(text.plain.lstrip())
    if text.plain.startswith(opening, space):
        text = text[space + len(opening) :]
    end = text.plain.rfind(closing)
    rest = text[end + len(closing) :] if end >= 0 else Text()
    text = _stripped(text[:end] if end >= 0 else text)
    text.rstrip()
    return text, rest


def _stripped(text: Text) -> Text:
    """Without line breaks at its beginning."""
    return text[len(text.plain) - len(text.plain.lstrip("\n")) :]
