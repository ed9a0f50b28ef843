"""Calls that go as deep as their text is long, on a stack of their own.

Many vocabularies split text with `std::regex`, which in libstdc++ calls itself once for each character that a repeated
part matches: 321 bytes of stack a character were measured (x86-64, all pre-tokenizers of llama.cpp). Thirty thousand
digits in a row are more than a main thread has, sixteen hundred more than some secondary threads have, and then the
process dies. A thread's stack is only an address range until it is used.
"""

from __future__ import annotations

import _thread
import contextlib
import mmap
import threading
from collections.abc import Callable
from typing import TypeVar

from localpower.errors import UserError

T = TypeVar("T")

MOST_CHARACTERS = 1 << 20  # tried, with all pre-tokenizers
_SAFE = 400  # characters for which the smallest usual stack will do, 512 kB
_BYTES = 1 << 10  # a character: three times what was measured, for other builds
_BASE = 1 << 20
_HEAP = 1 << 26  # addresses that the thread's beginning takes besides
_lock = threading.Lock()


def deeply(n_characters: int, call: Callable[[], T]) -> T:
    """What `call` returns, made with a stack for so many characters. It is waited for, Ctrl-C or not: it holds memory.

    Raises UserError for more than was ever tried, and where no such stack can be had.
    """
    if n_characters <= _SAFE:
        return call()
    if n_characters > MOST_CHARACTERS:
        raise UserError(
            f"a text of {n_characters} characters is longer than llama.cpp can safely split",
            f"at most {MOST_CHARACTERS} at once",
        )
    found: list[T] = []
    raised: list[BaseException] = []
    over = threading.Event()

    def work() -> None:
        try:
            found.append(call())
        except BaseException as error:
            raised.append(error)
        finally:
            over.set()

    running: list[bool] = []
    try:
        _start(work, _BASE + _BYTES * n_characters, running)
    except KeyboardInterrupt as error:
        if not running:
            raise
        raised.append(error)
    while not over.is_set():
        try:
            over.wait()
        except KeyboardInterrupt as error:  # told when the call is over
            raised.append(error)
    if raised:
        raise raised[-1]
    return found[0]


def _try(n_bytes: int) -> None:
    """Raise OSError where so many more addresses cannot be had: a thread that begins without them hangs or dies."""
    if hasattr(mmap, "MAP_PRIVATE"):
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS  # only to be read: no memory is promised
        mmap.mmap(-1, n_bytes, flags=flags, prot=mmap.PROT_READ).close()


def _start(work: Callable[[], None], stack: int, running: list[bool]) -> None:
    """In a thread with that stack; `running` is filled as soon as there is one, whatever interrupts this.

    The size is a setting of the whole process: it is put back at once.
    """
    with _lock:
        before = threading.stack_size()
        try:
            _try(stack + stack // 4 + _HEAP)
            threading.stack_size(stack + -stack % (1 << 16))  # whole pages, of any size
            try:
                _thread.start_new_thread(work, ())
            except KeyboardInterrupt:  # Python heeds it when the call is done
                running.append(True)
                raise
            running.append(True)
        except (RuntimeError, ValueError, OSError, MemoryError, OverflowError):
            raise UserError(
                f"no thread can be had with the {stack >> 20} MB of stack that splitting this text may take",
                "shorten the text, or allow the process more memory",
            ) from None
        finally:
            with contextlib.suppress(ValueError):
                threading.stack_size(before)
