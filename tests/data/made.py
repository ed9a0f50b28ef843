"""Answers made up for tests of what becomes training data."""

from __future__ import annotations

from localpower.data.samples import Sample


def sample(answer, log_p=-1.0, *, problem="i0", task="made", tokens=None, entropy=0.5, **more):
    """An answer whose tokens are its letters, each as likely as the other."""
    tokens = tuple(map(ord, answer)) if tokens is None else tokens
    n = max(len(tokens), 1)
    values = {
        "run": 0, "task": task, "problem_id": problem, "question": f"What is {problem}?", "system": None,
        "said": f"What is {problem}?", "chat": False, "prompt": tuple(map(ord, problem)), "tokens": tokens,
        "given": frozenset(), "answer": answer, "extracted": answer, "finish": "stop", "verdict": "right",
        "grader": "value/3", "method": "power", "settings": "{}", "alpha": 2.0, "seed": 1, "sample": 0,
        "log_p": (log_p / n,) * len(tokens), "entropy": (entropy,) * len(tokens), "log_weight": None,
        "version": "0.1.0", "row": {"text": answer}, "asked": {"stops": []},
    }  # fmt: skip
    return Sample(**(values | more))
