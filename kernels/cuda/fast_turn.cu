// From the product of queries, keys and values to what fast attention takes: bias, normalisation and rotation of each head in f32, then
// bf16; keys and values go into their pages. And rows of the embedding.
//
// One block for a head of a row, a thread for each pair of columns: query heads first, then keys, then values.
#include "exact.cuh"
#include "fast_attend.cuh"

namespace fast {

// The two columns of a head that turn together.
struct Pair {
    uint32_t first, second;
};

__device__ __forceinline__ Pair pair_of(uint32_t width, uint32_t halves) {
    uint32_t i = threadIdx.x;
    return halves != 0 ? Pair{i, i + width / 2} : Pair{2 * i, 2 * i + 1};
}

// 1 / sqrt(mean of the head's squares + epsilon); one or two warps.
__device__ __forceinline__ float head_factor(float2 values, uint32_t width, float epsilon) {
    __shared__ float sums[2];
    float squares = __fmaf_rn(values.y, values.y, values.x * values.x);
#pragma unroll
    for (int by = 16; by > 0; by >>= 1) squares += __shfl_xor_sync(0xffffffffu, squares, by);
    if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = squares;
    __syncthreads();
    float total = blockDim.x > 32 ? sums[0] + sums[1] : sums[0];
    return 1.0f / sqrtf(total / static_cast<float>(width) + epsilon);
}

__device__ __forceinline__ float2 turned(float2 values, const float *turn) {
    float cosine = turn[2 * threadIdx.x], sine = turn[2 * threadIdx.x + 1];
    return make_float2(values.x * cosine - values.y * sine, values.x * sine + values.y * cosine);
}

} // namespace fast

// Arguments as of exact_turn; widths are 64 or 128, `padded_width` is not looked at. `queries` is `[row][head][width]`, `cache` as
// fast_attend takes it. Grid (rows, heads + 2 * kv_heads), block: half the width.
extern "C" __global__ void __launch_bounds__(64)
    fast_turn(const float *__restrict__ qkv, const uint32_t *__restrict__ positions, const uint32_t *__restrict__ sequences,
              const uint32_t *__restrict__ pages, const float *__restrict__ turns, const float *__restrict__ bias,
              const float *__restrict__ query_norm, const float *__restrict__ key_norm, uint16_t *__restrict__ queries,
              uint16_t *__restrict__ cache, exact::HeadShape shape) {
    uint32_t row = blockIdx.x, index = blockIdx.y, sequence = sequences[row], position = positions[row];
    if (sequence == exact::NO_SEQUENCE) return;
    bool is_query = index < shape.heads, is_value = index >= shape.heads + shape.kv_heads;
    fast::Pair pair = fast::pair_of(shape.width, shape.halves);
    const float *head = qkv + (static_cast<size_t>(row) * (shape.heads + 2 * shape.kv_heads) + index) * shape.width;
    float2 values = make_float2(head[pair.first], head[pair.second]);
    if (bias != nullptr) {
        values.x += bias[index * shape.width + pair.first];
        values.y += bias[index * shape.width + pair.second];
    }
    const float *norm = is_query ? query_norm : is_value ? nullptr : key_norm;
    if (norm != nullptr) {
        float factor = fast::head_factor(values, shape.width, shape.epsilon);
        values = make_float2(values.x * factor * norm[pair.first], values.y * factor * norm[pair.second]);
    }
    if (!is_value) values = fast::turned(values, turns + static_cast<size_t>(position) * shape.width);
    uint16_t *out = queries + (static_cast<size_t>(row) * shape.heads + index) * shape.width;
    if (is_query) {
        values = make_float2(values.x * shape.query_scale, values.y * shape.query_scale);
    } else {
        uint32_t own = (index - shape.heads) % shape.kv_heads;
        size_t page = pages[static_cast<size_t>(sequence) * shape.pages_per_sequence + position / fast::PAGE];
        size_t part = 2 * (page * shape.kv_heads + own) + (is_value ? 1 : 0);
        out = cache + (part * fast::PAGE + position % fast::PAGE) * shape.width;
    }
    out[pair.first] = float_to_bf16(values.x);
    out[pair.second] = float_to_bf16(values.y);
}
NARTHEX_ENTRY(fast_turn)

// stream[row] = weights[tokens[row]] * scale. Grid rows, block 128.
extern "C" __global__ void __launch_bounds__(128)
    fast_embed(const uint16_t *__restrict__ weights, const uint32_t *__restrict__ tokens, float *__restrict__ stream, uint32_t columns,
               float scale) {
    const uint16_t *own = weights + static_cast<size_t>(tokens[blockIdx.x]) * columns;
    float *row = stream + static_cast<size_t>(blockIdx.x) * columns;
    for (uint32_t column = threadIdx.x; column < columns; column += blockDim.x) row[column] = bf16_to_float(own[column]) * scale;
}
NARTHEX_ENTRY(fast_embed)
