"""What a GPU is good for: `scripts/measure/gpu [--out FILE] [--seconds 15]`.

On a model of 7B shape with random weights (random_model.py writes it once): the self-test, bare decodes of 1 to 64
rows, `--gpu-layers auto`, and chains, smc, prefetch and drafts in equal seconds. A table, and one JSON line at the end.
Each step is kept in FILE.partial when it ends: the same command goes on there. --dry-run prints the steps and their
limits. --rehearse runs all steps on the CPU with the smallest model of this repository, to see that they work.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
LAB = ROOT / "models" / "lab-base.gguf"
PROMPT = "Write a long story about a river that wanted to climb a mountain."
SHOWN = ("tokens_per_second", "decoded_tokens", "n_steps", "acceptance_rate", "seconds", "time_multiple")
METHODS = {  # by name: what each has beside the seconds, which are the same for all
    "base": ("--method", "base"),
    "power": ("--method", "power"),
    "power, prefetch 8": ("--method", "power:prefetch=8"),
    "power, drafts": ("--method", "power:drafts=on"),
    "power, 8 chains": ("--method", "power", "--chains", "8"),
    "power, 16 chains": ("--method", "power", "--chains", "16"),
    "smc, 16 particles": ("--method", "smc:particles=16"),
    "smc, 48 particles": ("--method", "smc:particles=48"),
}


@dataclass(frozen=True)
class Step:
    """A command, and the most seconds that it may take. json: what it prints last is a JSON value."""

    name: str
    words: tuple[str, ...]
    limit: float
    json: bool = True


def steps(model: Path, layers: str, seconds: float, *, max_tokens: int, widest: int) -> Iterator[Step]:
    """All of them, in the order in which they are of use should the time be over."""
    python, here = sys.executable, ROOT / "scripts" / "measure"
    ours = (python, "-m", "localpower")
    if not model.exists():
        yield Step("model", (python, str(here / "random_model.py"), str(model)), 180, json=False)
    gpu = ("--gpu-layers", layers)
    number = "0" if layers == "0" else "999"
    rows = ("--model", str(model), "--gpu-layers", number, "--widest", str(widest), "--prompts", "512")
    yield Step("rows", (python, str(here / "rows.py"), *rows, "--turns", "2"), 120)
    yield Step("selftest", (*ours, "selftest", "-m", str(model), *gpu, "--json"), 120)
    common = ("--raw", "--json", "--quiet", "--no-log", "--seed", "1", "--max-tokens", str(max_tokens), *gpu)
    for name, words in METHODS.items():
        budget = ("--budget", f"{seconds:g}s")
        command = (*ours, "run", PROMPT, "-m", str(model), *common, *budget, *words)
        yield Step(name, command, 4 * seconds + 30)


def last_json(text: str) -> Any:
    """The value of the last line that is one. Raises ValueError where there is none."""
    for line in reversed(text.splitlines()):
        if line.startswith(("{", "[")):
            return json.loads(line)
    raise ValueError("no line of JSON")


def run(step: Step) -> dict[str, Any]:
    """What a step came to: its value, or what went wrong; and its seconds."""
    begin = time.perf_counter()
    try:
        done = subprocess.run(
            step.words, check=False, capture_output=True, text=True, timeout=step.limit, cwd=ROOT
        )
        if done.returncode not in (0, 1):
            raise ValueError(f"exit code {done.returncode}")
        value = last_json(done.stdout) if step.json else {}
        problem = None
    except subprocess.TimeoutExpired:
        value, problem = None, f"longer than {step.limit:.0f} s"
    except ValueError as error:
        lines = done.stderr.strip().splitlines()
        value, problem = None, f"{error}: {lines[-1] if lines else 'nothing was said'}"
    return {
        "name": step.name,
        "seconds": round(time.perf_counter() - begin, 1),
        "value": value,
        "problem": problem,
    }


def kept(path: Path, head: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The steps that a file holds, of the same machine and model; a cut-off last line counts for nothing."""
    found = []
    for line in path.read_text("utf-8").splitlines() if path.exists() else []:
        try:
            found.append(json.loads(line))
        except ValueError:
            break
    if found[:1] not in ([], [head]):
        sys.exit(f"{path} is of another machine, model or duration: delete it, or name another --out")
    return {each["name"]: each for each in found[1:] if each["problem"] is None}


