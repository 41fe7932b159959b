// A branch's product, normalised, onto the residual stream: `kernels::rms_norm::add_normalized`. One block of threads for a row.
#include "exact_norm.cuh"

extern "C" __global__ void __launch_bounds__(256) exact_add_normalized(const float *__restrict__ values, const float *__restrict__ weights,
                                                                       float *__restrict__ stream, uint32_t columns, float epsilon) {
    size_t first = static_cast<size_t>(blockIdx.x) * columns;
    float factor = exact::rms_factor(values + first, columns, epsilon);
    for (uint32_t column = threadIdx.x; column < columns; column += blockDim.x)
        stream[first + column] += values[first + column] * factor * weights[column];
}
NARTHEX_ENTRY(exact_add_normalized)
