"""All measurements of a bench, prompt by prompt and row after row, kept as they come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from localpower import jsonl
from localpower.bench.measure import Measured, measure, plain_row, raw_row, summed
from localpower.bench.plain import PlainLlama, PlainTimes
from localpower.bench.prompts import PROMPTS
from localpower.bench.raw import raw_loop
from localpower.bench.rows import QUICK, RAW, TOKENS, WALL, BenchRow, Size, rows, token_rows
from localpower.errors import UserError
from localpower.loaded import usual_alpha
from localpower.loaded.gguf import LoadedGguf
from localpower.model import Tokens
from localpower.runs.interrupt import Interrupts
from localpower.text.conversation import Conversation

_ALPHA = 4.0
_PLAIN_CTX = 2048
_BARE = 16  # tokens of a bare loop beside a row


class Bench:
    """Measures what `out`.partial does not hold yet. Raises Interrupted; what was measured until then stays there."""

    def __init__(
        self,
        loaded: LoadedGguf,
        *,
        quick: bool,
        seed: int,
        out: Path | None,
        interrupts: Interrupts,
        say: Callable[[str], None],
    ) -> None:
        """Raises UserError for a partial file of another model, seed or size."""
        self._loaded, self._quick, self._seed = loaded, quick, seed
        self._interrupts, self._say = interrupts, say
        self._partial = out.with_name(out.name + ".partial") if out else None
        self._head = {"model": loaded.info.sha256, "quick": quick, "seed": seed}
        self._kept: dict[str, Any] = {}
        self._file = self._open(self._partial) if self._partial else None

    def rows(self) -> list[dict[str, Any]]:
        """Every row of the table."""
        size = QUICK if self._quick else WALL
        plain = self._plain(size)
        found = [*self._raw(size), plain, *self._sampled("", size, self._table(size))]
        if not self._quick:
            long = self._sampled("tokens ", TOKENS, token_rows(TOKENS, _ALPHA))
            found += [row | {"name": f"{row['name']}-256"} for row in long]
        return found

    def done(self) -> None:
        """The result is written: the partial file has served."""
        if self._partial and self._file:
            self._file.close()
            self._partial.unlink(missing_ok=True)

    def _raw(self, size: Size) -> list[dict[str, Any]]:
        found: dict[int, list[tuple[float, int]]] = {n: [] for n in RAW}
        for number, prompt in self._prompts(size):
            for n in RAW:
                loop = partial(self._loop, prompt, n, size.raw_tokens)
                seconds, padded = self._once(f"raw-{n} on prompt {number + 1}", loop)
                found[n].append((seconds, padded))
        return [raw_row(n, size.raw_tokens, found[n]) for n in RAW]

    def _table(self, size: Size) -> list[BenchRow]:
        return rows(
            size, _ALPHA, usual_alpha(chat=self._loaded.has_template), ahead=self._loaded.goes_ahead()
        )

    def _plain(self, size: Size) -> dict[str, Any]:
        """llama-cpp-python's own completion and ours, turn by turn: what they find is kept for both rows."""
        path, threads = Path(str(self._loaded.info.path)), self._loaded.verdict.settings.threads
        (base,) = [row for row in self._table(size) if row.name == "base"]
        found: list[PlainTimes] = []
        with PlainLlama(path, threads, _PLAIN_CTX, lambda: self._interrupts.requested) as plain:
            for number, prompt in self._prompts(size):
                for turn in range(base.turns):
                    seed = self._seed + turn
                    ask = partial(plain.draw, prompt, size.max_tokens, seed)
                    found.append(PlainTimes(**self._once(f"plain on prompt {number + 1}, seed {seed}", ask)))
                    self._measure("", base, prompt, number, seed)
        return plain_row(size.max_tokens, found)

    def _measure(self, part: str, row: BenchRow, prompt: Tokens, number: int, seed: int) -> Measured:
        def run() -> Measured:
            before = self._bare(row.beside, prompt)
            found = measure(self._loaded, row, prompt, number, seed, self._interrupts)
            around = before + self._bare(row.beside, prompt)
            return replace(found, bare=row.beside * 2 * _BARE / around if row.beside else None)

        turn = f", seed {seed}" if row.turns > 1 else ""
        return Measured(**self._once(f"{part}{row.name} on prompt {number + 1}{turn}", run))

    def _bare(self, rows: int, prompt: Tokens) -> float:
        """Seconds of a bare loop of so many rows; none of no rows."""
        return self._loop(prompt, rows, _BARE)[0] if rows else 0.0

    def _loop(self, prompt: Tokens, rows: int, tokens: int) -> tuple[float, int]:
        loaded = self._loaded
        return raw_loop(loaded.weights, loaded.verdict.settings, prompt, rows, tokens, loaded.governor)

    def _sampled(self, part: str, size: Size, table: list[BenchRow]) -> list[dict[str, Any]]:
        found: dict[str, list[Measured]] = {row.name: [] for row in table}
        for number, prompt in self._prompts(size):
            for row in table:
                if row.prompts and number >= row.prompts:
                    continue
                for turn in range(row.turns):
                    found[row.name].append(self._measure(part, row, prompt, number, self._seed + turn))
        return [summed(row, found[row.name]) for row in table]

    def _prompts(self, size: Size) -> list[tuple[int, Tokens]]:
        texts = PROMPTS[: size.prompts]
        return [
            (i, self._loaded.prompt(Conversation.of(text), raw=not self._loaded.has_template, arguments={}))
            for i, text in enumerate(texts)
        ]

    def _once(self, name: str, make: Callable[[], Any]) -> Any:
        if name not in self._kept:
            self._interrupts.check()
            made = make()
            value = asdict(made) if isinstance(made, Measured | PlainTimes) else list(made)
            seconds = value[0] if isinstance(value, list) else value["seconds"]
            self._say(f"{name}: {seconds:.1f} s")
            self._kept[name] = value
            if self._file:
                self._file.add({"name": name, "value": value})
        return self._kept[name]

    def _open(self, path: Path) -> jsonl.Writer:
        """The partial file, once what it holds is known."""
        known = jsonl.kept(path, _line, "line of a bench", self._say)
        if known[:1] not in ([], [self._head]):
            raise UserError(
                f"{path} belongs to another bench (model, --quick or --seed)",
                "delete it or name another --out",
            )
        self._kept = {line["name"]: line["value"] for line in known[1:]}
        file = jsonl.Writer(path)
        if not known:
            file.add(self._head)
        return file


def _line(value: Any) -> dict[str, Any]:
    head = isinstance(value, dict) and "model" in value
    return jsonl.record(value, {"model": str} if head else {"name": str, "value": dict | list})
