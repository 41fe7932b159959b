#!/usr/bin/env python3
"""Vocabularies of a few hundred tokens, one for each kind of tokenizer: data/tokenizer_tiny.json, and GGUF files of them for llama.cpp.

    ./tokenizer_tiny.py > data/tokenizer_tiny.json

Byte pairs are learnt on text that no pre-tokenizer has cut, so that they reach over every place where one would cut: a model that cuts
elsewhere gives other ids.
"""

import json
import os
import struct
import sys

TEXT = (
    "the quick brown fox don't I'VE you'd they're it's we'll The THE main() => 'll naïve café straße Привет мир 東京 안녕 "
    "camelCase HTTPServer 1,000,000 12345 2024 2024 123123 3.14 a1b22c333 x = 10\n    return  x\n\n\n  if (a) {\n\t}\r\n\r\n"
    "== != <=> /* */ //\n/ !!! ... --- hello  world   and    more \t\t tabs é É ÀÉ ²³ ½½ ٣٤ e\u0301 😀😀 https://example.org/a?b=c "
    "xYxYxYxYxYxYxYxY lCaseCaseCaseCaseCaseCase éAéAéAéAéA !/!/!/!/!/!/ 's 't 'S 'T 'Ll  's !\n!\n\n .\r\n =\n\n a\n b\n\n c \n d  \n "
) * 2
PRE = {"default": "default", "gpt2": "gpt-2", "llama": "llama-bpe", "qwen2": "qwen2", "tekken": "tekken"}


def alphabet():
    """GPT-2's character of each byte."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in visible]
    return {**{byte: chr(byte) for byte in visible}, **{byte: chr(256 + at) for at, byte in enumerate(hidden)}}


def learn(symbols, rounds):
    """The most frequent pairs, joined one after the other; of equals the first in the text."""
    merges = []
    for _ in range(rounds):
        counts = {}
        for pair in zip(symbols, symbols[1:]):
            counts[pair] = counts.get(pair, 0) + 1
        best = max(counts, key=counts.get)
        merges.append(best)
        joined, at = [], 0
        while at < len(symbols):
            if tuple(symbols[at : at + 2]) == best:
                joined.append(symbols[at] + symbols[at + 1])
                at += 2
            else:
                joined.append(symbols[at])
                at += 1
        symbols = joined
    return merges


def byte_pair():
    names = alphabet()
    merges = learn([names[byte] for byte in TEXT.encode()], 220)
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|im_", "<|end"]
    tokens = [*special, *(names[byte] for byte in range(256)), *dict.fromkeys(left + right for left, right in merges)]
    return {
        "model": "gpt2",
        "tokens": tokens,
        "kinds": [3] * len(special) + [1] * (len(tokens) - len(special)),
        "merges": [" ".join(merge) for merge in merges],
        "scores": [],
        "bos": 0,
        "eos": 2,
    }


def sentence_piece():
    merges = learn([*TEXT.replace(" ", "▁")], 220)
    special = ["<unk>", "<s>", "</s>"]
    symbols = ["\n", "\n\n", "\n\n\n", "  ", "   ", "<h1>", "</td>", "<td></td>", "ab", "bcd"]
    data = [f"<0x{byte:02X}>" for byte in range(256)]
    learnt = list(dict.fromkeys([*(left + right for left, right in merges), *"▁abcdefghijklmnopqrstuvwxyzéПри東京1234567890.<>"]))
    learnt = [token for token in learnt if token not in symbols]
    tokens = [*special, *data, *symbols, *learnt]
    kinds = [2, 3, 3] + [6] * 256 + [4] * len(symbols) + [1] * len(learnt)
    # Some scores are equal: then the leftmost joins first.
    scores = [0.0] * (len(tokens) - len(learnt)) + [-float(at // 3) for at in range(len(learnt))]
    return {"model": "llama", "tokens": tokens, "kinds": kinds, "merges": [], "scores": scores, "bos": 1, "eos": 2}


def vocabularies():
    return {"byte_pair": byte_pair(), "sentence_piece": sentence_piece()}


def gguf(name, folder):
    """A model of no use around the vocabulary `name`, which llama.cpp loads; gives its path."""
    kinds = vocabularies()
    vocabulary = kinds["sentence_piece"] if name == "spm" else kinds["byte_pair"]
    path = os.path.join(folder, name + ".gguf")
    with open(path, "wb") as file:
        file.write(model(vocabulary, PRE.get(name, "default")))
    return path


def model(vocabulary, pre):
    width, entries, tensors = 32, tokenizer_entries(vocabulary, pre), []
    entries += [
        string("general.architecture", "llama"),
        number("llama.context_length", 64),
        number("llama.embedding_length", width),
        number("llama.block_count", 1),
        number("llama.feed_forward_length", width),
        number("llama.attention.head_count", 1),
        number("llama.rope.dimension_count", width),
        key("llama.attention.layer_norm_rms_epsilon") + struct.pack("<If", 6, 1e-5),
    ]
    square = [f"blk.0.{name}.weight" for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")]
    shapes = {"token_embd.weight": (width, len(vocabulary["tokens"])), "output_norm.weight": (width,)}
    shapes |= {"blk.0.attn_norm.weight": (width,), "blk.0.ffn_norm.weight": (width,)} | {name: (width, width) for name in square}
    offset = 0
    for name, shape in shapes.items():
        dimensions = struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
        tensors.append(key(name) + dimensions + struct.pack("<IQ", 0, offset))
        size = 4
        for length in shape:
            size *= length
        offset += -(-size // 32) * 32
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(entries)) + b"".join(entries) + b"".join(tensors)
    return head + bytes(-len(head) % 32) + bytes(offset)


def tokenizer_entries(vocabulary, pre):
    entries = [
        string("tokenizer.ggml.model", vocabulary["model"]),
        string("tokenizer.ggml.pre", pre),
        array("tokenizer.ggml.tokens", 8, [text(token) for token in vocabulary["tokens"]]),
        array("tokenizer.ggml.token_type", 5, [struct.pack("<i", kind) for kind in vocabulary["kinds"]]),
        number("tokenizer.ggml.bos_token_id", vocabulary["bos"]),
        number("tokenizer.ggml.eos_token_id", vocabulary["eos"]),
    ]
    if vocabulary["merges"]:
        entries.append(array("tokenizer.ggml.merges", 8, [text(merge) for merge in vocabulary["merges"]]))
    if vocabulary["scores"]:
        entries.append(array("tokenizer.ggml.scores", 6, [struct.pack("<f", score) for score in vocabulary["scores"]]))
    return entries


def text(value):
    return struct.pack("<Q", len(value.encode())) + value.encode()


key = text


def string(name, value):
    return key(name) + struct.pack("<I", 8) + text(value)


def number(name, value):
    return key(name) + struct.pack("<II", 4, value)


def array(name, kind, values):
    return key(name) + struct.pack("<IIQ", 9, kind, len(values)) + b"".join(values)


if __name__ == "__main__":
    json.dump(vocabularies(), sys.stdout, ensure_ascii=False, separators=(",", ":"))
    print()
