"""The environment of a run as its rules see it: what the model's turns call, made, remembered and counted.

The environment's chance is fixed by one seed, so that an observation is a function of the tokens before it: a chain
cannot select lucky observations, a run repeats, and equal calls are answered alike. The states that calls lead to are
kept as copies, the latest few of them; others are made again from the recorded calls.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, runtime_checkable

from localpower.completion import Completion
from localpower.errors import Interrupted, UsageProblem, UserError
from localpower.model import Tokens
from localpower.rules import After
from localpower.tools.calls import BadCall, Call, Observation
from localpower.tools.environment import Environment, Json
from localpower.tools.executor import execute, readable
from localpower.tools.formats import Frame, Piece, ToolFormat

TURNS, OBSERVATION_TOKENS = 8, 256
CHANCES = 1 << 16  # numbers that the chance of an observation is drawn from, in a fresh environment
_COPIES = 256  # of the environment, at most
_THINK = "<think>"  # of thoughts: a call in one is none
NO_ROOM = "(the results have no room here)"


@runtime_checkable
class Reseeded(Protocol):
    """What an environment has besides its contract where the chance of single calls can be drawn anew."""

    def reseed(self, seed: int) -> None:
        """The chance of the calls that follow, and nothing else, comes from this seed."""


class Spelling(NamedTuple):
    """Tokens and text of a model. text: of a turn, control texts shown. read: tokens of pieces right after others."""

    text: Callable[[Tokens], str]
    read: Callable[[Tokens, Sequence[Piece]], Tokens]


class Round(NamedTuple):
    """What one turn called and what the model was told. tokens: of that. cut: it was shortened to its limit."""

    calls: tuple[Call | BadCall, ...]
    observations: tuple[Observation, ...]
    tokens: Tokens
    cut: bool


@dataclass(slots=True)
class Work:
    """calls: read from turns. executed: calls of the environment; replayed: those made again for a copy of its state.

    seconds: in the environment. cut: observations that were shortened.
    """

    calls: int = 0
    executed: int = 0
    replayed: int = 0
    seconds: float = 0.0
    cut: int = 0


# Tokens up to the end of a turn, and the chance of each observation, the next one's too.
Key = tuple[Tokens, tuple[int, ...]]


class Exchange:
    """`Rules.turns` of one environment. Raises UserError for an environment that cannot begin or be copied.

    turns: most turns of the model; tokens: most of an observation; both at least 1. fresh: chances of observations are
    drawn, which takes an environment that can be reseeded; else all are fixed by `seed`. begun: it is not reset.
    """

    grows = True  # it reads `Growing` turns

    def __init__(
        self,
        environment: Environment,
        format: ToolFormat,
        frame: Frame,
        spelling: Spelling,
        *,
        seed: int,
        turns: int = TURNS,
        tokens: int = OBSERVATION_TOKENS,
        chances: int = 1,
        begun: bool = False,
    ) -> None:
        self.environment, self.format = environment, format
        self.seed, self.turns, self.most = seed, turns, tokens
        self.chances, self.work, self._begun = chances, Work(), begun
        self._frame, self._spelling = frame, spelling
        self._known: dict[Key, Round] = {}
        self._copies: OrderedDict[Key, Environment] = OrderedDict()
        self.opening = ""  # of the prompt what belongs to the first turn: a prefix, the mark of a thought
        self._origin: Environment | None = None  # as it is before the first call
        self._copied = 0
        if chances > 1 and not isinstance(environment, Reseeded):
            raise UsageProblem("--fresh-environment takes an environment whose chance can be drawn anew")
        needed = len(self._read((), [Observation(NO_ROOM, ok=False, executed=False)]))
        if not needed:
            raise UsageProblem(
                f"this model's vocabulary cannot spell what tools answer in the format {format.name}",
                "--tool-format inline needs the fewest letters",
            )
        if needed > tokens:
            raise UsageProblem(
                f"--observation-tokens {tokens} is not enough for this model: what is cut to it has {needed} tokens"
            )

    def anew(self) -> Exchange:
        """The same of another run: nothing is remembered, and nothing counted yet."""
        other = copy(self)
        other.work, other._known, other._copies, other._origin = Work(), {}, OrderedDict(), None
        return other

    def forget(self) -> None:
        """What is remembered is not needed any more."""
        self._known, self._copies, self._origin = {}, OrderedDict(), None

    def begin(self) -> Environment:
        """The environment before the first call. Raises UserError for one that cannot begin, or be copied."""
        if self._origin is None:
            with _told("begin"):
                self._origin = self.environment.fork()
                if not self._begun:
                    self._origin.reset(self.seed)
            self._copied = int(getattr(self._origin, "n_replayed", 0))
        return self._origin

    @property
    def room(self) -> int:
        """Most tokens that all observations of a trace can have."""
        return (self.turns - 1) * self.most

    @property
    def copied(self) -> int:
        """Calls that the environment itself has made again, for copies of it."""
        return int(getattr(self._origin, "n_replayed", 0)) - self._copied

    def text(self, turn: Tokens) -> str:
        """The text of a turn, control texts shown."""
        return self._spelling.text(turn)

    def after(self, turn: Tokens, rounds: int, *, end: bool) -> After:
        """As in `Turns`: a turn is over by an end token, or where its format says so."""
        if not end and not self._may_be_over(turn, rounds):
            return "on"
        text = self._begun_by(rounds) + self._spelling.text(turn[:])
        if not end and not self.format.over(text):
            return "on"
        return "asks" if rounds + 1 < self.turns and self.format.calls(text) else "over"

    def _may_be_over(self, turn: Tokens, rounds: int) -> bool:
        """Whether a call may end with the last token: so a long turn is not read anew for each token of it."""
        if self.format.marks is None or not turn:
            return False
        (begin, end), opening = self.format.marks, self._begun_by(rounds)
        if begin in opening and end in opening:
            return True
        parts = [self._spelling.text(turn[-1:])]
        if end not in parts[0]:
            return False
        for at in range(len(turn) - 2, -1, -1):
            parts.append(self._spelling.text(turn[at : at + 1]))
            if end in parts[-1]:  # what stands before that end was looked at there
                break
        else:
            parts.append(opening)
        return begin in "".join(reversed(parts))

    def cut_off(self, trace: Completion) -> bool:
        """Whether its last turn calls and is one too many for an answer."""
        rounds = len(trace.rounds)
        return rounds + 1 >= self.turns and bool(self.calls(trace.last_turn, rounds))

    def reply(self, trace: Completion, chance: int) -> Tokens:
        """The observation, from memory where the same turn was answered before."""
        before = keys_of(trace)
        drawn = before[-1][1] if before else ()
        key = trace.tokens, (*drawn, chance)
        if key not in self._known:
            self._known[key] = self._answered(key, trace.last_turn, before)
        return self._known[key].tokens

    def rounds(self, trace: Completion) -> list[Round]:
        """What the turns of a trace called, in order; of a trace that was answered here."""
        return [self._known[key] for key in keys_of(trace)]

    def told(self, trace: Completion) -> list[str]:
        """The texts of a trace's last observation, without what the format and the template put around them."""
        pieces = self.format.opening(self.rounds(trace)[-1].observations, Frame())
        return [piece.text for piece in pieces if not piece.control]

    def calls(self, turn: Tokens, rounds: int) -> list[Call | BadCall]:
        """What a turn calls that follows so many observations."""
        return self.format.calls(self._begun_by(rounds) + self._spelling.text(turn))

    def _begun_by(self, rounds: int) -> str:
        """What stands before the model's own text of a turn: the prompt, or the template, may open it."""
        if not rounds:
            return self.opening
        return _THINK if self._frame.after.rstrip().endswith(_THINK) else ""

    def outcome(self, trace: Completion) -> tuple[Json, bool | None]:
        """State and verdict of the environment at the end of a trace; None where it cannot tell."""
        try:
            there = self._after(keys_of(trace))
            return there.state(), there.check()
        except Exception:  # of the user's own code
            return None, None

    def _answered(self, key: Key, turn: Tokens, before: Sequence[Key]) -> Round:
        calls = tuple(self.calls(turn, len(before)))
        there = self._after(before)
        observations = self._made(there, calls, key[1][-1])
        executed = sum(each.executed for each in observations)
        self.work.calls += len(calls)
        self.work.executed += executed
        self._keep(key, there)
        tokens, told = self._fitting(key[0], observations)
        self.work.cut += told != observations
        return Round(calls, told, tokens, cut=told != observations)

    def _made(
        self, there: Environment, calls: Sequence[Call | BadCall], chance: int
    ) -> tuple[Observation, ...]:
        if self.chances > 1 and isinstance(there, Reseeded):
            with _told("be reseeded"):
                there.reseed(chance)
        made = tuple(execute(there, call) for call in calls)
        self.work.seconds += sum(each.seconds for each in made)
        return made

    def _after(self, keys: Sequence[Key]) -> Environment:
        """A copy of the environment as it is after these rounds."""
        known = next((n for n in range(len(keys), 0, -1) if keys[n - 1] in self._copies), 0)
        before = self._copies[keys[known - 1]] if known else self.begin()
        with _told("be copied"):
            there = before.fork()
        if known:
            self._copies.move_to_end(keys[known - 1])
        for key in keys[known:]:
            made = self._made(there, self._known[key].calls, key[1][-1])
            self.work.replayed += sum(each.executed for each in made)
        return there

    def _keep(self, key: Key, there: Environment) -> None:
        self._copies[key] = there
        if len(self._copies) > _COPIES:
            self._copies.popitem(last=False)

    def _read(self, before: Tokens, observations: Sequence[Observation]) -> Tokens:
        return self._spelling.read(before, self.format.opening(observations, self._frame))

    def _fitting(
        self, before: Tokens, observations: tuple[Observation, ...]
    ) -> tuple[Tokens, tuple[Observation, ...]]:
        """The tokens that tell them, at most `most`, and what they tell: the texts may be cut for it."""
        tokens, told = self._read(before, observations), observations
        characters = max((len(each.text) for each in observations), default=0)
        while len(tokens) > self.most and characters > 1:
            characters = max(characters * self.most // (len(tokens) + 1), 1)
            told = tuple(replace(each, text=readable(each.text, characters)) for each in observations)
            tokens = self._read(before, told)
        if len(tokens) > self.most or not tokens:  # nothing of it can be spelled
            tokens = self._read(before, [Observation(NO_ROOM, ok=False, executed=False)])
            told = tuple(replace(each, text=NO_ROOM) for each in observations)
        return tokens, told


@contextmanager
def _told(what: str) -> Iterator[None]:
    """What an environment raises, whatever it is, is a problem in one line."""
    try:
        yield
    except (UserError, Interrupted):
        raise
    except Exception as error:
        raise UserError(f"the environment cannot {what}: {type(error).__name__}: {error}") from None


def keys_of(trace: Completion) -> list[Key]:
    """Of each observation of a trace, in order."""
    rounds = trace.rounds
    chances = [int(trace.world[begin]) for begin, _ in rounds]
    return [(trace.tokens[:begin], tuple(chances[: i + 1])) for i, (begin, _) in enumerate(rounds)]
