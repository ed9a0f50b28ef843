"""`python -m localpower`, and the console script: an interrupt while modules are imported is one too."""

import sys


def entry() -> None:
    """Run the command line and leave with its exit code."""
    try:
        from localpower.cli.main import main

        code = main()
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    entry()
