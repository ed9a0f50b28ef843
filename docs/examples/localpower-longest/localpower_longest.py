from dataclasses import dataclass

import localpower as lp
from localpower.completion import Completion, extend
from localpower.readers import whole
from localpower.samplers.base import finished


@dataclass(frozen=True, kw_only=True)
class Longest(lp.Method):
    """The longest of several draws from p."""

    name = "longest"
    guarantee = "approximate"
    n: int = lp.setting(3, whole(1, 9), "Number of draws.")

    def expected_cost(self):
        return float(self.n)

    def run(self, model, prompt, dice, target):
        draws = [
            extend(
                dice.spawn(i),
                model,
                prompt,
                Completion(),
                target.max_tokens,
                temperature=1.0,
                rules=target.rules,
            )
            for i in range(self.n)
        ]
        best = max(draws, key=len)
        yield lp.Extended(stage=0, horizon=target.max_tokens, kept=0, suffix=best)
        yield finished(best, n_dropped=sum(map(len, draws)) - len(best))
