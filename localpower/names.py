"""Names that options offer. Apart, so that `--help` need not import numpy to list them."""

FORMS = ("chat", "authors", "paper", "paper-chat")
GRADERS = ("value", "paper", "math-verify")
