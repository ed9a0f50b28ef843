"""Training data from the answers of evals: which answers, in which form, in which files."""
