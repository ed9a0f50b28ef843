"""The fourth family: its problems, its calculator, and the page that says what came out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from tools_tables import COUNTS, tools, tools_levels

from localpower.lab.problems import LEVELS, verify
from localpower.lab.products import calculated, draw_product

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("level", LEVELS)
def test_a_problem_is_what_its_calls_give_and_held_out_ones_stay_out(level):
    rng = np.random.default_rng(1)
    for held_out in (True, False):
        problem = draw_product(level, rng, held_out=held_out)
        assert problem.held_out == held_out
        product, _, rest = problem.prompt.removesuffix("?").partition("+")
        said = calculated(product)
        said = calculated(f"{said}+{rest}") if rest else said
        assert (said == problem.solution, bool(rest)) == (True, level > 3)
        assert verify(problem, f"[{product}]{said}>{said}")


@pytest.mark.parametrize(("name", "made"), [("tools", tools), ("tools-levels", tools_levels)])
def test_the_tables_of_the_page_are_what_its_counts_say(name, made):
    page = (ROOT / "docs" / "lab.md").read_text("utf-8")
    (found,) = re.findall(rf"<!-- table {name} -->\n\n(.*?)\n\n<!-- end -->", page, re.DOTALL)
    assert found == made()


def test_every_arm_answered_every_problem():
    arms = json.loads(COUNTS.read_text())["arms"]
    assert len({tuple(sorted(arm["problems"])) for arm in arms.values()}) == 1
    for arm in arms.values():
        assert len({n for _, n, _, _ in arm["problems"].values()}) == 1
