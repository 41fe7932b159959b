"""Texts that tokenizers are compared on: all planes of Unicode, marks, control characters, runs of white space, emoji, code, in random order."""

import random

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
