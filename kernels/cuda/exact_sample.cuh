// What choosing tokens has in common: parameters, blocks of weights, random numbers, sums in order.
#pragma once
#include "exact.cuh"

namespace exact {

constexpr unsigned SAMPLE_THREADS = 256;
constexpr uint32_t NO_TOKEN = 0xffffffffu;

// How a row's token is drawn.
struct Choice {
    // Key and counter of the random number.
    uint64_t seed, position;
    // One by the temperature; 0: the greatest logit is taken.
    double inverse;
    // 1, 0 and 0: nothing is cut.
    double top_p, min_p;
    uint32_t top_k, unused;

    __device__ __forceinline__ bool draws() const { return inverse != 0.0; }
    __device__ __forceinline__ bool counts(uint32_t vocabulary) const { return top_k > 0 && top_k < vocabulary; }
    __device__ __forceinline__ bool cuts(uint32_t vocabulary) const { return counts(vocabulary) || top_p < 1.0 || min_p > 0.0; }
};
static_assert(sizeof(Choice) == 48, "as in Rust");

// `kernels::weigh::Block`.
struct WeightBlock {
    double sum, greatest;
};

constexpr unsigned WEIGHT_BLOCK = 64;

__device__ __forceinline__ uint32_t blocks_of(uint32_t vocabulary) { return (vocabulary + WEIGHT_BLOCK - 1) / WEIGHT_BLOCK; }

// Weights of a row's tokens.
struct Weighed {
    const double *__restrict__ weights;
    const WeightBlock *__restrict__ blocks;
    uint32_t vocabulary;

    __device__ __forceinline__ Weighed(const double *all_weights, const WeightBlock *all_blocks, uint32_t vocabulary)
        : weights(all_weights + static_cast<size_t>(blockIdx.x) * vocabulary),
          blocks(all_blocks + static_cast<size_t>(blockIdx.x) * blocks_of(vocabulary)), vocabulary(vocabulary) {}
};

// Values on their way to the one thread that takes them in order.
using Stage = double[SAMPLE_THREADS];

// Gives one thread `count` values in order, each with its index; all threads of the block call this, and load a value each at a time.
template <class Load, class Walk> __device__ __forceinline__ void in_order(Stage &stage, uint32_t count, Load load, Walk walk) {
    for (uint32_t first = 0; first < count; first += SAMPLE_THREADS) {
        __syncthreads();
        if (first + threadIdx.x < count) stage[threadIdx.x] = load(first + threadIdx.x);
        __syncthreads();
        if (threadIdx.x != 0) continue;
        uint32_t length = min(count - first, SAMPLE_THREADS);
        for (uint32_t at = 0; at < length; at++) walk(first + at, stage[at]);
    }
}

// What all tokens weigh, block after block; in the thread that takes values in order.
__device__ __forceinline__ double total_weight(Stage &stage, const Weighed &row) {
    double total = 0.0;
    in_order(stage, blocks_of(row.vocabulary), [&](uint32_t block) { return row.blocks[block].sum; },
             [&](uint32_t, double sum) { total += sum; });
    return total;
}

// Philox4x32-10: a number from 0 to below 1, in steps of 2^-53.
__device__ __forceinline__ double unit_interval(uint64_t seed, uint64_t position) {
    uint32_t a = static_cast<uint32_t>(position), b = static_cast<uint32_t>(position >> 32), c = 0, d = 0;
    uint32_t key = static_cast<uint32_t>(seed), other_key = static_cast<uint32_t>(seed >> 32);
    for (unsigned round = 0; round < 10; round++) {
        uint64_t first = static_cast<uint64_t>(0xd2511f53u) * a, second = static_cast<uint64_t>(0xcd9e8d57u) * c;
        a = static_cast<uint32_t>(second >> 32) ^ b ^ key;
        c = static_cast<uint32_t>(first >> 32) ^ d ^ other_key;
        b = static_cast<uint32_t>(second);
        d = static_cast<uint32_t>(first);
        key += 0x9e3779b9u;
        other_key += 0xbb67ae85u;
    }
    uint64_t bits = (static_cast<uint64_t>(a) << 32 | b) >> 11;
    return static_cast<double>(bits) * (1.0 / 9007199254740992.0);
}

} // namespace exact
