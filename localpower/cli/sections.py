"""Help in titled sections, commands in the order in which people meet them."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from typing import Any

import click

from localpower.errors import Interrupted

_TITLES = {  # and the parameters below each
    "What to draw": "model models preset method methods alpha temperature max_tokens steps budget seed",
    "Address": "host port api_key_file insecure origins",
    "Requests": "rows queue most_answers body time_limit grace lenient watch prompts",
    "How many": "chains pick samples limit parallel",
    "Prompt": "files system raw template_args think thinking_budget stops no_stops prompt_cache form answer_prefix "
    "data since until gpqa_password",
    "Session": "go_on session no_session",
    "Grading": "kind grader judge reference run_code packages seconds",
    "Comparison": "sharpening base tuned scorers baseline cross_score",
    "Which answers": "tasks keep unfinished duplicates max_per_problem decontaminate split",
    "Machine": "threads n_ctx gpu_layers kv fast shard workers copy_model dry_run",
    "Output": "as_json output formats parquet no_markdown show_thoughts events diagnose plot html export out save_text "
    "log quiet quick long speed check_it debug help",
}
SECTIONS = {title: names.split() for title, names in _TITLES.items()}


def _debug() -> click.Option:
    words = "A problem is shown with its traceback."
    return click.Option(["--debug"], is_flag=True, expose_value=False, help=words)


class Plain(click.Command):
    """A command that has --debug, which main.py heeds."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.params.append(_debug())


class Command(Plain):
    """A command whose help has the sections above; what belongs to none of them comes last.

    Options that are not given have the user's own defaults (cli/config.py).
    """

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """With the user's own defaults, which a request for help does not need."""
        from localpower.cli.config import defaults

        if not {"-h", "--help"} & set(args) and not extra.get("resilient_parsing"):
            extra.setdefault("default_map", defaults(self, str(info_name)))
        return super().make_context(info_name, args, parent, **extra)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections that this command has."""
        rows = {
            param.name: row
            for param in self.get_params(ctx)
            if isinstance(param, click.Option) and (row := param.get_help_record(ctx)) is not None
        }
        last = list(SECTIONS)[-1]
        for title, names in SECTIONS.items():
            found = [rows.pop(name) for name in names if name in rows]
            found += list(rows.values()) if title == last else []
            if found:
                with formatter.section(title):
                    formatter.write_dl(found)


class Group(click.Group):
    """Its commands have --debug, and it has it too where it does something by itself."""

    command_class = Plain

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        if self.invoke_without_command:
            self.params.append(_debug())


class Root(click.Group):
    """Commands are listed in the order in which they were added. An interrupt is one line."""

    def invoke(self, ctx: click.Context) -> Any:
        """As click does, which begins a new line below the ^C of a terminal: in a file that would be an empty line."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            if sys.stderr.isatty():
                raise
            raise Interrupted from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """As they were added."""
        return list(self.commands)


_NEAR = 0.75  # how alike an option must be to be the one that was meant
_ELSEWHERE = {  # what llama.cpp and others call it
    **dict.fromkeys(("--predict", "--num-predict", "--max-new-tokens"), "--max-tokens"),
    **dict.fromkeys(("--system-prompt", "--system-prompt-file"), "--system"),
    **dict.fromkeys(("--reverse-prompt", "-r"), "--stop"),
    **dict.fromkeys(("--role", "--template"), "--preset"),
    **dict.fromkeys(("--cid", "--conversation"), "--session"),
    "--reasoning": "--think",
    "--reasoning-budget": "--thinking-budget",
    "--chat-template-kwargs": "--template-arg",
    "--format": "--json",
    "--temp": "--temperature",
    "-c": "--ctx",
    "-q": "--quiet",
    "--ctx-size": "--ctx",
    "-t": "--threads",
    "-s": "--seed",
    "--n-predict": "--max-tokens",
    "-ngl": "--gpu-layers",
    "--n-gpu-layers": "--gpu-layers",
}


def no_such(error: click.NoSuchOption) -> str:
    """One line with the option that was meant, if one is near; hidden ones are not named."""
    command = error.ctx.command if error.ctx else None
    params = [p for p in command.params if isinstance(p, click.Option) and not p.hidden] if command else []
    known = [name for param in params for name in param.opts]
    meant = _ELSEWHERE.get(error.option_name)
    near = [meant] if meant in known else get_close_matches(error.option_name, known, 1, _NEAR)
    if takes_prompt(command) and (" " in error.option_name or not near):
        guess = "; a prompt that begins with a dash follows --"
    else:
        guess = f": did you mean {near[0]}?" if near else ""
    path = error.ctx.command_path if error.ctx else "localpower"
    return f"No such option: {error.option_name}{guess} (see {path} --help)"


def wrong_use(error: click.UsageError) -> str:
    """One line, with what helps where words were not quoted, or values that want an option each were joined."""
    command, path = (error.ctx.command, error.ctx.command_path) if error.ctx else (None, "localpower")
    words = error.format_message()
    if words.startswith("Got unexpected extra argument") and takes_prompt(command):
        words += ': a PROMPT of several words stands in quotation marks, "like this"'
    param = getattr(error, "param", None)
    if isinstance(param, click.Option) and param.multiple and isinstance(param.type, click.Choice):
        words += f" The option may be repeated: {param.opts[-1]} A {param.opts[-1]} B."
    return f"{words} (see {path} --help)"


def takes_prompt(command: click.Command | None) -> bool:
    """Whether what is typed may be a text for the model."""
    return command is not None and any(param.name == "prompt" for param in command.params)
