"""Draws docs/live.svg, the picture of the README: `python scripts/live_picture.py`.

The live view of a real run with the default model, as it stands when the last step has been decided.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rich.console import Console
from rich.text import Text

from localpower.api.answer_run import AnswerRun, run
from localpower.api.question import ask
from localpower.api.request import PromptOptions, SamplingOptions
from localpower.loading import Request, load
from localpower.samplers.mh import Power
from localpower.text.conversation import Conversation
from localpower.ui.board import fresh
from localpower.ui.screen import render

QUESTION, SEED, WIDTH = "Why is the sky blue?", 7, 92


class Picture:
    """A listener that keeps the frame of every decision."""

    def __init__(self, job: AnswerRun) -> None:
        self._job, self.board, self.frames = job, fresh(job.started.settings, 1), []

    def event(self, chain, event):
        self.board = self.board.change(chain, self.board.chains[chain].add(event))
        if type(event).__name__ == "Stepped":
            self.frames.append(self.board)

    def asked(self, chain, context):
        self.board = self.board.change(
            chain, self.board.chains[chain].asked(context[len(self._job.question.prompt) :])
        )


def main() -> None:
    loaded = load(Request())
    options = SamplingOptions(Power(steps=12), max_tokens=64)
    question = ask(loaded, Conversation.of(QUESTION), options, PromptOptions())
    engine = loaded.engine(question.prompt, 64, question.sampler.width, lambda: None, chains=1)
    job = AnswerRun(loaded, engine, question, SEED)
    picture = Picture(job)
    answer = run(job, [picture])
    console = Console(record=True, width=WIDTH, height=24, file=io.StringIO(), force_terminal=True)
    console.print(Text(f'$ localpower run "{QUESTION}" --steps 12 --seed {SEED}\n', "bold"))
    frame = picture.frames[-1]
    cost = frame.cost(answer.seconds, job.plain_seconds)
    console.print(render(frame, loaded.piece, console, answer.seconds, height=20, cost=cost, explained=True))
    path = Path(__file__).resolve().parent.parent / "docs" / "live.svg"
    path.write_text(console.export_svg(title="localpower", clear=False), "utf-8")


if __name__ == "__main__":
    main()
