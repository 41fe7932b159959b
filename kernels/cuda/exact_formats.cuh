// Packed weights: the structs of `kernels/src/matmul/formats`, sixteen rows, 32 columns once or in eight parts.
//
// Formats of integers give four columns of a row as a word of signed bytes, too large by `EXCESS`; `weight = scale * (quant -
// EXCESS)`, with an offset `+ offset`. Formats of floats give the weights themselves.
#pragma once
#include "exact.cuh"

namespace exact {

// An IEEE 754 half, exactly; no infinities and no NaN, which packing refuses.
__device__ __forceinline__ float of_half(uint16_t bits) {
    // The exponent is too small by 112 where a float has it.
    float magnitude = __uint_as_float(static_cast<uint32_t>(bits & 0x7fff) << 13) * __uint_as_float(0x77800000u);
    return __uint_as_float(__float_as_uint(magnitude) | static_cast<uint32_t>(bits & 0x8000) << 16);
}

// Columns `4 * word` on and, in the high nibbles, `16 + 4 * word` on.
struct Nibbles {
    uint32_t words[4][LANES];

    __device__ __forceinline__ uint32_t word(unsigned lane, unsigned index) const {
        return words[index % 4][lane] >> (index / 4 * 4) & 0x0f0f0f0fu;
    }
};

struct FifthBits {
    uint32_t bits[8][2];

    // Bit 4 of each byte of a word.
    __device__ __forceinline__ uint32_t word(unsigned lane, unsigned index) const {
        uint32_t four = bits[index][lane / 8] >> (lane % 8 * 4) & 15;
        return (four * 0x00204081u & 0x01010101u) << 4;
    }
};

struct TopPairs {
    uint32_t words[2][LANES];

    // Bits 4 and 5 of each byte of a word.
    __device__ __forceinline__ uint32_t word(unsigned lane, unsigned index) const {
        return (words[index / 4][lane] >> (index % 4 * 2) & 0x03030303u) << 4;
    }
};

struct KScales {
    uint8_t scales[8][LANES], minima[8][LANES];
    uint16_t d[LANES], minus_dmin[LANES];

    __device__ __forceinline__ float scale(unsigned part, unsigned lane) const {
        return of_half(d[lane]) * static_cast<float>(scales[part][lane]);
    }
    __device__ __forceinline__ float offset(unsigned part, unsigned lane) const {
        return of_half(minus_dmin[lane]) * static_cast<float>(minima[part][lane]);
    }
};

struct Q4_0 {
    static constexpr unsigned PARTS = 1;
    static constexpr int EXCESS = 8;
    static constexpr bool HAS_OFFSET = false;
    Nibbles quants;
    uint16_t scales[LANES];

    __device__ __forceinline__ uint32_t word(unsigned, unsigned lane, unsigned index) const { return quants.word(lane, index); }
    __device__ __forceinline__ float scale(unsigned, unsigned lane) const { return of_half(scales[lane]); }
    __device__ __forceinline__ float offset(unsigned, unsigned) const { return 0.0f; }
};

struct Q4_1 {
    static constexpr unsigned PARTS = 1;
    static constexpr int EXCESS = 0;
    static constexpr bool HAS_OFFSET = true;
    Nibbles quants;
    uint16_t scales[LANES], offsets[LANES];

    __device__ __forceinline__ uint32_t word(unsigned, unsigned lane, unsigned index) const { return quants.word(lane, index); }
    __device__ __forceinline__ float scale(unsigned, unsigned lane) const { return of_half(scales[lane]); }
    __device__ __forceinline__ float offset(unsigned, unsigned lane) const { return of_half(offsets[lane]); }
};

struct Q5_0 {
    static constexpr unsigned PARTS = 1;
    static constexpr int EXCESS = 16;
    static constexpr bool HAS_OFFSET = false;
    Nibbles quants;
    FifthBits fifths;
    uint16_t scales[LANES];

    __device__ __forceinline__ uint32_t word(unsigned, unsigned lane, unsigned index) const {
        return quants.word(lane, index) | fifths.word(lane, index);
    }
    __device__ __forceinline__ float scale(unsigned, unsigned lane) const { return of_half(scales[lane]); }
    __device__ __forceinline__ float offset(unsigned, unsigned) const { return 0.0f; }
};

struct Q5_1 {
    static constexpr unsigned PARTS = 1;
    static constexpr int EXCESS = 0;
    static constexpr bool HAS_OFFSET = true;
    Nibbles quants;
    FifthBits fifths;
    uint16_t scales[LANES], offsets[LANES];

