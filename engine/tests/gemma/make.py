#!/usr/bin/env python3
"""What llama.cpp answers on a real model file, to compare the decoder with: the licence of this repository, token by token.

usage: make.py MODEL.gguf LICENSE > llamacpp.tsv        (needs xllamacpp from PyPI)

First line: the tokens. Each further line: how many of them are taken, then the 20 likeliest next tokens as ID:LOG-PROBABILITY.
The last lengths lie around and beyond Gemma's sliding window of 512 tokens.
"""

import json
import pathlib
import sys
import urllib.request

import xllamacpp

LENGTHS = (8, 32, 128, 256, 384, 511, 512, 513, 600, 680)
TOP = 20


def ask(server, path, question):
    request = urllib.request.Request(server.listening_address + path, json.dumps(question).encode())
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def main(model, text):
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx, params.n_parallel, params.warmup = 1024, 1, False
    server = xllamacpp.Server(params)
    ids = ask(server, "/tokenize", {"content": pathlib.Path(text).read_text(), "add_special": True})["tokens"][: LENGTHS[-1]]
    print(*ids, sep="\t")
    for length in LENGTHS:
        asked = {"prompt": ids[:length], "n_predict": 1, "temperature": 0, "n_probs": TOP, "cache_prompt": False}
        top = ask(server, "/completion", asked)["completion_probabilities"][0]["top_logprobs"]
        print(length, *(f"{t['id']}:{t['logprob']:.6f}" for t in top), sep="\t")


if __name__ == "__main__":
    main(*sys.argv[1:])
