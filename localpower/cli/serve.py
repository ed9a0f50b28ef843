"""`localpower serve`: an OpenAI-compatible server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from localpower.cli.options import WHOLE, engine_options, flag, path_option, quiet_option
from localpower.cli.sections import Command
from localpower.cli.values import Finite

if TYPE_CHECKING:
    from localpower.server.settings import Access, Limits

_LIMITS = ("rows", "queue", "max_tokens", "most_answers", "body", "grace")  # called so in Limits too


@click.command(cls=Command, short_help="Serve OpenAI's API, with a page.")
@click.option(
    "--host", default="127.0.0.1", help="The address to listen at. Others than this machine's need a key."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    help="The port to listen at; 0 takes one that is free.",
)
@engine_options
@click.option(
    "--rows",
    type=click.IntRange(1, 61),
    default=8,
    help="Answers that are drawn at once. An answer of 8 particles counts as 8.",
)
@click.option(
    "--queue",
    type=click.IntRange(min=0),
    default=32,
    help="Answers that may wait. More are refused with status 429.",
)
@click.option(
    "--max-tokens", type=WHOLE, default=256, help="Most tokens of an answer where a request does not say."
)
@click.option(
    "--max-n", "most_answers", type=click.IntRange(1, 61), default=8, help="Most answers (n) of one request."
)
@click.option(
    "--max-body", "body", type=WHOLE, default=1 << 20, metavar="BYTES", help="Most bytes of a request."
)
@click.option(
    "--time-limit",
    type=Finite(0.1, 1e6),
    default=600.0,
    metavar="SECONDS",
    help="A request ends with its current state after so long.",
)
@click.option(
    "--grace",
    type=Finite(0.0, 1e6),
    default=10.0,
    metavar="SECONDS",
    help="The first signal gives answers so long before they end with their current state.",
)
@path_option(
    "--api-key-file",
    help="A file with a key on each line; requests need one. LOCALPOWER_API_KEY holds one too.",
)
@flag("--insecure", help="Other machines may ask without a key.")
@click.option(
    "--cors",
    "origins",
    multiple=True,
    metavar="ORIGIN",
    help="Web pages of ORIGIN, such as http://localhost:3000, may ask. The option may be repeated.",
)
@flag(
    "--lenient", help="Parameters that would change the target are ignored with a warning instead of refused."
)
@flag("--allow-watch", "watch", help="Whoever may ask may watch the answers of all with `localpower watch`.")
@flag("--log-prompts", "prompts", help="The log on stderr holds prompts and answers.")
@quiet_option
def serve(host: str, port: int, **options: Any) -> int:
    """Serve OpenAI's API on this machine: chat and text completions, streaming too, and a page for a browser.

    A request chooses its method in the field `localpower`, or by the model's name, such as smollm2:power-4 or
    smollm2:smc. All requests share one batch. Without --ctx a prompt and its answer have at most 4,096 tokens together.
    The first Ctrl-C lets answers end, the second stops at once. The extra localpower[server] must be installed.
    """
    from localpower.server.access import keys
    from localpower.server.needed import require
    from localpower.server.settings import Access, Limits, Manner
    from localpower.server.sockets import Address, check_access, listen, url

    require()
    address = Address(host, port)
    access = Access(keys(options["api_key_file"]), None, options["origins"])
    access = check_access(address, access, insecure=options["insecure"])
    manner = Manner(options["lenient"], options["prompts"], options["watch"])
    limits = Limits(
        context=options["n_ctx"], seconds=options["time_limit"], **{name: options[name] for name in _LIMITS}
    )
    with listen(address) as made:
        return _serve(made, url(made), limits, access, manner, options)


def _serve(
    made: Any, where: str, limits: Limits, access: Access, manner: Any, options: dict[str, Any]
) -> int:
    from localpower.cli.pull import offer
    from localpower.cli.requests import open_model
    from localpower.cli.terminal import say, tell
    from localpower.runs.interrupt import Interrupts
    from localpower.server.app import create
    from localpower.server.asking import context_of
    from localpower.server.models import listed
    from localpower.server.serving import serve as run

    offer(options["model"])
    with Interrupts() as interrupts:
        loaded = open_model(options, interrupts)
    try:
        tell(loaded.notes)
        app = create(loaded, limits, access, manner, say)
        names = ", ".join(listed(loaded.info.name)[:3])
        say(f"serving {where}/v1 with the models {names} ...", always=True)
        room = f"{limits.rows} rows of at most {context_of(loaded, limits):,} tokens"
        say(f"the page is {where}/ · {room} · Ctrl-C stops", always=True)
        return run(app, limits, made, say)
    finally:
        loaded.close()
