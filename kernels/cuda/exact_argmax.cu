// The greedy choice.
#include "exact_sample.cuh"

namespace exact {

// A token and its logit.
struct Best {
    float logit;
    uint32_t token;

    // Of equals the lowest token.
    __device__ __forceinline__ bool is_behind(const Best &other) const {
        return other.logit > logit || (other.logit == logit && other.token < token);
    }
};

__device__ __forceinline__ Best best_of_warp(Best best) {
    for (int by = 16; by > 0; by /= 2) {
        Best other = {__shfl_xor_sync(ALL, best.logit, by), __shfl_xor_sync(ALL, best.token, by)};
        if (best.is_behind(other)) best = other;
    }
    return best;
}

// Whether one of the logits that this thread sees is NaN or positive infinity; the best of the others.
__device__ __forceinline__ bool look_through(const float *__restrict__ logits, uint32_t vocabulary, Best &best) {
    bool is_bad = false;
    for (uint32_t token = threadIdx.x; token < vocabulary; token += SAMPLE_THREADS) {
        Best other = {logits[token], token};
        is_bad |= !(other.logit < infinity());
        if (best.is_behind(other)) best = other;
    }
    return is_bad;
}

} // namespace exact

// The first token with the greatest logit; none where one is NaN or positive infinity, or all are negative infinity.
extern "C" __global__ void __launch_bounds__(256)
    exact_argmax(const float *__restrict__ logits, uint32_t *__restrict__ chosen, uint32_t vocabulary, uint32_t stride) {
    __shared__ exact::Best bests[exact::SAMPLE_THREADS / 32];
    __shared__ bool is_bad;
    if (threadIdx.x == 0) is_bad = false;
    __syncthreads();
    exact::Best best = {-exact::infinity(), exact::NO_TOKEN};
    if (exact::look_through(logits + static_cast<size_t>(blockIdx.x) * stride, vocabulary, best)) is_bad = true;
    best = exact::best_of_warp(best);
    if (threadIdx.x % 32 == 0) bests[threadIdx.x / 32] = best;
    __syncthreads();
    if (threadIdx.x != 0) return;
    for (const exact::Best &other : bests)
        if (best.is_behind(other)) best = other;
    chosen[blockIdx.x] = is_bad || best.logit == -exact::infinity() ? exact::NO_TOKEN : best.token;
}
NARTHEX_ENTRY(exact_argmax)
