// Causal attention of single tokens over paged keys and values in bf16, on tensor cores: a warp for the query heads that share a
// key-value head and for a part of 256 positions; then the parts are joined.
//
// Parts are counted from position 0 and joined in order, so a row's bits do not depend on its company. They are not those of
// fast_attend, which keeps one sum over all positions.
#include "fast_attend.cuh"

namespace fast {

constexpr unsigned PART_TILES = 4, PART_POSITIONS = PART_TILES * ATTEND_POSITIONS;

// What a part leaves for one head of a row: its largest score, its sum of exponentials.
struct Part {
    float largest, total;
};

template <unsigned WIDTH>
__device__ __forceinline__ void attend_part(const Attention &attention, const Span *spans, const uint32_t *pages,
                                            uint32_t pages_per_sequence, Part *parts, float *sums) {
    using Block = Attending<WIDTH, 1>;
    __shared__ __align__(16) uint16_t shared[Block::SHARED];
    const Span span = spans[blockIdx.z];
    const Block block(attention, span, pages + static_cast<size_t>(span.sequence) * pages_per_sequence, 0, shared);
    if (span.rows == 0) return;
    uint32_t at = max(block.first_tile(), blockIdx.x * PART_TILES), tiles = min(block.end_tile(), (blockIdx.x + 1) * PART_TILES);
    if (at >= tiles) return;
    Rows rows = rows_of(block);
    float means[WIDTH / 8][4] = {};
    attend(block, at, tiles, rows, means);
    unsigned lane = threadIdx.x % 32;
#pragma unroll
    for (unsigned half = 0; half < 2; half++) {
        float total = quad_sum(rows.total[half]);
        if (!rows.there[half]) continue;
        size_t part = block.place(lane / 4 + 8 * half) * gridDim.x + blockIdx.x;
        if (lane % 4 == 0) parts[part] = {rows.largest[half], total};
        float2 *out = reinterpret_cast<float2 *>(sums + part * WIDTH);
#pragma unroll
        for (unsigned column = 0; column < WIDTH / 8; column++)
            out[4 * column + lane % 4] = make_float2(means[column][2 * half], means[column][2 * half + 1]);
    }
}

} // namespace fast

// The parts of rows[span][head]: `parts` is `[row][head][part]`, `sums` `[row][head][part][width]`. Each span is one token; a span of no
// rows is padding. At most 16 query heads share a key-value head. Grid (parts up to the last position: ceil(positions / 256),
// kv_heads, spans), block 32; other arguments as of fast_attend.
#define FAST_ATTEND_PARTS(width)                                                                                                   \
    extern "C" __global__ void __launch_bounds__(32)                                                                               \
        fast_attend_parts_##width(const uint16_t *queries, const uint16_t *cache, const fast::Span *spans, const uint32_t *pages,  \
                                  fast::Part *parts, float *sums, uint32_t heads, uint32_t kv_heads, uint32_t pages_per_sequence,  \
                                  uint32_t window, float scale) {                                                                  \
        fast::Attention attention = {queries, cache, pages, nullptr, heads, kv_heads, window, scale};                              \
        fast::attend_part<width>(attention, spans, pages, pages_per_sequence, parts, sums);                                        \
    }                                                                                                                              \
    NARTHEX_ENTRY(fast_attend_parts_##width)

FAST_ATTEND_PARTS(64)
FAST_ATTEND_PARTS(128)
#undef FAST_ATTEND_PARTS

// out[row][head] out of its parts; `most` is how many parts there are room for. Grid (spans, heads), block: the width, as many as
// threads are there.
extern "C" __global__ void __launch_bounds__(128)
    fast_join_parts(const fast::Part *__restrict__ parts, const float *__restrict__ sums, const fast::Span *__restrict__ spans,
                    uint16_t *__restrict__ out, uint32_t most, uint32_t window) {
    const fast::Span span = spans[blockIdx.x];
    if (span.rows == 0) return;
    uint32_t position = span.first_position, end = position / fast::PART_POSITIONS + 1;
    uint32_t first = (position < window ? 0 : position - window + 1) / fast::PART_POSITIONS;
    size_t row = static_cast<size_t>(span.first_row) * gridDim.y + blockIdx.y;
    const fast::Part *own = parts + row * most;
    float largest = own[first].largest;
    for (uint32_t part = first + 1; part < end; part++) largest = fmaxf(largest, own[part].largest);
    float total = 0.0f, sum = 0.0f;
    for (uint32_t part = first; part < end; part++) {
        float factor = exp2f(own[part].largest - largest);
        total = __fmaf_rn(own[part].total, factor, total);
        sum = __fmaf_rn(sums[(row * most + part) * blockDim.x + threadIdx.x], factor, sum);
    }
    out[row * blockDim.x + threadIdx.x] = float_to_bf16(sum / total);
}
NARTHEX_ENTRY(fast_join_parts)
