"""The command that makes an answer again, token by token, on a machine like the one it was made on."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from localpower.data.samples import Sample
from localpower.evals.store import Stored

_MATCHED = ":matched"


def command(sample: Sample, run: Stored, model: str) -> str:
    """`localpower run ...` for a shell. model: as `-m` takes it. Empty where `run` lacks what eval was given.

    Empty, too, for answers of early versions, which did not write down how they were made.
    """
    asked = run.settings["methods"][sample.method]
    if sample.asked.get("prefix") or "method" not in asked:  # an opening is given to answers by eval alone
        return ""
    words = ["localpower", "run", "-m", model, *_method(sample, asked)]
    if (kv := run.settings["models"][sample.row["model"]].get("kv")) is not None:
        words += ["--kv", str(kv)]
    words += ["--max-tokens", str(sample.row["max_tokens"]), "--seed", str(sample.seed)]
    if sample.system:
        words += ["--system", sample.system]
    for stop in sample.asked["stops"]:
        words += ["--stop", stop]
    if sample.chat:
        for name, value in run.settings["template_args"].items():
            words += ["--template-arg", f"{name}={json.dumps(value)}"]
    else:
        words.append("--raw")
    return shlex.join([*words, "--", sample.said])


def _method(sample: Sample, asked: Mapping[str, Any]) -> list[str]:
    """A method as its label in the settings says it; of best-of-n:matched with the n that this answer had."""
    text = str(asked["method"])
    if _MATCHED in sample.method:
        text += f":n={sample.row['settings']['n']}"
    words = ["--method", text]
    for name in ("alpha", "temperature", "steps", "budget"):
        if asked.get(name) is not None:
            words += [f"--{name}", str(asked[name])]
    return [*words, "--pick", "logp"] if asked.get("pick") == "logp" else words
