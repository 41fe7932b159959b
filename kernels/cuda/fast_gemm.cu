// Products of bf16 weights with bf16 activations on tensor cores, summed in f32.
//
// Order of a sum: blocks of 16 columns one after the other, from the first on, each one `mma.sync.m16n8k16`. It depends neither on the
// number of rows nor on the tile, so both variants give the same bits, whatever the company of a row.
#include "fast_tile.cuh"

namespace fast {

struct Gemm {
    const uint16_t *__restrict__ weights;
    const uint16_t *__restrict__ activations;
    float *__restrict__ out;
    // Of the weights: those of a row (a multiple of 8), and rows.
    uint32_t depth, columns;
    uint32_t rows, out_columns;
    uint32_t add;
};

// A block's tile is ROWS activations by COLUMNS weights, in steps of DEPTH; WARPS_DOWN by WARPS_ACROSS warps share it; STAGES steps are
// in shared memory at once, all but one of them in flight.
template <unsigned ROWS, unsigned COLUMNS, unsigned DEPTH, unsigned WARPS_DOWN, unsigned WARPS_ACROSS, unsigned STAGES> struct Tiling {
    static constexpr unsigned THREADS = 32 * WARPS_DOWN * WARPS_ACROSS;
    static constexpr unsigned DOWN = ROWS / WARPS_DOWN / 16, ACROSS = COLUMNS / WARPS_ACROSS / 8;
    static constexpr unsigned STAGE = (ROWS + COLUMNS) * DEPTH;
    static constexpr unsigned CHUNKS = DEPTH / CHUNK;

    uint16_t *shared;
    const Gemm &gemm;
    uint32_t first_row, first_column;

    __device__ __forceinline__ Tile<DEPTH> activations(unsigned step) const { return {shared + step % STAGES * STAGE}; }
    __device__ __forceinline__ Tile<DEPTH> weights(unsigned step) const {
        return {shared + step % STAGES * STAGE + ROWS * DEPTH};
    }

    // Begins to copy one step of both operands; what lies beyond their ends is zero.
    __device__ __forceinline__ void fetch(unsigned step) const {
#pragma unroll
        for (unsigned i = 0; i < (ROWS + COLUMNS) * CHUNKS; i += THREADS) {
            unsigned index = i + threadIdx.x, row = index / CHUNKS, chunk = index % CHUNKS;
            if ((ROWS + COLUMNS) * CHUNKS % THREADS != 0 && row >= ROWS + COLUMNS) break;
            uint32_t depth = step * DEPTH + chunk * CHUNK;
            bool left = row < ROWS;
            uint32_t place = left ? first_row + row : first_column + row - ROWS;
            bool there = depth < gemm.depth && place < (left ? gemm.rows : gemm.columns);
            const uint16_t *source = left ? gemm.activations : gemm.weights;
            if (there) source += static_cast<size_t>(place) * gemm.depth + depth;
            activations(step).fetch(row, chunk, source, there);
        }
    }

    __device__ __forceinline__ void multiply(float (&sums)[DOWN][ACROSS][4], unsigned step) const {
        unsigned warp = threadIdx.x / 32, row = warp / WARPS_ACROSS * DOWN * 16, column = warp % WARPS_ACROSS * ACROSS * 8;
#pragma unroll
        for (unsigned chunk = 0; chunk < CHUNKS; chunk += 4) {
            uint32_t a[2][DOWN][4], b[ACROSS][2][2];
#pragma unroll
            for (unsigned i = 0; i < DOWN; i++) {
                activations(step).left(a[0][i], row + 16 * i, chunk);
                activations(step).left(a[1][i], row + 16 * i, chunk + 2);
            }
#pragma unroll
            for (unsigned j = 0; j < ACROSS; j++) weights(step).right(b[j], column + 8 * j, chunk);
#pragma unroll
            for (unsigned half = 0; half < 2; half++)
#pragma unroll
                for (unsigned i = 0; i < DOWN; i++)
#pragma unroll
                    for (unsigned j = 0; j < ACROSS; j++) mma_m16n8k16_bf16(sums[i][j], a[half][i], b[j][half]);
        }
    }

    __device__ __forceinline__ void store(const float (&sums)[DOWN][ACROSS][4]) const {
        unsigned warp = threadIdx.x / 32, lane = threadIdx.x % 32;
        uint32_t row = first_row + warp / WARPS_ACROSS * DOWN * 16 + lane / 4;
        uint32_t column = first_column + warp % WARPS_ACROSS * ACROSS * 8 + lane % 4 * 2;
#pragma unroll
        for (unsigned i = 0; i < DOWN; i++)
#pragma unroll
            for (unsigned j = 0; j < ACROSS; j++)
#pragma unroll
                for (unsigned part = 0; part < 4; part++)
                    store_one(row + 16 * i + part / 2 * 8, column + 8 * j + part % 2, sums[i][j][part]);
    }

    __device__ __forceinline__ void store_one(uint32_t row, uint32_t column, float sum) const {
        if (row >= gemm.rows || column >= gemm.columns) return;
        float *place = gemm.out + static_cast<size_t>(row) * gemm.out_columns + column;
        *place = gemm.add == 0 ? sum : *place + sum;
    }

    __device__ __forceinline__ void run() const {
        float sums[DOWN][ACROSS][4] = {};
        unsigned steps = (gemm.depth + DEPTH - 1) / DEPTH;
#pragma unroll
        for (unsigned step = 0; step < STAGES - 1; step++) {
            if (step < steps) fetch(step);
            commit_copies();
        }
#pragma unroll 1
        for (unsigned step = 0; step < steps; step++) {
            wait_for_copies<STAGES - 2>();
            __syncthreads();
            // What everybody was done with before the barrier makes way for the step that is furthest ahead.
            if (step + STAGES - 1 < steps) fetch(step + STAGES - 1);
            commit_copies();
            multiply(sums, step);
        }
        store(sums);
    }
};

// For many rows: 128 by 128. For few: 16 by 32, more steps in flight, since there the weights' way from memory is all that counts.
using ManyRows = Tiling<128, 128, 32, 2, 4, 3>;
using FewRows = Tiling<16, 32, 64, 1, 4, 8>;

} // namespace fast

