// Causal attention of new tokens over paged keys and values in bf16, on tensor cores: 64 rows a block.
//
// Tiles are counted from position 0, so a row's bits do not depend on how a prompt was cut into spans.
#include "fast_attend.cuh"

namespace fast {

template <unsigned WIDTH>
__device__ __forceinline__ void attend_span(const Attention &attention, const Span *spans, const uint32_t *pages,
                                            uint32_t pages_per_sequence) {
    using Block = Attending<WIDTH, 4>;
    __shared__ __align__(16) uint16_t shared[Block::SHARED];
    const Span span = spans[blockIdx.z];
    const Block block(attention, span, pages + static_cast<size_t>(span.sequence) * pages_per_sequence, blockIdx.x * Block::ROWS, shared);
    if (block.token(0) >= span.rows) return;
    Rows rows = rows_of(block);
    float means[WIDTH / 8][4] = {};
    attend(block, block.first_tile(), block.end_tile(), rows, means);
    unsigned lane = threadIdx.x % 32, row = threadIdx.x / 32 * 16 + lane / 4;
#pragma unroll
    for (unsigned half = 0; half < 2; half++) {
        float inverse = 1.0f / quad_sum(rows.total[half]);
        if (!rows.there[half]) continue;
        uint32_t *out = reinterpret_cast<uint32_t *>(attention.out + block.place(row + 8 * half) * WIDTH);
#pragma unroll
        for (unsigned column = 0; column < WIDTH / 8; column++) {
            // Adding zero makes a negative zero positive: tiles of nothing do so too.
            float low = means[column][2 * half] * inverse + 0.0f, high = means[column][2 * half + 1] * inverse + 0.0f;
            out[4 * column + lane % 4] = bf16_pair(low, high);
        }
    }
}

} // namespace fast

// out[row][head] = attention of queries[row][head] over its sequence's positions up to its own. `queries` and `out` are
// `[row][head][width]`, `pages` `[sequence][pages_per_sequence]`; `scale` is 1 / sqrt(width) times log2 e; window 0xffffffff: all.
// Grid (ceil(longest span * heads / kv_heads / 64), kv_heads, spans), block 128; a span of no rows is padding.
#define FAST_ATTEND(width)                                                                                                         \
    extern "C" __global__ void __launch_bounds__(128)                                                                              \
        fast_attend_##width(const uint16_t *queries, const uint16_t *cache, const fast::Span *spans, const uint32_t *pages,        \
                            uint16_t *out, uint32_t heads, uint32_t kv_heads, uint32_t pages_per_sequence, uint32_t window,        \
                            float scale) {                                                                                         \
        fast::Attention attention = {queries, cache, pages, out, heads, kv_heads, window, scale};                                  \
        fast::attend_span<width>(attention, spans, pages, pages_per_sequence);                                                     \
    }                                                                                                                              \
    NARTHEX_ENTRY(fast_attend_##width)

FAST_ATTEND(64)
FAST_ATTEND(128)
#undef FAST_ATTEND
