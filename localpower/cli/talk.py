"""The terminal's side of a chat: each answer is watched while it is drawn, written, and summed up."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from localpower.api.answer_run import AnswerRun, run
from localpower.api.chat import Chat
from localpower.api.model import Model
from localpower.cli.requests import prompting, sampling
from localpower.cli.terminal import say, view_of, write_answer
from localpower.errors import Interrupted
from localpower.loaded import Loaded
from localpower.runs.answer import Answer
from localpower.runs.interrupt import Interrupts
from localpower.ui.summary import summary, words


class Talk:
    """A chat whose options may be changed between turns. seed: of the first answer."""

    def __init__(self, loaded: Loaded, options: dict[str, Any], seed: int, interrupts: Interrupts) -> None:
        self.options = options
        self.chat = Chat(Model(loaded, interrupts), sampling(options), prompting(options), seed)
        self.chat.prompt_cache = options["prompt_cache"]
        self._interrupts = interrupts

    def set(self, options: dict[str, Any]) -> None:
        """Other options from the next answer on. Raises UserError; then nothing has changed."""
        self.chat.options, self.chat.prompting = sampling(options), prompting(options)
        self.options = options

    def say(self, text: str) -> None:
        """The user's message, answered on stdout. Raises UserError; then the message was not said."""
        self._tell(
            self._turn(lambda: self.chat.send(text, self._watched)),
            "the message is not part of the conversation",
        )

    def again(self) -> None:
        """Another answer to the last question, from the next seed. The old one is kept when that fails."""
        self._tell(self._turn(lambda: self.chat.regenerate(self._watched)), "the old answer stays")

    @property
    def ended(self) -> bool:
        """Whether SIGTERM came during a turn."""
        return self._interrupts.terminated

    @property
    def interrupted(self) -> bool:
        """Whether the last turn was stopped."""
        return self._interrupts.requested

    def _turn(self, turn: Callable[[], Answer | None]) -> Answer | None:
        try:
            return turn()
        except (Interrupted, KeyboardInterrupt):
            return None

    def _watched(self, job: AnswerRun) -> Answer:
        for note in job.question.notes:
            say(f"note: {note}")
        with view_of(job) as view:
            found = run(job, [view])
        for note in job.notes:
            say(f"note: {note}")
        return found

    def _tell(self, answer: Answer | None, otherwise: str) -> None:
        if answer is None:
            say(f"note: stopped before the first token; {otherwise}")
            return
        write_answer(words(answer), prose=True)
        for line in summary(answer):
            say(line)

    def table(self) -> list[str]:
        """What each turn cost."""
        lines = ["turn  prompt  evaluated  answer  drawn   cost  accepted    log p  seconds"]
        for i, turn in enumerate(self.chat.answers, 1):
            cost, rate = turn.cost_multiple, turn.acceptance_rate
            lines.append(
                f"{i:4}  {turn.prompt_tokens:6}  {turn.prefill_tokens:9}  {turn.n_tokens:6}  "
                f"{turn.decoded_tokens:5}  {'-' if cost is None else f'{cost:.1f}x':>5}  "
                f"{'-' if rate is None else f'{100 * rate:.0f} %':>8}  {turn.log_p:7.1f}  {turn.seconds:7.1f}"
            )
        return lines


def interactive() -> bool:
    """Whether a person types: stdin is a terminal, and so is the one that prompts are shown on."""
    return sys.stdin.isatty() and sys.stderr.isatty()
