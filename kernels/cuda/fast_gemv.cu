// Products of bf16 weights with one or a few rows of bf16 activations, a warp for each output, summed in f32.
//
// Order of a sum: a lane goes through its chunks of 8 columns (the lane's, then each 32nd further), even columns into one sum, odd ones
// into another, with fused multiply-adds; the two are added, then the lanes, halves onto each other. It does not depend on the
// number of rows: both variants give the same bits. They are not those of fast_gemm: what one of them began, it must go on with.
#include "bf16.cuh"

namespace fast {

// Sum over the warp's lanes, in every lane.
__device__ __forceinline__ float warp_sum(float value) {
#pragma unroll
    for (int by = 16; by > 0; by >>= 1) value += __shfl_xor_sync(0xffffffffu, value, by);
    return value;
}

// Adds the products of a chunk to the sums of its even and its odd columns.
__device__ __forceinline__ void add_products(float (&sums)[2], const uint4 &weights, const uint4 &activations) {
    const uint32_t w[4] = {weights.x, weights.y, weights.z, weights.w};
    const uint32_t x[4] = {activations.x, activations.y, activations.z, activations.w};
#pragma unroll
    for (int i = 0; i < 4; i++) {
        sums[0] = __fmaf_rn(bf16_low(w[i]), bf16_low(x[i]), sums[0]);
        sums[1] = __fmaf_rn(bf16_high(w[i]), bf16_high(x[i]), sums[1]);
    }
}

template <unsigned ROWS>
__device__ __forceinline__ void gemv(const uint16_t *__restrict__ weights, const uint16_t *__restrict__ activations,
                                     float *__restrict__ out, uint32_t depth, uint32_t columns, uint32_t rows, uint32_t add) {
    uint32_t lane = threadIdx.x % 32, column = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32;
    uint32_t first = blockIdx.y * ROWS, chunks = depth / 8;
    if (column >= columns) return;
    const uint4 *w = reinterpret_cast<const uint4 *>(weights + static_cast<size_t>(column) * depth);
    const uint4 *x = reinterpret_cast<const uint4 *>(activations + static_cast<size_t>(first) * depth);
    float sums[ROWS][2] = {};
#pragma unroll 4
    for (uint32_t chunk = lane; chunk < chunks; chunk += 32) {
        uint4 shared_by_rows = __ldg(w + chunk);
#pragma unroll
        for (unsigned row = 0; row < ROWS; row++)
            if (ROWS == 1 || first + row < rows) add_products(sums[row], shared_by_rows, __ldg(x + row * chunks + chunk));
    }
#pragma unroll
    for (unsigned row = 0; row < ROWS; row++) {
        float sum = warp_sum(sums[row][0] + sums[row][1]);
        if (lane != 0 || first + row >= rows) continue;
        float *place = out + static_cast<size_t>(first + row) * columns + column;
        *place = add == 0 ? sum : *place + sum;
    }
}

} // namespace fast

// out[row][column] = activations[row] . weights[column], or added to what is there; `depth` is a multiple of 8.
// Grid (ceil(columns / 8), rows), block 256.
extern "C" __global__ void __launch_bounds__(256)
    fast_gemv_x1(const uint16_t *weights, const uint16_t *activations, float *out, uint32_t depth, uint32_t columns, uint32_t rows,
                 uint32_t add) {
    fast::gemv<1>(weights, activations, out, depth, columns, rows, add);
}
NARTHEX_ENTRY(fast_gemv_x1)

// The same bits; eight rows share each weight. Grid (ceil(columns / 8), ceil(rows / 8)), block 256.
extern "C" __global__ void __launch_bounds__(256)
    fast_gemv_x8(const uint16_t *weights, const uint16_t *activations, float *out, uint32_t depth, uint32_t columns, uint32_t rows,
                 uint32_t add) {
    fast::gemv<8>(weights, activations, out, depth, columns, rows, add);
}
NARTHEX_ENTRY(fast_gemv_x8)
