"""Model of lm-evaluation-harness: `python -m localpower.adapters.lm_eval run --tasks TASK --model_args method=power`.

The harness has no entry points for models: a name is known once the file that registers it is imported. Run as a
program this file is the harness's own command `lm-eval` that knows one model more, `--model localpower`.
"""

from __future__ import annotations

import logging
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.model import TemplateLM
from lm_eval.api.registry import register_model
from lm_eval.utils import get_rolling_token_windows, make_disjoint_window
from tqdm import tqdm

import localpower as lp
from localpower.adapters.settings import loaded, method_of, refuse, refuse_others
from localpower.api.request import NEUTRAL
from localpower.errors import ModelError, UsageProblem, UserError
from localpower.evals.jobs import seed_of
from localpower.loaded import usual_alpha
from localpower.loaded.thoughts import switched
from localpower.model import Tokens
from localpower.text.conversation import Conversation

logger = logging.getLogger("lm_eval.localpower")  # the harness shows what its own loggers say
# The first that is given holds.
_LENGTHS = ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")
_DRAWING = ("do_sample", "temperature")  # how tasks say "greedy": the method says how an answer is drawn


@register_model("localpower")
class LocalpowerLM(TemplateLM):
    """A model of localpower in the harness. Arguments are those of `lp.load` and the settings of a method.

    seed: the answer to document i has the seed that `localpower eval` gives a problem with the id "i".
    max_tokens: of answers to tasks that name no length. at_once: requests in one batch; None: batch_size, where that is
    more than the 1 that the harness passes when nobody says so, else 8. Raises UserError.
    """

    def __init__(
        self,
        model: str | None = None,
        *,
        method: str | None = None,
        alpha: float | None = None,
        temperature: float | None = None,
        steps: int | None = None,
        budget: str | None = None,
        seed: int = 0,
        max_tokens: int = 256,
        think: bool | None = None,
        at_once: int | None = None,
        threads: int | None = None,
        ctx: int | None = None,
        gpu_layers: int = 0,
        fast: bool = False,
        batch_size: int | str | None = None,
        max_batch_size: int | None = None,
        device: str | None = None,
        **others: Any,
    ) -> None:
        super().__init__()
        refuse_others(others, {"pretrained": "the model is model=NAME"})
        beside = {"alpha": alpha, "temperature": temperature, "steps": steps, "budget": budget}
        self._method = method_of(method, beside)
        self._seed, self._max_tokens, self._think = seed, max_tokens, think
        wide = int(str(batch_size)) if str(batch_size).isdecimal() else 1
        self._at_once = at_once or (wide if wide > 1 else 8)
        self._model = loaded(model, threads, ctx, gpu_layers, fast)
        self._chat = False
        self._drawn, self._plain, self._told = 0, 0.0, False
        for note in self._model.notes:
            logger.warning(note)

    @property
    def eot_token_id(self) -> int:
        """The token before a text that nothing stands before."""
        found = self._model.loaded.opener()
        if found is None:
            raise ModelError("this model has no token to stand before a text that nothing stands before")
        return found

    @property
    def max_length(self) -> int:
        """Most tokens of a context and what follows it."""
        return self._model.loaded.n_ctx or 2048

    @property
    def tokenizer_name(self) -> str:
        """Which model's prompts these are."""
        info = self._model.info
        return f"localpower/{info.name}/{(info.sha256 or '')[:12]}"

    def chat_template(self, chat_template: bool | str = False) -> str:
        """The model's own template, whatever name is given."""
        return self._model.loaded.template or ""

    def apply_chat_template(
        self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True
    ) -> str:
        """Messages as a prompt's text. Without a generation prompt the last message is the beginning of the answer."""
        self._chat = True
        loaded = self._model.loaded
        last = None if add_generation_prompt else chat_history[-1]["content"]
        said = Conversation(list(chat_history if last is None else chat_history[:-1]))
        arguments, notes = switched(loaded.template, {}, self._think)
        for note in notes:
            logger.warning(note)
        return loaded.chat_text(said, arguments) + (last or "")

    def tok_encode(self, string: str, add_special_tokens: bool | None = None, **_kwargs: Any) -> list[int]:
        """Tokens of a prompt. Control texts are control tokens once the chat template is in use, else text."""
        loaded = self._model.loaded
        if add_special_tokens is False:
            return list(loaded.following((), string))
        if self._chat:
            return list(loaded.read_chat(string))
        return list(loaded.prompt(Conversation.of(string), raw=True, arguments={}))

    def _loglikelihood_tokens(
        self, requests: Sequence[tuple[Any, list[int], list[int]]], disable_tqdm: bool = False, **_kwargs: Any
    ) -> list[tuple[float, bool]]:
        pairs = [(tuple(context), tuple(continuation)) for _, context, continuation in requests]
        found = self._scores(pairs, disable_tqdm)
        answers = [(each.log_p, each.greedy) for each in found]
        for (key, *_rest), answer in zip(requests, answers, strict=True):
            if key is not None:
                self.cache_hook.add_partial("loglikelihood", key, answer)
        return answers

    def loglikelihood_rolling(self, requests: Sequence[Instance], disable_tqdm: bool = False) -> list[float]:
        """log p of whole texts after the token that opens one, in windows as long as the context."""
        pairs: list[tuple[Tokens, Tokens]] = []
        spans = []
        for (text,) in (request.args for request in requests):
            tokens = self.tok_encode(text, add_special_tokens=False)
            first, most = len(pairs), self.max_length - 1
            for window in get_rolling_token_windows(tokens, self.prefix_token_id, most, 1):
                context, continuation = make_disjoint_window(window)
                pairs.append((tuple(context), tuple(continuation)))
            spans.append(slice(first, len(pairs)))
        scores = self._scores(pairs, disable_tqdm)
        found = [sum(each.log_p for each in scores[span]) for span in spans]
        for request, log_p in zip(requests, found, strict=True):
            self.cache_hook.add_partial("loglikelihood_rolling", request.args, log_p)
        return found

    def _scores(self, pairs: Sequence[tuple[Tokens, Tokens]], quiet: bool) -> list[lp.Score]:
        with tqdm(total=len(pairs), disable=quiet, desc="Reading with localpower") as bar:
            return lp.score(self._model, pairs, at_once=self._at_once, heard=lambda _: bar.update())

    def generate_until(self, requests: Sequence[Instance], disable_tqdm: bool = False) -> list[str]:
        """An answer to each context by the method, without the text that ended it."""
        alike: dict[tuple[int, tuple[str, ...]], list[int]] = defaultdict(list)
        for i, request in enumerate(requests):
            alike[self._asked(request.args[1])].append(i)
        seeds = self._seeds(requests)
        texts: dict[int, str] = {}
        method = self._method
        if self._chat and "alpha" in method.uses() and getattr(method, "alpha", None) is None:
            method = method.having(alpha=usual_alpha(chat=True, preset=self._model.loaded.preset))
        with tqdm(total=len(requests), disable=disable_tqdm, desc=f"Drawing by {method}") as bar:
            for (max_tokens, stops), those in alike.items():

                def there(number: int, answer: lp.Answer, those: Sequence[int] = those) -> None:
                    request = requests[those[number]]
                    texts[those[number]] = answer.text
                    self._drawn += answer.decoded_tokens
                    self._plain += answer.plain_tokens
                    self.cache_hook.add_partial("generate_until", request.args, answer.text)
                    bar.update()

                self._model.generate_many(
                    [tuple(self.tok_encode(requests[i].args[0])) for i in those],
                    method,
                    seed=[seeds[i] for i in those],
                    max_tokens=max_tokens,
                    stops=stops,
                    at_once=self._at_once,
                    on_answer=there,
                )
        return [texts[i] for i in range(len(requests))]

    def _seeds(self, requests: Sequence[Instance]) -> list[int]:
        """As `localpower eval` has them: by the number of the document, and of the sample where it is asked again."""
        asked: Counter[tuple[Any, Any]] = Counter()
        found = []
        for request in requests:
            which = request.task_name, request.doc_id
            found.append(seed_of(self._seed, str(request.doc_id), asked[which]))
            asked[which] += 1
        return found

    def _asked(self, settings: dict[str, Any]) -> tuple[int, tuple[str, ...]]:
        """Length and stops of what a task asks for. Raises UsageProblem for what would change the target."""
        refuse(settings)
        known = (*_LENGTHS, *_DRAWING, "until")
        if unknown := sorted(settings.keys() - set(known) - NEUTRAL.keys()):
            raise UsageProblem(f"localpower does not know the generation setting {unknown[0]!r}")
        idle = {name: settings[name] for name in _DRAWING if name in settings}
        if idle and not self._told:
            said = ", ".join(f"{name}={value}" for name, value in idle.items())
            logger.warning("%s of the task is not used: answers are drawn by %s", said, self._method)
            self._told = True
        until = settings.get("until") or []
        stops = [until] if isinstance(until, str) else until
        length = next(
            (settings[name] for name in _LENGTHS if settings.get(name) is not None), self._max_tokens
        )
        return int(length), tuple(stop for stop in stops if stop)

    def get_model_info(self) -> dict[str, Any]:
        """What the results say of the model and of what its answers cost."""
        return {
            "localpower": {
                "version": lp.__version__,
                "model": self._model.info.to_dict(),
                "exactness": self._model.exactness,
                "method": str(self._method),
                "guarantee": self._method.guarantee,
                "seed": self._seed,
                "drawn_tokens": self._drawn,
                "cost_multiple": self._drawn / self._plain if self._plain else None,
            }
        }


def main() -> int:
    """The harness's command line; a problem of ours is one line."""
    from lm_eval.__main__ import cli_evaluate

    if not {"--model", "-M"} & {word.partition("=")[0] for word in sys.argv} and "run" in sys.argv[1:2]:
        sys.argv += ["--model", "localpower"]
    try:
        cli_evaluate()
    except UserError as error:
        print(f"localpower: {error.line()}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