// out[row][column] = activations[row] . weights[column], or added to what is there. Grid (ceil(columns / 128), ceil(rows / 128)), block 256.
extern "C" __global__ void __launch_bounds__(fast::ManyRows::THREADS)
    fast_gemm_x128(const uint16_t *weights, const uint16_t *activations, float *out, uint32_t depth, uint32_t columns, uint32_t rows,
                   uint32_t out_columns, uint32_t add) {
    __shared__ __align__(16) uint16_t shared[3 * fast::ManyRows::STAGE];
    fast::Gemm gemm = {weights, activations, out, depth, columns, rows, out_columns, add};
    fast::ManyRows{shared, gemm, blockIdx.y * 128, blockIdx.x * 128}.run();
}
NARTHEX_ENTRY(fast_gemm_x128)

// The same bits. Grid (ceil(columns / 32), ceil(rows / 16)), block 128.
extern "C" __global__ void __launch_bounds__(fast::FewRows::THREADS)
    fast_gemm_x16(const uint16_t *weights, const uint16_t *activations, float *out, uint32_t depth, uint32_t columns, uint32_t rows,
                  uint32_t out_columns, uint32_t add) {
    __shared__ __align__(16) uint16_t shared[8 * fast::FewRows::STAGE];
    fast::Gemm gemm = {weights, activations, out, depth, columns, rows, out_columns, add};
    fast::FewRows{shared, gemm, blockIdx.y * 16, blockIdx.x * 32}.run();
}
NARTHEX_ENTRY(fast_gemm_x16)
