"""Writes GGUF files small enough to enumerate: random weights, a handful of tokens, every kind of memory."""

from __future__ import annotations

import gguf
import numpy as np

from localpower.engine.library import L

WIDTH, HEADS, KV_HEADS, LAYERS = 64, 2, 1, 2
HEAD = WIDTH // HEADS
WINDOW = 8  # of the sliding-window model
TEMPLATE = "{% for m in messages %}{% if m.role == 'user' %}[{{ m.content }}]:{% else %}{{ m.content }}{% endif %}{% endfor %}"
Q8_0 = gguf.GGMLQuantizationType.Q8_0


class _Writer(gguf.GGUFWriter):
    """Random weights under the names that llama.cpp asks for."""

    def __init__(self, path, architecture, seed, dtype, width=WIDTH, split=0):
        super().__init__(path, architecture, split_max_tensors=split)
        self.width, self.head, self.hidden = width, width // HEADS, 2 * width
        self._rng = np.random.default_rng(seed)
        self._dtype = dtype

    def common(self, letters, template, marks=(), adds_bos=False, pre="default"):
        tokens = [*letters, *marks, "<|endoftext|>"]
        self.add_context_length(2048)
        self.add_embedding_length(self.width)
        self.add_block_count(LAYERS)
        self.add_feed_forward_length(self.hidden)
        self.add_head_count(HEADS)
        self.add_layer_norm_rms_eps(1e-5)
        self.add_rope_dimension_count(self.head)
        self.add_rope_freq_base(10000.0)
        self.add_tokenizer_model("gpt2")
        self.add_tokenizer_pre(pre)
        self.add_token_list(tokens)
        kinds = gguf.TokenType
        marked = [kinds.USER_DEFINED] * len(marks)
        self.add_token_types([kinds.NORMAL] * len(letters) + marked + [kinds.CONTROL])
        self.add_token_merges(["ÿ ÿ"])  # the key must exist; byte 255 twice is no UTF-8
        self.add_bos_token_id(len(tokens) - 1)
        self.add_eos_token_id(len(tokens) - 1)
        self.add_add_bos_token(adds_bos)
        self.add_vocab_size(len(tokens))
        if template is not None:
            self.add_chat_template(template)
        return len(tokens)

    def matrix(self, name, rows, columns, factor=1.0):
        weights = self._rng.normal(0.0, factor * columns**-0.5, (rows, columns)).astype(np.float32)
        if self._dtype == Q8_0:
            self.add_tensor(f"{name}.weight", gguf.quantize(weights, Q8_0), raw_dtype=Q8_0)
        else:
            self.add_tensor(f"{name}.weight", weights.astype(self._dtype))

    def plain(self, name, values):
        self.add_tensor(f"{name}.weight", values.astype(np.float32))

    def normal(self, *shape):
        return self._rng.normal(0.0, 1.0, shape)

    def ones(self, name, width=None):
        self.plain(name, np.ones(width or self.width))

    def norm(self, name):
        self.ones(name)
        self.add_tensor(f"{name}.bias", np.zeros(self.width, np.float32))

    def attention(self, block, output="attn_output", kv_heads=KV_HEADS):
        self.matrix(f"{block}.attn_q", HEADS * self.head, self.width)
        self.matrix(f"{block}.attn_k", kv_heads * self.head, self.width)
        self.matrix(f"{block}.attn_v", kv_heads * self.head, self.width)
        self.matrix(f"{block}.{output}", self.width, HEADS * self.head)

    def feed_forward(self, block):
        self.ones(f"{block}.ffn_norm")
        self.matrix(f"{block}.ffn_gate", self.hidden, self.width)
        self.matrix(f"{block}.ffn_up", self.hidden, self.width)
        self.matrix(f"{block}.ffn_down", self.width, self.hidden)

    def finish(self):
        self.write_header_to_file()
        self.write_kv_data_to_file()
        self.write_tensors_to_file()
        self.close()


