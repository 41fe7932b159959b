"""Prefill and decode of one model file: our engine and llama.cpp in turn, the best of several rounds of each.

usage: engine.py OUR_BENCH MODEL PROMPT_IDS
"""
import json
import os
import subprocess
import sys

import xllamacpp

ROUNDS = 4
DECODE_TOKENS = 64


def ours(program, model, prompt):
    """Best tokens per second of (prefill, decode at the prompt's depth) of one round, as our example prints them."""
    out = subprocess.run([program, model, prompt, "0", "1"], check=True, capture_output=True, text=True).stdout
    rates = dict(line.split() for line in out.splitlines())
    return float(rates["prefill512_tokens_per_s"]), float(rates["decode512_tokens_per_s"])


def llamacpp_server(model):
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx = 2048
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = os.cpu_count()
    return xllamacpp.Server(params)


def llamacpp(server, ids):
    answer = server.handle_completions(
        {"prompt": ids, "n_predict": DECODE_TOKENS, "temperature": 0, "cache_prompt": False, "ignore_eos": True}
    )
    timings = (answer if isinstance(answer, dict) else json.loads(answer))["timings"]
    assert timings["prompt_n"] == len(ids), timings
    return timings["prompt_per_second"], timings["predicted_per_second"]


def main():
    program, model, prompt = sys.argv[1:4]
    with open(prompt) as file:
        ids = [int(word) for word in file.read().split()]
    server = llamacpp_server(model)
    rounds = [(ours(program, model, prompt), llamacpp(server, ids)) for _ in range(ROUNDS)]
    for place, name in enumerate(("prefill512", "decode512")):
        us = max(r[0][place] for r in rounds)
        peer = max(r[1][place] for r in rounds)
        print(f"{name}.q4_1: narthex {us:.1f} tok/s, llama.cpp {peer:.1f} tok/s, {os.cpu_count()} threads, best of {ROUNDS}")
        print(f"ratio engine.{name}.q4_1.vs_llamacpp {us / peer:.2f}")


if __name__ == "__main__":
    main()
