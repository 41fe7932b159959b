#!/usr/bin/env python3
"""Writes the token ids that Hugging Face's tokenizers give for a seeded corpus: data/tokenizer_cases_minilm.jsonl.

    pip install tokenizers==0.23.3
    ./tokenizer_cases_bert.py MINILM/tokenizer.json > data/tokenizer_cases_minilm.jsonl
    ./tokenizer_cases_bert.py MINILM/tokenizer.json --seed 7 --cases 100000 --against ../../target/debug/examples/tokenize

One case a line: [text, ids of the whole prompt]. Special tokens are never found in a text. WordPiece is compared with what the models were
trained with and not with llama.cpp, which keeps the first of several characters that one is made of. Texts with marks and punctuation that
Unicode got after version 3.2 are left out: Hugging Face's tables are of version 8.
"""

import argparse
import json
import os
import subprocess
import sys
import unicodedata

import tokenizers
from tokenizer_corpus import corpus


def load(path):
    """The tokenizer without what it takes out of the text: a text names no special tokens."""
    with open(path, encoding="utf-8") as file:
        parts = json.load(file)
    whole = tokenizers.Tokenizer.from_str(json.dumps(parts | {"truncation": None, "padding": None}))
    whole.encode_special_tokens = True
    return whole


def is_old(character):
    """Whether the tables of today and of then agree on the character."""
    known = unicodedata.ucd_3_2_0.category(character)
    return known == unicodedata.category(character) or unicodedata.category(character)[0] in "LNSZ"


def texts_of(options):
    return (text for text in corpus(options) if all(map(is_old, text)))


def compare(tokenizer, texts, program, model):
    texts = list(texts)
    given = "\n".join(map(json.dumps, texts)) + "\n"
    ran = subprocess.run([program, model, "prompt"], input=given.encode(), stdout=subprocess.PIPE, check=True)
    ours = [json.loads(line) for line in ran.stdout.decode().splitlines()]
    wrong = [(text, ids) for text, ids in zip(texts, ours, strict=True) if ids != tokenizer.encode(text).ids]
    for text, ids in wrong[:20]:
        print(f"{text!r}\n  ours         {ids}\n  Hugging Face {tokenizer.encode(text).ids}")
    print(f"{len(texts)} texts, {len(wrong)} differ")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("tokenizer")
    arguments.add_argument("--cases", type=int, default=1200)
    arguments.add_argument("--seed", type=int, default=2)
    arguments.add_argument("--against", metavar="PROGRAM")
    options = arguments.parse_args()
    options.pieces, options.longest = "many", 200
    tokenizer = load(options.tokenizer)
    if options.against:
        compare(tokenizer, texts_of(options), options.against, os.path.dirname(options.tokenizer))
        return
    for text in texts_of(options):
        print(json.dumps([text, tokenizer.encode(text).ids], separators=(",", ":")))


if __name__ == "__main__":
    sys.exit(main())
