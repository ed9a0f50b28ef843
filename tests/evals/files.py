"""Made-up problems in the authors' formats. None of the texts is anybody else's."""

from __future__ import annotations

import csv
import io
import json
import struct
import zlib

from localpower.evals.sources import Source


def gpqa_rows(n=198):
    return [
        {
            "Record ID": f"rec{i:04}",
            "Question": f"Zorblax question {i}, which of these?\nSecond line.",
            "Correct Answer": f"quixotic right {i}",
            "Incorrect Answer 1": f"bumbling wrong one {i}",
            "Incorrect Answer 2": f"bumbling wrong two {i} ",
            "Incorrect Answer 3": f"bumbling wrong three {i}",
            "High-level domain": ("Physics", "Biology")[i % 2],
            "Canary String": "canary!",
        }
        for i in range(n)
    ]


def gpqa_csv(n=198):
    text = io.StringIO()
    writer = csv.DictWriter(text, gpqa_rows(1)[0])
    writer.writeheader()
    writer.writerows(gpqa_rows(n))
    return "\ufeff".encode() + text.getvalue().encode()


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def source(folder, name, data, **wanted):
    """A file of bytes or a text, or of rows as JSON lines, that is named by --data."""
    data = data if isinstance(data, str | bytes) else lines(data)
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return Source(folder / name, **wanted)


def task_file(folder, rows, **said):
    """A task file and its rows beside it; its path."""
    (folder / "rows.jsonl").write_text(lines(rows))
    said = {"data": "rows.jsonl"} | said
    (folder / "t.toml").write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in said.items()))
    return str(folder / "t.toml")


def rows_in(folder):
    """The answers that a run's folder holds."""
    return [json.loads(line) for line in (folder / "answers.jsonl").read_text("utf-8").splitlines()]


def locked_zip(name, data, password):
    """A zip archive with the old PKWARE encryption, which the standard library reads and does not write."""
    keys = [0x12345678, 0x23456789, 0x34567890]
    table = [_crc(i) for i in range(256)]

    def update(byte):
        keys[0] = (keys[0] >> 8) ^ table[(keys[0] ^ byte) & 0xFF]
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = (keys[2] >> 8) ^ table[(keys[2] ^ (keys[1] >> 24)) & 0xFF]

    def encrypt(byte):
        t = (keys[2] | 2) & 0xFFFF
        out = byte ^ ((t * (t ^ 1)) >> 8) & 0xFF
        update(byte)
        return out

    for byte in password:
        update(byte)
    crc = zlib.crc32(data)
    packed = zlib.compressobj(wbits=-15)
    body = packed.compress(data) + packed.flush()
    header = bytes(range(11)) + bytes([crc >> 24])
    body = bytes(encrypt(byte) for byte in header + body)
    common = struct.pack("<HHHHHIIIHH", 20, 1, 8, 0, 0x21, crc, len(body), len(data), len(name), 0)
    local = b"PK\x03\x04" + common + name
    central = b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, len(central), len(local) + len(body), 0)
    return local + body + central + end


def _crc(byte):
    for _ in range(8):
        byte = (byte >> 1) ^ (0xEDB88320 if byte & 1 else 0)
    return byte


PROGRAM = {
    "task_id": "HumanEval/0",
    "prompt": 'import math\n\n\ndef half(n: int) -> float:\n    """Half of n.\n    >>> half(4)\n    2.0\n    """\n',
    "entry_point": "half",
    "canonical_solution": "    return n / 2\n",
    "test": "def check(candidate):\n    assert candidate(4) == 2\n    assert candidate(5) == 2.5\n",
}
