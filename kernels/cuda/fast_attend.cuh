// What attention over paged bf16 has in common: tiles of positions, scores, weights, means of values.
//
// A row goes through tiles of 64 positions in order and keeps its largest score, its sum of exponentials and its mean of values. A tile
// of which it attends to nothing leaves these as they are: its bits do not depend on the rows beside it.
#pragma once
#include "fast_tile.cuh"

namespace fast {

// Positions in a tile, counted from position 0.
constexpr unsigned ATTEND_POSITIONS = 64;
// Positions in a page: `[page][kv head]`, each key[position][column], then value[position][column].
constexpr unsigned PAGE = 16;
// Below every score.
constexpr float NOTHING = -1e30f;

// Consecutive tokens of one sequence: the rows from `first_row` on have the positions from `first_position` on.
struct Span {
    uint32_t first_row, rows, first_position, sequence;
};

struct Attention {
    const uint16_t *__restrict__ queries;
    const uint16_t *__restrict__ cache;
    const uint32_t *__restrict__ pages;
    uint16_t *__restrict__ out;
    uint32_t heads, kv_heads;
    // How many positions a row attends to at most, the latest ones.
    uint32_t window;
    // What scores are multiplied with, times log2 e: exponentials are powers of two.
    float scale;
};

// Rows of a block, from `first` on: tokens of one span times the query heads that share a key-value head. A warp has sixteen of them.
template <unsigned WIDTH, unsigned WARPS> struct Attending {
    static constexpr unsigned ROWS = 16 * WARPS, THREADS = 32 * WARPS, CHUNKS = WIDTH / CHUNK;
    // Of shared memory: queries, keys, values.
    static constexpr unsigned SHARED = (ROWS + 2 * ATTEND_POSITIONS) * WIDTH;

    const Attention &attention;
    const Span &span;
    const uint32_t *pages;
    uint32_t first;
    Tile<WIDTH> queries, keys, values;

    __device__ __forceinline__ Attending(const Attention &attention, const Span &span, const uint32_t *pages, uint32_t first, uint16_t *shared)
        : attention(attention), span(span), pages(pages), first(first), queries{shared}, keys{shared + ROWS * WIDTH},
          values{shared + (ROWS + ATTEND_POSITIONS) * WIDTH} {}

    __device__ __forceinline__ uint32_t group() const { return attention.heads / attention.kv_heads; }
    // Which token of the span a row is.
    __device__ __forceinline__ uint32_t token(unsigned row) const { return (first + row) / group(); }
    // Which row of `[row][head]` it is.
    __device__ __forceinline__ size_t place(unsigned row) const {
        uint32_t head = blockIdx.y * group() + (first + row) % group();
        return static_cast<size_t>(span.first_row + token(row)) * attention.heads + head;
    }
    __device__ __forceinline__ uint32_t last_token() const { return min(token(ROWS - 1), span.rows - 1); }
    // One beyond the last position that any row attends to, and the tiles that any of them attends to.
    __device__ __forceinline__ uint32_t end() const { return span.first_position + last_token() + 1; }
    __device__ __forceinline__ uint32_t first_tile() const {
        uint32_t position = span.first_position + token(0);
        return (position < attention.window ? 0 : position - attention.window + 1) / ATTEND_POSITIONS;
    }
    __device__ __forceinline__ uint32_t end_tile() const { return (end() + ATTEND_POSITIONS - 1) / ATTEND_POSITIONS; }

    __device__ __forceinline__ void fetch_queries() const {
        for (unsigned i = threadIdx.x; i < ROWS * CHUNKS; i += THREADS) {
            unsigned row = i / CHUNKS, chunk = i % CHUNKS;
            bool there = token(row) < span.rows;
            queries.fetch(row, chunk, attention.queries + (there ? place(row) * WIDTH + chunk * CHUNK : 0), there);
        }
    }

    // Keys (`part` 0) or values (1) of a tile of positions; zeros beyond the end.
    __device__ __forceinline__ void fetch(const Tile<WIDTH> &target, unsigned part, uint32_t tile) const {
        for (unsigned i = threadIdx.x; i < ATTEND_POSITIONS * CHUNKS; i += THREADS) {
            unsigned row = i / CHUNKS, chunk = i % CHUNKS;
            uint32_t position = tile * ATTEND_POSITIONS + row;
            const uint16_t *source = attention.cache;
            if (position < end()) {
                size_t page = static_cast<size_t>(pages[position / PAGE]) * attention.kv_heads + blockIdx.y;
                source += ((2 * page + part) * PAGE + position % PAGE) * WIDTH + chunk * CHUNK;
            }
            target.fetch(row, chunk, source, position < end());
        }
    }
};

// What a thread knows of its two rows: row `lane / 4` of its warp's sixteen, and the one eight further.
struct Rows {
    uint32_t position[2];
    bool there[2];
    float largest[2], total[2];
};

// Largest of the four lanes that share a row.
__device__ __forceinline__ float quad_max(float value) {
    value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, 1));
    return fmaxf(value, __shfl_xor_sync(0xffffffffu, value, 2));
}

__device__ __forceinline__ float quad_sum(float value) {
    value += __shfl_xor_sync(0xffffffffu, value, 1);
    return value + __shfl_xor_sync(0xffffffffu, value, 2);
}

