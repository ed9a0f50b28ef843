"""Random inputs and kills for as long as there is time; each find is written to corpus.jsonl, which the tests try.

python -m tests.fuzz [--minutes N] [--only PROPERTY] [--kills N] [--seed N]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, seed, settings

from tests.fuzz.kills import KILLS
from tests.fuzz.properties import PROPERTIES, Property

CORPUS = Path(__file__).parent / "corpus.jsonl"
_ROUND = 100  # inputs of a property before the next one's turn
_PATIENCE_S = 20.0  # for one input
_SLOW = 3  # of those that start processes


def tried(tried: Property, number: int) -> tuple[int, Any, BaseException | None]:
    """How many inputs were tried, and the smallest that was served badly with what it raised."""
    n, last, wrong = 0, None, None

    def check(case: Any) -> None:
        nonlocal n, last, wrong
        n += 1
        begun = time.monotonic()
        try:
            tried.check(case)
            if time.monotonic() - begun > _PATIENCE_S:
                raise TimeoutError(f"it took longer than {_PATIENCE_S:g} s")
        except Exception as error:
            last, wrong = case, error
            raise

    some = settings(
        max_examples=_ROUND if tried.examples > 10 else _SLOW,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    try:
        seed(number)(some(given(tried.inputs)(check)))()
    except Exception as error:
        wrong = wrong or error
    return n, last, wrong


def main() -> int:
    """Fuzz; the exit code says whether anything was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--only", choices=[*PROPERTIES, *KILLS])
    parser.add_argument("--kills", type=int, default=0, help="kill -9 so many times, besides")
    parser.add_argument("--seed", type=int, default=random.randrange(2**31))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    os.environ["LOCALPOWER_CACHE"] = tempfile.mkdtemp()
    chance, found = random.Random(options.seed), 0
    for i in range(options.kills):
        name = options.only if options.only in KILLS else list(KILLS)[i % len(KILLS)]
        with tempfile.TemporaryDirectory() as folder:
            KILLS[name](Path(folder), chance)
    if options.kills:
        print(f"{options.kills} kills, nothing lost", flush=True)
    counts = {name: 0 for name in PROPERTIES if options.only in (None, name)}
    end = time.monotonic() + 60 * options.minutes
    broken: set[str] = set()
    while time.monotonic() < end and len(broken) < len(counts):
        for name in counts.keys() - broken:
            n, case, wrong = tried(PROPERTIES[name], chance.randrange(2**31))
            counts[name] += n
            if wrong is not None:
                found += 1
                broken.add(name)  # one find of a kind at a time: mend it, then go on
                traceback.print_exception(wrong)
                row = {"property": name, "why": f"{type(wrong).__name__}: {wrong}"[:80], "input": case}
                with CORPUS.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
                print(f"{name}: {case!r}", flush=True)
    print(f"{sum(counts.values()):,} inputs, {found} finds: {counts}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
