// What tokens weigh at a temperature: `kernels::weigh::weigh`, in f64, without fused operations.
#include "exact_sample.cuh"

namespace exact {

constexpr unsigned WEIGHT_LANES = 8;

// `e` to the power of `x`, which is at most 0: `exp` of `kernels::weigh`.
__device__ __forceinline__ double weight_of(double x) {
    const double coefficients[10] = {1.0 / 362880.0, 1.0 / 40320.0, 1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0,
                                     1.0 / 24.0,     1.0 / 6.0,     0.5,          1.0,         1.0};
    const double rounding = 6755399441055744.0;
    double shifted = x * 1.44269504088896340736 + rounding;
    double power = shifted - rounding;
    double rest = (x - power * 0.6931471803691238) - power * 1.9082149292705877e-10;
    double fraction = 0.0;
#pragma unroll
    for (unsigned i = 0; i < 10; i++) fraction = fraction * rest + coefficients[i];
    auto bits = static_cast<uint64_t>(__double_as_longlong(shifted));
    double scaled = fraction * __longlong_as_double(static_cast<long long>((bits + 1023) << 52));
    return x < -700.0 ? 0.0 : scaled;
}

} // namespace exact

// What each token weighs against the chosen one, and sum and greatest of each 64: eight threads for a block of them.
extern "C" __global__ void __launch_bounds__(256)
    exact_weigh(const float *__restrict__ logits, const uint32_t *__restrict__ chosen, const exact::Choice *__restrict__ choices,
                double *__restrict__ weights, exact::WeightBlock *__restrict__ sums, uint32_t vocabulary, uint32_t stride) {
    uint32_t row = blockIdx.x, blocks = exact::blocks_of(vocabulary);
    double inverse = choices[row].inverse;
    if (!choices[row].draws() || chosen[row] == exact::NO_TOKEN) return;
    const float *own_logits = logits + static_cast<size_t>(row) * stride;
    double *own_weights = weights + static_cast<size_t>(row) * vocabulary;
    double largest = static_cast<double>(own_logits[chosen[row]]);
    unsigned lane = threadIdx.x % exact::WEIGHT_LANES;
    uint32_t block = (blockIdx.y * exact::SAMPLE_THREADS + threadIdx.x) / exact::WEIGHT_LANES;
    double sum = 0.0, greatest = 0.0;
    for (unsigned i = lane; i < exact::WEIGHT_BLOCK; i += exact::WEIGHT_LANES) {
        uint32_t token = block * exact::WEIGHT_BLOCK + i;
        if (token >= vocabulary) break;
        double weight = exact::weight_of((static_cast<double>(own_logits[token]) - largest) * inverse);
        own_weights[token] = weight;
        sum += weight;
        greatest = weight > greatest ? weight : greatest;
    }
    double all = 0.0;
    for (unsigned i = 0; i < exact::WEIGHT_LANES; i++) all += __shfl_sync(exact::ALL, sum, i, exact::WEIGHT_LANES);
    for (int by = 4; by > 0; by /= 2) {
        double other = __shfl_xor_sync(exact::ALL, greatest, by);
        greatest = other > greatest ? other : greatest;
    }
    if (lane == 0 && block < blocks) sums[static_cast<size_t>(row) * blocks + block] = {all, greatest};
}
NARTHEX_ENTRY(exact_weigh)
