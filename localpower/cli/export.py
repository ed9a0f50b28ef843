"""`localpower export`: training data from the answers of evals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from localpower.cli.options import DIRS, flag, password_of, password_option, path_option
from localpower.cli.sections import Command
from localpower.cli.terminal import say, write_answer

_FORMATS = ("messages", "tokens", "sharegpt")
_DUPLICATES = ("keep", "exact", "near")


@click.command(cls=Command, short_help="Write an eval's answers as training data.")
@path_option("--out", metavar="DATA", required=True, help="The folder of the data.")
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(_FORMATS),
    default=_FORMATS[:2],
    help="How rows are written: messages (TRL, axolotl), the very token ids with labels (TRL, axolotl), or ShareGPT's "
    "conversations (LLaMA-Factory). The option may be repeated.",
)
@click.option(
    "--parquet/--jsonl",
    default=False,
    show_default=False,
    help="Rows are written as parquet (extra: localpower[data]) or JSON lines.  [default: --jsonl]",
)
@click.option("--task", "tasks", multiple=True, help="Only answers to this task; the option may be repeated.")
@click.option(
    "--method",
    "methods",
    multiple=True,
    metavar="LABEL",
    help="Only answers by this method, as eval was given it; the option may be repeated. 'all' mixes all methods.",
)
@click.option("--model", metavar="LABEL", help="Only answers of this model, where there are several.")
@click.option(
    "--keep",
    default="all",
    metavar="WHICH",
    help="all; right (by the verdict); best (the likeliest answer to each problem); distinct:K (K different ones to "
    "each problem); or several with commas: right,distinct:4.",
)
@flag("--unfinished", help="Answers that were cut off before they ended are kept too.")
@click.option(
    "--duplicates",
    type=click.Choice(_DUPLICATES),
    default="exact",
    help="Which duplicates are left out: none (keep), those with the same text or token ids (exact), or also those "
    "that nearly have (near).",
)
@click.option(
    "--max-per-problem",
    type=click.IntRange(min=1),
    metavar="N",
    help="Most answers to a problem, the first ones by sample.  [default: no limit]",
)
@click.option(
    "--decontaminate",
    multiple=True,
    metavar="TASK",
    help="Rows that share 8 words in a row with a problem of TASK are left out; the option may be repeated.",
)
@path_option(
    "--data",
    metavar="PATH",
    help="The file of the TASK of --decontaminate, or a folder of files.  [default: LOCALPOWER_DATA]",
)
@password_option
@click.option(
    "--split",
    default="train=1",
    metavar="NAME=SHARE,...",
    help="Splits by problem, such as train=.9,validation=.1: the first problems by sha256 of their id are train.",
)
@flag("--no-provenance", help="Rows have only the columns that trainers read, not where they come from.")
@flag("--save-text", help="Questions of gpqa, which are not to be shown, are written too.")
@flag("--overwrite", help="An earlier export in DATA is replaced.")
@flag("--json", "as_json", help="One JSON object is printed on stdout instead of tables.")
@DIRS
def export(folders: tuple[Path, ...], as_json: bool, **options: Any) -> None:
    """Write the answers in DIRs, of localpower eval, as training data into the folder DATA.

    Answers of one model and one method are taken, those that ended by themselves. Every row says where it comes from.
    README.md in DATA says how the rows were chosen and what to expect of them; load_dataset(DATA) of the package
    datasets reads the folder.
    """
    from localpower.api.export import export as written

    found = written(
        *folders,
        provenance=not options.pop("no_provenance"),
        password=password_of(options.pop("gpqa_password")),
        say=say,
        **options,
    )
    write_answer(json.dumps(found.to_dict()) if as_json else str(found))
    n = found.record.n_rows
    say(f"wrote {n:,} row{'' if n == 1 else 's'} to {found.path}")
