"""`localpower eval`: several methods on the same problems, answer by answer, to be gone on with."""

from __future__ import annotations

import datetime
import secrets
from pathlib import Path
from typing import Any

import click

from localpower.cli import completion
from localpower.cli.eval_options import machines_options, method_options, running_options
from localpower.cli.options import engines_options, password_of, program_options, quiet_option
from localpower.cli.refused import refused_options
from localpower.cli.sections import Command
from localpower.errors import EXIT_INTERRUPTED, EXIT_OK


@click.command("eval", cls=Command, short_help="Ask a model the same problems by several methods.")
@click.argument("tasks", nargs=-1, required=True, metavar="TASK...", shell_complete=completion.tasks)
@method_options
@running_options
@machines_options
@program_options
@engines_options
@quiet_option
@refused_options
@click.pass_context
def evaluate(ctx: click.Context, /, tasks: tuple[str, ...], methods: tuple[str, ...], **options: Any) -> int:
    """Ask a model the problems of TASKs by several methods, and say who was right.

    tiny, countdown and the laboratory's lab (lab-sum, lab-countdown, lab-chain) are made on the spot. math500,
    humaneval, gpqa, alpaca, gsm8k, svamp, mbpp and aime read their authors' files from --data, or from LOCALPOWER_DATA.
    FILE.toml describes a task of your own.

    Every answer is one JSON line in DIR/answers.jsonl, written at once. Ctrl-C loses the answers that are being made;
    the same command goes on. -m may be given several times. The table is printed at the end, and by localpower compare.
    --shard and --workers share an eval out among processes, machines and clusters (docs/cluster.md).
    """
    from localpower.api.eval_models import Surroundings
    from localpower.api.eval_request import EvalRequest
    from localpower.api.eval_run import estimate, run_eval
    from localpower.api.labels import label_methods
    from localpower.cli import terminal
    from localpower.cli.compare import show
    from localpower.cli.requests import given, preset_notes, prompting, request, typed_stops, used_by_none
    from localpower.cli.terminal import can_redraw, say, tell, waiting
    from localpower.methods import EVERYDAY
    from localpower.runs.interrupt import Interrupts
    from localpower.ui.progress import Progress

    labels = label_methods(methods, {key: options[key] for key in (*EVERYDAY, "budget")}, options["pick"])
    used = [each.method for each in labels.values()]
    idle = [f"{name} means nothing to these methods" for name in used_by_none(used, given(ctx))]
    tell((*preset_notes(ctx, used), *idle, *typed_stops(options)))
    name = f"{'-'.join(Path(task).stem for task in tasks)}-{datetime.datetime.now():%Y%m%d-%H%M%S}"
    asked = EvalRequest(
        tasks=tasks,
        labels=labels,
        out=options["out"] or Path("runs") / name,
        drawn=secrets.randbits(32),
        models=tuple(request(options | {"model": model}) for model in options["models"] or (None,)),
        prompting=prompting(options),
        own_stops=not options["no_stops"],
        password=password_of(options["gpqa_password"]),
        **{key: options[key] for key in _SAME},
    )
    around = Surroundings(
        *(Interrupts(), lambda: Progress(terminal.notes(), redraw=can_redraw()), say, waiting),
        terminal.tenths("read", "answers"),
    )
    if options["dry_run"]:
        from localpower.ui.estimate import lines

        for line in lines(
            estimate(asked, around), asked.workers.kind if asked.workers else None, _count(asked)
        ):
            terminal.write_answer(line)
        return EXIT_OK
    if not run_eval(asked, around):
        return EXIT_INTERRUPTED
    if asked.shard is not None:
        part = f"shard {asked.shard.number}/{asked.shard.of} is made"
        say(f"{part}. `localpower compare {asked.out}` reads all parts and says which are missing.")
        return EXIT_OK
    show([asked.out])
    say(f"`localpower compare {asked.out}` prints this again; `--html FILE` writes a page with all answers.")
    return EXIT_OK


_SAME = (
    *("seed", "limit", "samples", "max_tokens", "form", "grader", "data", "since", "until"),
    "answer_prefix",
    *("max_turns", "observation_tokens", "fresh_environment"),
    *("parallel", "save_text", "run_code", "packages", "seconds", "cross_score"),
    *("shard", "workers", "copy_model"),
)


def _count(asked: Any) -> int | None:
    """How many workers there will be; None: nobody said."""
    if asked.shard is not None:
        return 1
    if asked.workers is None or asked.workers.kind == "ray":
        return None
    return int(asked.workers.count)
