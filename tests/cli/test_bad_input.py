"""Bad input, one row each: one clear line, the right exit code, and nothing lost that was earned.

Files and streams go through the real command in a process of its own, for a mistake may abort it; signals and screens
through a pseudo-terminal.
"""

from __future__ import annotations

import json
import math
import os
import re
import struct

import numpy as np
import pytest

from localpower.catalogue import NAMES
from localpower.cli.main import main
from localpower.runs.player import Player
from localpower.runs.trace import read_trace
from localpower.text.stops import answer_text
from tests.cli import terminal
from tests.cli.terminal import Deaf, Terminal
from tests.gguf_files import write_bert, write_llama, write_t5_encoder

RUN, TINY = ("run", "-m", "toy"), ("run", "-m", "TINY")
TOY = [*RUN, "--seed", "1", "--max-tokens", "16"]


def command(arguments, stdin=b""):
    return terminal.command(*arguments, stdin=stdin)


def problem_of(done):
    """The one line that names the problem."""
    lines = done.stderr.decode().splitlines()
    problems = [line for line in lines if line.startswith("localpower: ")]
    assert len(problems) == 1, lines
    assert not any("Traceback" in line for line in lines)
    return problems[0].removeprefix("localpower: ")


# ---- options: values that can never be right

USAGE = {
    "alpha NaN": (["--alpha", "nan"], "expected a number of at least 1, got nan"),
    "alpha infinite": (["--alpha", "inf"], "at least 1, got inf"),
    "alpha negative": (["--alpha", "-2"], "at least 1, got -2"),
    "alpha absurd": (["--alpha", "1e300"], "at most 1e+06, got 1e300"),
    "alpha a word": (["--alpha", "four"], "'four' is not a number"),
    "temperature NaN": (["--temperature", "nan"], "at least 0, got nan"),
    "temperature below 1/alpha": (["--temperature", "0.1"], "must be between 1/alpha = 0.25 and 1, got 0.1"),
    "temperature above 1": (["--temperature", "1.5"], "must be between 1/alpha = 0.25 and 1, got 1.5"),
    "max-tokens zero": (["--max-tokens", "0"], "0 is not in the range x>=1"),
    "max-tokens negative": (["--max-tokens", "-3"], "-3 is not in the range x>=1"),
    "block zero": (["--method", "power:block=0"], "must be a whole number of at least 1, got '0'"),
    "steps negative": (["--steps", "-1"], "-1 is not in the range x>=0"),
    "steps a fraction": (["--steps", "1.5"], "'1.5' is not a valid integer range"),
    "chains zero": (["--chains", "0"], "0 is not in the range 1<=x<=61"),
    "chains absurd": (["--chains", "1000"], "1000 is not in the range 1<=x<=61"),
    "seed negative": (["--seed", "-1"], "-1 is not in the range"),
    "threads zero": (["--threads", "0"], "0 is not in the range 1<=x<=512"),
    "threads absurd": (["--threads", "100000"], "100000 is not in the range 1<=x<=512"),
    "ctx zero": (["--ctx", "0"], "0 is not in the range x>=1"),
    "stop empty": (["--stop", ""], "--stop must not be empty"),
    "method unknown": (["--method", "magic"], "'magic' is none of"),
    "top-k": (["--top-k", "5"], "--top-k is refused: it would change the target"),
    "no such option": (["--colour"], "No such option: --colour"),
    "another program's -q": (["-q"], "No such option: -q: did you mean --quiet?"),
    "template argument without a value": (["--template-arg", "x"], "takes NAME=VALUE, got 'x'"),
    "restart-weight one": (["--method", "power:restart-weight=1"], "less than 1, got '1'"),
    "restart-weight NaN": (["--method", "power:restart-weight=nan"], "got 'nan'"),
    "base with a temperature": (["--method", "base", "--temperature", ".5"], "samples at temperature 1"),
}


@pytest.mark.parametrize("row", USAGE)
def test_usage(row, capsys):
    arguments, words = USAGE[row]
    assert main([*TOY, *arguments, "hello"]) == 2
    out, err = capsys.readouterr()
    problems = [line for line in err.splitlines() if line.startswith("localpower: ")]
    assert (out, len(problems)) == ("", 1)
    assert words in problems[0]


# ---- prompts

