"""Names that options offer. Apart, so that `--help` need not import numpy to list them."""

METHODS = ("power", "base", "low-temp", "best-of-n", "smc", "tempering", "lookahead")
CUTS = ("uniform", "restart", "entropy")
FORMS = ("chat", "paper", "paper-chat")
GRADERS = ("value", "paper", "math-verify")