    __device__ __forceinline__ uint32_t word(unsigned, unsigned lane, unsigned index) const {
        return quants.word(lane, index) | fifths.word(lane, index);
    }
    __device__ __forceinline__ float scale(unsigned, unsigned lane) const { return of_half(scales[lane]); }
    __device__ __forceinline__ float offset(unsigned, unsigned lane) const { return of_half(offsets[lane]); }
};

struct Q8_0 {
    static constexpr unsigned PARTS = 1;
    static constexpr int EXCESS = 0;
    static constexpr bool HAS_OFFSET = false;
    // Bytes too large by 128.
    uint32_t quants[8][LANES];
    uint16_t scales[LANES];

    __device__ __forceinline__ uint32_t word(unsigned, unsigned lane, unsigned index) const {
        return quants[index][lane] ^ 0x80808080u;
    }
    __device__ __forceinline__ float scale(unsigned, unsigned lane) const { return of_half(scales[lane]); }
    __device__ __forceinline__ float offset(unsigned, unsigned) const { return 0.0f; }
};

struct Q4_K {
    static constexpr unsigned PARTS = 8;
    static constexpr int EXCESS = 0;
    static constexpr bool HAS_OFFSET = true;
    Nibbles quants[PARTS];
    KScales scales;

    __device__ __forceinline__ uint32_t word(unsigned part, unsigned lane, unsigned index) const {
        return quants[part].word(lane, index);
    }
    __device__ __forceinline__ float scale(unsigned part, unsigned lane) const { return scales.scale(part, lane); }
    __device__ __forceinline__ float offset(unsigned part, unsigned lane) const { return scales.offset(part, lane); }
};

struct Q5_K {
    static constexpr unsigned PARTS = 8;
    static constexpr int EXCESS = 0;
    static constexpr bool HAS_OFFSET = true;
    Nibbles quants[PARTS];
    FifthBits fifths[PARTS];
    KScales scales;

    __device__ __forceinline__ uint32_t word(unsigned part, unsigned lane, unsigned index) const {
        return quants[part].word(lane, index) | fifths[part].word(lane, index);
    }
    __device__ __forceinline__ float scale(unsigned part, unsigned lane) const { return scales.scale(part, lane); }
    __device__ __forceinline__ float offset(unsigned part, unsigned lane) const { return scales.offset(part, lane); }
};

// A scale for sixteen columns.
struct Q6_K {
    static constexpr unsigned PARTS = 8;
    static constexpr int EXCESS = 32;
    Nibbles quants[PARTS];
    TopPairs tops[PARTS];
    int8_t scales[2 * PARTS][LANES];
    uint16_t d[LANES];

    __device__ __forceinline__ uint32_t word(unsigned part, unsigned lane, unsigned index) const {
        return quants[part].word(lane, index) | tops[part].word(lane, index);
    }
    __device__ __forceinline__ float scale(unsigned part, unsigned half, unsigned lane) const {
        return of_half(d[lane]) * static_cast<float>(scales[2 * part + half][lane]);
    }
};

struct F32 {
    float weights[BLOCK][LANES];
    __device__ __forceinline__ float weight(unsigned lane, unsigned column) const { return weights[column][lane]; }
};

struct F16 {
    uint16_t weights[BLOCK][LANES];
    __device__ __forceinline__ float weight(unsigned lane, unsigned column) const { return of_half(weights[column][lane]); }
};

struct BF16 {
    uint16_t weights[BLOCK][LANES];
    __device__ __forceinline__ float weight(unsigned lane, unsigned column) const {
        return __uint_as_float(static_cast<uint32_t>(weights[column][lane]) << 16);
    }
};

static_assert(sizeof(Q4_0) == 288 && sizeof(Q4_1) == 320 && sizeof(Q5_0) == 352 && sizeof(Q5_1) == 384, "as in Rust");
static_assert(sizeof(Q8_0) == 544 && sizeof(Q4_K) == 2368 && sizeof(Q5_K) == 2880 && sizeof(Q6_K) == 3360, "as in Rust");
static_assert(sizeof(F32) == 2048 && sizeof(F16) == 1024 && sizeof(BF16) == 1024, "as in Rust");

} // namespace exact

// Every format: its name in entry points, its struct.
#define EXACT_INTEGER_FORMATS(DO) DO(q4_0, Q4_0) DO(q4_1, Q4_1) DO(q5_0, Q5_0) DO(q5_1, Q5_1) DO(q8_0, Q8_0) DO(q4_k, Q4_K) DO(q5_k, Q5_K) DO(q6_k, Q6_K)
#define EXACT_FLOAT_FORMATS(DO) DO(f16, F16) DO(bf16, BF16) DO(f32, F32)
