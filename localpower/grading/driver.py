"""Runs in a process of its own, under `python -I -S -B`: limits, then the program, its checks, the sign of success.

Imports nothing of the package. Reads one JSON object from stdin: program (texts, run in this order as one module),
checks, tested (names that checks take from the program even if they are those of builtins), sign, fd, and packages (by
name, the folder of each that may be imported). Or show: a program whose output is wanted, not its success.
"""

import _thread
import ast
import builtins
import json
import os
import select
import signal
import sys
import types
from importlib.machinery import ModuleSpec, PathFinder

NAME = "answer"  # of the module; not __main__, so that what a program does as a script stays undone


def limit() -> None:
    """Every limit is best effort: a host may allow less, or not know it."""
    try:
        import resource
    except ImportError:
        return
    wanted = {"AS": 1 << 30, "CPU": 10, "FSIZE": 1 << 20, "NOFILE": 64, "CORE": 0}
    if os.getuid():  # counts a user's processes: for root it limits nobody
        wanted["NPROC"] = 64
    for name, value in wanted.items():
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is None:
            continue
        try:
            _, hard = resource.getrlimit(kind)
            most = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(kind, (most, most))
        except (ValueError, OSError):
            pass


def end_with_reader(fd: int) -> None:
    """End this process and its group when nobody is left to read the sign: localpower was killed."""
    waiting = select.poll()
    waiting.register(fd, 0)
    waiting.poll()
    os.kill(0, signal.SIGKILL)


def allow(packages: dict[str, str]) -> None:
    """Let these packages be found, and none that lies beside them."""

    class Finder:
        @staticmethod
        def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
            return PathFinder.find_spec(name, [packages[name]]) if name in packages else None

    sys.meta_path.append(Finder)


def run(source: str, module: types.ModuleType) -> None:
    """Run a program statement by statement: one that fails is passed over, as an answer's own tests may fail."""
    tree = ast.parse(source)
    for i, node in enumerate(tree.body):
        if not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            guard = ast.Try([], [ast.ExceptHandler(None, None, [ast.Pass()])], [], [])
            tree.body[i] = ast.fix_missing_locations(ast.copy_location(guard, node))
            guard.body = [node]  # only now: ast's own walk fails in deep expressions
    exec(compile(tree, f"<{NAME}>", "exec"), vars(module))


def show(source: str, fd: int) -> None:
    """Run a program with both its streams in fd; after them the value of its last line, or the error that ended it."""
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    names = {"__name__": "__main__", "__builtins__": builtins}
    try:
        tree = ast.parse(source)
        last = tree.body[-1] if tree.body else None
        if isinstance(last, ast.Expr):
            del tree.body[-1]
        exec(compile(tree, "<program>", "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "<program>", "eval"), names)
            if value is not None:
                print(repr(value))
    except BaseException as error:
        print(f"{type(error).__name__}: {error}".rstrip(": "))
    sys.stdout.flush()


def main() -> None:
    """Run program and checks; write the sign when all of it has run.

    Until then the sign lies in a pipe, where no frame or variable shows it. Checks have builtins of their own: a
    program that puts its own in their place fools only itself.
    """
    job = json.load(sys.stdin)
    kept, writing = os.pipe()
    os.write(writing, job.pop("sign", "").encode())
    os.close(writing)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    # threading does not list it: a program may join all
    _thread.start_new_thread(end_with_reader, (job["fd"],))
    limit()
    allow(job["packages"])
    if "show" in job:
        show(job["show"], job["fd"])
        return
    checks, own = compile(job["checks"], "<checks>", "exec"), dict(vars(builtins))
    module = sys.modules[NAME] = types.ModuleType(NAME)  # dataclasses, pickle and typing look there
    for source in job["program"]:
        run(source, module)
    names = {name: value for name, value in vars(module).items() if name not in own or name in job["tested"]}
    exec(checks, names | {"__name__": "checks", "__builtins__": own})
    os.write(job["fd"], os.read(kept, 64))


main()
