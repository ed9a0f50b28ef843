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
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):  # all is written; an exit that is cut off would only make noise
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    sys.exit(code)


if __name__ == "__main__":
    entry()
