"""All that selftest proves of a model that was just checked, as plain JSON values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from localpower.loaded import Loaded
from localpower.loaded.gguf import LoadedGguf
from localpower.samplers.cuts import UniformCuts
from localpower.selftest import engine as of_engine
from localpower.selftest import law


def selftest(loaded: Loaded, wait: Callable[[str], None]) -> dict[str, Any]:
    """The report; `passed` says whether all of it is as it should be. wait: hears what is going on."""

    def heard(what: str) -> Callable[[int, int], None]:
        return lambda done, n: wait(f"{what}: {done:,} of {n:,}")

    engine = None
    if isinstance(loaded, LoadedGguf):
        wait("Part 1 of 3, chains are run")
        engine = of_engine.check_engine(loaded, heard("Part 1 of 3, chains are evaluated again"))
    words = "the sampler is compared with an enumerated distribution"
    right = law.check_law("metropolis-hastings", UniformCuts(), heard=heard(f"Part 2 of 3, {words}"))
    control = law.ForgottenLengthTerm()
    wrong = law.check_law("length term forgotten", control, heard=heard("Part 3 of 3, so is a wrong one"))
    engine_ok = engine is None or not engine.exact or engine.chain == 0.0
    return {
        "passed": engine_ok and right.passed and not wrong.passed,
        "model": loaded.info.to_dict(),
        "exactness": loaded.exactness,
        "engine": asdict(engine) if engine else None,
        "sampler": asdict(right) | {"passed": right.passed},
        "wrong_sampler": asdict(wrong) | {"flagged": not wrong.passed},
    }
