// Gated feed-forward: `silu(gate) * up` or `gelu(gate) * up`, quantised: `kernels::silu_mul`, `kernels::gelu_mul`, then
// `kernels::quantize`.
//
// Gates and ups alternate in panels of sixteen columns; eight threads make a block of 32 columns of the result.
#include "exact_quantize.cuh"

namespace exact {

struct Silu {
    static __device__ __forceinline__ float gated(float gate, float up) { return gate / (1.0f + exponential(-gate)) * up; }
};

struct Gelu {
    static __device__ __forceinline__ float gated(float gate, float up) {
        float inner = gate * __fmaf_rn(0.07135482f, gate * gate, 1.595769f);
        return gate / (1.0f + exponential(-inner)) * up;
    }
};

template <class Gate> __device__ __forceinline__ void gate_block(const float *__restrict__ gate_up, ActivationBlock *out, uint32_t columns) {
    unsigned thread = threadIdx.x % THREADS_PER_BLOCK;
    uint32_t blocks = columns / BLOCK;
    uint32_t block = (blockIdx.y * blockDim.x + threadIdx.x) / THREADS_PER_BLOCK;
    bool is_there = block < blocks;
    float four[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    if (is_there) {
        size_t pair = 2 * block + thread / 4;
        const float *gates = gate_up + static_cast<size_t>(blockIdx.x) * 2 * columns + pair * 2 * LANES + thread % 4 * 4;
        for (unsigned i = 0; i < 4; i++) four[i] = Gate::gated(gates[i], gates[LANES + i]);
    }
    quantize_block(four, thread, is_there ? out + static_cast<size_t>(blockIdx.x) * blocks + block : nullptr);
}

} // namespace exact

extern "C" __global__ void __launch_bounds__(256)
    exact_silu_quantize(const float *__restrict__ gate_up, exact::ActivationBlock *__restrict__ out, uint32_t columns) {
    exact::gate_block<exact::Silu>(gate_up, out, columns);
}
NARTHEX_ENTRY(exact_silu_quantize)

extern "C" __global__ void __launch_bounds__(256)
    exact_gelu_quantize(const float *__restrict__ gate_up, exact::ActivationBlock *__restrict__ out, uint32_t columns) {
    exact::gate_block<exact::Gelu>(gate_up, out, columns);
}
NARTHEX_ENTRY(exact_gelu_quantize)
