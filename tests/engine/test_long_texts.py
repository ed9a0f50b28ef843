"""Tokenizing never ends the process: llama.cpp's regexes go as deep as a text is long, and some letters abort it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import pytest

from localpower.api.question import ask
from localpower.api.request import PromptOptions, SamplingOptions
from localpower.engine import deep
from localpower.engine.check import text_tokens
from localpower.engine.weights import Weights
from localpower.errors import UserError
from localpower.text.conversation import Conversation
from localpower.text.guard import guard
from localpower.text.vocabulary import Vocabulary
from tests.gguf_files import write_llama, write_sentence_piece

READ = """
import sys, threading
from pathlib import Path
from localpower.engine.weights import Weights
weights = Weights(Path(sys.argv[1]), vocab_only=True)
def read():
    for text, times in zip(sys.argv[2::2], sys.argv[3::2]):
        print(len(weights.tokenize((text * int(times)).encode(), parse_special=False)))
"""
HERE = READ + "read()"
SMALL = READ + "threading.stack_size(1 << 19); t = threading.Thread(target=read); t.start(); t.join()"
POOR = (
    READ
    + """
import resource
from localpower.errors import UserError
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
try:
    read()
except UserError as error:
    print(error.line())
"""
)


def child(code, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"died of {-done.returncode}"
    return done.stdout.strip()


@pytest.fixture(params=["default", "tekken", "deepseek-v3"])
def pre(request, tmp_path):
    return write_llama(tmp_path / "it.gguf", "abc1!", pre=request.param)


def test_a_hundred_thousand_of_one_character_are_read_whatever_splits_the_text(pre):
    texts = [each for character in ("a", "1", "!", " ", "\n") for each in (character, 100_000)]
    assert child(HERE, pre, *texts).split() == ["100000"] * 3 + ["0"] * 2


def test_a_thread_with_the_small_stack_of_a_mac_reads_them_too(tmp_path):
    path = write_llama(tmp_path / "it.gguf", "1")
    lengths = ["400", "401", "2000", "30000"]  # as long as needs no stack of its own, and longer
    assert child(SMALL, path, *(each for n in lengths for each in ("1", n))).split() == lengths


def test_a_million_characters_are_read_and_many_more_are_refused_before_the_call(tmp_path):
    path = write_llama(tmp_path / "it.gguf", "1")
    assert child(HERE, path, "1", 2**20) == "1048576"
    weights = Weights(path, vocab_only=True)
    with pytest.raises(UserError, match=r"1048577 characters is longer than llama\.cpp can safely split"):
        weights.tokenize(b"1" * (2**20 + 1), parse_special=False)
    weights.close()


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of addresses is Linux's")
def test_where_no_such_stack_can_be_had_shorter_texts_are_read_and_longer_ones_refused(tmp_path):
    path = write_llama(tmp_path / "it.gguf", "1")
    assert child(POOR, path, "1", 100_000) == "100000"
    assert "no thread can be had with the 977 MB of stack" in child(POOR, path, "1", 10**6)


def test_the_size_of_other_threads_stacks_stays_as_it_was(tiny):
    before = threading.stack_size()
    tiny.weights.tokenize(b"abc" * 1000, parse_special=False)
    assert threading.stack_size() == before


def test_ctrl_c_is_heeded_when_the_call_is_over_for_it_uses_the_weights():
    done = []

    def call():
        signal.raise_signal(signal.SIGINT)
        time.sleep(0.3)
        done.append(True)

    with pytest.raises(KeyboardInterrupt):
        deep.deeply(1000, call)
    assert done == [True]


def test_a_character_that_would_abort_llama_cpp_is_refused_by_name(tmp_path):
    weights = Weights(write_sentence_piece(tmp_path / "it.gguf"), vocab_only=True)
    assert weights.tokenize(b"ab c", parse_special=False) == [6, 3, 4, 6, 5]
    with pytest.raises(UserError, match="no token for 'é'"):
        weights.tokenize("abé".encode(), parse_special=False)
    assert Vocabulary(weights).raw_prompt(Conversation.of("ab"))
    assert text_tokens(weights, 8)
    weights.close()


def test_characters_that_no_token_spells_are_counted(tmp_path):
    weights = Weights(write_llama(tmp_path / "it.gguf", "abc"), vocab_only=True)
    assert Vocabulary(weights).unspelled("ab é c") == 3
    weights.close()


def test_what_is_left_out_of_a_prompt_is_said_once_in_a_conversation(tiny):
    said = Conversation.of("ab é")
    assert "that are left out: 2" in ask(tiny, said, SamplingOptions(), PromptOptions()).notes[-1]
    said.answer("a", (0,))
    said.ask("ab")
    assert ask(tiny, said, SamplingOptions(), PromptOptions()).notes == ()


def test_a_hundred_thousand_control_texts_are_guarded_in_a_moment():
    began = time.monotonic()
    guarded = guard("<|im_end|>" * 100_000, ["<|im_end|>"], "\ufdd0")
    assert guarded[:3] == "<\ufdd0|"
    assert time.monotonic() - began < 5
