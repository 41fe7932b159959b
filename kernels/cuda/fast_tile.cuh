// Tiles of 16-bit values in shared memory: how they lie there, how they get there, how a warp reads its operands.
#pragma once
#include "bf16.cuh"
#include "matrix.cuh"

namespace fast {

// Values in 16 bytes: the unit in which tiles are copied.
constexpr unsigned CHUNK = 8;

// Rows of COLUMNS values. Chunks of a row change places by the row's number, so that eight rows of one chunk lie in different banks.
template <unsigned COLUMNS> struct Tile {
    static_assert(COLUMNS == 32 || COLUMNS % 64 == 0, "rows of 64 bytes, or of whole lines of 128");
    static constexpr unsigned CHUNKS = COLUMNS / CHUNK;

    uint16_t *values;

    __device__ __forceinline__ uint16_t *at(unsigned row, unsigned chunk) const {
        unsigned place = COLUMNS == 32 ? chunk ^ (row >> 1 & 3) : chunk ^ (row & 7);
        return values + (row * CHUNKS + place) * CHUNK;
    }

    // Begins to copy chunk `index` of the tile, counted over all rows; zeros where there is no source.
    __device__ __forceinline__ void fetch(unsigned row, unsigned chunk, const uint16_t *source, bool there) const {
        copy_async_16(at(row, chunk), source, there ? 16 : 0);
    }

    // Left operand of two products: rows from `row` on, 16 columns from `chunk` on.
    __device__ __forceinline__ void left(uint32_t (&a)[4], unsigned row, unsigned chunk) const {
        unsigned lane = threadIdx.x % 32;
        load_matrix_x4(a, at(row + lane % 16, chunk + lane / 16));
    }

    // Right operands of two products one after the other: 32 columns from `chunk` on of the eight rows from `row` on.
    __device__ __forceinline__ void right(uint32_t (&b)[2][2], unsigned row, unsigned chunk) const {
        unsigned lane = threadIdx.x % 32;
        uint32_t four[4];
        load_matrix_x4(four, at(row + lane % 8, chunk + lane / 8));
        b[0][0] = four[0], b[0][1] = four[1], b[1][0] = four[2], b[1][1] = four[3];
    }

    // Right operands of two products side by side, rows being what is summed over: 16 rows from `row` on, 16 columns from `chunk` on.
    __device__ __forceinline__ void right_transposed(uint32_t (&b)[2][2], unsigned row, unsigned chunk) const {
        unsigned lane = threadIdx.x % 32;
        uint32_t four[4];
        load_matrix_x4_transposed(four, at(row + lane % 16, chunk + lane / 16));
        b[0][0] = four[0], b[0][1] = four[1], b[1][0] = four[2], b[1][1] = four[3];
    }
};

} // namespace fast
