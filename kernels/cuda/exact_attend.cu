// Attention of a row's query head over its sequence's pages: `kernels::attention::attend`.
//
// One block of 256 threads for a row and head. Four tiles of 64 positions at a time: a thread's score for each position, then the
// tiles' fades, in the order of the tiles; then sixteen threads go on with the lanes of the total, and one for each column with the
// weighted values, position after position.
#include "exact.cuh"

namespace exact {

constexpr unsigned ATTEND_THREADS = 256;
constexpr unsigned TILE = 4 * LANES;
constexpr unsigned TILES = ATTEND_THREADS / TILE;

// The positions that are attended to.
struct Span {
    uint32_t begin, end;

    __device__ __forceinline__ bool has(uint32_t position) const { return position >= begin && position < end; }
};

// Keys and values of one head of one sequence.
struct HeadCache {
    const float *__restrict__ pool;
    const uint32_t *__restrict__ pages;
    uint32_t kv_heads, head, width;

    __device__ __forceinline__ const float *page(uint32_t position) const {
        size_t page = pages[position / LANES];
        return pool + (page * kv_heads + head) * (2 * LANES * static_cast<size_t>(width));
    }
    // `key . query / sqrt(width)`.
    __device__ __forceinline__ float score(uint32_t position, const float *query) const {
        const float *key = page(position) + position % LANES;
        float score = 0.0f;
#pragma unroll 16
        for (uint32_t column = 0; column < width; column++) score = __fmaf_rn(key[column * LANES], query[column], score);
        return score * (1.0f / sqrtf(static_cast<float>(width)));
    }
    // Adds the weighted values of a page's positions, one column of them.
    __device__ __forceinline__ float add_values(uint32_t first, Span span, const float *weights, uint32_t column, float sum) const {
        const float *values = page(first) + LANES * static_cast<size_t>(width) + column;
        if (span.begin <= first && first + LANES <= span.end) {
#pragma unroll
            for (unsigned i = 0; i < LANES; i++) sum = __fmaf_rn(weights[i], values[i * width], sum);
            return sum;
        }
        for (unsigned i = 0; i < LANES; i++)
            if (span.has(first + i)) sum = __fmaf_rn(weights[i], values[i * width], sum);
        return sum;
    }
};

// What four tiles come to: the weight of each position, what earlier sums fade by at each tile, largest scores by warps.
struct Weights {
    float of[ATTEND_THREADS];
    float fades[TILES];
    float largest[ATTEND_THREADS / 32];
};

__device__ __forceinline__ float largest_of_warp(float value) {
    for (int by = 16; by > 0; by /= 2) value = fmaxf(value, __shfl_xor_sync(ALL, value, by));
    return value;
}

// What a position weighs. One whose score is not finite weighs no number, and so does the total: that makes the whole head none.
__device__ __forceinline__ float attention_weight(float score, float largest) {
    return fabsf(score) < infinity() ? exponential(score - largest) : not_a_number();
}

// Weighs the thread's position; gives the largest score up to the last tile. `largest` is that up to here.
__device__ __forceinline__ float weigh_position(float score, bool is_attended, float largest, Weights &weights) {
    float of_warp = largest_of_warp(is_attended ? score : LOWEST);
    if (threadIdx.x % 32 == 0) weights.largest[threadIdx.x / 32] = of_warp;
    __syncthreads();
    unsigned own_tile = threadIdx.x / TILE;
    for (unsigned tile = 0; tile < TILES; tile++) {
        float before = largest;
        largest = fmaxf(largest, fmaxf(weights.largest[2 * tile], weights.largest[2 * tile + 1]));
        if (tile != own_tile) continue;
        weights.of[threadIdx.x] = is_attended ? attention_weight(score, largest) : 0.0f;
        if (threadIdx.x % TILE == 0) weights.fades[tile] = exponential(before - largest);
    }
    __syncthreads();
    return largest;
}

// One lane of the total.
__device__ __forceinline__ float add_weights(uint32_t first, Span span, const Weights &weights, unsigned lane, float total) {
    for (unsigned tile = 0; tile < TILES; tile++) {
        total *= weights.fades[tile];
        for (unsigned i = tile * TILE + lane; i < (tile + 1) * TILE; i += LANES)
            if (span.has(first + i)) total += weights.of[i];
    }
    return total;
}

// One column of the weighted values.
__device__ __forceinline__ float add_columns(const HeadCache &cache, uint32_t first, Span span, const Weights &weights, float sum) {
    for (unsigned at = 0; at < ATTEND_THREADS; at += LANES) {
        if (at % TILE == 0) sum *= weights.fades[at / TILE];
        if (first + at < span.end && first + at + LANES > span.begin)
            sum = cache.add_values(first + at, span, weights.of + at, threadIdx.x, sum);
    }
    return sum;
}

// The thread's column of what the query attends to; `query` is in shared memory.
__device__ __forceinline__ float attend(const HeadCache &cache, const float *query, Span span) {
    __shared__ Weights weights;
    __shared__ float inverse;
    float largest = LOWEST, total = 0.0f, sum = 0.0f;
    for (uint32_t first = span.begin / ATTEND_THREADS * ATTEND_THREADS; first < span.end; first += ATTEND_THREADS) {
        uint32_t position = first + threadIdx.x;
        bool is_attended = span.has(position);
        float score = is_attended ? cache.score(position, query) : 0.0f;
        __syncthreads();
        largest = weigh_position(score, is_attended, largest, weights);
        // The second half of the warp does what the first does, so that the whole warp is there for the sum.
        if (threadIdx.x < 32) total = add_weights(first, span, weights, threadIdx.x % LANES, total);
        if (threadIdx.x < cache.width) sum = add_columns(cache, first, span, weights, sum);
    }
    if (threadIdx.x < 32) {
        float result = 1.0f / sum_of_lanes(total);
        if (threadIdx.x == 0) inverse = result;
    }
    __syncthreads();
    return sum * inverse;
}

} // namespace exact

extern "C" __global__ void __launch_bounds__(256, 4)
    exact_attend(const float *__restrict__ queries, const float *__restrict__ cache, const uint32_t *__restrict__ positions,
                 const uint32_t *__restrict__ sequences, const uint32_t *__restrict__ pages, float *__restrict__ out,
                 exact::HeadShape shape, uint32_t window) {
    __shared__ float query[exact::ATTEND_THREADS];
    uint32_t row = blockIdx.x, head = blockIdx.y, sequence = sequences[row];
    size_t at = static_cast<size_t>(row) * shape.heads + head;
    float *place = out + at * shape.width + threadIdx.x;
    if (sequence == exact::NO_SEQUENCE) {
        if (threadIdx.x < shape.width) *place = 0.0f;
        return;
    }
    if (threadIdx.x < shape.padded_width) query[threadIdx.x] = queries[at * shape.padded_width + threadIdx.x];
    __syncthreads();
    uint32_t end = positions[row] + 1;
    exact::Span span = {end > window ? end - window : 0, end};
    const uint32_t *own_pages = pages + static_cast<size_t>(sequence) * shape.pages_per_sequence;
    uint32_t kv_head = head / (shape.heads / shape.kv_heads);
    exact::HeadCache keys_and_values = {cache, own_pages, shape.kv_heads, kv_head, shape.padded_width};
    float value = exact::attend(keys_and_values, query, span);
    if (threadIdx.x < shape.width) *place = value;
}
NARTHEX_ENTRY(exact_attend)