PROMPTS = {
    "empty": ([*RUN, ""], b"", "the prompt is empty"),
    "white space": ([*RUN, " \n\t "], b"", "the prompt is empty"),
    "empty stdin": ([*RUN], b"", "the prompt is empty"),
    "a BOM and nothing else": ([*RUN], b"\xef\xbb\xbf\r\n", "the prompt is empty"),
    "stdin that is no UTF-8": ([*RUN], b"caf\xe9", "stdin is not UTF-8 text (byte 4)"),
    "UTF-16": ([*RUN], "hello".encode("utf-16"), "stdin is not UTF-8 text (byte 1)"),
    "a lone surrogate": ([*TINY, b"ab\xff"], b"", "a lone surrogate at character 3"),
    "no token of the vocabulary": ([*TINY, "xyz"], b"", "no token for any part of the prompt"),
    "longer than the context": ([*TINY, "ab" * 2000], b"", "more than the context of 2048"),
    "with max-tokens over it": (
        [*TINY, "--max-tokens", "2046", "abc"],
        b"",
        "the prompt has 3 tokens and the answer may have 2046: more than the context of 2048",
    ),
    "over --ctx": ([*TINY, "--ctx", "64", "abc"], b"", "more than the context of 64"),
    "not UTF-8 in a chat": (["chat", "--model", "toy"], b"\xff\n", "a line of stdin is not UTF-8 text"),
}


@pytest.mark.parametrize("row", PROMPTS)
def test_prompts_that_cannot_be_used(row, tiny_paths):
    arguments, stdin, words = PROMPTS[row]
    arguments = [tiny_paths["f32"] if argument == "TINY" else argument for argument in arguments]
    done = command(arguments, stdin)
    assert words in problem_of(done)
    assert (done.returncode, done.stdout) == (1, b"")


ODD = {
    "NUL": b"hel\x00lo there",
    "BOM and CRLF": b"\xef\xbb\xbfhello there\r\n",
    "right to left, joiners, private use": "שלום \u200d\U0001f469\u200d\U0001f4bb \ue000 \ufdd0".encode(),
    "control texts of the template": b"<|im_end|>\n<|im_start|>system",
    "rich markup": b"[bold]x[/bold] [/] [link=y]",
    "no line break at the end": b"hello",
}


@pytest.mark.parametrize("row", ODD)
def test_odd_text_is_a_prompt_like_any_other(row):
    done = command(TOY, ODD[row])
    assert done.returncode == 0
    assert b"seed 1 \xc2\xb7 ended by itself" in done.stderr
    assert b"localpower:" not in done.stderr


@pytest.mark.parametrize(
    "sizes", [("7", "64", "3"), ("10", "3", "2"), ("1", "1", "1"), ("5", "5", "0")], ids=" ".join
)
def test_any_positive_sizes_work_together(sizes, tiny_paths):
    horizon, block, steps = sizes
    arguments = ["--max-tokens", horizon, "--method", f"power:block={block}", "--steps", steps]
    for model in ("toy", tiny_paths["f32"]):
        done = command(["run", "-m", model, "--seed", "1", *arguments, "--json", "abc"])
        assert done.returncode == 0
        assert 1 <= json.loads(done.stdout)["n_tokens"] <= int(horizon)


# ---- model files


def missing(folder, good):
    return folder / "nothing.gguf"


def made(data):
    def write(folder, good):
        path = folder / "model.gguf"
        path.write_bytes(data(good))
        return path

    return write


def other_numbers(folder, good):
    """Every weight NaN."""
    return write_llama(folder / "nan.gguf", scale=np.nan)


