// Root-mean-square normalisation: `kernels::rms_norm::factor`. Lane `i` sums the squares of columns `i, i + 16, ..` in order.
#pragma once
#include "exact.cuh"

namespace exact {

// Columns that lie in shared memory at once.
constexpr unsigned NORM_COLUMNS = 2048;

// `1 / sqrt(squares / columns + epsilon)`.
__device__ __forceinline__ float factor_of(float squares, uint32_t columns, float epsilon) {
    return 1.0f / sqrtf(squares / static_cast<float>(columns) + epsilon);
}

// The factor of a row, for all threads of the block, who all call this; the columns are a multiple of sixteen.
__device__ __forceinline__ float rms_factor(const float *__restrict__ row, uint32_t columns, float epsilon) {
    __shared__ float tile[NORM_COLUMNS];
    __shared__ float factor;
    unsigned lane = threadIdx.x % LANES;
    float squares = 0.0f;
    for (uint32_t first = 0; first < columns; first += NORM_COLUMNS) {
        uint32_t length = min(columns - first, NORM_COLUMNS);
        __syncthreads();
        for (uint32_t column = threadIdx.x; column < length; column += blockDim.x) tile[column] = row[first + column];
        __syncthreads();
        // The second half of the warp does what the first does, so that the whole warp is there for the sum.
        if (threadIdx.x < 32)
            for (uint32_t column = lane; column < length; column += LANES)
                squares = __fmaf_rn(tile[column], tile[column], squares);
    }
    if (threadIdx.x < 32) {
        float result = factor_of(sum_of_lanes(squares), columns, epsilon);
        if (threadIdx.x == 0) factor = result;
    }
    __syncthreads();
    return factor;
}

} // namespace exact
