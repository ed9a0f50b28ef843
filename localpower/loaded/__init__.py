"""A model ready to answer: its text side, its numbers side, and what is known about both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from localpower.model import Tokens
from localpower.runs.gather import Engine
from localpower.text.conversation import Conversation

if TYPE_CHECKING:
    from localpower.engine.cells import CellsPlan

ALPHA_RAW, ALPHA_CHAT = 4.0, 2.5  # without a template of its own, and with one


@dataclass(frozen=True, slots=True)
class Preset:
    """The power that the catalogue gives a model. raw: also for a prompt that no template is put around."""

    alpha: float
    raw: bool


def usual_alpha(*, chat: bool, preset: Preset | None = None) -> float:
    """The power where nobody says one: the model's own, else by the prompt. chat: it goes through a template."""
    if preset is not None and (chat or preset.raw):
        return preset.alpha
    return ALPHA_CHAT if chat else ALPHA_RAW


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Which model it is. None: of the toy, which has no file.

    kv: bits of its keys and values where they were asked for, which makes it another model; None: the engine's check
    chose them.
    """

    name: str
    path: str | None = None
    sha256: str | None = None
    quantization: str | None = None
    kv: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; kv where it was asked for."""
        found = asdict(self)
        return {name: value for name, value in found.items() if name != "kv" or value is not None}


class Loaded(Protocol):
    """What commands need of a model."""

    @property
    def info(self) -> ModelInfo:
        """Which model it is."""

    @property
    def exactness(self) -> str | float:
        """ "exact", or the largest |difference in log p| seen between batch shapes, nats."""

    @property
    def machine(self) -> str:
        """What besides the model may decide the bits of its numbers, in a few words: processor and engine settings."""

    @property
    def preset(self) -> Preset | None:
        """The power that the catalogue gives it; None: the model is not in there."""

    @property
    def notes(self) -> list[str]:
        """What a user must know before work starts."""

    @property
    def n_ctx(self) -> int | None:
        """Most tokens of a prompt and its answer together; None: no limit."""

    @property
    def has_template(self) -> bool:
        """Whether the model brings a chat template."""

    def prompt(self, conversation: Conversation, *, raw: bool, arguments: Mapping[str, Any]) -> Tokens:
        """Tokens of the prompt: by the template, or the texts as they are."""

    def prompts(
        self, conversations: Sequence[Conversation], *, raw: bool, arguments: Mapping[str, Any]
    ) -> list[Tokens]:
        """The same for many conversations, none of which holds tokens that a model drew."""

    def chat_text(self, conversation: Conversation, arguments: Mapping[str, Any]) -> str:
        """What the template makes of a conversation, for `read_chat`. Raises ModelError where there is none."""

    def read_chat(self, text: str) -> Tokens:
        """Tokens of a text that begins with one of `chat_text`; control texts of the template are control tokens."""

    def opener(self) -> int | None:
        """The token before a text that nothing stands before; None: the model has none."""

    @property
    def template(self) -> str | None:
        """The model's chat template."""

    def written(self, text: str) -> Tokens:
        """Tokens of a text of ours, in which control texts are control tokens."""

    def following(self, before: Tokens, text: str, *, controls: bool = False) -> Tokens:
        """Tokens of a text right after others, none of which is read anew. Control texts are text unless `controls`."""

    def apart(self, text: str) -> list[str]:
        """A foreign text in parts for `following`, none of which holds a control token, whatever the text spells."""

    def spelled(self, token: int) -> bytes:
        """The bytes of a token, of a control token its own text; none of a token that ends a turn."""

    def frame(
        self, told: str, role: str, call: str, arguments: Mapping[str, Any], *, thoughts: bool
    ) -> tuple[str, str]:
        """What the template writes before and after a message of that role after a turn of the model.

        As in `text.frames`; raises ModelError for a template that cannot be used so, or where there is none.
        """

    def unspelled(self, text: str) -> int:
        """How many characters of a text are left out of a prompt, for want of a token."""

    def engine(
        self,
        prompt: Tokens,
        horizon: int,
        rows: int,
        check: Callable[[], None],
        keep: Engine | None = None,
        chains: int | None = None,
        prompts: int = 1,
    ) -> Engine:
        """An engine with room for so many answers at once: `keep`, or a larger one that remembers its prompt.

        chains: how many of them keep a state beside what they write; None: all. prompts: how many different ones of
        this length are answered at once. Raises UserError when the context cannot hold a prompt and its answer.
        """

    def cells(
        self, prompt_length: int, horizon: int, rows: int, chains: int, prompts: int = 1
    ) -> CellsPlan | None:
        """What keys and values of so many chains take of memory, and which number fits; None: a table has none."""

    def longer_context(self, need: int) -> tuple[int, int] | None:
        """A context that holds so many tokens and the bytes that one sequence of it takes; None: there is none."""

    def warm(self, engine: Engine, prompt: Tokens, path: Path) -> list[str]:
        """Begin from the prompt cache at `path` where it fits, and bring it up to date; what to say about it."""

    def piece(self, token: int) -> bytes:
        """The bytes a token adds to the text."""

    def control_token(self, text: str) -> int | None:
        """The id of a control token with exactly this text."""

    def widest(self) -> int:
        """Most proposals that may share a batch with gain; 0: none may, for the engine is not exact or has states."""

    def goes_ahead(self) -> bool:
        """Whether rows of one answer may be evaluated together, ahead of the draws before them."""

    def speed(self, rows: int) -> float | None:
        """Tokens a second that so many at a time are good for; None: never measured."""

    def work(self, engine: Engine) -> tuple[int, int, int]:
        """Prompt tokens evaluated, rows padded and rows thrown away by an engine of this model."""

    def close(self) -> None:
        """Free the memory. Engines are closed first."""