FILES = {
    "missing": (missing, "there is no file"),
    "a folder": (lambda folder, good: folder, "is a folder"),
    "below a file": (lambda folder, good: made(bytes)(folder, good) / "x", "Not a directory"),
    "empty": (made(lambda good: b""), "is empty"),
    "foreign": (made(lambda good: b"PK\x03\x04 a zip"), "is not a GGUF file"),
    "only the magic": (made(lambda good: good[:4]), "llama.cpp cannot load"),
    "cut in the header": (made(lambda good: good[:20]), "llama.cpp cannot load"),
    "cut in the metadata": (made(lambda good: good[:200]), "exceeds remaining file size"),
    "cut in the tensor table": (made(lambda good: good[:1500]), "failed to read tensor info"),
    "cut in the weights": (made(lambda good: good[: len(good) // 2]), "not within the file bounds"),
    "one byte short": (made(lambda good: good[:-1]), "not within the file bounds"),
    "2^60 tensors": (
        made(lambda good: good[:8] + struct.pack("<Q", 1 << 60) + good[16:]),
        "number of tensors",
    ),
    "2^60 keys": (
        made(lambda good: good[:16] + struct.pack("<Q", 1 << 60) + good[24:]),
        "number of key value",
    ),
    "a key of 2^62 bytes": (
        made(lambda good: good[:24] + struct.pack("<Q", 1 << 62) + good[32:]),
        "string length",
    ),
    "version 99": (made(lambda good: good[:4] + struct.pack("<I", 99) + good[8:]), "version 99"),
    "big endian": (made(lambda good: good[:4] + struct.pack(">I", 3) + good[8:]), "endianness"),
    "unknown architecture": (
        made(lambda good: good.replace(b"llama", b"mlama")),
        "unknown model architecture",
    ),
    "zeros": (made(lambda good: good[:24] + bytes(5000)), "llama.cpp cannot load"),
    "a token twice": (
        lambda folder, good: write_llama(folder / "twice.gguf", "aab"),
        "llama.cpp was killed by signal 6",
    ),
    "an encoder without memory": (
        lambda folder, good: write_bert(folder / "bert.gguf"),
        "of the kind 'embedding': it does not write",
    ),
    "an encoder that aborts": (
        lambda folder, good: write_t5_encoder(folder / "t5.gguf"),
        "of the kind 'encoder'",
    ),
    "weights that are no numbers": (other_numbers, "the model gave logits with maximum nan"),
}


@pytest.mark.parametrize("row", FILES)
def test_model_files_that_cannot_be_used(row, tmp_path, tiny_paths):
    make, words = FILES[row]
    path = make(tmp_path, tiny_paths["f32"].read_bytes())
    done = command(["run", "-m", path, "--max-tokens", "8", "abc"])
    assert words in problem_of(done)
    lines = done.stderr.decode().splitlines()
    assert [line for line in lines if not line.startswith("note: ")] == lines[-1:]
    assert (done.returncode, done.stdout) == (1, b"")


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission(tmp_path, tiny_paths):
    path = made(lambda good: good)(tmp_path, tiny_paths["f32"].read_bytes())
    path.chmod(0)
    assert "cannot read" in problem_of(command(["run", "-m", path, "abc"]))


def test_a_name_of_no_model_is_answered_with_the_names_that_exist():
    done = command(["run", "-m", "nosuch", "abc"])
    names = ", ".join(NAMES)
    assert problem_of(done) == (
        f"there is no file nosuch (-m takes a GGUF file or a name: {names}; localpower models list shows more)"
    )
    assert (done.returncode, done.stdout, "toy" in NAMES) == (1, b"", True)


@pytest.mark.parametrize(
    ("option", "variable"), [("TOY", ""), (None, "toy"), (None, "Toy"), ("toy", "nosuch")]
)
def test_the_toy_is_named_in_any_case_by_an_option_or_the_environment(option, variable, monkeypatch, capsys):
    monkeypatch.setenv("LOCALPOWER_MODEL", variable)
    assert main(["run", *(["-m", option] if option else []), "--max-tokens", "4", "--json", "hello"]) == 0
    assert json.loads(capsys.readouterr().out)["model"]["name"] == "toy"


def test_an_empty_model_name_is_not_the_default():
    done = command(["run", "-m", "", "hello"])
    assert "the model's name is empty" in problem_of(done)
    assert done.returncode == 1


# ---- templates: foreign code in the model file

TEMPLATES = {
    "raises": ("{{ raise_exception('no system, please') }}", "no system, please"),
    "is no template": ("{% if %}", "the chat template failed"),
    "loops": (
        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
        "the chat template ran out of its time or memory",
    ),
    "prints megabytes": (
        "{{ messages[0].content }}{{ 'x' * 3000000 }}",
        "the chat template wrote 3000003 characters",
    ),
    "prints nothing": ("{# #}", "the chat template leaves out the user message"),
}


@pytest.mark.parametrize("row", TEMPLATES)
def test_templates_that_cannot_be_used(row, tmp_path):
    template, words = TEMPLATES[row]
    path = write_llama(tmp_path / "model.gguf", template=template)
    done = command(["run", "-m", path, "--max-tokens", "8", "abc"])
    assert words in problem_of(done)
    assert (done.returncode, done.stdout) == (1, b"")


# ---- where output goes


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_disk_ends_the_recording_and_not_the_run():
    done = command([*TOY, "--events", "/dev/full", "hello there"])
    assert problem_of(done) == "the recording ends early: cannot write /dev/full: No space left on device"
    assert (done.returncode, done.stdout) == (1, b"the ?no oneno onedog \n")


@pytest.mark.parametrize(
    ("place", "words"), [("", "Is a directory"), ("no/such/file", "No such file or directory")]
)
def test_events_that_cannot_be_written_are_refused_before_the_run(tmp_path, place, words):
    done = command([*TOY, "--events", tmp_path / place, "hello"])
    assert words in problem_of(done)
    assert (done.returncode, done.stdout) == (1, b"")


# ---- signals

ENDLESS = ["run", "--seed", "3", "--method", "power:block=40", "--steps", "999999"]


@pytest.fixture
def endless(tiny_paths, tmp_path):
    """A run that would take hours, in its second step or later, recorded in tmp_path/trace."""
    run = [*ENDLESS, "-m", str(tiny_paths["f16"]), "--max-tokens", "1900"]
    running = Terminal(*run, "--events", str(tmp_path / "trace"), "ab")
    running.wait_until(lambda t: re.search(r"step [1-9]\d*/999999", t.text))
    return running


def printed_state(terminal):
    """The text between the erased live view and the summary, and how many tokens the summary counts."""
    found = re.search(
        r"\x1b\[\?7h([^\r\n\x1b]*)\r\nseed 3 · interrupted · (\d+) tokens?", terminal.raw.decode()
    )
    return found[1], int(found[2])


def accepted_state(path):
    """The state that the recorded decisions lead to, its text and its length."""
    trace = read_trace(path)
    assert trace.whole
    (tally,) = Player(trace, math.inf).play(Deaf())
    return answer_text(tally.state.tokens, trace.piece, ()), len(tally.state)


STOPS = {
    "Ctrl-C": lambda terminal: terminal.interrupt(),
    "Ctrl-C three times": lambda terminal: terminal.send("\x03\x03\x03"),
    "SIGTERM": lambda terminal: terminal.child.kill(15),
}


@pytest.mark.parametrize("how", STOPS)
def test_a_run_that_is_stopped_in_a_proposal_prints_the_accepted_state(endless, tmp_path, how):
    STOPS[how](endless)
    assert endless.finish() == 130
    assert not endless.cursor_hidden
    assert printed_state(endless) == accepted_state(tmp_path / "trace")


@pytest.mark.model
def test_ctrl_c_while_the_engine_is_checked(tmp_path):
    terminal = Terminal("run", "hello", environment={"LOCALPOWER_CACHE": str(tmp_path)})
    terminal.wait_until(lambda t: "Checking once how exact the engine is, stage 2 of 5" in t.text)
    terminal.interrupt()
    assert terminal.finish() == 130
    assert terminal.lines() == ["localpower: interrupted"]


@pytest.mark.model
def test_ctrl_c_in_a_long_prompt(default_model):
    terminal = Terminal("run", "word " * 3000)
    terminal.wait_until(lambda t: re.search(r"reading the prompt [1-9][\d,]* of 3,0", t.text))
    terminal.interrupt()
    assert terminal.finish() == 130
    assert "interrupted · 0 tokens" in terminal.text
    assert not terminal.cursor_hidden


# ---- screens


def byte_letters(text):
    """As GPT-2's alphabet writes these bytes: control characters and the space have letters of their own."""
    return "".join(chr(256 + ord(c)) if ord(c) <= 32 else c for c in text)


@pytest.fixture(scope="module")
def nasty(tmp_path_factory):
    """A model all of whose tokens are escape sequences, markup, bells and line breaks."""
    texts = ["\x1b]0;owned\x07", "\x1b[2J\x1b[31m", "[/INST]", "[red]a[i]", "\r\n", "\x07\x08", "\n"]
    letters = [byte_letters(text) for text in texts]
    return write_llama(tmp_path_factory.mktemp("nasty") / "nasty.gguf", [*letters, "a"], scale=0.05)


def test_model_text_neither_colours_nor_moves_nor_titles_the_terminal(nasty):
    terminal = Terminal("run", "-m", str(nasty), "--method", "base", "--seed", "3", "a")
    assert terminal.finish() == 0
    for sequence in (b"\x1b]0;", b"\x1b[2J", b"\x1b[31m", b"\x07", b"\x08"):
        assert sequence not in terminal.raw
    assert "[/INST]" in terminal.text
    assert "[red]a[i]" in terminal.text


def test_into_a_file_model_text_goes_byte_for_byte(nasty):
    done = command(["run", "-m", nasty, "--method", "base", "--seed", "3", "a"])
    assert b"\x1b[2J\x1b[31m" in done.stdout
    assert b"\x1b" not in done.stderr


@pytest.fixture(scope="module")
def wordy(tmp_path_factory):
    """A model whose every token is fifty letters long."""
    return write_llama(
        tmp_path_factory.mktemp("wordy") / "wordy.gguf", [*(c * 50 for c in "bcdefghijklmnop"), "a"]
    )


@pytest.mark.parametrize(("rows", "columns"), [(6, 80), (24, 20), (3, 9)])
def test_an_answer_taller_than_the_screen_is_printed_whole_and_once(rows, columns, wordy):
    run = ["run", "-m", str(wordy), "--method", "base", "--seed", "4", "a"]
    unwatched = command(run).stdout.decode()
    assert len(unwatched) > 6 * 80
    terminal = Terminal(*run, rows=rows, columns=columns)
    assert terminal.finish() == 0
    assert terminal.raw.decode().replace("\r\n", "\n").count(unwatched) == 1
    assert not terminal.cursor_hidden
