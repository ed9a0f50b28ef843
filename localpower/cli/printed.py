"""How answers are printed: as text or Markdown, and what of a thought a terminal is shown."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from localpower.cli.terminal import coloured, say, write_answer, write_dim, write_markdown
from localpower.runs.answer import Answer
from localpower.text.thinking import split


@dataclass(frozen=True, slots=True)
class Manner:
    """marks: of thoughts; None: the model has none. whole: thoughts are printed. hint: how a user can see one."""

    marks: tuple[str, str] | None
    whole: bool = False
    hint: str = "--show-thoughts prints it"
    markdown: bool = False

    def answer(self, found: Answer) -> None:
        """The one that was picked, or all chains' under headings. Raises OutputClosed."""
        chains = found.chains if found.pick == "all" and found.chains else (found,)
        self.texts([(chain.text, chain.thinking_tokens) for chain in chains], every=found.pick == "all")

    def texts(self, texts: Sequence[tuple[str, int | None]], *, every: bool = False) -> None:
        """Answers with the lengths of their thoughts; every: under headings. A pipe gets them byte for byte."""
        if every and not sys.stdout.isatty():
            write_answer("\n".join(f"--- chain {i}\n{text}" for i, (text, _) in enumerate(texts)), prose=True)
            return
        for i, (text, thinking) in enumerate(texts):
            if every:
                write_answer(f"--- chain {i}")
            self.text(text, thinking)

    def text(self, text: str, thinking: int | None) -> None:
        """thinking: the length of its thought. Raises OutputClosed."""
        if thinking and self.marks and sys.stdout.isatty():
            if not self.whole:
                text = self.folded(text, thinking)
            elif coloured():  # without colours the marks tell it from the answer
                thought, text = split(text, self.marks, opened=True)
                write_dim(thought)
        (write_markdown if self.markdown else _write)(text)

    def folded(self, text: str, thinking: int | None) -> str:
        """The text without its thought, of which a line says how long it was."""
        if self.marks is None or not thinking:
            return text
        thought, text = split(text, self.marks, opened=True)
        if thought:
            say(f"(a thought of {thinking} tokens: {self.hint})")
        return text


def _write(text: str) -> None:
    write_answer(text, prose=True)
