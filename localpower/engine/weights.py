"""A loaded GGUF: weights, vocabulary and metadata, each C call guarded. No contexts, chains or sampling here."""

from __future__ import annotations

import ctypes
import os
import weakref
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from localpower.doing import doing
from localpower.engine.deep import deeply
from localpower.engine.library import L, clear_errors, last_error
from localpower.errors import EngineError, Interrupted, ModelError, UserError

_CONTROL = 1 << 3  # llama_token_attr
_UNKNOWN = 1 << 0
_USER_DEFINED = 1 << 4
_SENTENCE_PIECE = 1  # llama_vocab_type


class Weights:
    """A loaded GGUF: weights, vocabulary, metadata. Its memory is free at `close`, or when nobody knows it any more."""

    def __init__(
        self,
        path: Path,
        *,
        repack: bool = True,
        gpu_layers: int = 0,
        vocab_only: bool = False,
        stop_loading: Callable[[], bool] = lambda: False,
    ) -> None:
        """Raises ModelError for a file or kind of model that is of no use, Interrupted when stop_loading() is true."""
        params = L.llama_model_default_params()
        params.n_gpu_layers = gpu_layers
        params.use_extra_bufts = repack
        params.vocab_only = vocab_only
        progress = L.llama_progress_callback(lambda _share, _user: not stop_loading())
        params.progress_callback = progress
        clear_errors()
        doing(f"opening {path.name}")
        self._model = L.llama_model_load_from_file(os.fsencode(path), params)
        if not self._model:
            if stop_loading():
                raise Interrupted
            reason = last_error() or "no reason given"
            hint = "is it a complete GGUF of a supported architecture?"
            if "split file name" in reason:  # llama.cpp finds the other parts by it
                hint = "it is one of several parts: they keep names such as model-00001-of-00003.gguf"
            raise ModelError(f"llama.cpp cannot load {path}: {reason}", hint)
        self._free = weakref.finalize(self, L.llama_model_free, self._model)
        self._free.atexit = False
        self._contexts: list[weakref.finalize[..., Any]] = []
        self.n_vocab = int(L.llama_vocab_n_tokens(self._vocab))
        self.n_ctx_train = int(L.llama_model_n_ctx_train(self._model)) % 2**32  # counted without a sign
        self._refuse()

    def close(self) -> None:
        """Free the weights; later calls would touch freed memory, so they are refused."""
        if self._model:
            for free in self._contexts:
                free()
            self._free()
            self._model = None

    def frees(self, context: weakref.finalize[..., Any]) -> None:
        """A context of this model lives: it is freed before the weights are."""
        self._contexts = [*(free for free in self._contexts if free.alive), context]

    @property
    def handle(self) -> Any:
        """The C pointer. Raises EngineError once closed."""
        if not self._model:
            raise EngineError("the model has been closed")
        return self._model

    @property
    def _vocab(self) -> Any:
        return L.llama_model_get_vocab(self.handle)

    def _refuse(self) -> None:
        """Raise ModelError for what cannot answer or cannot be rolled back: a decode may abort the process."""
        kind, problem = self.memory_kind(), ""
        if kind in ("encoder", "diffusion", "embedding"):
            problem = f"this model is of the kind '{kind}': it does not write one token after another"
        elif self.is_recurrent() and self.window():
            problem = "this model has both a recurrent state and a sliding window, which cannot be rolled back together"
        elif not L.llama_vocab_type(self._vocab):
            problem = "this model has no vocabulary: it neither reads nor writes text"
        if problem:
            self.close()
            raise ModelError(problem)

    def memory_kind(self) -> str:
        """attention, sliding-window, recurrent, hybrid, diffusion, embedding or encoder: what can be rolled back."""
        for name, test in (
            ("encoder", L.llama_model_has_encoder),
            ("diffusion", L.llama_model_is_diffusion),
            ("embedding", self._looks_ahead),
            ("hybrid", L.llama_model_is_hybrid),
            ("recurrent", L.llama_model_is_recurrent),
        ):
            if test(self.handle):
                return name
        return "sliding-window" if self.window() else "attention"

    def _looks_ahead(self, _handle: Any) -> bool:
        """Whether attention sees later tokens too, as in BERT and its like."""
        architecture = self.metadata("general.architecture")
        return self.metadata(f"{architecture}.attention.causal") == "false"

    def is_recurrent(self) -> bool:
        """Whether a part of the memory is a state that cannot be rolled back to a position."""
        return bool(L.llama_model_is_recurrent(self.handle) or L.llama_model_is_hybrid(self.handle))

    def window(self) -> int:
        """Tokens that a sliding window shows; 0 without one."""
        return int(L.llama_model_n_swa(self.handle))

    def cell_bytes(self, bits: float) -> int:
        """About what keys and values of one token take, at so many bits a number."""
        heads = max(int(L.llama_model_n_head(self.handle)), 1)
        width = int(L.llama_model_n_embd(self.handle)) // heads * int(L.llama_model_n_head_kv(self.handle))
        return int(2 * width * int(L.llama_model_n_layer(self.handle)) * bits / 8)

    def metadata(self, key: str) -> str | None:
        """A scalar of the GGUF header as text, or None."""
        size = L.llama_model_meta_val_str(self.handle, key.encode(), None, 0)
        if size < 0:
            return None
        buffer = ctypes.create_string_buffer(size + 1)
        L.llama_model_meta_val_str(self.handle, key.encode(), buffer, size + 1)
        return buffer.value.decode("utf-8", "replace")

    def quantization(self) -> str:
        """The file's type in llama.cpp's words, such as Q4_1 or Q4_K - Medium."""
        buffer = ctypes.create_string_buffer(256)
        L.llama_model_desc(self.handle, buffer, 256)
        return buffer.value.decode("utf-8", "replace").split(" ", 2)[-1]

    def chat_template(self) -> str | None:
        """The model's own Jinja template."""
        raw = L.llama_model_chat_template(self.handle, None)
        return raw.decode("utf-8", "replace") if raw else None

    @cached_property
    def eos(self) -> frozenset[int]:
        """Every token that ends a turn or a text."""
        is_end, vocabulary = L.llama_vocab_is_eog, self._vocab
        return frozenset(i for i in range(self.n_vocab) if is_end(vocabulary, i))

    def bos(self) -> int | None:
        """The token that must open a context, if the model wants one."""
        if not L.llama_vocab_get_add_bos(self._vocab):
            return None
        token = int(L.llama_vocab_bos(self._vocab))
        return token if token >= 0 else None

    def token_text(self, token: int) -> str:
        """The vocabulary's own text of a token ('' for ids outside it)."""
        if not 0 <= token < self.n_vocab:
            return ""
        raw = L.llama_vocab_get_text(self._vocab, token)
        return raw.decode("utf-8", "replace") if raw else ""

    def special_token(self, kind: str) -> str:
        """The text of the model's bos or eos token, '' if it has none."""
        get = {"bos": L.llama_vocab_bos, "eos": L.llama_vocab_eos}[kind]
        return self.token_text(int(get(self._vocab)))

    def control_tokens(self) -> dict[str, int]:
        """Texts that parse into control tokens, with their ids: what user text must never become.

        Some files type the marks of their chat template as user-defined; those count too.
        """
        attributes, template = L.llama_vocab_get_attr, self.chat_template() or ""
        vocabulary = self._vocab
        found = {}
        for i in range(self.n_vocab):
            kind = attributes(vocabulary, i)
            if kind & (_CONTROL | _UNKNOWN | _USER_DEFINED) and (text := self.token_text(i)):
                mark = len(text.strip()) > 2 and not text.strip().isalnum() and text in template
                if mark or not kind & _USER_DEFINED:
                    found[text] = i
        return found

    def tokenize(self, text: bytes, *, parse_special: bool) -> list[int]:
        """Tokens of UTF-8 text; no BOS or EOS is added. Some vocabularies leave out characters that they lack.

        Raises UserError for a text that llama.cpp cannot read: too long, or of characters that would abort it.
        """

        def read(capacity: int) -> tuple[int, Any]:
            buffer = (L.llama_token * capacity)()
            found = L.llama_tokenize(vocab, text, len(text), buffer, capacity, False, parse_special)
            return found, buffer

        vocab, characters = self._vocab, text.decode("utf-8", "replace")
        if self._spelled and text:
            self._check_spelled(characters, parse_special=parse_special)
        doing(f"reading a text of {len(characters):,} characters")
        n, buffer = deeply(len(characters), lambda: read(len(text) + 16))
        if n < 0 and n != -(2**31):
            n, buffer = deeply(len(characters), lambda: read(-n))
        if n < 0:
            raise UserError("the text is too long to be tokenised")
        return [token for token in buffer[:n] if token >= 0]  # -1: unknown, where no token says so

    @cached_property
    def _spelled(self) -> frozenset[str]:
        """Every token's text, of a SentencePiece vocabulary that lacks bytes: a text may abort it."""
        if L.llama_vocab_type(self._vocab) != _SENTENCE_PIECE:
            return frozenset()
        texts = frozenset(self.token_text(i) for i in range(self.n_vocab))
        return frozenset() if all(f"<0x{byte:02X}>" in texts for byte in range(256)) else texts

    def _check_spelled(self, text: str, *, parse_special: bool) -> None:
        for control in self.control_tokens() if parse_special else ():
            text = text.replace(control, "")
        space = self.metadata("tokenizer.ggml.add_space_prefix") != "false"
        for character in sorted(set(text + " " * space)):
            shown = "\u2581" if character == " " else character
            spelled = all(f"<0x{b:02X}>" in self._spelled for b in shown.encode("utf-8", "replace"))
            if shown not in self._spelled and not spelled:
                raise UserError(f"this model's vocabulary has no token for {character!r}")

    def piece(self, token: int) -> bytes:
        """The bytes a token adds to the text; none for control tokens."""
        if not 0 <= token < self.n_vocab:
            raise EngineError(f"token {token} is outside the vocabulary of {self.n_vocab}")
        size = 32
        while True:
            buffer = ctypes.create_string_buffer(size)
            n = L.llama_token_to_piece(self._vocab, token, buffer, size, 0, False)
            if n >= 0:
                return buffer.raw[:n]
            size = -n
