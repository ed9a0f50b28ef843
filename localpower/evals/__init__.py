"""Quick offline evals: tasks, running, judging, comparing."""
