"""Writes what PyTorch says of fixed texts to tests/lab/expected.json: `python scripts/lab/expect.py MODEL.gguf...`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from network import Shape, encode, load
from sampling import token_log_p
from tools_corpus import SHAPE as TOOLS

TEXTS = (
    ("37+85?", "7+5=12,3+8+1=12>122"),
    ("708*6?", ">4213"),
    ("3,5,7:22?", "3*5=15,15+7=22>3*5+7"),
    ("cab|rsd?", "bac,abc,ab>ab"),
)
TOOL_TEXTS = (("37*85?", "[37*85]3145>3145"), ("708*6?", ">4213"))  # of lab-tools, whose alphabet is its own


def main() -> None:
    place = ROOT / "tests" / "lab" / "expected.json"
    expected = json.loads(place.read_text("utf-8")) if place.exists() else {}
    for name in map(Path, sys.argv[1:]):
        shape, texts = (TOOLS, TOOL_TEXTS) if name.stem == "lab-tools" else (Shape(), TEXTS)
        network, rows = load(name, shape), []
        begin, end = len(shape.alphabet), len(shape.alphabet) + 1
        for prompt, answer in texts:
            tokens = [begin, *encode(prompt + answer, shape.alphabet), end]
            with torch.no_grad():
                log_p = token_log_p(network, torch.tensor([tokens]))[0]
            values = [round(value, 6) for value in log_p[len(prompt) :].tolist()]
            rows.append({"prompt": prompt, "answer": answer, "log_p": values})
        expected[name.stem] = rows
    models = (f'"{name}": [\n' + ",\n".join(map(json.dumps, rows)) + "\n]" for name, rows in expected.items())
    place.write_text("{\n" + ",\n".join(models) + "\n}\n", "utf-8")  # a line for each text


if __name__ == "__main__":
    main()
