"""`--workers ray` on two nodes of one host, of which one is killed in mid-run.

Ray is 79 MB and takes half a minute to start two nodes, so it is not in the extra `test`. By hand:
    .venv/bin/pip install 'localpower[ray]' && .venv/bin/python -m pytest tests/cluster/test_ray.py
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.cluster.made import Listener, evaluated, rows_of

ROOT = Path(__file__).parents[2]
REASON = "needs Ray: pip install 'localpower[ray]', then python -m pytest tests/cluster/test_ray.py"


@pytest.mark.skipif(find_spec("ray") is None, reason=REASON)
def test_two_nodes_one_of_them_killed_make_the_rows_of_one_process(tmp_path):
    """In a process of its own: Ray leaves threads and signal handlers behind."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "RAY_raylet_start_wait_time_s": "120"}
    if "PYTHONPATH" in os.environ:
        environment["PYTHONPATH"] += os.pathsep + os.environ["PYTHONPATH"]
    subprocess.run(
        [sys.executable, __file__, str(tmp_path / "ray")], env=environment, check=True, timeout=400
    )
    said = (tmp_path / "said").read_text()
    assert evaluated(tmp_path / "one", model="lab-base", task="lab-chain", limit=60)
    assert len(rows_of(tmp_path / "one")) == 120
    assert rows_of(tmp_path / "ray") == rows_of(tmp_path / "one")
    assert "is lost (its process or its machine is gone)" in said


def main(out: Path) -> None:
    """The eval on a cluster of two nodes; the second one dies when the tenth answer is there."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    second = cluster.add_node(num_cpus=1)

    def heard(n):
        if n == 10:
            cluster.remove_node(second, allow_graceful=False)

    listener = Listener(heard)
    workers = f"ray:{cluster.address},cpus=1"
    assert evaluated(out, workers, model="lab-base", task="lab-chain", limit=60, listener=listener)
    out.with_name("said").write_text("\n".join(listener.said))
    cluster.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
