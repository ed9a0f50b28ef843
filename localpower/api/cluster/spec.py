"""What --workers names: local:K, slurm:PARTITION[,NAME=VALUE...] or ray[:ADDRESS][,NAME=VALUE...]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from localpower.errors import UsageProblem
from localpower.evals.parts import Shard

__all__ = ["KINDS", "Shard", "WorkersSpec"]

KINDS = ("local", "slurm", "ray")
_MOST = 1024
_JOBS = 4  # of slurm, where nobody says
_NUMBERS = {  # by kind: settings that are whole numbers, with their least
    "local": {},
    "slurm": {"jobs": 1, "gpus": 1, "cpus": 1, "mem": 1, "time": 1},
    "ray": {"gpus": 1, "cpus": 1, "per-node": 1},
}
_TEXTS = {"local": (), "slurm": ("cluster", "account", "qos", "constraint"), "ray": ()}
_CLUSTERS = ("slurm", "local", "debug")


@dataclass(frozen=True, slots=True)
class WorkersSpec:
    """kind: local, slurm or ray. place: the partition or the address; "": none was given. count: processes, or jobs.

    numbers: gpus, cpus, mem (GB), time (minutes), per-node. texts: account, qos, constraint; cluster: `local` and
    `debug` try the jobs of slurm on this machine.
    """

    kind: str
    place: str = ""
    count: int = 1
    numbers: Mapping[str, int] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> WorkersSpec:
        """From what a user wrote. Raises UsageProblem."""
        head, *settings = [part.strip() for part in text.split(",")]
        kind, _, place = head.partition(":")
        if kind not in KINDS:
            raise UsageProblem(f"--workers takes local:K, slurm:PARTITION or ray[:ADDRESS], got {text!r}")
        numbers, texts = dict[str, int](), dict[str, str]()
        for setting in settings:
            name, equals, value = setting.partition("=")
            known = (*_NUMBERS[kind], *_TEXTS[kind])
            if name not in known or not equals or not value:
                there = ", ".join(f"{each}=..." for each in known) or "no settings"
                raise UsageProblem(f"--workers {kind} has {there}, got {setting!r}")
            if name in numbers or name in texts:
                raise UsageProblem(f"--workers has {name} twice")
            if name in _NUMBERS[kind]:
                numbers[name] = _number(name, value)
            else:
                texts[name] = value
        if kind == "local":
            return cls(kind, "", _number("local:K", place))
        if kind == "slurm" and not place:
            raise UsageProblem("--workers slurm needs a partition: slurm:PARTITION")
        if texts.get("cluster", "slurm") not in _CLUSTERS:
            raise UsageProblem(f"cluster is one of {', '.join(_CLUSTERS)}, got {texts['cluster']!r}")
        return cls(kind, place, numbers.pop("jobs", _JOBS if kind == "slurm" else 1), numbers, texts)


def _number(name: str, text: str) -> int:
    """Raises UsageProblem."""
    most = 1 << 20 if name in ("mem", "time") else _MOST
    if not text.isdecimal() or not text.isascii() or len(text) > 9 or not 1 <= int(text) <= most:
        raise UsageProblem(f"--workers {name} is a whole number from 1 to {most}, got {text!r}")
    return int(text)
