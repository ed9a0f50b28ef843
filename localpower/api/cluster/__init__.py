"""Evals by several workers: processes of this machine, a Ray cluster, jobs of SLURM. See docs/cluster.md."""
