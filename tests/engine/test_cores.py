"""How many threads: by quotas, and by what others use, without two programs swinging together."""

from __future__ import annotations

import math

import pytest

from localpower.engine import cores
from localpower.engine.cores import Governor, Usage, cpu_quota, quota_cores


class Machine:
    """A clock, and the system's counters of a machine on which others use so many cores."""

    def __init__(self, monkeypatch, others=0.0):
        self.clock = self.busy = self.own = 0.0
        self.others = others
        monkeypatch.setattr(cores.time, "perf_counter", lambda: self.clock)

    def look(self):
        return Usage(self.clock, self.busy, self.own)

    def goes_on(self, governor, seconds):
        """The threads that the governor gave on the way, one decode of 10 ms after another."""
        given = []
        for _ in range(round(seconds * 100)):
            given.append(governor.now())
            self.clock += 0.01
            self.own += 0.01 * given[-1]
            self.busy += 0.01 * (given[-1] + self.others)
            governor.ended()
        return given


@pytest.fixture
def machine(monkeypatch):
    return Machine(monkeypatch)


@pytest.mark.parametrize(
    ("quota", "threads"), [(math.inf, 1 << 16), (0.5, 1), (1.0, 1), (1.1, 1), (1.25, 2), (1.5, 2), (3.9, 4)]
)
def test_a_fraction_of_a_cpu_is_worth_a_thread_from_a_fifth_on(quota, threads):
    assert quota_cores(quota) == threads


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_quota_of_version_2_is_the_least_of_a_group_and_those_above_it(tmp_path):
    write(tmp_path / "proc/self/cgroup", "0::/outer/inner\n")
    write(tmp_path / "sys/fs/cgroup/outer/cpu.max", "150000 100000\n")
    write(tmp_path / "sys/fs/cgroup/outer/inner/cpu.max", "max 100000\n")
    assert cpu_quota(tmp_path) == 1.5


def test_the_quota_of_version_1_is_found_under_either_name_of_the_controller(tmp_path):
    write(tmp_path / "proc/self/cgroup", "3:cpu,cpuacct:/a\n1:name=systemd:/\n")
    write(tmp_path / "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "200000\n")
    write(tmp_path / "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n")
    assert cpu_quota(tmp_path) == 2.0
    write(tmp_path / "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "-1\n")
    assert cpu_quota(tmp_path) == math.inf


@pytest.mark.parametrize("text", ["", "0::/x\n", "garbage", "0::/../..\n"])
def test_odd_control_groups_set_no_limit(tmp_path, text):
    write(tmp_path / "proc/self/cgroup", text)
    assert cpu_quota(tmp_path) == math.inf
    assert cpu_quota(tmp_path / "missing") == math.inf


def test_alone_all_threads_stay(machine):
    assert set(machine.goes_on(Governor(4, machine.look, 4), 5)) == {4}


@pytest.mark.parametrize(("others", "threads"), [(0.3, 4), (1.0, 3), (2.0, 2), (3.0, 1), (4.0, 1), (9.0, 1)])
def test_cores_that_others_use_are_left_to_them(machine, others, threads):
    machine.others = others
    given = machine.goes_on(Governor(4, machine.look, 4), 2)
    assert given[-1] == threads
    assert given[30] == threads, "after the first look"


def test_cores_that_are_free_again_are_taken_back_after_a_while(machine):
    governor = Governor(2, machine.look, 2)
    assert not governor.lowered
    machine.others = 1.0
    assert machine.goes_on(governor, 1)[-1] == 1
    machine.others = 0.0
    given = machine.goes_on(governor, 3)
    assert given[20] == 1
    assert given[-1] == 2
    assert governor.lowered, "it has been"


def test_a_governor_that_took_cores_back_too_early_waits_longer_each_time(machine):
    governor = Governor(2, machine.look, 2)
    given = []
    for _ in range(3000):  # the other one wants its core whenever both are taken
        machine.others = 1.0 if governor.threads == 2 else 0.0
        given += machine.goes_on(governor, 0.01)
    changes = [i for i in range(1, len(given)) if given[i] != given[i - 1]]
    assert len(changes) < 24, "else it swings three times a second for ever"
    assert given.count(1) > given.count(2)


def test_what_happened_between_two_runs_is_not_taken_for_now(machine):
    governor = Governor(2, machine.look, 2)
    machine.goes_on(governor, 1)
    machine.clock += 60.0
    machine.busy += 120.0  # another run, long over
    assert machine.goes_on(governor, 1)[0] == 2


def test_decodes_that_take_seconds_are_judged_too(machine):
    governor = Governor(4, machine.look, 4)
    for _ in range(3):
        threads = governor.now()
        machine.clock += 2.0
        machine.own += 2.0
        machine.busy += 2.0 * (1 + 3)
        governor.ended()
    assert threads == 1


def test_a_system_that_tells_nothing_leaves_all_threads():
    governor = Governor(3, lambda: None, 4)
    assert [governor.now() for _ in range(3)] == [3, 3, 3]
