"""kill -9 at a random moment: what was finished before is still there, and the same command makes the rest."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

from localpower.runs.trace import read_trace
from localpower.runs.verify import verify
from tests.forked import COMMAND, command
from tests.gguf_files import TEMPLATE, write_llama

_POLL_S = 0.002


def _killed(arguments: list[str], ready) -> None:
    """Run until ready() or the end, then kill."""
    child = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while child.poll() is None and not ready():
        time.sleep(_POLL_S)
    child.send_signal(signal.SIGKILL)
    child.wait()


def _whole(path: Path) -> list[bytes]:
    """The lines that were finished."""
    return path.read_bytes().split(b"\n")[:-1] if path.exists() else []


def _eval(out: Path) -> list[str]:
    return [
        *["eval", "tiny", "-m", "toy", "--limit", "30", "--max-tokens", "24", "--seed", "1", "--out"],
        str(out),
    ]


def _answers(lines: list[bytes]) -> dict[tuple[str, str], list[int]]:
    rows = map(json.loads, lines)
    return {(row["id"], row["method"]): row["tokens"] for row in rows}


def _undisturbed(folder: Path) -> dict[tuple[str, str], list[int]]:
    command(*_eval(folder / "whole"), check=True)
    return _answers(_whole(folder / "whole" / "answers.jsonl"))


def kill_eval(folder: Path, chance: random.Random) -> None:
    """Every finished row stays as it was, and the eval that goes on ends as one that was never killed."""
    out = folder / "run"
    n, delay = chance.randrange(1, 29), chance.uniform(0, 0.01)
    _killed(_eval(out), lambda: len(_whole(out / "answers.jsonl")) >= n and not time.sleep(delay))
    before = _whole(out / "answers.jsonl")
    assert len(before) >= n
    command(*_eval(out), check=True)
    after = _whole(out / "answers.jsonl")
    assert after[: len(before)] == before
    assert _answers(after) == _undisturbed(folder)


def kill_recording(folder: Path, chance: random.Random) -> None:
    """What was recorded before the kill is read, and every decision in it holds."""
    path = folder / "run.jsonl"
    n = chance.randrange(1, 300)
    arguments = [
        *["run", "-m", "toy", "--seed", "1", "--max-tokens", "64", "--steps", "2000", "hi", "--events"],
        str(path),
    ]
    _killed(arguments, lambda: len(_whole(path)) >= n)
    lines = len(_whole(path))
    trace = read_trace(path)
    assert len(trace.moments) == lines - 1, "all but the line that begins the run"
    assert verify(trace, None, lambda: None).problems == ["the recording ends before the run does"]


def kill_prompt_cache(folder: Path, chance: random.Random) -> None:
    """The file is the old one, the new one, or not there; the next run's answer is the same in any case."""
    model = folder / "model.gguf"
    write_llama(model, template=TEMPLATE)
    path, prompt = folder / "prompt", "abc" * 300
    run = [*f"run -m {model} --seed 1 --max-tokens 8 --json --prompt-cache {path}".split(), prompt]
    done = command(*run, check=True)  # the engine is checked once, too
    if chance.random() < 0.5:
        path.unlink()
    end = time.monotonic() + chance.uniform(0.1, 1.0)
    _killed(run, lambda: time.monotonic() > end)
    again = command(*run, check=True)
    assert json.loads(again.stdout)["tokens"] == json.loads(done.stdout)["tokens"]
    assert b"damaged" not in again.stderr
    assert b"prompt tokens need no evaluation" in command(*run, check=True).stderr


def kill_session(folder: Path, chance: random.Random) -> None:
    """Every turn whose answer was seen is kept, and the chat goes on from there."""
    environment = os.environ | {"LOCALPOWER_STATE": str(folder)}
    chat = ["chat", "-m", "toy", "--seed", "1", "--max-tokens", "8", "--session", "x"]
    lines, n = b"hello there\n" * 30, chance.randrange(1, 29)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    child = subprocess.Popen([*COMMAND, *chat], env=environment, **pipes)
    child.stdin.write(lines)
    child.stdin.flush()
    for _ in range(n):
        child.stdout.readline()
    time.sleep(chance.uniform(0, 0.02))
    child.kill()
    child.communicate()

    def turns() -> int:
        done = command("sessions", "show", "x", "--json", env=environment, check=True)
        return len(json.loads(done.stdout)["chat"]["turns"])

    kept = turns()
    assert kept >= n
    command(*chat, stdin=b"and you\n", env=environment, check=True)
    assert turns() == kept + 1


KILLS = {
    "eval": kill_eval,
    "recording": kill_recording,
    "prompt cache": kill_prompt_cache,
    "session": kill_session,
}
