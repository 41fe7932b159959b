// Products of packed weights with quantised activations: `kernels::matmul::matmul`.
//
// One block of 128 threads for a panel of sixteen rows and some tokens. Its eight teams of sixteen threads, one for each row, take
// turns with the blocks of 32 columns and put each block's sum into shared memory: blocks do not depend on each other. Then one
// thread for each row and token goes through a stretch of them in order, as the contract says. Two buffers: while it does, the
// others are at the next stretch.
#include "exact_formats.cuh"

namespace exact {

constexpr unsigned MATMUL_THREADS = 128;
constexpr unsigned TEAMS = MATMUL_THREADS / LANES;

// Where a product goes: row after row, `columns` apart; the panel's sixteen columns.
struct Target {
    float *__restrict__ out;
    uint32_t columns;
    uint32_t first_panel, panel_step;
    uint32_t add;

    __device__ __forceinline__ void store(uint32_t row, unsigned lane, float total) const {
        size_t panel = first_panel + static_cast<size_t>(blockIdx.x) * panel_step;
        float *place = out + static_cast<size_t>(row) * columns + panel * LANES + lane;
        *place = add == 0 ? total : total + *place;
    }
};

// What a launch multiplies.
template <class Block> struct Product {
    const Block *__restrict__ weights;
    const ActivationBlock *__restrict__ activations;
    uint32_t blocks_per_row, rows;
    Target target;

    __device__ __forceinline__ const ActivationBlock &of_token(uint32_t row, uint32_t block) const {
        return activations[static_cast<size_t>(row) * blocks_per_row + block];
    }
};

// Formats of integers with one scale for 32 columns. One sum for each row, token and block: an exact integer.
template <class Block> struct Affine {
    static constexpr unsigned PARTS = Block::PARTS, SUMS = 1, MEANINGS = Block::HAS_OFFSET ? 2 : 1;

    static __device__ __forceinline__ float meaning(const Block &block, unsigned part, unsigned lane, unsigned index) {
        return index == 0 ? block.scale(part, lane) : block.offset(part, lane);
    }
    static __device__ __forceinline__ void sums(const uint32_t (&quants)[8], const ActivationBlock &activations, float (&out)[SUMS]) {
        uint4 high[2] = {activations.high[0], activations.high[1]}, low[2] = {activations.low[0], activations.low[1]};
        int highs = 0, lows = 0;
#pragma unroll
        for (unsigned i = 0; i < 8; i++) {
            highs = __dp4a(static_cast<int>(quants[i]), static_cast<int>(word_of(high, i)), highs);
            lows = __dp4a(static_cast<int>(quants[i]), static_cast<int>(word_of(low, i)), lows);
        }
        out[0] = static_cast<float>(256 * highs + lows - Block::EXCESS * activations.total);
    }
    static __device__ __forceinline__ float accumulate(const float (&sums)[SUMS], const float (&meanings)[MEANINGS], float2 step, float total) {
        total = __fmaf_rn(sums[0], meanings[0] * step.x, total);
        return Block::HAS_OFFSET ? __fmaf_rn(meanings[MEANINGS - 1], step.y, total) : total;
    }
};

// Q6_K: each half of 32 columns has its own scale and sum.
struct Halves {
    static constexpr unsigned PARTS = Q6_K::PARTS, SUMS = 2, MEANINGS = 2;

