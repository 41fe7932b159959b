"""One machine, the same weights: our engine and llama.cpp in turn, with one thread and with all cores; medians of the rounds.

usage: engine.py OUR_BENCH MODEL PROMPT_IDS FOLDER [ROUNDS]      FOLDER keeps the model in llama.cpp's best format

Prefill of the prompt, greedy decoding at its depth, and greedy decoding of eight sequences at once, each with a prompt of 64
tokens. llama.cpp gets the same file, and the same weights in the formats it is fastest with: what is best of them counts.

Its wheel is built for AVX2 and uses no AVX-512 on any machine (`instructions` asks it). So we run twice: on our fastest path,
since that is what users of either get, and on AVX2 alone, like against like.
"""
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import threading

import xllamacpp

from requantize import requantize

DECODED = 64
SEQUENCES = 8
PROMPT = 64
MEASURES = ("prefill512", "decode512", "decode_b8")
# Goals are stated for all cores; one thread is printed beside them.
THREADS = (1, os.cpu_count())


class Ours:
    def __init__(self, program, model, prompt, threads, *isa):
        self.command = [program, model, prompt, str(threads), *isa]
        self.rounds = []

    def round(self):
        out = subprocess.run(self.command, check=True, capture_output=True, text=True).stdout
        self.rounds.append(dict(line.split() for line in out.splitlines()))

    def rates(self, measure):
        return self.values(f"{measure}_tokens_per_s")

    def values(self, name):
        return [float(round[name]) for round in self.rounds]

    @property
    def isa(self):
        return self.rounds[0]["isa"]


class LlamaCpp:
    """A server in this process, without HTTP; its idle threads sleep."""

    def __init__(self, model, ids, threads):
        self.ids, self.threads = ids, threads
        self.server = self.start(model)
        self.rounds = []
        self.complete(ids[:PROMPT])

    def start(self, model):
        params = xllamacpp.CommonParams()
        params.model.path = str(model)
        params.verbosity = 1  # errors
        params.n_parallel = SEQUENCES
        params.n_ctx = SEQUENCES * 1024
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self.threads
        return xllamacpp.Server(params)

    def round(self):
        alone = self.complete(self.ids)
        assert alone["prompt_n"] == len(self.ids), alone
        self.rounds.append({
            "prefill512": alone["prompt_per_second"],
            "decode512": alone["predicted_per_second"],
            "decode_b8": self.together(),
        })

    def together(self):
        """The sum of the sequences' own rates, which counts none of the time in which they wait for each other."""
        prompts = [self.ids[at * PROMPT:][:PROMPT] for at in range(SEQUENCES)]
        timings = []
        workers = [threading.Thread(target=lambda p=p: timings.append(self.complete(p))) for p in prompts]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert len(timings) == SEQUENCES
        return sum(timing["predicted_per_second"] for timing in timings)

    def complete(self, ids):
        answer = self.server.handle_completions(
            {"prompt": ids, "n_predict": DECODED, "temperature": 0, "cache_prompt": False, "ignore_eos": True}
        )
        return (answer if isinstance(answer, dict) else json.loads(answer))["timings"]

    def rates(self, measure):
        return [round[measure] for round in self.rounds]


def ratio(name, ours, theirs):
    print(f"ratio {name} {statistics.median(us / them for us, them in zip(ours, theirs)):.2f}")


def instructions():
    """What of vector instructions llama.cpp is built for, by its own account."""
    return re.findall(r"(\w*AVX\w*|FMA|F16C) = 1", xllamacpp.get_system_info())


def report(measure, ours, peers, suffix):
    """`peers`: by format, the first being that of our file."""
    def tokens(rates):
        return f"{statistics.median(rates):.1f}"

    rates = {kind: peer.rates(measure) for kind, peer in peers.items()}
    best = max(rates, key=lambda kind: statistics.median(rates[kind]))
    listed = ", ".join(f"{kind} {tokens(rates[kind])}" for kind in rates)
    print(f"{measure}{suffix}: narthex ({ours.isa}) {tokens(ours.rates(measure))} tok/s; llama.cpp {listed}")
    if measure != "decode_b8":
        ratio(f"engine.{measure}.q4_1.vs_llamacpp{suffix}", ours.rates(measure), rates["Q4_1"])
    ratio(f"engine.{measure}.vs_llamacpp_best{suffix}", ours.rates(measure), rates[best])


def report_memory(ours, model):
    file_kib = os.path.getsize(model) / 1024
    peak, load_peak = max(ours.values("peak_kib")), max(ours.values("load_peak_kib"))
    kv_kib = max(ours.values("kv_kib"))
    print(f"load: {statistics.median(ours.values('load_ms')):.0f} ms, read, digested and packed; file {file_kib / 1024:.1f} MiB")
    print(f"memory: peak while loading {load_peak / 1024:.1f} MiB, {load_peak / file_kib:.2f} of the file; "
          f"peak {peak / 1024:.1f} MiB with {kv_kib / 1024:.1f} MiB of keys and values")
    print(f"ratio engine.memory.limit_vs_peak {(1.3 * file_kib + kv_kib) / peak:.2f}")


def main():
    program, model, prompt, folder = sys.argv[1:5]
    rounds = int(sys.argv[5]) if len(sys.argv) > 5 else 7
    ids = [int(word) for word in pathlib.Path(prompt).read_text().split()]
    q4_0 = requantize(pathlib.Path(model), pathlib.Path(folder) / "q4_0.gguf")
    ours = {threads: Ours(program, model, prompt, threads) for threads in THREADS}
    peers = {
        threads: {kind: LlamaCpp(file, ids, threads) for kind, file in (("Q4_1", model), ("Q4_0", q4_0))}
        for threads in THREADS
    }
    avx2 = Ours(program, model, prompt, THREADS[-1], "avx2")
    print(f"llama.cpp is built for {', '.join(instructions())}")
    print(f"load average {os.getloadavg()[0]:.1f} at the start, {rounds} rounds, medians")
    for _ in range(rounds):
        for threads in THREADS:
            for one in (ours[threads], *peers[threads].values()):
                one.round()
        avx2.round()
    print(f"load average {os.getloadavg()[0]:.1f} at the end (ours and theirs among it)")
    for threads in THREADS:
        suffix = "" if threads == THREADS[-1] else f".{threads}_thread"
        for measure in MEASURES:
            report(measure, ours[threads], peers[threads], suffix)
    for measure in MEASURES:
        report(measure, avx2, peers[THREADS[-1]], ".avx2")
    report_memory(ours[THREADS[-1]], model)


if __name__ == "__main__":
    main()
