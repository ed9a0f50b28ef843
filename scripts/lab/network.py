"""A small llama in PyTorch, its vocabulary of characters, and its export as GGUF."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

ALPHABET = "0123456789+-*()=,>:|?abcdersnu"  # d stands among a to e
BOS, EOS = len(ALPHABET), len(ALPHABET) + 1
CONTEXT = 60  # characters of problem, answer and end: the longest page has 58


@dataclass(frozen=True)
class Shape:
    """Width must be heads times head. alphabet: a token a character; begin and end token follow it."""

    width: int = 128
    layers: int = 4
    heads: int = 4
    hidden: int = 384
    eps: float = 1e-5
    base: float = 10000.0
    alphabet: str = ALPHABET

    @property
    def head(self) -> int:
        return self.width // self.heads

    @property
    def n_vocab(self) -> int:
        return len(self.alphabet) + 2


def encode(text: str, alphabet: str = ALPHABET) -> list[int]:
    return [alphabet.index(character) for character in text]


def decode(tokens: list[int], alphabet: str = ALPHABET) -> str:
    return "".join(alphabet[token] for token in tokens if token < len(alphabet))


class Norm(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(shape.width))
        self._eps = shape.eps

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self._eps) * self.weight


class Block(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        linear = lambda n, m: nn.Linear(n, m, bias=False)  # noqa: E731
        self.attn_norm, self.ffn_norm = Norm(shape), Norm(shape)
        self.q, self.k, self.v, self.o = (linear(shape.width, shape.width) for _ in range(4))
        self.gate, self.up = linear(shape.width, shape.hidden), linear(shape.width, shape.hidden)
        self.down = linear(shape.hidden, shape.width)

    def forward(self, x: Tensor, turn: Tensor, cache: Tensor | None = None, at: int = 0) -> Tensor:
        """With a cache (2, batch, heads, CONTEXT, head), x is the one position `at`."""
        batch, length, width = x.shape
        y = self.attn_norm(x)
        q, k, v = (
            f(y).view(batch, length, self.shape.heads, self.shape.head).transpose(1, 2)
            for f in (self.q, self.k, self.v)
        )
        q, k = rotate(q, turn[at:]), rotate(k, turn[at:])
        if cache is not None:
            cache[0, :, :, at], cache[1, :, :, at] = k[:, :, 0], v[:, :, 0]
            k, v = cache[0, :, :, : at + 1], cache[1, :, :, : at + 1]
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=cache is None)
        x = x + self.o(y.transpose(1, 2).reshape(batch, length, width))
        y = self.ffn_norm(x)
        return x + self.down(functional.silu(self.gate(y)) * self.up(y))


def rotate(x: Tensor, turn: Tensor) -> Tensor:
    """RoPE on neighbouring pairs, as llama.cpp does it for this architecture: no permutation at export."""
    pairs = x.view(*x.shape[:-1], -1, 2)
    cos, sin = turn[: x.shape[2], :, 0], turn[: x.shape[2], :, 1]
    a, b = pairs[..., 0], pairs[..., 1]
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2)


class Network(nn.Module):
    """Logits (batch, length, vocab) of the next character."""

    def __init__(self, shape: Shape = Shape()) -> None:
        super().__init__()
        self.shape = shape
        self.embed = nn.Embedding(shape.n_vocab, shape.width)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = Norm(shape)
        self.output = nn.Linear(shape.width, shape.n_vocab, bias=False)
        angle = torch.arange(CONTEXT)[:, None] * shape.base ** (-torch.arange(0, shape.head, 2) / shape.head)
        self.register_buffer("turn", torch.stack((angle.cos(), angle.sin()), -1), persistent=False)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                scale = (
                    1.0 / math.sqrt(2 * shape.layers) if name.endswith(("o.weight", "down.weight")) else 1.0
                )
                nn.init.normal_(weight, std=scale * (0.02 if "embed" in name else weight.shape[1] ** -0.5))

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed(tokens)
        for block in self.blocks:
            x = block(x, self.turn)
        return self.output(self.norm(x))

    def caches(self, n: int) -> list[Tensor]:
        """Empty memory for `read`."""
        shape = (2, n, self.shape.heads, CONTEXT, self.shape.head)
        return [torch.zeros(shape) for _ in self.blocks]

    def read(self, tokens: Tensor, at: int, caches: list[Tensor]) -> Tensor:
        """Logits (batch, vocab) after the tokens (batch,) at position `at`; the ones before lie in the caches."""
        x = self.embed(tokens)[:, None]
        for block, cache in zip(self.blocks, caches, strict=True):
            x = block(x, self.turn, cache, at)
        return self.output(self.norm(x))[:, 0]


def _places(network: Network) -> Iterator[tuple[str, nn.Parameter]]:
    """Every weight under its name in a GGUF."""
    yield "token_embd", network.embed.weight
    yield "output_norm", network.norm.weight
    yield "output", network.output.weight
    for i, block in enumerate(network.blocks):
        yield f"blk.{i}.attn_norm", block.attn_norm.weight
        for key, layer in (("q", block.q), ("k", block.k), ("v", block.v), ("output", block.o)):
            yield f"blk.{i}.attn_{key}", layer.weight
        yield f"blk.{i}.ffn_norm", block.ffn_norm.weight
        for key, layer in (("gate", block.gate), ("up", block.up), ("down", block.down)):
            yield f"blk.{i}.ffn_{key}", layer.weight


def load(path: Path, shape: Shape = Shape()) -> Network:
    """The network that `export` wrote, with its weights as they were rounded."""
    network = Network(shape)
    tensors = {tensor.name: tensor.data for tensor in gguf.GGUFReader(path).tensors}
    with torch.no_grad():
        for key, weight in _places(network):
            weight.copy_(torch.from_numpy(np.array(tensors[f"{key}.weight"], dtype=np.float32)))
    return network.eval()


def export(network: Network, path: Path, name: str, *, wide: bool = False) -> None:
    """Write the network as a GGUF: F16, or F32 when wide."""
    shape, dtype = network.shape, np.float32 if wide else np.float16
    out = gguf.GGUFWriter(path, "llama")
    out.add_name(name)
    out.add_context_length(512)
    out.add_embedding_length(shape.width)
    out.add_block_count(shape.layers)
    out.add_feed_forward_length(shape.hidden)
    out.add_head_count(shape.heads)
    out.add_head_count_kv(shape.heads)
    out.add_layer_norm_rms_eps(shape.eps)
    out.add_rope_dimension_count(shape.head)
    out.add_rope_freq_base(shape.base)
    out.add_file_type(gguf.LlamaFileType.ALL_F32 if wide else gguf.LlamaFileType.MOSTLY_F16)
    out.add_tokenizer_model("gpt2")
    out.add_tokenizer_pre("default")
    characters = len(shape.alphabet)
    out.add_token_list([*shape.alphabet, "<|bos|>", "<|endoftext|>"])
    out.add_token_types([gguf.TokenType.NORMAL] * characters + [gguf.TokenType.CONTROL] * 2)
    out.add_token_merges(["ÿ ÿ"])  # the key must exist; byte 255 twice is no UTF-8
    out.add_bos_token_id(characters)
    out.add_eos_token_id(characters + 1)
    out.add_add_bos_token(True)
    out.add_vocab_size(shape.n_vocab)

    for key, weight in _places(network):
        values = weight.detach().numpy().astype(np.float32 if weight.dim() == 1 else dtype)
        out.add_tensor(f"{key}.weight", np.ascontiguousarray(values))
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
