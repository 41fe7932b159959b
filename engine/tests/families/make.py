#!/usr/bin/env python3
"""Random tiny models of each family, and what llama.cpp answers for them: the cases of `tests/families.rs`.

usage: make.py FOLDER            writes one JSON file for each case      (scripts/model-fixtures)
       make.py FOLDER --check    asks llama.cpp again and compares with the files there

A case has no weights: they follow from the place of a tensor in the list, the same here and in the test (`weights`), so that
the two write the same GGUF file with independent code. Weights are F32, keys and values too, so that llama.cpp rounds nothing
but what F32 rounds (and, for Gemma, GELU, which it takes from a table of F16).
"""

import json
import pathlib
import random
import sys
import tempfile
import urllib.request

import gguf
import numpy as np
import xllamacpp

PROMPT_TOKENS = 40
POSITIONS = (1, 2, 5, 16, 17, 33, 40)
CASES_PER_FAMILY = 3
# llama.cpp against itself on another processor.
CHECK_TOLERANCE = 1e-3


def noise(seed, count):
    """`count` values in [-1, 1) that are whole multiples of 2^-23, by SplitMix64."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) * np.uint64(1 << 32) + np.arange(count, dtype=np.uint64)
        z = z * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return ((z >> np.uint64(40)).astype(np.int64) - (1 << 23)).astype(np.float32) * np.float32(2.0**-23)


def weights(place, shape, offset, exponent):
    values = np.float32(offset) + noise(place, int(np.prod(shape))) * np.float32(2.0**exponent)
    return values.astype(np.float32).reshape(shape)


class Draw:
    """One random model: sizes, metadata and the list of its tensors."""

    def __init__(self, family, number):
        self.random = random.Random(f"{family} {number}")
        self.family, self.name = family, f"{family}-{number}"
        pick = self.random.choice
        self.layers = {"gemma3": (7, 7, 13)}.get(family, (2, 3, 6))[number % 3]
        self.head_width = pick((16, 32, 48, 64, 80))
        self.heads = pick((2, 4, 6))
        self.kv_heads = pick([n for n in range(1, self.heads + 1) if self.heads % n == 0])
        self.own_head_width = family in ("qwen3", "gemma3") or (family, number) == ("llama", 2)
        self.width = pick((32, 64, 96)) if self.own_head_width else self.heads * self.head_width
        self.ffn_width = pick((32, 64, 96))
        self.vocabulary = pick((67, 71, 83, 97))
        self.tied = family == "gemma3" or pick((True, False))
        self.tensors = []
        self.metadata = self.shape() | self.additions(number)
        self.all_tensors()

    def shape(self):
        a = self.family
        own = {f"{a}.attention.key_length": self.head_width, f"{a}.attention.value_length": self.head_width}
        return {
            "general.architecture": a,
            f"{a}.context_length": 128,
            f"{a}.embedding_length": self.width,
            f"{a}.block_count": self.layers,
            f"{a}.attention.head_count": self.heads,
            f"{a}.attention.head_count_kv": self.kv_heads,
            f"{a}.feed_forward_length": self.ffn_width,
            f"{a}.attention.layer_norm_rms_epsilon": self.random.choice((1e-5, 1e-6)),
            f"{a}.rope.freq_base": self.random.choice((10000.0, 100000.0, 1000000.0)),
        } | (own if self.own_head_width else {})

    def additions(self, number):
        a = self.family
        linear = {f"{a}.rope.scaling.type": "linear", f"{a}.rope.scaling.factor": 4.0}
        if a == "gemma3":
            return {f"{a}.attention.sliding_window": 8 + number} | (linear if number == 1 else {})
        self.rope_factors = a == "llama" and number == 1
        return linear if number == 2 else {}

    def add(self, name, *shape, offset=0.0, exponent=None):
        """A tensor; matrices are drawn so that products stay about as large as what goes in."""
        columns = shape[-1]
        exponent = 1 - round(np.log2(columns) / 2) if exponent is None else exponent
        self.tensors.append({"name": name, "shape": list(shape), "offset": offset, "exponent": int(exponent)})

    def norm(self, name, width):
        self.add(name, width, offset=1.0, exponent=-2)

    def all_tensors(self):
        self.add("token_embd.weight", self.vocabulary, self.width, exponent=0 if self.tied else 1)
        self.norm("output_norm.weight", self.width)
        if not self.tied:
            self.add("output.weight", self.vocabulary, self.width)
        if getattr(self, "rope_factors", False):
            self.add("rope_freqs.weight", self.head_width // 2, offset=4.0, exponent=1)
        for layer in range(self.layers):
            self.block(f"blk.{layer}.")

    def block(self, b):
        queries, keys = self.heads * self.head_width, self.kv_heads * self.head_width
        self.norm(b + "attn_norm.weight", self.width)
        for part, rows in (("attn_q", queries), ("attn_k", keys), ("attn_v", keys)):
            self.add(b + part + ".weight", rows, self.width)
            if self.family == "qwen2":
                self.add(b + part + ".bias", rows, exponent=-2)
        self.add(b + "attn_output.weight", self.width, queries)
        if self.family in ("qwen3", "gemma3"):
            self.norm(b + "attn_q_norm.weight", self.head_width)
            self.norm(b + "attn_k_norm.weight", self.head_width)
        self.norm(b + "ffn_norm.weight", self.width)
        self.add(b + "ffn_gate.weight", self.ffn_width, self.width)
        self.add(b + "ffn_up.weight", self.ffn_width, self.width)
        self.add(b + "ffn_down.weight", self.width, self.ffn_width)
        if self.family == "gemma3":
            self.norm(b + "post_attention_norm.weight", self.width)
            self.norm(b + "post_ffw_norm.weight", self.width)

    def case(self):
        tokens = [self.random.randrange(self.vocabulary) for _ in range(PROMPT_TOKENS)]
        return {"name": self.name, "metadata": self.metadata, "tensors": self.tensors, "tokens": tokens}


def write_gguf(case, path):
    writer = gguf.GGUFWriter(path, case["metadata"]["general.architecture"])
    for key, value in case["metadata"].items():
        if key != "general.architecture":
            {int: writer.add_uint32, float: writer.add_float32, str: writer.add_string}[type(value)](key, value)
    vocabulary = case["tensors"][0]["shape"][0]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(["<unk>", "<s>", "</s>"] + [f"t{i}" for i in range(3, vocabulary)])
    writer.add_token_scores([0.0] * vocabulary)
    writer.add_token_types([2, 3, 3] + [1] * (vocabulary - 3))
    for place, t in enumerate(case["tensors"]):
        writer.add_tensor(t["name"], weights(place, t["shape"], t["offset"], t["exponent"]))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def serve(path):
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx, params.n_parallel, params.warmup = 128, 1, False
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    return xllamacpp.Server(params)


def log_probabilities(server, tokens, vocabulary):
    asked = {"prompt": tokens, "n_predict": 1, "temperature": 0, "n_probs": vocabulary, "cache_prompt": False}
    request = urllib.request.Request(server.listening_address + "/completion", json.dumps(asked).encode())
    with urllib.request.urlopen(request) as answer:
        told = json.load(answer)["completion_probabilities"][0]["top_logprobs"]
    assert len(told) == vocabulary
    return [round(t["logprob"], 5) for t in sorted(told, key=lambda t: t["id"])]


def answer(case):
    vocabulary = case["tensors"][0]["shape"][0]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.gguf"
        write_gguf(case, path)
        server = serve(path)
        rows = [log_probabilities(server, case["tokens"][:n], vocabulary) for n in POSITIONS]
    return case | {"positions": list(POSITIONS), "log_probabilities": rows}


def text(case):
    """JSON with one line for each tensor and position."""
    lists = ("tensors", "log_probabilities")
    fields = [f'"{key}": {json.dumps(value)}' for key, value in case.items() if key not in lists]
    for key in lists:
        fields.append(f'"{key}": [\n' + ",\n".join(json.dumps(row) for row in case[key]) + "\n]")
    return "{\n" + ",\n".join(fields) + "\n}\n"


def check(case, path):
    kept = json.loads(path.read_text())
    worst = np.abs(np.array(kept.pop("log_probabilities")) - np.array(case.pop("log_probabilities"))).max()
    assert kept == json.loads(json.dumps(case)), f"{path.name} is of another model"
    assert worst <= CHECK_TOLERANCE, f"{path.name}: differs by {worst}"
    print(f"{path.name}: the same within {worst:.1e}")


def main(folder, *options):
    for family in ("llama", "qwen2", "qwen3", "gemma3"):
        for number in range(CASES_PER_FAMILY):
            case = answer(Draw(family, number).case())
            path = pathlib.Path(folder) / f"{case['name']}.json"
            check(case, path) if options == ("--check",) else path.write_text(text(case))


if __name__ == "__main__":
    main(*sys.argv[1:])
