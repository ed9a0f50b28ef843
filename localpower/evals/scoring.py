"""Answers of one model read by another: log p and entropy of each token, kept beside the run once they are known."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localpower import jsonl
from localpower.errors import UserError
from localpower.evals.likelihood import drawn, own_scores
from localpower.evals.store import Key, Row, Stored, key
from localpower.loaded import Loaded
from localpower.loaded.thoughts import switched
from localpower.model import Tokens
from localpower.numerics import weigh
from localpower.runs.gather import Engine
from localpower.text.conversation import Conversation
from localpower.text.stops import answer_text

_BUSY = "wait until it has ended: the answers that it reads need not be read again"
Numbers = tuple[list[float], list[float]]


@dataclass
class Scorer:
    """Reads answers with a model, each once. check may raise; what was read is kept. say: hears of cut-off lines."""

    loaded: Loaded
    check: Callable[[], None]
    say: jsonl.Say = jsonl.silent
    n_skipped: int = 0
    _engine: Engine | None = None
    _known: dict[Path, dict[Key, Numbers]] = field(default_factory=dict)

    def read_all(self, run: Stored, heard: Callable[[int, int], None] = lambda _done, _all: None) -> None:
        """Read every answer of a run that has not been read yet, and those that are alike once.

        heard: (answers done, of how many).
        """
        known = self._load(run)
        missing = [row for row in run.rows if key(row) not in known and not self._wrote(run, row)]
        if not missing:
            return
        alike: dict[tuple[object, ...], Numbers | None] = {}
        with jsonl.Writer(self._path(run), busy=_BUSY) as file:
            for i, row in enumerate(missing):
                self.check()
                said = _said(row)
                numbers = alike[said] if said in alike else self._read(run, row)
                alike[said] = numbers
                if numbers is None:
                    self.n_skipped += 1
                    continue
                known[key(row)] = numbers
                file.add({"key": list(key(row)), "token_log_p": numbers[0], "token_entropy": numbers[1]})
                heard(i + 1, len(missing))

    def scores(self, run: Stored, row: Row) -> tuple[Sequence[float], Sequence[float]] | None:
        """What is known of an answer; None: it could not be read."""
        if self._wrote(run, row):
            return own_scores(run, row)
        return self._known[run.path].get(key(row))

    def _wrote(self, run: Stored, row: Row) -> bool:
        """Whether this very model wrote the answer: its own numbers are in the row."""
        return bool(run.settings["models"][row["model"]]["sha256"] == self.loaded.info.sha256)

    def _path(self, run: Stored) -> Path:
        return scores_path(run, str(self.loaded.info.sha256))

    def _load(self, run: Stored) -> dict[Key, Numbers]:
        known = self._known.setdefault(run.path, {})
        known.update(stored_scores(run, str(self.loaded.info.sha256), self.say))
        return known

    def _read(self, run: Stored, row: Row) -> Numbers | None:
        """Evaluate an answer after its prompt.

        None where the prompt was not stored or is too long for this model, or the answer is impossible under it.
        """
        asked = run.problems[row["task"], row["id"]]["prompts"][row["model"]]
        if asked["text"] is None or row["text"] is None:
            return None
        prompt, tokens = self._tokens(run, asked, row)
        if not tokens:
            return [], []
        try:
            self._engine = self.loaded.engine(prompt, len(tokens), 1, self.check, self._engine)
        except UserError:
            return None
        log_p, entropy = [], []
        for logits, token in zip(self._engine.rows(prompt, tokens), tokens, strict=True):
            weighed = weigh(logits, 1.0)
            log_p.append(weighed.log_p(token))
            entropy.append(weighed.entropy)
        if tokens == tuple(row["tokens"]):  # in a text nobody sees which part was given
            log_p, entropy = drawn(row, log_p), drawn(row, entropy)
        return (log_p, entropy) if all(map(math.isfinite, log_p)) else None

    def _tokens(self, run: Stored, asked: Row, row: Row) -> tuple[Tokens, Tokens]:
        """Prompt and answer: the very tokens where this model spells them alike, else read from the texts.

        The opening that an answer was given belongs to the prompt.
        """
        stops = [stop.encode() for stop in asked["stops"]]
        prefix = asked.get("prefix", "")
        prompt, tokens = self._reads(run, asked), tuple(row["tokens"])
        prompt += self.loaded.following(prompt, prefix) if prefix else ()
        said = row["text"].removeprefix(prefix)
        spelled = max(tokens, default=0) < self._n_vocab(prompt) and tuple(asked["tokens"]) == prompt
        if spelled and answer_text(tokens, self.loaded.piece, stops) == said:
            return prompt, tokens
        return prompt, self.loaded.following(prompt, said)

    def _n_vocab(self, prompt: Tokens) -> int:
        self._engine = self._engine or self.loaded.engine(prompt, 1, 1, self.check)
        return self._engine.n_vocab

    def _reads(self, run: Stored, asked: Row) -> Tokens:
        """The prompt as this model is asked it."""
        settings = run.settings
        started = datetime.datetime.fromisoformat(settings["created"])
        said = Conversation([{"role": "user", "content": asked["text"]}], started=started)
        whole = said.under(settings["system"]) if asked["chat"] else said
        template = self.loaded.template if asked["chat"] else None
        arguments, _ = switched(template, settings["template_args"], settings.get("think"))
        return self.loaded.prompt(whole, raw=not asked["chat"], arguments=arguments)


def _said(row: Row) -> tuple[object, ...]:
    """All that an answer's numbers depend on: after which prompt it is read, and what is read."""
    asked = row["task"], row["id"], row["model"]
    return (*asked, tuple(row["tokens"]), tuple(row.get("given", ())), row["text"])


def scores_path(run: Stored, sha256: str) -> Path:
    """Where a run keeps what the model of that sha256 reads in its answers."""
    return run.path / f"scores-{sha256[:12]}.jsonl"


def stored_scores(run: Stored, sha256: str, say: jsonl.Say = jsonl.silent) -> dict[Key, Numbers]:
    """What that model has read so far, without loading it. Raises UserError for a damaged file."""
    return dict(jsonl.kept(scores_path(run, sha256), _score, "score of an answer", say))


def _score(value: Any) -> tuple[Key, Numbers]:
    found = jsonl.record(value, {"key": list, "token_log_p": [float], "token_entropy": [float]})
    task, name, model, method, sample = found["key"]
    if not all(isinstance(part, str) for part in (task, name, model, method)) or not isinstance(sample, int):
        raise ValueError
    return (task, name, model, method, sample), (found["token_log_p"], found["token_entropy"])
