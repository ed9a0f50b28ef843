"""Writes GGUF files small enough to enumerate: llama architecture, random weights, a handful of tokens."""

from __future__ import annotations

import gguf
import numpy as np

WIDTH, HEADS, KV_HEADS, LAYERS, HIDDEN = 64, 2, 1, 2, 128
HEAD = WIDTH // HEADS
TEMPLATE = "{% for m in messages %}[{{ m['content'] }}]{% endfor %}{% if add_generation_prompt %}:{% endif %}"


def write_llama(path, letters="abc", *, seed=1, scale=0.2, dtype=np.float32, template=None):
    """A model that spells with `letters`; its last token ends an answer. `scale` widens the logits.

    The letters' bytes must be their own GPT-2 alphabet characters (printable ASCII without the space).
    """
    rng = np.random.default_rng(seed)
    tokens = [*letters, "<|endoftext|>"]
    out = gguf.GGUFWriter(path, "llama")
    out.add_context_length(2048)
    out.add_embedding_length(WIDTH)
    out.add_block_count(LAYERS)
    out.add_feed_forward_length(HIDDEN)
    out.add_head_count(HEADS)
    out.add_head_count_kv(KV_HEADS)
    out.add_layer_norm_rms_eps(1e-5)
    out.add_rope_dimension_count(HEAD)
    out.add_rope_freq_base(10000.0)
    out.add_tokenizer_model("gpt2")
    out.add_tokenizer_pre("default")
    out.add_token_list(tokens)
    kinds = gguf.TokenType
    out.add_token_types([kinds.NORMAL] * len(letters) + [kinds.CONTROL])
    out.add_token_merges(["ÿ ÿ"])  # the key must exist; byte 255 twice is no UTF-8
    out.add_bos_token_id(len(letters))
    out.add_eos_token_id(len(letters))
    out.add_add_bos_token(False)
    out.add_vocab_size(len(tokens))
    if template is not None:
        out.add_chat_template(template)

    def matrix(name, rows, columns, factor=1.0):
        weights = rng.normal(0.0, factor * columns**-0.5, (rows, columns))
        out.add_tensor(f"{name}.weight", weights.astype(dtype))

    def ones(name):
        out.add_tensor(f"{name}.weight", np.ones(WIDTH, np.float32))

    matrix("token_embd", len(tokens), WIDTH, WIDTH**0.5)
    ones("output_norm")
    matrix("output", len(tokens), WIDTH, scale * WIDTH**0.5)
    for i in range(LAYERS):
        ones(f"blk.{i}.attn_norm")
        matrix(f"blk.{i}.attn_q", HEADS * HEAD, WIDTH)
        matrix(f"blk.{i}.attn_k", KV_HEADS * HEAD, WIDTH)
        matrix(f"blk.{i}.attn_v", KV_HEADS * HEAD, WIDTH)
        matrix(f"blk.{i}.attn_output", WIDTH, HEADS * HEAD)
        ones(f"blk.{i}.ffn_norm")
        matrix(f"blk.{i}.ffn_gate", HIDDEN, WIDTH)
        matrix(f"blk.{i}.ffn_up", HIDDEN, WIDTH)
        matrix(f"blk.{i}.ffn_down", WIDTH, HIDDEN)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    return path