    static __device__ __forceinline__ float meaning(const Q6_K &block, unsigned part, unsigned lane, unsigned index) {
        return block.scale(part, index, lane);
    }
    static __device__ __forceinline__ void sums(const uint32_t (&quants)[8], const ActivationBlock &activations, float (&out)[SUMS]) {
        uint4 high[2] = {activations.high[0], activations.high[1]}, low[2] = {activations.low[0], activations.low[1]};
        int totals[2] = {activations.half_total, activations.total - activations.half_total};
#pragma unroll
        for (unsigned half = 0; half < 2; half++) {
            int highs = 0, lows = 0;
#pragma unroll
            for (unsigned i = 4 * half; i < 4 * half + 4; i++) {
                highs = __dp4a(static_cast<int>(quants[i]), static_cast<int>(word_of(high, i)), highs);
                lows = __dp4a(static_cast<int>(quants[i]), static_cast<int>(word_of(low, i)), lows);
            }
            out[half] = static_cast<float>(256 * highs + lows - Q6_K::EXCESS * totals[half]);
        }
    }
    static __device__ __forceinline__ float accumulate(const float (&sums)[SUMS], const float (&meanings)[MEANINGS], float2 step, float total) {
        total = __fmaf_rn(sums[0], meanings[0] * step.x, total);
        return __fmaf_rn(sums[1], meanings[1] * step.x, total);
    }
};

// The kind of a format of integers.
template <class Block> struct KindOf { using Kind = Affine<Block>; };
template <> struct KindOf<Q6_K> { using Kind = Halves; };

// What the blocks of one stretch come to, and scale and sum of their activations.
template <unsigned SUMS, unsigned MEANINGS, unsigned TOKENS, unsigned STRETCH> struct Stretch {
    float sums[STRETCH][TOKENS][SUMS][LANES];
    float meanings[STRETCH][MEANINGS][LANES];
    float2 steps[STRETCH][TOKENS];
};
template <unsigned SUMS, unsigned TOKENS, unsigned STRETCH> struct Stretch<SUMS, 0, TOKENS, STRETCH> {
    float sums[STRETCH][TOKENS][SUMS][LANES];
    float2 steps[STRETCH][TOKENS];
};

// The tokens of this block of threads: the first, and how many.
struct Tokens {
    uint32_t first, count;
};

template <unsigned TOKENS> __device__ __forceinline__ Tokens tokens_here(uint32_t rows) {
    uint32_t first = blockIdx.y * TOKENS;
    return {first, min(rows - first, TOKENS)};
}

// Scales and sums of a stretch's activations.
template <unsigned TOKENS, unsigned STRETCH, class Block>
__device__ __forceinline__ void load_steps(const Product<Block> &product, Tokens tokens, uint32_t first, float2 (&steps)[STRETCH][TOKENS]) {
    for (unsigned index = threadIdx.x; index < STRETCH * TOKENS; index += MATMUL_THREADS) {
        uint32_t block = first + index / TOKENS, token = index % TOKENS;
        if (block >= product.blocks_per_row || token >= tokens.count) continue;
        const ActivationBlock &of = product.of_token(tokens.first + token, block);
        steps[index / TOKENS][token] = make_float2(of.scale, of.sum);
    }
}

// A stretch of a product of integers.
template <class Block, unsigned TOKENS, unsigned STRETCH>
using IntegerStretch = Stretch<KindOf<Block>::Kind::SUMS, KindOf<Block>::Kind::MEANINGS, TOKENS, STRETCH>;

// Puts one block's sums, a row's for each token, and what they are worth into place `at` of a stretch.
template <class Block, unsigned TOKENS, unsigned STRETCH>
__device__ __forceinline__ void sum_integers(const Product<Block> &product, const Block *panel, uint32_t index, Tokens tokens,
                                             IntegerStretch<Block, TOKENS, STRETCH> &stretch, unsigned at) {
    using Kind = typename KindOf<Block>::Kind;
    unsigned lane = threadIdx.x % LANES, part = index % Kind::PARTS;
    const Block &block = panel[index / Kind::PARTS];
    uint32_t quants[8];
#pragma unroll
    for (unsigned i = 0; i < 8; i++) quants[i] = block.word(part, lane, i);
#pragma unroll
    for (unsigned i = 0; i < Kind::MEANINGS; i++) stretch.meanings[at][i][lane] = Kind::meaning(block, part, lane, i);
    for (unsigned token = 0; token < tokens.count; token++) {
        float sums[Kind::SUMS];
        Kind::sums(quants, product.of_token(tokens.first + token, index), sums);
#pragma unroll
        for (unsigned i = 0; i < Kind::SUMS; i++) stretch.sums[at][token][i][lane] = sums[i];
    }
}

// Goes through `length` blocks of a stretch in order, for the thread's row and a token.
template <class Block, unsigned TOKENS, unsigned STRETCH>
__device__ __forceinline__ float add_integers(const IntegerStretch<Block, TOKENS, STRETCH> &stretch, unsigned length, unsigned token,
                                              float total) {
    using Kind = typename KindOf<Block>::Kind;
    unsigned lane = threadIdx.x % LANES;
    for (unsigned at = 0; at < length; at++) {
        float sums[Kind::SUMS], meanings[Kind::MEANINGS];
#pragma unroll
        for (unsigned i = 0; i < Kind::SUMS; i++) sums[i] = stretch.sums[at][token][i][lane];
#pragma unroll
        for (unsigned i = 0; i < Kind::MEANINGS; i++) meanings[i] = stretch.meanings[at][i][lane];
        total = Kind::accumulate(sums, meanings, stretch.steps[at][token], total);
    }
    return total;
}

template <class Block, unsigned TOKENS, unsigned STRETCH>
__device__ __forceinline__ void multiply_integers(const Product<Block> &product) {
    __shared__ IntegerStretch<Block, TOKENS, STRETCH> stretches[2];
    unsigned team = threadIdx.x / LANES;
    uint32_t count = product.blocks_per_row;
    Tokens tokens = tokens_here<TOKENS>(product.rows);
    const Block *panel = product.weights + static_cast<size_t>(blockIdx.x) * (count / Block::PARTS);
    float total = 0.0f;
    for (uint32_t first = 0; first < count; first += STRETCH) {
        auto &stretch = stretches[first / STRETCH % 2];
        uint32_t length = min(count - first, STRETCH);
        if (length == STRETCH) {
            // Nothing depends on anything: all loads may be under way at once.
#pragma unroll
            for (unsigned turn = 0; turn < STRETCH / TEAMS; turn++) {
                unsigned at = turn * TEAMS + team;
                sum_integers<Block, TOKENS, STRETCH>(product, panel, first + at, tokens, stretch, at);
            }
        } else {
            for (unsigned at = team; at < length; at += TEAMS)
                sum_integers<Block, TOKENS, STRETCH>(product, panel, first + at, tokens, stretch, at);
        }
        load_steps<TOKENS, STRETCH>(product, tokens, first, stretch.steps);
        __syncthreads();
        if (team < tokens.count) total = add_integers<Block, TOKENS, STRETCH>(stretch, length, team, total);
    }
    if (team < tokens.count) product.target.store(tokens.first + team, threadIdx.x % LANES, total);
}

// A block's activations for each token, as floats; one for each team.
template <unsigned TOKENS> using Spread = float4[TOKENS][BLOCK / 4];

// The integers of a block of activations as floats; sixteen threads write two columns each.
__device__ __forceinline__ void spread(const ActivationBlock &block, float *__restrict__ out) {
    const uint32_t *words = reinterpret_cast<const uint32_t *>(&block);
    unsigned lane = threadIdx.x % LANES;
    uint32_t high = words[lane / 2], low = words[8 + lane / 2];
#pragma unroll
    for (unsigned i = 0; i < 2; i++) {
        unsigned byte = lane % 2 * 2 + i;
        out[2 * lane + i] = static_cast<float>(256 * signed_byte(high, byte) + signed_byte(low, byte));
    }
}

// The sums of one block, a row's for each token, column after column.
template <class Block, unsigned TOKENS>
__device__ __forceinline__ void sum_floats(const Block &block, const Spread<TOKENS> &integers, unsigned count, float (&sums)[TOKENS]) {
    unsigned lane = threadIdx.x % LANES;
#pragma unroll
    for (unsigned quad = 0; quad < BLOCK / 4; quad++) {
        float weights[4];
#pragma unroll
        for (unsigned i = 0; i < 4; i++) weights[i] = block.weight(lane, 4 * quad + i);
#pragma unroll
        for (unsigned token = 0; token < TOKENS; token++) {
            if (token >= count) continue;
            float4 four = integers[token][quad];
            sums[token] = __fmaf_rn(weights[0], four.x, sums[token]);
            sums[token] = __fmaf_rn(weights[1], four.y, sums[token]);
            sums[token] = __fmaf_rn(weights[2], four.z, sums[token]);
            sums[token] = __fmaf_rn(weights[3], four.w, sums[token]);
        }
    }
}

// Formats of floats: each block's sum has an order of its own. The teams of a warp go round equally often, for their barriers.
template <class Block, unsigned TOKENS, unsigned STRETCH>
__device__ __forceinline__ void multiply_floats(const Product<Block> &product) {
    __shared__ Stretch<1, 0, TOKENS, STRETCH> stretches[2];
    __shared__ Spread<TOKENS> integers[TEAMS];
    unsigned lane = threadIdx.x % LANES, team = threadIdx.x / LANES;
    uint32_t count = product.blocks_per_row;
    Tokens tokens = tokens_here<TOKENS>(product.rows);
    const Block *panel = product.weights + static_cast<size_t>(blockIdx.x) * count;
    float total = 0.0f;
    for (uint32_t first = 0; first < count; first += STRETCH) {
        auto &stretch = stretches[first / STRETCH % 2];
        uint32_t length = min(count - first, STRETCH);
#pragma unroll
        for (unsigned turn = 0; turn < STRETCH / TEAMS; turn++) {
            unsigned at = turn * TEAMS + team, held = at < length ? tokens.count : 0;
            __syncwarp();
            for (unsigned token = 0; token < held; token++)
                spread(product.of_token(tokens.first + token, first + at), &integers[team][token][0].x);
            __syncwarp();
            if (held == 0) continue;
            float sums[TOKENS] = {};
            sum_floats<Block, TOKENS>(panel[first + at], integers[team], held, sums);
#pragma unroll
            for (unsigned token = 0; token < TOKENS; token++)
                if (token < held) stretch.sums[at][token][0][lane] = sums[token];
        }
        load_steps<TOKENS, STRETCH>(product, tokens, first, stretch.steps);
        __syncthreads();
        if (team >= tokens.count) continue;
        for (unsigned at = 0; at < length; at++)
            total = __fmaf_rn(stretch.sums[at][team][0][lane], stretch.steps[at][team].x, total);
    }
    if (team < tokens.count) product.target.store(tokens.first + team, lane, total);
}

} // namespace exact

