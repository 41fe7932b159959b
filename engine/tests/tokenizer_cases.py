#!/usr/bin/env python3
"""Writes the token ids that llama.cpp gives for a seeded corpus: the expectations of tests/tokenizer_agreement.rs.

    pip install --requirement ../../bench/llamacpp.txt
    ./tokenizer_cases.py SMOLLM2.gguf --pieces few > data/tokenizer_cases_smollm2.jsonl
    ./tokenizer_cases.py GEMMA3.gguf --seed 2 > data/tokenizer_cases_gemma3.jsonl
    ./tokenizer_cases.py tiny NAME --seed 2 --cases 400 --longest 200 > data/tokenizer_cases_NAME.jsonl
                                      of tokenizer_tiny.py: default, gpt2, llama, qwen2, tekken, spm
    ./tokenizer_cases.py MODEL.gguf --seed 7 --cases 100000 --against ../../target/debug/examples/tokenize

One case a line: [text, ids without special tokens, ids with special tokens parsed]; the last is 0 where it equals the second.
With --against nothing is written: the program's ids are compared with llama.cpp's, and what differs is told.
"""

import argparse
import http.client
import json
import random
import subprocess
import sys
import tempfile
import urllib.parse

import tokenizer_tiny
import xllamacpp

SPECIAL = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<repo_name>", "<empty_output>", "<|im_", "end|>", "<|", "|>", "<"]
OTHERS = ["<start_of_turn>", "<end_of_turn>", "<bos>", "<unk>", "<0x41>", "<h1>", "</td>", "[multimodal]", "<s>", "</s>", "<s></s>", "[CLS]", "▁", "▁▁"]
WORDS = (
    "the quick brown fox naïve café straße ΑΒΓ Привет мир 東京 안녕하세요 שלום مرحبا हिन्दी ไทย fn main() => 'll don't I'VE you'd "
    "they're it's 's 't 'x '' == != <=> /* */ https://example.org/a?b=c&d=1 3.14159 1,000,000 0x1F ½ Ⅷ ²³ ٣٤ १२ e\u0301 "
    "ﬁ ǅ ª ʰ ـ _ __ --- ... … — “q” \\n \\t {} [] @user #tag $5 100% a_b camelCase HTTPServer"
).split()
CASES = ["xYxY", "aCaseCASE", "ÉAb", "éA", "abcÉd", "OKé", "Ünïx", "iOS!/", "!/\n/", "дА", "中A", "A中b"]
SPACES = [" ", "  ", "   ", "\t", "\n", "\n\n", "\r\n", " \n", "\n ", "\u00a0", "\u2003", "\u3000", "\u200b", "\u2028", "\x0b", "\x0c", "\x85", "\ufeff"]
EMOJI = ["😀", "👩‍👩‍👧‍👦", "🇫🇷", "👍🏽", "❤️", "⚙", "©"]
MARKS = ["\u0301", "\u0308\u0323", "\u0e38", "\u093f", "\ufffd", "\ufffd\ufffd", "\u200d", "\u202e", "\ufe0f"]
CODE = ["def f(x):\n    return x**2\n", "if (a&&b) { c++; }\r\n", "SELECT * FROM t WHERE a='b';", "<div class=\"x\">\n\t<br/>\n</div>", "let x: &'a str = \"é\";"]
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


def more_pieces(rng):
    kind = rng.random()
    if kind < 0.60:
        return pieces(rng)
    if kind < 0.70:
        return rng.choice(OTHERS)
    if kind < 0.80:
        return rng.choice("aéЖ東न") + rng.choice(MARKS) * rng.choice((1, 1, 2, 7))
    if kind < 0.85:
        return rng.choice(CODE)
    if kind < 0.93:
        word = rng.choice(WORDS + CASES + CASES)
        return rng.choice((word, word.upper(), word.lower(), word.title(), word.swapcase()))
    return rng.choice(" \n\t1a=-'é") * rng.randrange(1, 70)


def scalar(rng):
    while True:
        point = rng.randrange(rng.choice((0x80, 0x800, 0x3000, 0x10000, 0x110000)))
        if not 0xD800 <= point < 0xE000:
            return chr(point)


def corpus(options):
    rng = random.Random(options.seed)
    make = pieces if options.pieces == "few" else more_pieces
    fixed = [text for text in FIXED if len(text) <= options.longest]
    yield from fixed
    for _ in range(options.cases - len(fixed)):
        yield "".join(make(rng) for _ in range(rng.randrange(1, 14)))


class Llama:
    """llama.cpp's server on a model, of which only the tokenizer is asked."""

    def __init__(self, model):
        params = xllamacpp.CommonParams()
        params.model.path = model
        params.n_ctx = 64
        params.warmup = False
        self.server = xllamacpp.Server(params)
        self.address = urllib.parse.urlsplit(self.server.listening_address).netloc
        self.connection = http.client.HTTPConnection(self.address, timeout=60)

    def ids(self, text, parse_special):
        body = json.dumps({"content": text, "add_special": False, "parse_special": parse_special}).encode()
        return self.post("/tokenize", body)["tokens"]

    def post(self, path, body):
        for attempt in (1, 2):
            try:
                self.connection.request("POST", path, body, {"Content-Type": "application/json"})
                return json.load(self.connection.getresponse())
            except (http.client.HTTPException, ConnectionError):
                self.connection.close()
                if attempt == 2:
                    raise


def write(llama, texts):
    for text in texts:
        plain = llama.ids(text, False)
        special = llama.ids(text, True)
        print(json.dumps([text, plain, 0 if special == plain else special], separators=(",", ":")))


def compare(llama, texts, program, model):
    """How many texts the program reads otherwise than llama.cpp, by mode."""
    texts = list(texts)
    given = "\n".join(map(json.dumps, texts)) + "\n"
    for mode in ("plain", "special"):
        ran = subprocess.run([program, model, mode], input=given.encode(), stdout=subprocess.PIPE, check=True)
        ours = [json.loads(line) for line in ran.stdout.decode().splitlines()]
        wrong = [(text, ids) for text, ids in zip(texts, ours, strict=True) if ids != llama.ids(text, mode == "special")]
        for text, ids in wrong[:10]:
            print(f"{mode}: {text!r}\n  ours      {ids}\n  llama.cpp {llama.ids(text, mode == 'special')}")
        print(f"{mode}: {len(texts)} texts, {len(wrong)} differ")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("model", help="a GGUF file, or tiny")
    arguments.add_argument("name", nargs="?", help="the tiny vocabulary")
    arguments.add_argument("--cases", type=int, default=1200)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--pieces", choices=("few", "many"), default="many")
    arguments.add_argument("--longest", type=int, default=3000, help="most characters of the fixed texts")
    arguments.add_argument("--against", metavar="PROGRAM")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = options.model
        if model == "tiny":
            model = tokenizer_tiny.gguf(options.name, folder)
        llama = Llama(model)
        if options.against:
            compare(llama, corpus(options), options.against, model)
        else:
            write(llama, corpus(options))


if __name__ == "__main__":
    sys.exit(main())
