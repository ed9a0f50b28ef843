"""The tables of docs/lab.md, by name, from docs/lab.json: `python scripts/lab/tables.py [--check]` writes them anew.

Each stands between `<!-- table NAME -->` and `<!-- end -->`; the pictures beside the page are written too.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from arms import CUES, FAMILIES, NAMES
from cold_tables import cold, cold_data, cold_gains
from controls import checkpoints, controls
from drawings import drawings
from marked import table, told
from proofs import distances, exact_accuracy, exact_passes
from results import DISTINCT_OF, Results
from summary import LEVELS, accuracy, alone, gain, ks, passes, share_of_gain, solved, tax
from sweeping import alphas, costs
from tools_tables import tools, tools_levels

PAGE, COUNTS = ROOT / "docs" / "lab.md", ROOT / "docs" / "lab.json"


def known(results: Results) -> list[str]:
    """Main arms that have answers."""
    return [name for name in NAMES if name in results.arms]


def main_table(results: Results) -> str:
    """Single answers."""
    places, rows = results.places(), []
    for name in known(results):
        arm = results.arms[name]
        by_family = [f"{accuracy(arm, results.places(family)).value:.2f}" for family in FAMILIES]
        likely = [f"{value:.1f}" if value is not None else "" for value in (arm.log_p, arm.log_p_right)]
        rows.append(
            [
                name, told(accuracy(arm, places)), *by_family, f"{arm.tokens:.1f}",
                f"{results.times[name]:.1f}x" if name in results.times else "",
                f"{arm.distinct:.1f}", *likely, str(max(arm.n)),
            ]
        )  # fmt: skip
    header = [
        "arm", "right", *FAMILIES, "tokens drawn", "seconds", f"distinct of {DISTINCT_OF}", "log p", "of right ones",
        "answers",
    ]  # fmt: skip
    return table(header, rows)


def differences(results: Results) -> str:
    """Paired by problem."""
    pairs = [
        ("base", "power"), ("low-temp", "power"), ("best-of-n", "power"), ("smc", "power"), ("base", "cue"),
        ("base", "grpo"), ("power", "grpo"), ("low-temp", "grpo"), ("power", "grpo-low-temp"), ("power", "sft"),
        ("sft", "grpo"),
    ]  # fmt: skip
    rows = []
    for first, second in pairs:
        if first in results.arms and second in results.arms:
            a, b = results.arms[first], results.arms[second]
            difference, p = gain(a, b, results.places())
            families = [f"{gain(a, b, results.places(family))[0].value:+.2f}" for family in FAMILIES]
            rows.append(
                [
                    f"{second} - {first}",
                    told(difference, signed=True),
                    *families,
                    f"{p:.4f}" if p > 0.0003 else "< .0003",
                ]
            )
    return table(["difference", "all", *FAMILIES, "p"], rows)


def by_level(results: Results) -> str:
    """Single answers by difficulty."""
    rows = []
    for family in FAMILIES:
        for name in known(results):
            cells = [
                f"{accuracy(results.arms[name], places).value:.2f}"
                if (places := results.places(family, level))
                else ""
                for level in LEVELS
            ]
            rows.append([family, name, *cells])
    sizes = ", ".join(
        f"{family} {' '.join(str(len(results.places(family, level))) for level in LEVELS)}"
        for family in FAMILIES
    )
    return (
        table(["family", "arm", *(f"level {level}" for level in LEVELS)], rows)
        + f"\n\nProblems of each level: {sizes}."
    )


def pass_at(results: Results) -> str:
    """pass@k."""
    wanted = [1, 2, 4, 8, 16, 32, 64]
    rows = []
    for name in known(results):
        arm = results.arms[name]
        mine = [k for k in wanted if k in ks(arm)]
        cells = [told(each) for each in passes(arm, results.places(), mine)]
        rows.append([name, *cells, *[""] * (len(wanted) - len(cells))])
    for family in FAMILIES:
        for name in ("base", "power", "sft", "grpo"):
            if name in results.arms:
                arm = results.arms[name]
                mine = [k for k in wanted if k in ks(arm)]
                cells = [f"{each.value:.3f}" for each in passes(arm, results.places(family), mine)]
                rows.append([f"{family}: {name}", *cells, *[""] * (len(wanted) - len(cells))])
    return table(["arm", *map(str, wanted)], rows)


def sets(results: Results) -> str:
    """Who solves what another does not."""
    rows = []
    for first, second in (
        ("base", "grpo"),
        ("base", "power"),
        ("power", "grpo"),
        ("base", "sft"),
        ("sft", "grpo"),
    ):
        if not {first, second} <= results.arms.keys():
            continue
        k = min(*results.arms[first].n, *results.arms[second].n)
        for family in (None, *FAMILIES):
            mine, other = alone(results, first, second, k, results.places(family))
            rows.append([f"{first}, {second}", str(k), family or "all", f"{mine:.1f}", f"{other:.1f}"])
    return table(["arms", "answers each", "family", "first alone", "second alone"], rows)


def sets_named(results: Results) -> str:
    """The problems of the 2x2 table of base and grpo."""
    found = solved(results, "base", "grpo")
    shown = {
        side: ", ".join(f"`{name.removeprefix('lab-').partition('/')[2]}`" for name in names) or "none"
        for side, names in (("base", found.base_only), ("grpo", found.tuned_only))
    }
    return (
        f"With {found.k} answers each: both solve {found.both}, neither {found.neither}, base alone "
        f"{len(found.base_only)} ({shown['base']}), grpo alone {len(found.tuned_only)} ({shown['grpo']}); exact "
        f"McNemar p = {found.p:.3f}. A problem of which one answer in {1 / found.missed:.0f} is right is missed by "
        f"{found.k} once in 20 times."
    )


def gained(results: Results) -> str:
    """How much of the gain of one arm another has."""
    rows = []
    for arm in ("low-temp", "best-of-n", "smc", "power", "sft"):
        for tuned in ("grpo", "grpo-low-temp"):
            if {arm, tuned} <= results.arms.keys():
                cells = [
                    "" if (share := share_of_gain(results, arm, tuned, results.places(family))) is None
                    else f"{share.value:.2f} [{share.low:.2f}, {share.high:.2f}]"
                    for family in (None, *FAMILIES)
                ]  # fmt: skip
                rows.append([arm, tuned, *cells])
    return table(["arm", "of the gain of", "all", *FAMILIES], rows)


def taxes(results: Results) -> str:
    """The sharpening tax."""
    rows = []
    for name in known(results):
        if name != "base":
            for k in (8, 16, 64):
                if min(results.arms[name].n) >= k:
                    found = tax(results, name, k)
                    rows.append(
                        [name, str(k), told(found.base), told(found.tuned), told(found.tax, signed=True)]
                    )
    return table(["arm", "K", "S of the base", "S of the arm", "tax"], rows)


def strata(results: Results) -> str:
    """By how often the base is right."""
    base, rows = results.arms["base"], []
    names = [name for name in (*known(results), "grpo-log-p-60") if name in results.arms and name != "cue"]
    for low, high in pairwise((0.0, 0.02, 0.1, 0.3, 1.01)):
        places = [i for i in results.places() if low <= base.right[i] / base.n[i] < high]
        if places:
            cells = [f"{accuracy(results.arms[name], places).value:.2f}" for name in names]
            rows.append([f"{low:g} to {min(high, 1.0):g}", str(len(places)), *cells])
    return table(["right under the base", "problems", *names], rows)


def likely(results: Results) -> str:
    """Quartiles of log p under the base."""
    rows = [
        [name, *(" · ".join(f"{value:.1f}" for value in each) for each in results.arms[name].quartiles)]
        for name in (*known(results), "grpo-log-p-60", "grpo-random-60")
        if name in results.arms
    ]
    return table(["arm", *FAMILIES], rows)


def cues(_results: Results) -> str:
    """Which cue each family has."""
    return ", ".join(f"`{cue}` for {family}" for family, cue in CUES.items())


TABLES: dict[str, Callable[[Results], str]] = {
    "main": main_table,
    "differences": differences,
    "levels": by_level,
    "pass": pass_at,
    "sets": sets,
    "sets-named": sets_named,
    "gained": gained,
    "tax": taxes,
    "strata": strata,
    "likely": likely,
    "cues": cues,
    "alpha": alphas,
    "cost": costs,
    "controls": controls,
    "checkpoints": checkpoints,
    "cold-data": cold_data,
    "cold": cold,
    "cold-gains": cold_gains,
    "exact": exact_accuracy,
    "exact-pass": exact_passes,
    "distances": distances,
    "tools": tools,
    "tools-levels": tools_levels,
}


def rewritten(page: str, results: Results) -> str:
    """The page with every table as the results have it. Raises KeyError for a table that is none."""
    return re.sub(
        r"<!-- table (\S+) -->\n.*?<!-- end -->",
        lambda found: f"<!-- table {found[1]} -->\n\n{TABLES[found[1]](results)}\n\n<!-- end -->",
        page,
        flags=re.DOTALL,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="change nothing; fail where something would")
    options = parser.parse_args()
    results = Results.read(COUNTS)
    wanted = {PAGE: rewritten(PAGE.read_text("utf-8"), results)}
    wanted |= {PAGE.parent / f"lab-{name}.svg": text for name, text in drawings(results).items()}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
    if options.check:
        sys.exit(
            f"{', '.join(path.name for path in stale)}: run python scripts/lab/tables.py" if stale else 0
        )
    for path in stale:
        path.write_text(wanted[path], "utf-8")


if __name__ == "__main__":
    main()
