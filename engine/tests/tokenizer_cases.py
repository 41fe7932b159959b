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
import subprocess
import sys
import tempfile
import urllib.parse

import tokenizer_tiny
import xllamacpp
from tokenizer_corpus import corpus


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
