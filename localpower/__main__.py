"""`python -m localpower`, and the console script: an interrupt while modules are imported is one too."""

import signal
import sys


def entry() -> None:
    """Run the command line and leave with its exit code."""
    try:
        from localpower.cli.crash import tell_of_crashes
        from localpower.cli.process import catch_interrupts

        catch_interrupts()
        tell_of_crashes()
        from localpower.cli.main import main

        code = main()
    except KeyboardInterrupt:
        code = 130
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # all is written; an exit that is cut off would only make noise
    sys.exit(code)


if __name__ == "__main__":
    entry()