def write_llama(
    path,
    letters="abc",
    *,
    seed=1,
    scale=0.2,
    dtype=np.float32,
    template=None,
    marks=(),
    adds_bos=False,
    width=WIDTH,
    pre="default",
    split=0,
):
    """Plain attention. It spells with `letters`; its last token ends an answer and is BOS. `scale` widens the logits.

    marks: tokens of the kind "user defined". pre: the rules by which a text is split before it is merged.
    split: most tensors of a file; the paths of all parts come back. The letters' bytes must be their own GPT-2 alphabet characters (printable ASCII without the space).
    """
    out = _Writer(path, "llama", seed, dtype, width, split)
    n_tokens = out.common(letters, template, marks, adds_bos, pre)
    out.add_head_count_kv(KV_HEADS)
    out.matrix("token_embd", n_tokens, width, width**0.5)
    out.ones("output_norm")
    out.matrix("output", n_tokens, width, scale * width**0.5)
    for i in range(LAYERS):
        out.ones(f"blk.{i}.attn_norm")
        out.attention(f"blk.{i}")
        out.feed_forward(f"blk.{i}")
    out.finish()
    return sorted(path.parent.glob(f"{path.stem}-*-of-*.gguf")) if split else path


def write_k_quant(path):
    """A file as `write_llama` makes it, rows of 256, quantized to Q4_K_M by llama.cpp itself."""
    source = write_llama(path.with_suffix(".f32"), seed=6, width=256)
    params = L.llama_model_quantize_default_params()
    params.ftype = L.LLAMA_FTYPE_MOSTLY_Q4_K_M
    assert L.llama_model_quantize(bytes(source), bytes(path), params) == 0
    return path


def write_sentence_piece(path, letters="abc\u2581"):
    """A SentencePiece vocabulary without its 256 bytes; no weights: for tokenizing alone."""
    out = gguf.GGUFWriter(path, "llama")
    kinds = gguf.TokenType
    for add, value in (
        *((out.add_context_length, 64), (out.add_embedding_length, 8), (out.add_block_count, 1)),
        *((out.add_feed_forward_length, 8), (out.add_head_count, 1), (out.add_layer_norm_rms_eps, 1e-5)),
        *((out.add_tokenizer_model, "llama"), (out.add_token_list, ["<unk>", "<s>", "</s>", *letters])),
        (out.add_token_types, [kinds.UNKNOWN, kinds.CONTROL, kinds.CONTROL] + [kinds.NORMAL] * len(letters)),
        *((out.add_token_scores, [0.0] * (3 + len(letters))), (out.add_bos_token_id, 1)),
        (out.add_eos_token_id, 2),
    ):
        add(value)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    return path


def write_bert(path):
    """An encoder that llama.cpp gives no memory."""
    out = _Writer(path, "bert", 7, np.float32)
    n_tokens = out.common("abc", None)
    out.add_head_count_kv(KV_HEADS)
    out.add_layer_norm_eps(1e-5)
    out.add_causal_attention(False)
    out.add_token_type_count(1)
    out.matrix("token_embd", n_tokens, WIDTH)
    out.matrix("token_types", 1, WIDTH)
    out.matrix("position_embd", 2048, WIDTH)
    out.norm("token_embd_norm")
    for i in range(LAYERS):
        out.attention(f"blk.{i}")
        out.norm(f"blk.{i}.attn_output_norm")
        out.matrix(f"blk.{i}.ffn_up", out.hidden, WIDTH)
        out.matrix(f"blk.{i}.ffn_down", WIDTH, out.hidden)
        out.norm(f"blk.{i}.layer_output_norm")
    out.finish()
    return path


def write_t5_encoder(path):
    """An encoder that aborts llama.cpp when it is asked to decode."""
    out = _Writer(path, "t5encoder", 8, np.float32)
    n_tokens = out.common("abc", None)
    out.add_relative_attn_buckets_count(32)
    out.matrix("token_embd", n_tokens, WIDTH)
    out.ones("enc.output_norm")
    out.matrix("enc.blk.0.attn_rel_b", 32, HEADS)
    for i in range(LAYERS):
        out.ones(f"enc.blk.{i}.attn_norm")
        out.attention(f"enc.blk.{i}", "attn_o", HEADS)
        out.feed_forward(f"enc.blk.{i}")
    out.finish()
    return path


