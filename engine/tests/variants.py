#!/usr/bin/env python3
"""The demo's model in other formats, and what the oracle and llama.cpp say of each: the cases of `tests/variants.rs`.

usage: variants.py make MODEL.gguf FOLDER                       writes a file for each format      (scripts/variants)
       variants.py measure FILE.gguf PROMPT.ids... >> variants.tsv
(needs the packages of families/requirements.txt)

Every matrix is dequantised and quantised again; that adds to its error, but all three sides see the weights of the new file.
Each line of the output: format, prompt, number of its tokens taken, then for the likeliest next token its id, its
log-probability by the oracle (`oracle.py`, float32 on the file's weights) and by llama.cpp as it runs by default.
"""

import json
import pathlib
import sys
import urllib.request

import numpy as np
import xllamacpp
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter, dequantize, quantize

from oracle import Llama

FORMATS = ("Q4_0", "Q5_0", "Q8_0", "F16", "BF16", "F32")
LENGTHS = (1, 4, 8, 16, 32, 48, 64, 80, 96, 128)


def copy_metadata(reader, writer):
    for key, field in reader.fields.items():
        if not key.startswith("GGUF.") and key != "general.architecture":
            inner = field.types[-1] if len(field.types) > 1 else None
            writer.add_key_value(key, field.contents(), field.types[0], inner)


def make(model, path, kind):
    reader = GGUFReader(model)
    writer = GGUFWriter(path, reader.fields["general.architecture"].contents())
    copy_metadata(reader, writer)
    for tensor in reader.tensors:
        values = dequantize(tensor.data, tensor.tensor_type)
        new = kind if len(tensor.shape) == 2 else GGMLQuantizationType.F32
        writer.add_tensor(tensor.name, quantize(values, new), raw_dtype=new)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def serve(path):
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx, params.n_parallel, params.warmup = 256, 1, False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    return xllamacpp.Server(params)


def llamacpp(server, tokens, token):
    asked = {"prompt": tokens, "n_predict": 1, "temperature": 0, "n_probs": 100}
    request = urllib.request.Request(server.listening_address + "/completion", json.dumps(asked).encode())
    with urllib.request.urlopen(request) as answer:
        told = json.load(answer)["completion_probabilities"][0]["top_logprobs"]
    return next(t["logprob"] for t in told if t["id"] == token)


def measure(path, prompts):
    llama, server = Llama(path), serve(path)
    for prompt in map(pathlib.Path, prompts):
        ids = [int(word) for word in prompt.read_text().split()][: max(LENGTHS)]
        rows = llama.log_probabilities(np.array(ids))
        for length in LENGTHS:
            token = int(rows[length - 1].argmax())
            theirs = llamacpp(server, ids[:length], token)
            oracle = rows[length - 1][token]
            line = (path.stem, prompt.stem, length, token, f"{oracle:.6f}", f"{theirs:.6f}")
            print(*line, sep="\t", flush=True)


def main(command, *arguments):
    if command == "make":
        model, folder = arguments
        for name in FORMATS:
            make(model, pathlib.Path(folder) / f"{name}.gguf", GGMLQuantizationType[name])
    elif command == "measure":
        path, *prompts = arguments
        measure(pathlib.Path(path), prompts)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
