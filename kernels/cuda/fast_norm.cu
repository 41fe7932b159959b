// Normalisation and gates between the fast products: f32 in, bf16 out. Sums have an order that only the number of columns decides.
#include "bf16.cuh"

namespace fast {

constexpr unsigned NORM_THREADS = 256;

// Sum over a block of NORM_THREADS threads, in every thread: lanes of each warp, halves onto each other, then the warps in order.
__device__ __forceinline__ float block_sum(float value) {
    __shared__ float sums[NORM_THREADS / 32];
#pragma unroll
    for (int by = 16; by > 0; by >>= 1) value += __shfl_xor_sync(0xffffffffu, value, by);
    if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = value;
    __syncthreads();
    float total = 0.0f;
#pragma unroll
    for (unsigned warp = 0; warp < NORM_THREADS / 32; warp++) total += sums[warp];
    return total;
}

} // namespace fast

// out[row] = bf16(source / sqrt(mean of squares + epsilon) * weights) with source = stream[source_rows[row]], or stream[row] where there are
// no source_rows; `columns` is even. Grid: rows of out, block 256.
extern "C" __global__ void __launch_bounds__(256)
    fast_rms_norm(const float *__restrict__ stream, const uint32_t *__restrict__ source_rows, const float *__restrict__ weights,
                  uint16_t *__restrict__ out, uint32_t columns, float epsilon) {
    size_t source = source_rows != nullptr ? source_rows[blockIdx.x] : blockIdx.x;
    const float2 *row = reinterpret_cast<const float2 *>(stream + source * columns);
    const float2 *scales = reinterpret_cast<const float2 *>(weights);
    uint32_t *pairs = reinterpret_cast<uint32_t *>(out + static_cast<size_t>(blockIdx.x) * columns);
    float squares = 0.0f;
    for (uint32_t i = threadIdx.x; i < columns / 2; i += fast::NORM_THREADS) {
        squares = __fmaf_rn(row[i].x, row[i].x, squares);
        squares = __fmaf_rn(row[i].y, row[i].y, squares);
    }
    float factor = 1.0f / sqrtf(fast::block_sum(squares) / static_cast<float>(columns) + epsilon);
    for (uint32_t i = threadIdx.x; i < columns / 2; i += fast::NORM_THREADS)
        pairs[i] = bf16_pair(row[i].x * factor * scales[i].x, row[i].y * factor * scales[i].y);
}
NARTHEX_ENTRY(fast_rms_norm)

// out[row][i] = bf16(silu(gate) * up) with gate = gate_up[row][i] and up = gate_up[row][columns + i]; `columns` is even.
// Grid (rows, ceil(columns / 512)), block 256.
extern "C" __global__ void __launch_bounds__(256)
    fast_silu_mul(const float *__restrict__ gate_up, uint16_t *__restrict__ out, uint32_t columns) {
    uint32_t i = blockIdx.y * blockDim.x + threadIdx.x;
    if (2 * i >= columns) return;
    const float *row = gate_up + static_cast<size_t>(blockIdx.x) * 2 * columns;
    float2 gate = reinterpret_cast<const float2 *>(row)[i], up = reinterpret_cast<const float2 *>(row + columns)[i];
    float low = gate.x / (1.0f + expf(-gate.x)) * up.x, high = gate.y / (1.0f + expf(-gate.y)) * up.y;
    reinterpret_cast<uint32_t *>(out + static_cast<size_t>(blockIdx.x) * columns)[i] = bf16_pair(low, high);
}
NARTHEX_ENTRY(fast_silu_mul)
