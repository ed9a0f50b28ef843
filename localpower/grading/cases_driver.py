"""Runs within the sandbox: a program on one case, by stdin and stdout or by calling a function.

Imports nothing of the package: its text, and a line that calls `judge`, are the checks of `localpower.grading.sandbox`.
"""

import contextlib
import io
import json
import os
import sys
import threading
import types
from decimal import Decimal, InvalidOperation

PRELUDE = (
    "import bisect, collections, copy, datetime, functools, heapq, itertools, json, math, operator, random, re, "
    "statistics, string, sys\n"
    "from bisect import *\nfrom collections import *\nfrom copy import *\nfrom functools import *\n"
    "from heapq import *\nfrom itertools import *\nfrom math import *\nfrom typing import *\n"
)
DEEP = 50_000  # levels of recursion


def module_of(source: str, name: str) -> types.ModuleType:
    """The program as a module that has run. name: __main__ for a program that reads stdin."""
    module = sys.modules[name] = types.ModuleType(name)
    exec(PRELUDE, vars(module))
    vars(module).update(exit=sys.exit, quit=sys.exit)  # python -S has neither
    with contextlib.suppress(SystemExit):
        exec(compile(source, "<answer>", "exec"), vars(module))
    return module


def call(source: str, name: str, given: str) -> object:
    """What the function returns; arguments are JSON values, one a line."""
    arguments = [json.loads(line) for line in given.split("\n") if line.strip()]
    module = module_of(source, "answer")
    owner = module.Solution() if hasattr(module, "Solution") else module
    return getattr(owner, name)(*arguments)


def told(source: str, given: str) -> str:
    """What the program writes to stdout. Pipes, for a program may read or write its descriptors themselves."""
    reading, feeding = os.pipe()
    collecting, writing = os.pipe()
    os.dup2(reading, 0)
    os.dup2(writing, 1)
    os.close(reading)
    os.close(writing)

    def feed() -> None:
        try:
            with open(feeding, "wb") as pipe:
                pipe.write(given.encode())
        except OSError:  # the program has closed it
            pass

    parts = []

    def collect() -> None:
        while data := os.read(collecting, 1 << 16):
            parts.append(data)
            if sum(map(len, parts)) > 1 << 26:
                os._exit(1)

    threads = [threading.Thread(target=each, daemon=True) for each in (feed, collect)]
    for each in threads:
        each.start()
    sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False), "utf-8")
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), "utf-8")
    shown = sys.stdout
    module_of(source, "__main__")
    for each in threading.enumerate():
        if each is not threading.current_thread() and not each.daemon:
            each.join()
    for stream in (shown, sys.stdout):
        stream.flush()
    os.close(1)
    threads[1].join()
    return b"".join(parts).decode("utf-8", "replace")


def same_text(right: str, said: str) -> bool:
    """Line by line, blanks at the ends aside; where lines differ, as decimal numbers word by word."""
    lines = [[line.strip() for line in text.strip().split("\n")] for text in (right, said)]
    return len(lines[0]) == len(lines[1]) and all(map(same_line, *lines))


def same_line(right: str, said: str) -> bool:
    """Whether two lines are equal, or equal numbers."""
    if right == said:
        return True
    words = right.split(), said.split()
    try:
        return len(words[0]) == len(words[1]) and all(
            Decimal(a) == Decimal(b) for a, b in zip(*words, strict=True)
        )
    except InvalidOperation:
        return False


def plain(value: object) -> object:
    """Tuples as lists, as JSON has them."""
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value


def judge(source: str, case: dict[str, str], name: str) -> None:
    """Raises where the case fails. case: input and output. name: of the function; "" for a program that reads stdin."""
    sys.setrecursionlimit(DEEP)
    if name:
        assert plain(call(source, name, case["input"])) == plain(json.loads(case["output"]))
    else:
        assert same_text(case["output"], told(source, case["input"]))
