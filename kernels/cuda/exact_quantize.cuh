// Sixteen-bit activations: `kernels::quantize`, eight neighbouring threads for a block of 32 columns, four columns each.
#pragma once
#include "exact.cuh"

namespace exact {

constexpr float LARGEST = 32639.0f;
constexpr float TINY = 1e-30f;
constexpr unsigned THREADS_PER_BLOCK = 8;

// The largest size of a block's values, infinite where one is, no number where one is none: bits of sizes have the order of the sizes,
// with infinity above all numbers, and what is no number above that. `fmaxf` would pass over it.
__device__ __forceinline__ float largest_of_block(const float (&values)[4]) {
    uint32_t largest = 0;
    for (float value : values) largest = max(largest, __float_as_uint(fabsf(value)));
    for (int by = 1; by < static_cast<int>(THREADS_PER_BLOCK); by *= 2) largest = max(largest, __shfl_xor_sync(ALL, largest, by));
    return __uint_as_float(largest);
}

// Quantises a thread's four columns and stores them where `out` is not null. All threads of the warp call this together. A block of
// tiny values is zero; one with a value that is not finite has integers of zero, and scale and sum that are no numbers.
__device__ __forceinline__ void quantize_block(const float (&values)[4], unsigned thread, ActivationBlock *out) {
    float largest = largest_of_block(values);
    bool has_integers = largest >= TINY && largest < infinity();
    float inverse = LARGEST / largest;
    uint32_t high = 0, low = 0;
    int32_t total = 0;
    for (unsigned i = 0; i < 4; i++) {
        int32_t integer = has_integers ? __float2int_rn(values[i] * inverse) : 0;
        high |= (static_cast<uint32_t>((integer + 128) >> 8) & 0xff) << (8 * i);
        low |= (static_cast<uint32_t>(integer) & 0xff) << (8 * i);
        total += integer;
    }
    total += __shfl_xor_sync(ALL, total, 1);
    total += __shfl_xor_sync(ALL, total, 2);
    int32_t half_total = total;
    total += __shfl_xor_sync(ALL, total, 4);
    if (out == nullptr) return;
    uint32_t *words = reinterpret_cast<uint32_t *>(out);
    words[thread] = high;
    words[8 + thread] = low;
    if (thread != 0) return;
    float otherwise = largest < TINY ? 0.0f : not_a_number();
    float scale = has_integers ? largest / LARGEST : otherwise;
    out->total = total;
    out->half_total = half_total;
    out->scale = scale;
    out->sum = has_integers ? scale * static_cast<float>(total) : otherwise;
}

} // namespace exact
