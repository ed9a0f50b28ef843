"""Power sampling with GGUF models: whole answers towards p(x | prompt)^alpha. Start with `load`; see docs/api.md.

Each name is imported when it is first used, so that `import localpower` is quick. Type checkers read __init__.pyi.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOMES = {
    "api.model": ("load", "Model"),
    "api.stream": ("Stream",),
    "api.text_stream": ("stream_text", "TextStream"),
    "api.score": ("score", "Score"),
    "api.chat": ("Chat",),
    "api.evaluate": ("evaluate", "EvalAnswer", "EvalRun"),
    "api.compare": ("compare", "Report"),
    "api.listing": ("list_answers", "AnswerList", "ListedAnswer", "Bounds"),
    "api.export": ("export", "Exported"),
    "runs.answer": ("Answer",),
    "tools.use": ("ToolUse",),
    "tools.report": ("TraceReport",),
    "loaded": ("ModelInfo",),
    "samplers.mh": ("Power",),
    "samplers.ancestral": ("Base", "LowTemperature"),
    "samplers.best_of_n": ("BestOfN",),
    "samplers.smc": ("SMC",),
    "samplers.lookahead": ("Lookahead",),
    "samplers.project": ("Project",),
    "events": (
        *("Event", "Started", "Extended", "Adopted", "Stepped", "Planned", "Resampled", "Looked"),
        *("Chosen", "Finished"),
    ),
    "methods": ("Method", "Target", "Expert", "setting"),
    "registry": ("register",),
    "evals.task": ("Task",),
    "tools.environment": ("Environment", "Tool"),
    "tools.names": ("open_tools",),
    "toy": ("ToyModel", "power_law"),
    "errors": ("UserError", "UsageProblem", "ModelError", "EngineError"),
    "": ("testing",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted([*_HOME, "__version__"])  # noqa: PLE0605 -- a list of the names above


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'localpower' has no attribute {name!r}")
    home = _HOME[name]
    found = (
        getattr(import_module(f"localpower.{home}"), name) if home else import_module(f"localpower.{name}")
    )
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
