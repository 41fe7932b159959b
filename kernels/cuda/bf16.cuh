// bf16, the upper half of an f32: conversions on the bits, the same everywhere.
#pragma once
#include "platform.cuh"

__device__ __forceinline__ float bf16_to_float(uint16_t value) { return __uint_as_float(static_cast<uint32_t>(value) << 16); }

// The lower and the upper one of a pair.
__device__ __forceinline__ float bf16_low(uint32_t pair) { return __uint_as_float(pair << 16); }
__device__ __forceinline__ float bf16_high(uint32_t pair) { return __uint_as_float(pair & 0xffff0000u); }

// Nearest, ties to even; of finite values.
__device__ __forceinline__ uint16_t float_to_bf16(float value) {
    uint32_t bits = __float_as_uint(value);
    return static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

__device__ __forceinline__ uint32_t bf16_pair(float low, float high) {
    return static_cast<uint32_t>(float_to_bf16(low)) | static_cast<uint32_t>(float_to_bf16(high)) << 16;
}
