#!/usr/bin/env python3
"""An independent forward pass of a Gemma 3 GGUF in float32, from the definition, for the tokens that llama.cpp was asked about.

usage: oracle.py MODEL.gguf llamacpp.tsv > oracle.tsv        (needs numpy and gguf from PyPI)

Each line: how many of the tokens are taken, then the 20 likeliest next tokens as ID:LOG-PROBABILITY.
"""

import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from oracle import TOP, Llama

LOCAL_BASE = 10_000.0
GLOBAL_EVERY = 6


class Gemma3(Llama):
    def __init__(self, path):
        super().__init__(path)
        self.head_width = self.field("attention.key_length")
        self.window = self.field("attention.sliding_window")
        self.global_base = self.base

    def field(self, name):
        return self.fields["gemma3." + name].contents()

    def is_global(self, layer):
        return (layer + 1) % GLOBAL_EVERY == 0

    def rope(self, x):
        """First half against second half, not neighbours."""
        angles = np.arange(len(x))[:, None] * self.base ** (-np.arange(0, self.head_width, 2) / self.head_width)
        turn = np.exp(1j * angles)[:, None, :]
        first, second = np.split(x, 2, -1)
        turned = (first + 1j * second) * turn
        return np.concatenate([turned.real, turned.imag], -1).astype(np.float32)

    def mask(self, tokens, layer):
        ago = np.arange(tokens)[:, None] - np.arange(tokens)[None, :]
        seen = (ago >= 0) & (self.is_global(layer) | (ago < self.window))
        return np.where(seen, 0, -np.inf).astype(np.float32)

    def attention(self, x, layer):
        block = f"blk.{layer}."
        self.base = self.global_base if self.is_global(layer) else LOCAL_BASE
        q = self.split(x @ self.weight(block + "attn_q").T, self.heads)
        k = self.split(x @ self.weight(block + "attn_k").T, self.kv_heads)
        v = self.split(x @ self.weight(block + "attn_v").T, self.kv_heads)
        q, k = self.rope(self.norm(q, block + "attn_q_norm")), self.rope(self.norm(k, block + "attn_k_norm"))
        shared = self.heads // self.kv_heads
        k, v = np.repeat(k, shared, 1), np.repeat(v, shared, 1)
        scores = np.einsum("thd,shd->hts", q, k) / np.sqrt(self.head_width) + self.mask(len(x), layer)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        joined = np.einsum("hts,shd->thd", weights, v).reshape(len(x), -1)
        return joined @ self.weight(block + "attn_output").T

    def feed_forward(self, x, block):
        gate = x @ self.weight(block + "ffn_gate").T
        gelu = 0.5 * gate * (1 + np.tanh(np.sqrt(2 / np.pi) * (gate + 0.044715 * gate**3)))
        return (gelu * (x @ self.weight(block + "ffn_up").T)) @ self.weight(block + "ffn_down").T

    def log_probabilities(self, ids):
        x = self.weight("token_embd")[ids] * np.float32(np.sqrt(self.field("embedding_length")))
        for layer in range(self.layers):
            block = f"blk.{layer}."
            attended = self.attention(self.norm(x, block + "attn_norm"), layer)
            x = x + self.norm(attended, block + "post_attention_norm")
            fed = self.feed_forward(self.norm(x, block + "ffn_norm"), block)
            x = x + self.norm(fed, block + "post_ffw_norm")
        output = self.tensors.get("output.weight", self.weight("token_embd"))
        logits = (self.norm(x, "output_norm") @ output.T).astype(np.float64)
        logits -= logits.max(-1, keepdims=True)
        return logits - np.log(np.exp(logits).sum(-1, keepdims=True))


def main(model, asked):
    ids, *cases = pathlib.Path(asked).read_text().splitlines()
    rows = Gemma3(model).log_probabilities(np.array([int(token) for token in ids.split()]))
    for length in (int(case.split()[0]) for case in cases):
        row = rows[length - 1]
        print(length, *(f"{i}:{row[i]:.6f}" for i in np.argsort(-row)[:TOP]), sep="\t")


if __name__ == "__main__":
    main(*sys.argv[1:])
