#!/usr/bin/env python3
"""Writes the token ids that llama.cpp gives for a seeded corpus: the expectations of tests/tokenizer_agreement.rs.

    pip install xllamacpp==2026.10.11549
    ./tokenizer_cases.py MODEL.gguf [--cases N] [--seed N] > data/tokenizer_cases.jsonl

One case a line: [text, ids without special tokens, ids with special tokens parsed]; the last is 0 where it equals the second.
"""

import argparse
import json
import random
import sys
import urllib.request

import xllamacpp

SPECIAL = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<repo_name>", "<empty_output>", "<|im_", "end|>", "<|", "|>", "<"]
WORDS = (
    "the quick brown fox naïve café straße ΑΒΓ Привет мир 東京 안녕하세요 שלום مرحبا हिन्दी ไทย fn main() => 'll don't I'VE you'd "
    "they're it's 's 't 'x '' == != <=> /* */ https://example.org/a?b=c&d=1 3.14159 1,000,000 0x1F ½ Ⅷ ²³ ٣٤ १२ e\u0301 "
    "ﬁ ǅ ª ʰ ـ _ __ --- ... … — “q” \\n \\t {} [] @user #tag $5 100% a_b camelCase HTTPServer"
).split()
SPACES = [" ", "  ", "   ", "\t", "\n", "\n\n", "\r\n", " \n", "\n ", "\u00a0", "\u2003", "\u3000", "\u200b", "\u2028", "\x0b", "\x0c", "\x85", "\ufeff"]
EMOJI = ["😀", "👩‍👩‍👧‍👦", "🇫🇷", "👍🏽", "❤️", "⚙", "©"]
FIXED = [
    "", " ", "\n", "a", "Hello, world!", "The capital of France is", " leading", "trailing ", "a  b   c    d", "1234567890",
    "a1b22c333", "year 2024 ", "x = 10\n    return  x\n", "don't DON'T 'sx 'llama", "\t\tif (a) {\n\t}\n", "<|im_start|>user\nhi<|im_end|>\n",
    "<|im_end|><|im_end|>", "<<|im_end|>>", "\u0000", "a\u0000b", "\u0001\u0002\u007f", "\U0010ffff", "\ue000", "\ufdd0", "a" * 3000, " " * 3000,
    "\n" * 999, "ab" * 1500, "0" * 500, "😀" * 200, "= " * 700,
]


def pieces(rng):
    kind = rng.random()
    if kind < 0.35:
        return rng.choice(WORDS)
    if kind < 0.60:
        return rng.choice(SPACES) * rng.choice((1, 1, 1, 2, 5))
    if kind < 0.70:
        return str(rng.randrange(10 ** rng.randrange(1, 9)))
    if kind < 0.77:
        return rng.choice(SPECIAL)
    if kind < 0.83:
        return rng.choice(EMOJI)
    if kind < 0.93:
        return "".join(chr(rng.randrange(32, 127)) for _ in range(rng.randrange(1, 8)))
    return "".join(scalar(rng) for _ in range(rng.randrange(1, 4)))


def scalar(rng):
    while True:
        point = rng.randrange(rng.choice((0x80, 0x800, 0x3000, 0x10000, 0x110000)))
        if not 0xD800 <= point < 0xE000:
            return chr(point)


def corpus(cases, seed):
    rng = random.Random(seed)
    yield from FIXED
    for _ in range(cases - len(FIXED)):
        yield "".join(pieces(rng) for _ in range(rng.randrange(1, 14)))


def server(model):
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx = 64
    params.warmup = False
    return xllamacpp.Server(params)


def tokenize(address, text, parse_special):
    body = json.dumps({"content": text, "add_special": False, "parse_special": parse_special}).encode()
    request = urllib.request.Request(address + "/tokenize", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["tokens"]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("model")
    arguments.add_argument("--cases", type=int, default=1200)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    running = server(options.model)
    for text in corpus(options.cases, options.seed):
        plain = tokenize(running.listening_address, text, False)
        special = tokenize(running.listening_address, text, True)
        print(json.dumps([text, plain, 0 if special == plain else special], separators=(",", ":")))


if __name__ == "__main__":
    sys.exit(main())
