"""PyTorch and transformers on the first GPU: copies, products, and tokens per second of the same models that our decoder runs.

usage: gpu_transformers.py MODEL.gguf PROMPT_IDS [--dry]      --dry: tiny shapes, on a CPU, to see that this runs; no measurement

Prints lines `NAME VALUE`, our names for the rates: tokens, bytes or operations per second. Everything in bf16. Each model answers twice: with a
cache that grows, as `generate` does by default, and with a static one, for which transformers compiles the decoding step; the faster counts.
"""
import pathlib
import statistics
import sys
import time

import torch
import transformers

ROUNDS = 5
TIMES = 10
BATCHES = (1, 8, 32)


class Scale:
    """How much is measured: what bench/gpu/src/scale.rs has."""

    def __init__(self, dry):
        self.device = "cpu" if dry else "cuda"
        self.copy_bytes = 4096 if dry else 4 << 30
        self.matrix = 128 if dry else 8192
        self.rounds = 1 if dry else ROUNDS
        self.batches = (1, 2) if dry else BATCHES
        self.real = (5, 3) if dry else (512, 256)
        self.synthetic = (5, 3) if dry else (1024, 128)
        self.caches = (None,) if dry else (None, "static")


def wait():
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def rounds(scale, work):
    """Seconds of each round, after one that warms up."""
    seconds = []
    for _ in range(scale.rounds + 1):
        wait()
        start = time.perf_counter()
        work()
        wait()
        seconds.append(time.perf_counter() - start)
    return seconds[1:]


def limits(scale):
    source = torch.zeros(scale.copy_bytes, dtype=torch.uint8, device=scale.device)
    target = torch.empty_like(source)
    seconds = min(rounds(scale, lambda: [target.copy_(source) for _ in range(TIMES)]))
    print(f"copy_limit {2 * scale.copy_bytes * TIMES / seconds}")
    shape = (scale.matrix, scale.matrix)
    left, right = (torch.randn(shape, dtype=torch.bfloat16, device=scale.device) for _ in range(2))
    seconds = min(rounds(scale, lambda: [torch.matmul(left, right) for _ in range(TIMES)]))
    print(f"matrix {2 * scale.matrix ** 3 * TIMES / seconds}")


def llama_8b(scale, dry):
    """The shape of Llama 3 8B, its weights noise, made where they are used."""
    small = dict(hidden_size=128, intermediate_size=128, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1, vocab_size=64)
    large = dict(hidden_size=4096, intermediate_size=14336, num_hidden_layers=32, num_attention_heads=32, num_key_value_heads=8, vocab_size=128256)
    config = transformers.LlamaConfig(**(small if dry else large), max_position_embeddings=8192, tie_word_embeddings=False)
    with torch.device(scale.device):
        return transformers.AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)


def smollm2(path):
    """Unpacked: with packed weights transformers multiplies in f32."""
    unpacked = transformers.GgufConfig(dequantize=True)
    return transformers.AutoModelForCausalLM.from_pretrained(
        str(path.parent), gguf_file=path.name, quantization_config=unpacked, dtype=torch.bfloat16,
    )


def generate(model, ids, tokens, cache):
    with torch.inference_mode():
        return model.generate(
            ids, attention_mask=torch.ones_like(ids), do_sample=False, min_new_tokens=tokens, max_new_tokens=tokens,
            cache_implementation=cache, pad_token_id=0,
        )


def rates(scale, model, ids, answer, cache):
    """Tokens per second of the prompt, with the one token that follows it, and of the tokens behind that one."""
    batch, prompt = ids.shape
    first = statistics.median(rounds(scale, lambda: generate(model, ids, 1, cache)))
    whole = statistics.median(rounds(scale, lambda: generate(model, ids, answer + 1, cache)))
    return batch * prompt / first, batch * answer / (whole - first)


def tokens(scale, name, model, ids, answer):
    model = model.to(scale.device).eval()
    for batch in scale.batches:
        prompts = torch.tensor([ids] * batch, device=scale.device)
        every = [rates(scale, model, prompts, answer, cache) for cache in scale.caches]
        print(f"prefill_b{batch}.{name} {max(prefill for prefill, _ in every)}")
        print(f"decode_b{batch}.{name} {max(decode for _, decode in every)}", flush=True)


def main():
    path, prompt, *options = sys.argv[1:]
    dry = options == ["--dry"]
    scale = Scale(dry)
    device = "a CPU, no measurement" if dry else torch.cuda.get_device_name(0)
    transformers.utils.logging.disable_progress_bar()
    print(f"pytorch {torch.__version__}, transformers {transformers.__version__}, on {device}")
    ids = [int(token) for token in pathlib.Path(prompt).read_text().split()]
    limits(scale)
    length, answer = scale.real
    tokens(scale, "smollm2", smollm2(pathlib.Path(path)), ids[:length], answer)
    if not dry:
        torch.cuda.empty_cache()
    length, answer = scale.synthetic
    vocabulary = 64 if dry else 128256
    tokens(scale, "8b", llama_8b(scale, dry), [at * 0x9E3779B9 % 2**32 % vocabulary for at in range(length)], answer)


main()