def card() -> str:
    """The GPU's name and driver; empty where there is none of NVIDIA's."""
    query = ("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader")
    try:
        return subprocess.run(query, check=False, capture_output=True, text=True, timeout=30).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def table(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Markdown: rows of the bare decodes, then the methods."""
    lines = []
    rows = (found.get("rows") or {}).get("value")
    if rows:
        ways = list(next(iter(rows["table"].values())))
        lines += [f"| tokens a second | {' | '.join(ways)} |", f"| --- |{' --- |' * len(ways)}"]
        for what, each in rows["table"].items():
            lines.append(f"| {what} | {' | '.join(f'{each[way]:,.0f}' for way in ways)} |")
        lines.append("")
    lines += [f"| method | {' | '.join(SHOWN)} |", f"| --- |{' --- |' * len(SHOWN)}"]
    for name in METHODS:
        one = found.get(name)
        if one is None or one["value"] is None:
            lines.append(f"| {name} | {one['problem'] if one else 'not run'} |" + " |" * (len(SHOWN) - 1))
            continue
        lines.append(f"| {name} | {' | '.join(_cell(one['value'], field) for field in SHOWN)} |")
    return lines


def _cell(answer: Mapping[str, Any], field: str) -> str:
    value = answer.get(field)
    if field == "decoded_tokens" and "chains" in answer:  # of all chains together
        value = sum(each[field] for each in answer["chains"])
    if value is None:
        return ""
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"


def options_of(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("gpu.json"))
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "random-7b.gguf")
    parser.add_argument("--seconds", type=float, default=15.0, help="of each method")
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--rehearse", action="store_true")
    options = parser.parse_args(arguments)
    if options.rehearse:
        options.model, options.seconds = LAB, min(options.seconds, 2.0)
    options.layers = "0" if options.rehearse else "auto"
    return options


def main() -> None:
    options = options_of(None)
    max_tokens, widest = (24, 8) if options.rehearse else (512, 64)
    slower = 4 if options.rehearse else 1
    plan = [
        replace(step, limit=step.limit * slower)
        for step in steps(
            options.model, options.layers, options.seconds, max_tokens=max_tokens, widest=widest
        )
    ]
    if options.dry_run:
        for step in plan:
            print(f"{step.name}, at most {step.limit:.0f} s: {' '.join(step.words)}")
        return
    gpu = card()
    if not gpu and not options.rehearse:
        sys.exit("no GPU of NVIDIA's was found (nvidia-smi); --rehearse tries the steps on the CPU")
    head = {"card": gpu, "model": options.model.name, "seconds": options.seconds}
    partial = options.out.with_name(options.out.name + ".partial")
    found = kept(partial, head)
    lines = [json.dumps(each) + "\n" for each in (head, *found.values())]
    partial.write_text("".join(lines), "utf-8")  # without a line that was cut off
    with partial.open("a", encoding="utf-8") as file:
        for step in plan:
            if step.name not in found:
                found[step.name] = run(step)
                file.write(json.dumps(found[step.name]) + "\n")
                file.flush()
                said = found[step.name]["problem"] or "done"
                print(f"{step.name}: {said}, {found[step.name]['seconds']} s", file=sys.stderr)
    print("\n".join(table(found)))
    report = {**head, "date": datetime.date.today().isoformat(), "system": platform.platform(terse=True)}
    whole = json.dumps({**report, "steps": list(found.values())})
    options.out.write_text(whole + "\n", "utf-8")
    partial.unlink()
    print(whole)


if __name__ == "__main__":
    main()
