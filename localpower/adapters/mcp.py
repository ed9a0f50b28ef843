"""A server of the Model Context Protocol over stdio: the tool `power_sample`. stdout belongs to the protocol."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import ValidationError

from localpower import __version__
from localpower.adapters.settings import method_of, refuse
from localpower.api.model import Model
from localpower.api.request import NEUTRAL
from localpower.errors import UserError
from localpower.loading import Request, load
from localpower.runs.interrupt import Interrupts

_FACTS = (
    *("finish", "method", "alpha", "steps", "seed", "log_p", "n_tokens", "decoded_tokens", "prompt_tokens"),
    *("acceptance_rate", "cost_multiple", "guarantee", "seconds"),
)


class _Call:
    """One call of the tool. gone: nobody waits for its answer any more."""

    gone = False


class _Leaving(Interrupts):
    """Stops a run whose call is gone. call: the one whose turn it is."""

    call = _Call()

    def check(self) -> None:
        """Raise Interrupted."""
        self.requested = self.requested or self.call.gone
        super().check()


class Sampler:
    """One model for all calls, one of which is answered at a time. The first call loads it: a client need not wait."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._model: Model | None = None
        self._turn = threading.Lock()
        self._interrupts = _Leaving(())

    async def power_sample(
        self,
        prompt: str,
        system: str | None = None,
        method: str = "power",
        alpha: float | None = None,
        steps: int | None = None,
        budget: str | None = None,
        max_tokens: int = 256,
        seed: int | None = None,
        stop: list[str] | None = None,
    ) -> dict[str, Any]:
        """Ask a local language model and sample its whole answer towards p(answer | prompt)^alpha.

        Likely answers become likelier. method: power, base, low-temp, best-of-n, smc or lookahead, with settings as in
        smc:particles=8. alpha: the power, at least 1; left out, the model's own. steps: of the chain, 5 when left out.
        budget: most that the answer may take, as 30s, 5000t or 4x. stop: texts that end the answer. The result has the
        text, its log p, the seed that repeats it, the guarantee that holds, and what it cost.
        """
        call = _Call()
        settings = {"system": system, "max_tokens": max_tokens, "seed": seed, "stops": stop or ()}
        beside = {"alpha": alpha, "steps": steps, "budget": budget}
        work = partial(self._answer, call, prompt, method, beside, settings)
        try:
            return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
        except UserError as error:
            raise ToolError(error.line()) from None
        finally:
            call.gone = True  # a run ends with its next batch

    def _answer(
        self, call: _Call, prompt: str, method: str, beside: dict[str, Any], settings: dict[str, Any]
    ) -> dict[str, Any]:
        with self._turn:
            if call.gone:
                return {}
            self._interrupts.call = call
            drawn = method_of(method, beside)
            if self._model is None:
                self._model = Model(load(self._request), self._interrupts)
            model = self._model
            if settings["system"] and not model.loaded.has_template:
                raise UserError("this model has no chat template for a system message", "leave it out")
            answer = model.generate(prompt, drawn, **settings)
        facts = answer.to_dict()
        found = {"text": answer.text, **{name: facts[name] for name in _FACTS}}
        return found | {"model": model.info.name, "notes": [*model.notes, *answer.notes]}

    def close(self) -> None:
        """Free the model, once nobody is answered any more."""
        self._interrupts.call.gone = True
        with self._turn:
            if self._model is not None:
                self._model.close()


class _Server(MCPServer[Any]):
    """The SDK drops arguments that a tool does not have; a setting that has no effect must be refused by name."""

    async def call_tool(self, name: str, arguments: dict[str, Any], context: Any = None) -> Any:
        """As the SDK's. Raises ToolError of one line."""
        for tool in await self.list_tools():
            if tool.name == name:
                _known(arguments, tool.input_schema["properties"])
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            if not isinstance(error.__cause__, ValidationError):
                raise
            first = error.__cause__.errors()[0]
            field = ".".join(map(str, first["loc"]))
            raise ToolError(f"{field}: {first['msg']}") from None


def _known(arguments: Mapping[str, Any], names: Collection[str]) -> None:
    """Raises ToolError for an argument that the tool does not have, unless its value changes nothing."""
    try:
        refuse(arguments)
    except UserError as error:
        raise ToolError(error.line()) from None
    if unknown := sorted(arguments.keys() - set(names) - NEUTRAL.keys()):
        raise ToolError(f"there is no argument {unknown[0]!r} (the tool has {', '.join(names)})")


def serve(request: Request) -> None:
    """Answer a client on stdin and stdout until it leaves."""
    sampler = Sampler(request)
    server = _Server("localpower", version=__version__, log_level="WARNING")
    server.tool()(sampler.power_sample)
    try:
        server.run("stdio")
    finally:
        sampler.close()
