#!/usr/bin/env python3
"""An independent forward pass of all-MiniLM-L6-v2 in float32, from the definition, to compare the encoder with.

usage: make.py MODEL_FOLDER > vectors.json        (needs numpy and tokenizers from PyPI)
"""

import json
import math
import pathlib
import sys

import numpy as np
import tokenizers

TEXTS = (
    "That is a happy person",
    "That is a happy dog",
    "That is a very happy person",
    "Today is a sunny day",
    "This is an example sentence",
    "Each sentence is converted",
    "The quick brown fox jumps over the lazy dog. " * 24,
    "x",
)


def load(path):
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    body = data[8 + length :]
    return {
        name: np.frombuffer(body[t["data_offsets"][0] : t["data_offsets"][1]], np.float32).reshape(t["shape"])
        for name, t in header.items()
        if name != "__metadata__" and t["dtype"] == "F32"
    }


class Bert:
    def __init__(self, folder):
        self.config = json.loads((folder / "config.json").read_text())
        self.tensors = load(folder / "model.safetensors")

    def dense(self, x, name):
        return x @ self.tensors[name + ".weight"].T + self.tensors[name + ".bias"]

    def norm(self, x, name):
        mean = x.mean(-1, keepdims=True)
        variance = ((x - mean) ** 2).mean(-1, keepdims=True)
        normal = (x - mean) / np.sqrt(variance + np.float32(self.config["layer_norm_eps"]))
        return normal * self.tensors[name + ".weight"] + self.tensors[name + ".bias"]

    def attention(self, x, layer):
        heads = self.config["num_attention_heads"]
        q, k, v = (
            self.dense(x, f"{layer}.attention.self.{part}").reshape(len(x), heads, -1) for part in ("query", "key", "value")
        )
        scores = np.einsum("thd,shd->hts", q, k) / np.sqrt(np.float32(q.shape[-1]))
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        return self.dense(np.einsum("hts,shd->thd", weights, v).reshape(len(x), -1), f"{layer}.attention.output.dense")

    def vector(self, ids):
        words, places, kinds = (
            self.tensors[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")
        )
        x = self.norm(words[ids] + places[: len(ids)] + kinds[0], "embeddings.LayerNorm")
        for index in range(self.config["num_hidden_layers"]):
            layer = f"encoder.layer.{index}"
            x = self.norm(x + self.attention(x, layer), f"{layer}.attention.output.LayerNorm")
            inner = self.dense(x, f"{layer}.intermediate.dense")
            inner = inner / 2 * (1 + np.vectorize(math.erf)(inner / math.sqrt(2)))
            x = self.norm(x + self.dense(inner.astype(np.float32), f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
        mean = x.mean(0)
        return mean / np.linalg.norm(mean)


def main(folder):
    folder = pathlib.Path(folder)
    bert, tokenizer = Bert(folder), tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    print("[")
    for place, text in enumerate(TEXTS):
        ids = tokenizer.encode(text).ids
        vector = [round(float(x), 6) for x in bert.vector(ids)]
        print(json.dumps({"text": text, "ids": ids, "vector": vector}) + ("," if place < len(TEXTS) - 1 else ""))
    print("]")


if __name__ == "__main__":
    main(*sys.argv[1:])