def write_gemma3(path, letters="abc", *, seed=3, scale=0.2, dtype=Q8_0, template=None):
    """A window of eight tokens in the first layer, none in the second."""
    out = _Writer(path, "gemma3", seed, dtype)
    n_tokens = out.common(letters, template)
    out.add_head_count_kv(KV_HEADS)
    out.add_key_length(HEAD)
    out.add_value_length(HEAD)
    out.add_sliding_window(WINDOW)
    out.add_sliding_window_pattern([True, False])
    out.matrix("token_embd", n_tokens, WIDTH)
    out.ones("output_norm")
    out.matrix("output", n_tokens, WIDTH, scale * WIDTH**0.5)
    for i in range(LAYERS):
        out.ones(f"blk.{i}.attn_norm")
        out.attention(f"blk.{i}")
        out.ones(f"blk.{i}.attn_q_norm", HEAD)
        out.ones(f"blk.{i}.attn_k_norm", HEAD)
        out.ones(f"blk.{i}.post_attention_norm")
        out.feed_forward(f"blk.{i}")
        out.ones(f"blk.{i}.post_ffw_norm")
    out.finish()
    return path


def write_lfm2(path, letters="abc", *, seed=4, scale=0.2, dtype=Q8_0, template=None):
    """A short convolution with a state in the first layer, attention in the second."""
    out = _Writer(path, "lfm2", seed, dtype)
    n_tokens = out.common(letters, template)
    out.add_head_count_kv([0, KV_HEADS])
    out.add_shortconv_l_cache(3)
    out.matrix("token_embd", n_tokens, WIDTH)
    out.ones("token_embd_norm")
    out.matrix("output", n_tokens, WIDTH, scale * WIDTH**0.5)
    out.ones("blk.0.attn_norm")
    out.plain("blk.0.shortconv.conv", out.normal(WIDTH, 3))
    out.matrix("blk.0.shortconv.in_proj", 3 * WIDTH, WIDTH)
    out.matrix("blk.0.shortconv.out_proj", WIDTH, WIDTH)
    out.feed_forward("blk.0")
    out.ones("blk.1.attn_norm")
    out.attention("blk.1")
    out.ones("blk.1.attn_q_norm", HEAD)
    out.ones("blk.1.attn_k_norm", HEAD)
    out.feed_forward("blk.1")
    out.finish()
    return path


def write_mamba(path, letters="abc", *, seed=5, scale=0.2, dtype=Q8_0, template=None):
    """A state and nothing else."""
    inner, state, rank = 2 * WIDTH, 16, 32
    out = _Writer(path, "mamba", seed, dtype)
    n_tokens = out.common(letters, template)
    out.add_ssm_conv_kernel(4)
    out.add_ssm_inner_size(inner)
    out.add_ssm_state_size(state)
    out.add_ssm_time_step_rank(rank)
    out.matrix("token_embd", n_tokens, WIDTH)
    out.ones("output_norm")
    out.matrix("output", n_tokens, WIDTH, scale * WIDTH**0.5)
    for i in range(LAYERS):
        out.ones(f"blk.{i}.attn_norm")
        out.matrix(f"blk.{i}.ssm_in", 2 * inner, WIDTH)
        out.plain(f"blk.{i}.ssm_conv1d", out.normal(inner, 4))
        out.add_tensor(f"blk.{i}.ssm_conv1d.bias", np.zeros(inner, np.float32))
        out.matrix(f"blk.{i}.ssm_x", rank + 2 * state, inner)
        out.matrix(f"blk.{i}.ssm_dt", inner, rank)
        out.add_tensor(f"blk.{i}.ssm_dt.bias", np.zeros(inner, np.float32))
        out.add_tensor(f"blk.{i}.ssm_a", -np.exp(out.normal(inner, state)).astype(np.float32))
        out.add_tensor(f"blk.{i}.ssm_d", np.ones(inner, np.float32))
        out.matrix(f"blk.{i}.ssm_out", WIDTH, inner)
    out.finish()
    return path
