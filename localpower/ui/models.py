"""The list of models, as a table that fits 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

_LONGEST = 18  # a longer name has a line of its own


class Row(Protocol):
    """What the table shows of a model."""

    @property
    def name(self) -> str:
        """For -m."""

    @property
    def kind(self) -> str:
        """catalogue, toy, elsewhere, alias or file."""

    @property
    def default(self) -> bool:
        """Whether it is the one where nobody names one."""

    @property
    def size(self) -> str | None:
        """In words."""

    @property
    def quantization(self) -> str | None:
        """As Q4_K_M."""

    @property
    def licence(self) -> str | None:
        """By name."""

    @property
    def template(self) -> str | None:
        """base, chat or thinking."""

    @property
    def alpha(self) -> float | None:
        """Where nobody says one."""

    @property
    def path(self) -> str | None:
        """None: it is not here."""

    @property
    def verified(self) -> bool:
        """Whether this project has seen it."""

    @property
    def target(self) -> str | None:
        """What an alias stands for."""

    @property
    def note(self) -> str:
        """What else is to be said."""


def lines(rows: Sequence[Row]) -> list[str]:
    """Those that are here, then those that may be fetched."""
    here = [row for row in rows if not _to_fetch(row)]
    away = [row for row in rows if _to_fetch(row)]
    head = _line("name", "size", "format", "licence", "kind", "alpha", "")
    found = [head, *(line for row in here for line in _shown(row))]
    if away:
        found += ["", "Not on this machine: `localpower models pull NAME` fetches one. All are"]
        found += ["unverified: nobody of localpower has seen these files; what is said of them"]
        found += ["is from public descriptions.", "", head, *(line for row in away for line in _shown(row))]
    return found


def _to_fetch(row: Row) -> bool:
    return row.kind == "catalogue" and row.path is None and not row.verified


def _shown(row: Row) -> Iterator[str]:
    alpha = "" if row.alpha is None else f"{row.alpha:g}"
    notes = ["default"] if row.default else []
    if row.path is not None and not row.verified:
        notes.append("unverified")
    if row.target is not None:
        notes.append(f"stands for {row.target}")
    if row.note:
        notes.append(row.note)
    size = row.size or ""
    name = row.name
    if len(name) > _LONGEST:
        yield name
        name = ""
    cells = (size, row.quantization or "", row.licence or "", row.template or "", alpha)
    if row.target is not None or not any(cells):
        yield f"{name:<{_LONGEST}}  {', '.join(notes)}".rstrip()
        return
    yield _line(name, *cells, ", ".join(notes))


def _line(name: str, size: str, quant: str, licence: str, kind: str, alpha: str, note: str) -> str:
    return f"{name:<{_LONGEST}} {size:>7}  {quant:<8}  {licence:<10}  {kind:<8}  {alpha:>5}  {note}".rstrip()
