// What the operations with the CPU's bits have in common: sixteen lanes, their sum, the exponential, blocks of activations.
//
// Compile without contraction: `a * b + c` means two roundings everywhere in these files.
#pragma once
#include "platform.cuh"

namespace exact {

// `kernels::lanes::LANES`: rows in a panel, positions in a page, lanes of a sum.
constexpr unsigned LANES = 16;
// `kernels::quantize::BLOCK`: columns in a block of activations.
constexpr unsigned BLOCK = 32;
constexpr unsigned ALL = 0xffffffffu;
// The sequence of rows that are padding.
constexpr uint32_t NO_SEQUENCE = 0xffffffffu;
// The float below all others: `f32::MIN`.
constexpr float LOWEST = -3.402823466e38f;

__device__ __forceinline__ float infinity() { return __uint_as_float(0x7f800000u); }
// `f32::NAN`.
__device__ __forceinline__ float not_a_number() { return __uint_as_float(0x7fc00000u); }

// `kernels::quantize::ActivationBlock`: columns `256 * high + low`, both signed bytes, four to a word.
struct ActivationBlock {
    uint4 high[2];
    uint4 low[2];
    int32_t total, half_total;
    float scale, sum;
};
static_assert(sizeof(ActivationBlock) == 80, "as in Rust");

// Shape of a layer's heads; arguments of `exact_turn` and `exact_attend`.
struct HeadShape {
    uint32_t heads, kv_heads;
    uint32_t width, padded_width;
    uint32_t pages_per_sequence;
    uint32_t halves;
    float query_scale;
    float epsilon;
};
static_assert(sizeof(HeadShape) == 32, "as in Rust");

// `kernels::lanes::sum` of the values of sixteen neighbouring threads of a warp, all of whose threads call this.
__device__ __forceinline__ float sum_of_lanes(float value) {
    value += __shfl_xor_sync(ALL, value, 8);
    value += __shfl_xor_sync(ALL, value, 4);
    value += __shfl_xor_sync(ALL, value, 2);
    value += __shfl_xor_sync(ALL, value, 1);
    return value;
}

// `kernels::exp::exp`.
__device__ __forceinline__ float exponential(float x) {
    x = fminf(fmaxf(x, -87.0f), 88.0f);
    float n = rintf(x * 1.44269504088896341f);
    float r = __fmaf_rn(n, 2.1219444e-4f, __fmaf_rn(n, -0.6933594f, x));
    float p = 1.9875691e-4f;
    p = __fmaf_rn(p, r, 1.3981999e-3f);
    p = __fmaf_rn(p, r, 8.333452e-3f);
    p = __fmaf_rn(p, r, 4.1665796e-2f);
    p = __fmaf_rn(p, r, 1.6666665e-1f);
    p = __fmaf_rn(p, r, 0.5f);
    float mantissa = __fmaf_rn(r * r, p, r) + 1.0f;
    return mantissa * __uint_as_float(static_cast<uint32_t>(static_cast<int>(n) + 127) << 23);
}

// Four signed bytes of a word.
__device__ __forceinline__ int signed_byte(uint32_t word, unsigned index) {
    return static_cast<int8_t>(word >> (8 * index));
}

// The `index`-th of eight words that lie in two vectors.
__device__ __forceinline__ uint32_t word_of(const uint4 (&words)[2], unsigned index) {
    const uint4 &four = words[index / 4];
    switch (index % 4) {
    case 0: return four.x;
    case 1: return four.y;
    case 2: return four.z;
    default: return four.w;
    }
}

} // namespace exact
