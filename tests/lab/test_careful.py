"""The expert's answers of the laboratory: the careful author's pages, none of which is wrong."""

from __future__ import annotations

import authors
import numpy as np
import pytest

from localpower.evals.sources import Source
from localpower.evals.tasks import TASKS
from localpower.lab.careful import worked
from localpower.lab.problems import FAMILIES, LEVELS, draw, verify


@pytest.mark.parametrize("family", FAMILIES)
def test_the_page_is_the_careful_authors_without_a_slip_and_solves_the_problem(monkeypatch, family):
    monkeypatch.setitem(authors.SLIP, "careful", 0.0)
    rng = np.random.default_rng(1)
    for level in LEVELS:
        for _ in range(20):
            problem = draw(family, level, rng, held_out=False)
            page = worked(problem)
            assert page == getattr(authors, f"_{family}")(problem, "careful", rng)
            assert verify(problem, page)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_problem_of_the_tasks_has_its_page(family):
    task = TASKS[f"lab-{family}"]
    assert all(len(problem.worked) < task.max_tokens for problem in task.problems(Source()))
