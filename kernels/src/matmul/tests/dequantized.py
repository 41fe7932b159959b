#!/usr/bin/env python3
"""Prints what `DEQUANTIZED` in `tests.rs` has: digests of two rows of noise in each format, dequantised by ggml's own package.

usage: dequantized.py        (needs numpy and gguf from PyPI)
"""

import hashlib

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, dequantize

COLUMNS = 512
# Where a block of the file has its 16-bit floats.
FLOATS = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q4_K": [0, 2], "Q5_K": [0, 2]}
FLOATS |= {"Q6_K": [208], "F16": [0], "BF16": [0], "F32": [2]}


def noise(count, state=7):
    for _ in range(count):
        state = (state * 6364136223846793005 + 1) % 2**64
        yield state >> 56


def rows(kind):
    columns, size = GGML_QUANT_SIZES[kind]
    blocks = np.array(list(noise(2 * COLUMNS // columns * size)), np.uint8).reshape(-1, size)
    for offset in FLOATS[kind.name]:
        blocks[:, offset + 1] &= 0xA7
    return blocks.reshape(2, -1)


for name in FLOATS:
    kind = GGMLQuantizationType[name]
    weights = dequantize(rows(kind), kind).astype("<f4")
    assert weights.shape == (2, COLUMNS) and np.isfinite(weights).all()
    print(name, hashlib.sha256(weights.tobytes()).hexdigest()[:16])
