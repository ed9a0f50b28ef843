"""A GGUF of a large model's shape with random weights: `python scripts/measure/random_model.py OUT [--shape 7b|1b]`.

For speed alone. Weights are Q4_0 blocks of random nibbles and one small scale, so that numbers stay finite.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import gguf
import numpy as np

SHAPES = {  # width, layers, heads, heads of keys and values, feed-forward
    "7b": (4096, 32, 32, 8, 14336),
    "1b": (2048, 16, 32, 8, 8192),
}
VOCAB = 32000
BLOCK, BLOCK_BYTES = 32, 18


def random_blocks(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """(rows, bytes of a row) uint8: Q4_0."""
    n = rows * columns // BLOCK
    pool = rng.integers(0, 256, (min(n, 1 << 16), BLOCK_BYTES), np.uint8)
    pool[:, :2] = np.frombuffer(np.float16(0.3 / columns**0.5).tobytes(), np.uint8)
    return np.resize(pool, (n, BLOCK_BYTES)).reshape(rows, -1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--shape", choices=sorted(SHAPES), default="7b")
    options = parser.parse_args()
    width, layers, heads, kv_heads, hidden = SHAPES[options.shape]
    head = width // heads
    rng = np.random.default_rng(1)
    out = gguf.GGUFWriter(options.out, "llama")
    out.add_context_length(32768)
    out.add_embedding_length(width)
    out.add_block_count(layers)
    out.add_feed_forward_length(hidden)
    out.add_head_count(heads)
    out.add_head_count_kv(kv_heads)
    out.add_layer_norm_rms_eps(1e-5)
    out.add_rope_dimension_count(head)
    out.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_0)
    out.add_tokenizer_model("gpt2")
    out.add_tokenizer_pre("default")
    letters = [chr(0x4E00 + i) if i >= 26 else chr(97 + i) for i in range(VOCAB - 1)]
    out.add_token_list([*letters, "<|endoftext|>"])
    out.add_token_types([gguf.TokenType.NORMAL] * (VOCAB - 1) + [gguf.TokenType.CONTROL])
    out.add_token_merges(["a b"])
    out.add_eos_token_id(VOCAB - 1)
    out.add_vocab_size(VOCAB)

    def matrix(name: str, rows: int, columns: int) -> None:
        out.add_tensor(
            f"{name}.weight", random_blocks(rng, rows, columns), raw_dtype=gguf.GGMLQuantizationType.Q4_0
        )

    def ones(name: str) -> None:
        out.add_tensor(f"{name}.weight", np.ones(width, np.float32))

    matrix("token_embd", VOCAB, width)
    matrix("output", VOCAB, width)
    ones("output_norm")
    for i in range(layers):
        ones(f"blk.{i}.attn_norm")
        ones(f"blk.{i}.ffn_norm")
        matrix(f"blk.{i}.attn_q", heads * head, width)
        matrix(f"blk.{i}.attn_k", kv_heads * head, width)
        matrix(f"blk.{i}.attn_v", kv_heads * head, width)
        matrix(f"blk.{i}.attn_output", width, heads * head)
        matrix(f"blk.{i}.ffn_gate", hidden, width)
        matrix(f"blk.{i}.ffn_up", hidden, width)
        matrix(f"blk.{i}.ffn_down", width, hidden)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


if __name__ == "__main__":
    main()
