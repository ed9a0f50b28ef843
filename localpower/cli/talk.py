"""The terminal's side of a chat: each answer is watched while it is drawn, written, and summed up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from localpower.api.answer_run import AnswerRun, run
from localpower.api.chat import Chat
from localpower.api.model import Model
from localpower.api.sessions import Session, begun
from localpower.cli.printed import Manner
from localpower.cli.requests import prompting, sampling
from localpower.cli.terminal import keep_in_log, say, tell, view_of, write_answer
from localpower.errors import ContextFull, Interrupted, UserError
from localpower.loaded import Loaded
from localpower.runs.answer import Answer
from localpower.runs.heard import Heard
from localpower.runs.interrupt import Interrupts
from localpower.text.thinking import marks_of, split
from localpower.ui.summary import summary

KEPT = (  # options that a session brings back
    *("method", "alpha", "temperature", "max_tokens", "steps", "chains", "pick", "budget"),
    *("system", "raw", "template_args", "stops", "think", "thinking_budget"),
)


class Talk:
    """A chat whose options may be changed between turns. seed: of the first answer. changed: settings set by hand.

    from_preset: settings that the preset has set.
    """

    def __init__(
        self,
        loaded: Loaded,
        options: dict[str, Any],
        seed: int,
        interrupts: Interrupts,
        from_preset: frozenset[str] = frozenset(),
    ) -> None:
        self.options = options
        self.from_preset = from_preset
        self.changed: set[str] = set()
        self.sources: dict[str, click.Context] = {}  # of settings that another preset brought along
        self.in_log = True  # until it cannot be written, which is said once
        self.loaded, self.interrupts = loaded, interrupts
        self.chat = Chat(Model(loaded, interrupts), sampling(options), prompting(options), seed)
        self.chat.prompt_cache = options["prompt_cache"]
        self.session: Session | None = None
        self.heard: Heard | None = None
        self.waiting: list[
            tuple[str, str]
        ] = []  # names and texts of files that stand before the next message
        self._said: set[str] = set()  # notes, which are said once

    def set(self, options: dict[str, Any]) -> None:
        """Other options from the next answer on. Raises UserError; then nothing has changed."""
        self.chat.options, self.chat.prompting = sampling(options), prompting(options)
        self.options = options

    def take(self, loaded: Loaded) -> None:
        """Go on with another model, which reads what was said from the texts unless it is the same file."""
        chat = Chat(Model(loaded, self.interrupts), self.chat.options, self.chat.prompting, self.chat.seed)
        chat.restore(self.chat.to_dict(), tokens=self.loaded.info.sha256 == loaded.info.sha256)
        chat.answers = self.chat.answers
        self.chat.close()
        self.chat, self.loaded, self.heard = chat, loaded, None

    def say(self, text: str) -> None:
        """The user's message, answered on stdout. Raises UserError; then the message was not said."""
        parts = [*(read for _, read in self.waiting), text]
        text = "".join(parts) if self.options["raw"] else "\n\n".join(parts)
        try:
            answer = self._turn(lambda: self.chat.send(text, self._watched))
        except ContextFull as error:
            error.hint = self._room(text, error.need)
            raise
        if answer is not None:
            self.waiting.clear()
        self._tell(answer, "the message is not part of the conversation")

    def again(self) -> None:
        """Another answer to the last question, from the next seed. The old one is kept beside it."""
        self._tell(self._turn(lambda: self.chat.regenerate(self._watched)), "the old answer stays")

    def edit(self, text: str) -> None:
        """Another message in the place of the last, answered."""
        self._tell(self._turn(lambda: self.chat.edit(text, self._watched)), "the old message stays")

    def show(self, *, raw: bool = False) -> None:
        """The answer that counts, once more. raw: as the model wrote it. Raises UserError where there is none."""
        if not self.chat.turns:
            raise UserError("there is no answer yet")
        found = self.chat.turns[-1].answer
        if raw:
            write_answer(found.text, prose=True)
        else:
            self.manner.text(found.text, found.facts.get("thinking_tokens"))

    def keep(self) -> None:
        """Write the session down. What cannot be kept is said once, and the chat goes on."""
        if self.session is None:
            return
        try:
            if self.chat.turns:
                self.session.save(self.chat, self.loaded.info, {key: self.options[key] for key in KEPT})
            else:
                self.session.forget()
        except UserError as error:
            say(f"localpower: {error.line()}; the chat goes on without", always=True)
            self.session.close()
            self.session = None

    def part(self) -> str | None:
        """Leave the session as it is and go on in a new one; the name of the old one, where it was kept."""
        old = self.session
        if old is None or not old.exists:
            return None
        self.session = begun()
        old.close()
        return old.name

    def close(self) -> None:
        """Let others have the session."""
        if self.session is not None:
            self.session.close()

    @property
    def ended(self) -> bool:
        """Whether a signal came that ends the program."""
        return self.interrupts.terminated

    @property
    def interrupted(self) -> bool:
        """Whether the last turn was stopped."""
        return self.interrupts.requested

    def _turn(self, turn: Callable[[], Answer | None]) -> Answer | None:
        try:
            return turn()
        except (Interrupted, KeyboardInterrupt):
            return None

    def _watched(self, job: AnswerRun) -> Answer:
        for note in job.question.notes:
            if note not in self._said:
                say(f"note: {note}")
        self._said.update(job.question.notes)
        self.heard = Heard(job.question.options.max_tokens, job.n_chains)
        with view_of(job, whole=self.options["show_thoughts"]) as view:
            found = run(job, [view, self.heard])
        self.heard.picked = found.picked or 0
        tell(job.notes)
        return found

    def _tell(self, answer: Answer | None, otherwise: str) -> None:
        if answer is None:
            say(f"note: stopped before the first token; {otherwise}")
            return
        if self.in_log:
            session = self.session.name if self.session else None
            self.in_log = keep_in_log(answer, self.options, self.chat.turns[-1].question, session)
        self.keep()  # before it is shown: a terminal that has gone costs no turn
        self.manner.answer(answer)
        first, *rest = summary(answer)
        most = self.loaded.n_ctx
        full = f" · context {self.chat.context:,}" + (f" of {most:,} tokens" if most else " tokens")
        for line in (first + full, *rest):
            say(line)

    @property
    def manner(self) -> Manner:
        """How answers are printed."""
        return Manner(
            marks_of(self.loaded.template, self.loaded.control_token),
            self.options["show_thoughts"],
            "/thought shows it",
            markdown=not self.options["no_markdown"],
        )

    def thought(self) -> str:
        """Of the answer that counts. Raises UserError where there is none."""
        marks = marks_of(self.loaded.template, self.loaded.control_token)
        text = ""
        if marks and self.chat.turns:
            last = self.chat.turns[-1].answer
            text, _ = split(last.text, marks, opened=last.facts.get("thinking_tokens") is not None)
        if not text:
            raise UserError("the last answer has no thought")
        return text

    def _room(self, text: str, need: int) -> str:
        """What to do about a full context; need: the tokens that there must be room for."""
        n = self.chat.to_drop(text)
        advice = []
        if n is None:
            advice.append("a shorter message, or a shorter answer by /set max-tokens N")
        else:
            advice.append(
                f"/drop {n} forgets the oldest {'turn' if n == 1 else f'{n} turns'}, /clear all of them"
            )
        longer = self.loaded.longer_context(need)
        if longer is not None:
            size, n_bytes = longer
            again = " --continue" if self.session is not None else ""
            advice.append(f"chat{again} --ctx {size} has room and takes {-(-n_bytes >> 20)} MB")
        return "; ".join(advice)
