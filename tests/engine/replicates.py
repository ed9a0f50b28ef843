"""Chains on a real engine that start from exact draws of a law: their ends must follow it too."""

from __future__ import annotations

import numpy as np

from localpower.chance import StreamDice
from localpower.model import beside
from localpower.runs.gather import Run, gather
from localpower.samplers.kernel import ChainState

WIDTH = 24  # chains that share each batch


def end_states(engine, law, kernel, start, *, prompt, horizon, steps, replicates, shown=None):
    """How often each answer of a law (answer: weight) is where a chain ends, and their shares.

    start(handle, tokens): the answer as a state; it is asked once for each. shown: the kernel's other prompt.
    """
    answers, pi = list(law), np.array(list(law.values())) / sum(law.values())
    dice, starts, ends = StreamDice(7), {}, np.zeros(len(answers), np.int64)

    def replicate(index):
        def run(handle):
            own = dice.spawn(index)
            tokens = answers[own.spawn(0).pick(pi)]
            if tokens not in starts:
                starts[tokens] = start(handle, tokens)
            state = ChainState(starts[tokens], horizon)
            for k in range(steps):
                handle.pin(prompt + state.completion.tokens)
                if shown is not None:
                    beside(handle, shown).pin(shown + state.completion.tokens)
                state, _ = kernel.step(own.spawn(1 + k), state, handle, prompt)
            ends[answers.index(state.completion.tokens)] += 1
            yield from ()

        return Run(prompt, run)

    for first in range(0, replicates, WIDTH):
        for _ in gather(engine, [replicate(i) for i in range(first, first + WIDTH)]):
            pass
    return ends, pi