// Scores of a warp's sixteen rows against a tile of positions.
template <unsigned WIDTH>
__device__ __forceinline__ void score(float (&scores)[8][4], const uint32_t (&queries)[WIDTH / 16][4], const Tile<WIDTH> &keys) {
#pragma unroll
    for (unsigned column = 0; column < 8; column++) {
#pragma unroll
        for (unsigned part = 0; part < 4; part++) scores[column][part] = 0.0f;
#pragma unroll
        for (unsigned step = 0; step < WIDTH / 32; step++) {
            uint32_t b[2][2];
            keys.right(b, 8 * column, 4 * step);
            mma_m16n8k16_bf16(scores[column], queries[2 * step], b[0]);
            mma_m16n8k16_bf16(scores[column], queries[2 * step + 1], b[1]);
        }
    }
}

// Scores become weights; what was summed before fades to the new largest score. Gives the factors of both rows.
__device__ __forceinline__ void weigh(float (&scores)[8][4], Rows &rows, float (&fade)[2], uint32_t first, const Attention &attention) {
    unsigned lane = threadIdx.x % 32;
#pragma unroll
    for (unsigned half = 0; half < 2; half++) {
        uint32_t position = rows.position[half];
        float largest = rows.largest[half];
        uint32_t attended = 0;
#pragma unroll
        for (unsigned i = 0; i < 16; i++) {
            uint32_t key = first + i / 2 * 8 + lane % 4 * 2 + i % 2;
            bool attends = key <= position && position - key < attention.window;
            attended |= static_cast<uint32_t>(attends) << i;
            float &score = scores[i / 2][2 * half + i % 2];
            score *= attention.scale;
            if (attends) largest = fmaxf(largest, score);
        }
        largest = quad_max(largest);
        fade[half] = exp2f(rows.largest[half] - largest);
        rows.largest[half] = largest;
        float total = rows.total[half] * fade[half];
#pragma unroll
        for (unsigned i = 0; i < 16; i++) {
            float &score = scores[i / 2][2 * half + i % 2];
            score = (attended >> i & 1) != 0 ? exp2f(score - largest) : 0.0f;
            total += score;
        }
        rows.total[half] = total;
    }
}

template <unsigned WIDTH>
__device__ __forceinline__ void add_values(float (&means)[WIDTH / 8][4], const float (&weights)[8][4], const Tile<WIDTH> &values) {
#pragma unroll
    for (unsigned step = 0; step < ATTEND_POSITIONS / 16; step++) {
        const float(&low)[4] = weights[2 * step], (&high)[4] = weights[2 * step + 1];
        const uint32_t a[4] = {bf16_pair(low[0], low[1]), bf16_pair(low[2], low[3]), bf16_pair(high[0], high[1]),
                               bf16_pair(high[2], high[3])};
#pragma unroll
        for (unsigned column = 0; column < WIDTH / 8; column += 2) {
            uint32_t b[2][2];
            values.right_transposed(b, 16 * step, column);
            mma_m16n8k16_bf16(means[column], a, b[0]);
            mma_m16n8k16_bf16(means[column + 1], a, b[1]);
        }
    }
}

template <class Block> __device__ __forceinline__ Rows rows_of(const Block &block) {
    Rows rows;
#pragma unroll
    for (unsigned half = 0; half < 2; half++) {
        uint32_t token = block.token(threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4 + 8 * half);
        rows.there[half] = token < block.span.rows;
        rows.position[half] = block.span.first_position + min(token, block.span.rows - 1);
        rows.largest[half] = NOTHING;
        rows.total[half] = 0.0f;
    }
    return rows;
}

// Goes through tiles `at` to `tiles`, at least one. Keys of the next tile are on their way while values are added, and values while
// scores are made.
template <unsigned WIDTH, unsigned WARPS>
__device__ __forceinline__ void attend(const Attending<WIDTH, WARPS> &block, uint32_t at, uint32_t tiles, Rows &rows,
                                       float (&means)[WIDTH / 8][4]) {
    block.fetch_queries();
    block.fetch(block.keys, 0, at);
    commit_copies();
    block.fetch(block.values, 1, at);
    commit_copies();
    wait_for_copies<1>();
    __syncthreads();
    uint32_t queries[WIDTH / 16][4];
#pragma unroll
    for (unsigned step = 0; step < WIDTH / 16; step++) block.queries.left(queries[step], threadIdx.x / 32 * 16, 2 * step);
#pragma unroll 1
    for (; at < tiles; at++) {
        float scores[8][4], fade[2];
        wait_for_copies<1>();
        __syncthreads();
        score<WIDTH>(scores, queries, block.keys);
        __syncthreads();
        if (at + 1 < tiles) block.fetch(block.keys, 0, at + 1);
        commit_copies();
        weigh(scores, rows, fade, at * ATTEND_POSITIONS, block.attention);
#pragma unroll
        for (unsigned column = 0; column < WIDTH / 8; column++)
#pragma unroll
            for (unsigned part = 0; part < 4; part++) means[column][part] *= fade[part / 2];
        wait_for_copies<1>();
        __syncthreads();
        add_values<WIDTH>(means, scores, block.values);
        __syncthreads();
        if (at + 1 < tiles) block.fetch(block.values, 1, at + 1);
        commit_copies();
    }
}

} // namespace fast