#define EXACT_MATMUL(kind, name, Format, tokens, stretch)                                                                          \
    extern "C" __global__ void __launch_bounds__(128, 4) exact_matmul_##name##_x##tokens(                                             \
        const exact::Format *__restrict__ weights, const exact::ActivationBlock *__restrict__ activations,                         \
        float *__restrict__ out, uint32_t blocks_per_row, uint32_t rows, uint32_t out_columns, uint32_t first_panel,               \
        uint32_t panel_step, uint32_t add) {                                                                                       \
        exact::Target target = {out, out_columns, first_panel, panel_step, add};                                                   \
        exact::multiply_##kind<exact::Format, tokens, stretch>({weights, activations, blocks_per_row, rows, target});              \
    }                                                                                                                              \
    NARTHEX_ENTRY(exact_matmul_##name##_x##tokens)
#define EXACT_MATMUL_INTEGERS(name, Format)                                                                                        \
    EXACT_MATMUL(integers, name, Format, 1, 32)                                                                                    \
    EXACT_MATMUL(integers, name, Format, 8, 16)
#define EXACT_MATMUL_FLOATS(name, Format)                                                                                          \
    EXACT_MATMUL(floats, name, Format, 1, 32)                                                                                      \
    EXACT_MATMUL(floats, name, Format, 8, 16)

EXACT_INTEGER_FORMATS(EXACT_MATMUL_INTEGERS)
EXACT_FLOAT_FORMATS(EXACT_MATMUL_FLOATS)
