"""An eval on the screen: a few lines redrawn on stderr, or plain lines where that is no terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, TextIO

from localpower.runs.forecast import Forecast
from localpower.ui.eval_progress import EvalProgress, spell_seconds
from localpower.ui.view import harmless, one_line

_FRAMES_PER_SECOND = 4
_PLAIN_SHARES = 10  # plain lines a task


class Progress:
    """A watcher of evals. redraw: whether the terminal is redrawn; else every tenth of a task is a line on `stream`."""

    def __init__(
        self, stream: TextIO, *, redraw: bool, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._stream, self._redraw, self._clock = stream, redraw, clock
        self._standing = EvalProgress()
        self._start = clock()
        self._terminal: ExitStack | None = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.pause()

    def begin(
        self, model: str, task: str, labels: Sequence[str], rows: Sequence[Mapping[str, Any]], n_each: int
    ) -> None:
        """A task begins: what the last one came to is left on the screen."""
        self.pause()
        self._standing.begin(model, task, labels, rows, n_each)
        self._start = self._clock()

    def expect(self, forecasts: Sequence[Forecast]) -> None:
        """Say what is to come: a line for each task, and one for all of them."""
        for each in forecasts:
            what = f"{each.task} on {each.model}, {each.at_once} at once"
            self._say_forecast(what, each.n, each.tokens, each.tokens / each.rate)
        if len(forecasts) > 1:
            tokens, seconds = (
                sum(each.tokens for each in forecasts),
                sum(each.tokens / each.rate for each in forecasts),
            )
            self._say_forecast("in all", sum(each.n for each in forecasts), tokens, seconds)

    def _say_forecast(self, what: str, n: int, tokens: float, seconds: float) -> None:
        pace = f"{spell_seconds(seconds)} at {tokens / seconds:.0f} tok/s"
        self.say(f"{what}: {n:,} answers, about {tokens:,.0f} tokens, {pace}")

    def start(self, n: int, tokens: float) -> None:
        """Answers are being made."""
        self._standing.n_missing, self._standing.expected = n, tokens
        self._start = self._clock()
        if self._redraw:
            self._draw()

    def drew(self, tokens: int) -> None:
        """Tokens drawn since."""
        self._standing.drawn += tokens

    def made(self, row: Mapping[str, Any]) -> None:
        """An answer is there."""
        standing = self._standing
        before = standing.n_made * _PLAIN_SHARES // max(standing.n_missing, 1)
        standing.made(row)
        after = standing.n_made * _PLAIN_SHARES // max(standing.n_missing, 1)
        if self._terminal is None and after > before:
            counts = " | ".join(standing.lines())
            self.say(f"{standing.line(self._clock() - self._start)} | {counts}")

    @contextmanager
    def aside(self) -> Iterator[None]:
        """While entered nothing is drawn, so that somebody else may write a line."""
        terminal, self._terminal = self._terminal, None
        if terminal is not None:
            terminal.close()
        yield
        if terminal is not None:
            self._draw()

    def say(self, line: str) -> None:
        """A line that stays."""
        print(one_line(line), file=self._stream, flush=True)

    def pause(self) -> None:
        """Leave the terminal as it was, the last standing printed."""
        if self._terminal is None:
            return
        terminal, self._terminal = self._terminal, None
        terminal.close()
        for line in self._standing.lines():
            self.say(f"  {line}")

    def _draw(self) -> None:
        from rich.console import Console, Group
        from rich.text import Text

        from localpower.ui.frames import Frames

        def frame() -> Group:
            standing = self._standing
            lines = [standing.line(self._clock() - self._start), *(f"  {line}" for line in standing.lines())]
            return Group(*(Text(harmless(line), no_wrap=True, overflow="ellipsis") for line in lines))

        self._terminal = ExitStack()
        self._terminal.enter_context(Frames(Console(stderr=True), frame, _FRAMES_PER_SECOND))
