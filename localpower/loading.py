"""A model ready to answer: its text side, its numbers side, and what is known about both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from localpower.catalogue import locate
from localpower.errors import ModelError, UserError
from localpower.model import Tokens
from localpower.runs.gather import Engine
from localpower.text.template import Message
from localpower.toy import ToyModel

if TYPE_CHECKING:  # llama_cpp takes a quarter of a second to import: only a GGUF pays for it
    from localpower.engine.base import GgufEngine
    from localpower.engine.probe import Verdict
    from localpower.engine.weights import Weights
    from localpower.text.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked of the engine; None: automatic. fresh: make the engine's verdict anew."""

    model: str | None = None
    threads: int | None = None
    ctx: int | None = None
    gpu_layers: int | None = None
    fast: bool = False
    fresh: bool = False


class Loaded(Protocol):
    """What commands need of a model."""

    @property
    def identity(self) -> dict[str, Any]:
        """name, path, sha256, quantization."""

    @property
    def exactness(self) -> str | float:
        """ "exact", or the largest |difference in log p| seen between batch shapes, nats."""

    @property
    def notes(self) -> list[str]:
        """What a user must know before work starts."""

    @property
    def has_template(self) -> bool:
        """Whether the model brings a chat template."""

    def prompt(self, messages: Sequence[Message], *, raw: bool, arguments: Mapping[str, Any]) -> Tokens:
        """Tokens of the prompt: by the template, or the last message's text as it is."""

    def engine(self, prompt: Tokens, horizon: int, chains: int, check: Callable[[], None]) -> Engine:
        """An engine with room for that many chains. Raises UserError when the context cannot hold them."""

    def piece(self, token: int) -> bytes:
        """The bytes a token adds to the text."""

    def control_token(self, text: str) -> int | None:
        """The id of a control token with exactly this text."""

    def work(self, engine: Engine) -> tuple[int, int]:
        """Prompt tokens evaluated and rows padded by an engine of this model."""


@dataclass
class LoadedToy:
    """`--model toy`."""

    toy: ToyModel = field(default_factory=ToyModel)
    identity: dict[str, Any] = field(
        default_factory=lambda: {
            "name": "toy",
            "path": None,
            "sha256": None,
            "quantization": None,
        }
    )
    exactness: str | float = "exact"
    notes: list[str] = field(default_factory=list)
    has_template: bool = False

    def prompt(self, messages: Sequence[Message], *, raw: bool, arguments: Mapping[str, Any]) -> Tokens:
        """A toy word for each word."""
        return self.toy.tokenize(messages[-1]["content"])

    def engine(self, prompt: Tokens, horizon: int, chains: int, check: Callable[[], None]) -> Engine:
        """The table itself."""
        return self.toy

    def piece(self, token: int) -> bytes:
        """A word."""
        return self.toy.piece(token)

    def control_token(self, text: str) -> int | None:
        """The toy has no control texts."""
        return None

    def work(self, engine: Engine) -> tuple[int, int]:
        """Tables evaluate nothing."""
        return 0, 0


@dataclass
class LoadedGguf:
    """A GGUF through llama.cpp."""

    identity: dict[str, Any]
    weights: Weights
    verdict: Verdict
    vocabulary: Vocabulary
    exactness: str | float
    notes: list[str]
    n_ctx: int

    @property
    def has_template(self) -> bool:
        """Whether the model brings a chat template."""
        return self.vocabulary.template is not None

    def prompt(self, messages: Sequence[Message], *, raw: bool, arguments: Mapping[str, Any]) -> Tokens:
        """By the template unless raw or there is none."""
        if raw or not self.has_template:
            return self.vocabulary.raw_prompt(messages[-1]["content"])
        return self.vocabulary.chat_prompt(messages, arguments)

    def engine(self, prompt: Tokens, horizon: int, chains: int, check: Callable[[], None]) -> Engine:
        """A cache for state and proposal of every chain, and as much again for what is dead but not yet reused."""
        from localpower.engine.llama import LlamaModel
        from localpower.engine.recurrent import RecurrentModel

        if len(prompt) + horizon > self.n_ctx:
            raise UserError(
                f"the prompt has {len(prompt)} tokens and the answer may have {horizon}: "
                f"more than the context of {self.n_ctx}",
                "shorten the prompt, lower --max-tokens or raise --ctx",
            )
        settings = self.verdict.settings
        model: GgufEngine
        if self.weights.is_recurrent():
            room = len(prompt) + horizon
            model = RecurrentModel(self.weights, settings, n_cells=room, n_lanes=chains + 1, check=check)
        else:
            model = LlamaModel(
                self.weights,
                settings,
                n_cells=len(prompt) + (2 * chains + 4) * horizon + 64,
                n_slots=4 * chains + 8,
                steady_rows=0 if self.verdict.exact else chains,
                check=check,
            )
        model.prompt_length = len(prompt)
        return model

    def piece(self, token: int) -> bytes:
        """Cached bytes of a token."""
        return self.vocabulary.piece(token)

    def control_token(self, text: str) -> int | None:
        """By the vocabulary."""
        return self.vocabulary.control_token(text)

    def work(self, engine: Engine) -> tuple[int, int]:
        """By the engine's counters."""
        counters = _as_gguf(engine).counters
        return counters.prefill_tokens, counters.padded_rows


