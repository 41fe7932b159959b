// Activations for matrix products: `kernels::quantize::quantize`, with or without normalising first.
//
// One block of threads for a row of the result; it is made of the row that `source_rows` names, or of its own.
#include "exact_norm.cuh"
#include "exact_quantize.cuh"

namespace exact {

struct Quantize {
    const float *__restrict__ row;
    const float *__restrict__ weights;
    float factor;

    __device__ __forceinline__ float column(uint32_t column) const {
        return weights == nullptr ? row[column] : row[column] * factor * weights[column];
    }
};

__device__ __forceinline__ void quantize_row(const Quantize &values, ActivationBlock *out, uint32_t columns) {
    unsigned thread = threadIdx.x % THREADS_PER_BLOCK;
    uint32_t blocks = columns / BLOCK, at_once = blockDim.x / THREADS_PER_BLOCK;
    // Every thread of a warp goes round as often as the others.
    for (uint32_t first = 0; first < blocks; first += at_once) {
        uint32_t block = first + threadIdx.x / THREADS_PER_BLOCK;
        bool is_there = block < blocks;
        float four[4] = {0.0f, 0.0f, 0.0f, 0.0f};
        for (unsigned i = 0; is_there && i < 4; i++) four[i] = values.column(block * BLOCK + 4 * thread + i);
        quantize_block(four, thread, is_there ? out + block : nullptr);
    }
}

} // namespace exact

extern "C" __global__ void __launch_bounds__(256) exact_quantize(const float *__restrict__ values,
                                                                 const uint32_t *__restrict__ source_rows,
                                                                 const float *__restrict__ weights,
                                                                 exact::ActivationBlock *__restrict__ out, uint32_t columns,
                                                                 float epsilon) {
    uint32_t source = source_rows == nullptr ? blockIdx.x : source_rows[blockIdx.x];
    const float *row = values + static_cast<size_t>(source) * columns;
    float factor = weights == nullptr ? 1.0f : exact::rms_factor(row, columns, epsilon);
    exact::ActivationBlock *blocks = out + static_cast<size_t>(blockIdx.x) * (columns / exact::BLOCK);
    exact::quantize_row({row, weights, factor}, blocks, columns);
}
NARTHEX_ENTRY(exact_quantize)
