"""Diagnostics: what a run's events say."""

from __future__ import annotations

import numpy as np
import pytest

from localpower.chance import StreamDice
from localpower.events import Resampled
from localpower.runs.diagnosis import Diagnosis
from localpower.samplers import PowerMH, PowerSMC
from localpower.toy import ToyModel
from localpower.ui.diagnosis import lines

MODEL = ToyModel(seed=6, end_bias=-1.0)


def diagnosed(sampler, chains=1):
    diagnosis = Diagnosis(sampler.max_tokens, chains)
    events = []
    for i in range(chains):
        for event in sampler.run(MODEL, (1, 2), StreamDice(3, (i,))):
            diagnosis.event(i, event)
            events.append(event)
    return diagnosis.report(), events


def test_every_step_of_a_chain_is_in_the_table_of_cuts():
    report, _ = diagnosed(PowerMH(3.0, 1 / 3, 12, 6, 20), chains=2)
    counts = [
        sum(row[how] for how in ("accepted", "rejected", "early", "free"))
        for row in report["acceptance_by_cut"]
    ]
    assert sum(counts) == 80
    assert report["n_steps_at_horizon"] == 20
    assert [len(values) for values in report["log_p"]] == [20, 20]
    assert 0 <= report["free_share"] + report["early_share"] <= 1
    assert any(f"with --steps {report['steps_needed']}" in line for line in lines(report))
    assert not any("few" in warning for warning in report["warnings"]), "no reproach of a default"


def test_a_chain_that_never_moved_is_told_in_plain_words():
    stuck = ToyModel(seed=1, end_bias=-2.0, spread=30.0)
    diagnosis = Diagnosis(6, 1)
    for event in PowerMH(3.0, 1 / 3, 6, 6, 8).run(stuck, (1, 2), StreamDice(1)):
        diagnosis.event(0, event)
    report = diagnosis.report()
    assert sum(row["accepted"] for row in report["acceptance_by_cut"]) == 0
    assert "no proposal was accepted in 8 steps" in report["warnings"][0]


def test_particles_tell_their_sample_size_and_how_many_ancestors_are_left():
    report, events = diagnosed(PowerSMC(3.0, 12, particles=6, ramp=4, ess=0.99))
    told = [e for e in events if isinstance(e, Resampled)]
    assert report["ess_curve"] == [[(e.position, e.ess) for e in told]]
    found = np.arange(6)
    for event in told:
        if event.parents is not None:
            found = found[list(event.parents)]
    assert report["unique_ancestors"] == [len(set(found.tolist()))]
    assert 1 <= report["unique_ancestors"][0] < 6


@pytest.mark.parametrize(
    "sampler", [PowerMH(3.0, 1 / 3, 12, 6, 20), PowerSMC(3.0, 12)], ids=lambda s: s.method
)
def test_a_diagnosis_reads_in_lines_of_text(sampler):
    report, _ = diagnosed(sampler)
    text = list(lines(report))
    assert text
    assert all("\n" not in line for line in text)