def _as_gguf(engine: Engine) -> GgufEngine:
    return engine  # type: ignore[return-value]


def load(
    request: Request,
    *,
    say: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Loaded:
    """Find, check and load a model. Raises ModelError for a file that cannot be used, Interrupted by stop()."""
    if request.model == "toy":
        return LoadedToy(notes=_toy_notes(request))
    from localpower.engine.files import check_file, sha256
    from localpower.engine.settings import default_threads
    from localpower.engine.verdict import verdict_for

    name, path = locate(request.model)
    check_file(path)
    threads = request.threads or default_threads()
    gpu_layers = request.gpu_layers or 0
    verdict = verdict_for(
        path,
        threads=threads,
        gpu_layers=gpu_layers,
        exact=not request.fast,
        say=say,
        fresh=request.fresh,
    )
    verdict.settings.set_environment()
    from localpower.engine.library import check_layout
    from localpower.engine.weights import Weights
    from localpower.text.vocabulary import Vocabulary

    check_layout()
    weights = Weights(path, repack=verdict.settings.repack, gpu_layers=gpu_layers, stop_loading=stop)
    _refuse_memory(weights)
    identity = {
        "name": name,
        "path": str(path),
        "sha256": sha256(path),
        "quantization": weights.quantization(),
    }
    return LoadedGguf(
        identity,
        weights,
        verdict,
        Vocabulary(weights),
        "exact" if verdict.exact and not request.fast else verdict.largest,
        _notes(request, verdict, weights),
        request.ctx or weights.n_ctx_train,
    )


def _refuse_memory(weights: Weights) -> None:
    kind = weights.memory_kind()
    if kind in ("encoder", "diffusion"):
        raise ModelError(f"this model is of the kind '{kind}': it does not write one token after another")
    if weights.is_recurrent() and weights.window():
        raise ModelError(
            "this model has both a recurrent state and a sliding window, which cannot be rolled back together",
            "models with one of the two work",
        )


def _notes(request: Request, verdict: Verdict, weights: Weights) -> list[str]:
    from localpower.engine.library import supports_gpu

    notes = []
    if request.gpu_layers and not supports_gpu():
        notes.append("--gpu-layers is not used: this build of llama.cpp has no GPU support")
    if request.fast:
        notes.append(
            "--fast: llama.cpp's own numerics; log p moved by up to "
            f"{verdict.largest:.2g} nats with the batch shape on this machine"
        )
    elif not verdict.exact:
        notes.append(
            "no settings are exact here: log p moved by up to "
            f"{verdict.largest:.2g} nats with the batch shape, so results are exact only to that"
        )
    if weights.is_recurrent():
        notes.append(
            f"this model's memory is {weights.memory_kind()}: steps go back to checkpoints and evaluate some tokens again"
        )
    if request.ctx and request.ctx > weights.n_ctx_train:
        notes.append(f"--ctx {request.ctx} is more than the {weights.n_ctx_train} it was trained for")
    return notes


def _toy_notes(request: Request) -> list[str]:
    named = [("--threads", request.threads), ("--ctx", request.ctx), ("--gpu-layers", request.gpu_layers)]
    unused = [option for option, value in named if value is not None]
    unused += ["--fast"] if request.fast else []
    return [f"{option} means nothing to the toy model" for option in unused]
