"""`python -m localpower`."""

from localpower.cli.main import entry

if __name__ == "__main__":
    entry()
