#!/usr/bin/env python3
"""An independent forward pass of a Llama GGUF in float32, from the definition, to compare the decoder with.

usage: oracle.py MODEL.gguf PROMPT.ids... > oracle.tsv        (needs numpy and gguf from PyPI)

Each line: prompt, number of its tokens taken, then the 20 likeliest next tokens as ID:LOG-PROBABILITY.
"""

import pathlib
import sys

import numpy as np
from gguf import GGUFReader, dequantize

LENGTHS = (1, 7, 64, 128, 192, 256, 320, 384, 448, 512)
TOP = 20


class Llama:
    def __init__(self, path):
        reader = GGUFReader(path)
        self.fields = reader.fields
        self.tensors = {
            t.name: dequantize(t.data, t.tensor_type).astype(np.float32).reshape([int(n) for n in t.shape][::-1])
            for t in reader.tensors
        }
        self.layers = self.field("block_count")
        self.heads = self.field("attention.head_count")
        self.kv_heads = self.field("attention.head_count_kv")
        self.head_width = self.field("embedding_length") // self.heads
        self.epsilon = self.field("attention.layer_norm_rms_epsilon")
        self.base = self.field("rope.freq_base")

    def field(self, name):
        return self.fields["llama." + name].contents()

    def weight(self, name):
        return self.tensors[name + ".weight"]

    def norm(self, x, name):
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + self.epsilon) * self.weight(name)

    def split(self, x, heads):
        return x.reshape(len(x), heads, self.head_width)

    def rope(self, x):
        pairs = np.arange(0, self.head_width, 2)
        angles = np.arange(len(x))[:, None] * self.base ** (-pairs / self.head_width)
        turn = np.exp(1j * angles)[:, None, :]
        turned = (x[..., 0::2] + 1j * x[..., 1::2]) * turn
        return np.stack([turned.real, turned.imag], -1).reshape(x.shape).astype(np.float32)

    def attention(self, x, block):
        q = self.rope(self.split(x @ self.weight(block + "attn_q").T, self.heads))
        k = self.rope(self.split(x @ self.weight(block + "attn_k").T, self.kv_heads))
        v = self.split(x @ self.weight(block + "attn_v").T, self.kv_heads)
        shared = self.heads // self.kv_heads
        k, v = np.repeat(k, shared, 1), np.repeat(v, shared, 1)
        scores = np.einsum("thd,shd->hts", q, k) / np.sqrt(self.head_width)
        scores += np.triu(np.full((len(x), len(x)), -np.inf, np.float32), 1)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        joined = np.einsum("hts,shd->thd", weights, v).reshape(len(x), -1)
        return joined @ self.weight(block + "attn_output").T

    def feed_forward(self, x, block):
        gate = x @ self.weight(block + "ffn_gate").T
        up = x @ self.weight(block + "ffn_up").T
        return (gate / (1 + np.exp(-gate)) * up) @ self.weight(block + "ffn_down").T

    def log_probabilities(self, ids):
        x = self.weight("token_embd")[ids]
        for layer in range(self.layers):
            block = f"blk.{layer}."
            x = x + self.attention(self.norm(x, block + "attn_norm"), block)
            x = x + self.feed_forward(self.norm(x, block + "ffn_norm"), block)
        output = self.tensors.get("output.weight", self.weight("token_embd"))
        logits = (self.norm(x, "output_norm") @ output.T).astype(np.float64)
        logits -= logits.max(-1, keepdims=True)
        return logits - np.log(np.exp(logits).sum(-1, keepdims=True))


def main(model, *prompts):
    llama = Llama(model)
    for prompt in map(pathlib.Path, prompts):
        ids = np.array([int(word) for word in prompt.read_text().split()])
        rows = llama.log_probabilities(ids)
        for length in (n for n in LENGTHS if n <= len(ids)):
            row = rows[length - 1]
            top = np.argsort(-row)[:TOP]
            print(prompt.stem, length, *(f"{i}:{row[i]:.6f}" for i in top), sep="\t")


if __name__ == "__main__":
    main(*sys.argv[1:])
