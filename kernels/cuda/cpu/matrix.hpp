// Twins of the PTX instructions that ../matrix.cuh wraps: matrix products of a warp, loads of their operands, copies in flight.
#pragma once
#include "collectives.hpp"
#include "intrinsics.hpp"

namespace cuda_cpu {

inline void check_aligned(const void *address, Site site) {
    if (reinterpret_cast<std::uintptr_t>(address) % 16 != 0) current->block->fail(site, "%p is no multiple of 16", address);
}

// Operands of one lane of `mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32`.
struct Product {
    float *sums;
    const std::uint32_t *a, *b;
};

inline float half_of(std::uint32_t pair, unsigned half) { return __uint_as_float(half == 0 ? pair << 16 : pair & 0xffff0000u); }

// All products are summed without rounding (as far as `double` goes) and rounded once; a tensor core cuts off earlier.
inline void multiply(Warp &warp, std::uint32_t) {
    float a[16][16], b[8][16];
    for (unsigned lane = 0; lane < WARP; lane++) {
        auto &product = *static_cast<const Product *>(warp.lane(lane).operands);
        unsigned group = lane / 4, place = lane % 4 * 2;
        for (unsigned half = 0; half < 2; half++) {
            for (unsigned part = 0; part < 4; part++)
                a[group + part % 2 * 8][place + part / 2 * 8 + half] = half_of(product.a[part], half);
            for (unsigned part = 0; part < 2; part++) b[group][place + part * 8 + half] = half_of(product.b[part], half);
        }
    }
    for (unsigned lane = 0; lane < WARP; lane++) {
        auto &product = *static_cast<const Product *>(warp.lane(lane).operands);
        for (unsigned part = 0; part < 4; part++) {
            const float *row = a[lane / 4 + part / 2 * 8], *column = b[lane % 4 * 2 + part % 2];
            double sum = product.sums[part];
            for (unsigned k = 0; k < 16; k++) sum += static_cast<double>(row[k]) * static_cast<double>(column[k]);
            product.sums[part] = static_cast<float>(sum);
        }
    }
}

// Operands of one lane of `ldmatrix.sync.aligned.m8n8.x4`: the row that it points to, the registers that it gets.
struct Load {
    const void *row;
    std::uint32_t *registers;
};

template <bool TRANSPOSED> void load_matrices(Warp &warp, std::uint32_t) {
    std::uint16_t matrices[4][8][8];
    for (unsigned lane = 0; lane < WARP; lane++)
        std::memcpy(matrices[lane / 8][lane % 8], static_cast<const Load *>(warp.lane(lane).operands)->row, 16);
    for (unsigned lane = 0; lane < WARP; lane++) {
        std::uint32_t *registers = static_cast<const Load *>(warp.lane(lane).operands)->registers;
        unsigned row = lane / 4, column = lane % 4 * 2;
        for (unsigned part = 0; part < 4; part++) {
            auto &matrix = matrices[part];
            std::uint32_t low = TRANSPOSED ? matrix[column][row] : matrix[row][column];
            std::uint32_t high = TRANSPOSED ? matrix[column + 1][row] : matrix[row][column + 1];
            registers[part] = low | high << 16;
        }
    }
}

inline void with_operands(const void *operands, Site site, Complete complete) {
    current->operands = operands;
    meet(~0u, site, complete);
}

} // namespace cuda_cpu

inline void mma_m16n8k16_bf16(float (&sums)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2], NARTHEX_SITE) {
    cuda_cpu::Product product = {sums, a, b};
    cuda_cpu::with_operands(&product, site, cuda_cpu::multiply);
}

inline void load_matrix_x4(std::uint32_t (&registers)[4], const void *row, NARTHEX_SITE) {
    cuda_cpu::check_aligned(row, site);
    cuda_cpu::Load load = {row, registers};
    cuda_cpu::with_operands(&load, site, cuda_cpu::load_matrices<false>);
}

inline void load_matrix_x4_transposed(std::uint32_t (&registers)[4], const void *row, NARTHEX_SITE) {
    cuda_cpu::check_aligned(row, site);
    cuda_cpu::Load load = {row, registers};
    cuda_cpu::with_operands(&load, site, cuda_cpu::load_matrices<true>);
}

// Nothing arrives before it is waited for: a kernel that reads too early reads what was there.
inline void copy_async_16(void *shared, const void *global, unsigned bytes, NARTHEX_SITE) {
    cuda_cpu::check_aligned(shared, site);
    cuda_cpu::check_aligned(global, site);
    cuda_cpu::current->copies.push_back({shared, global, bytes});
}

inline void commit_copies() { cuda_cpu::current->groups.push_back(cuda_cpu::current->copies.size()); }

template <int IN_FLIGHT> void wait_for_copies() {
    cuda_cpu::Thread &me = *cuda_cpu::current;
    if (me.groups.size() <= IN_FLIGHT) return;
    std::size_t groups = me.groups.size() - IN_FLIGHT, arrived = me.groups[groups - 1];
    for (std::size_t at = 0; at < arrived; at++) {
        const cuda_cpu::Copy &copy = me.copies[at];
        std::memcpy(copy.target, copy.source, copy.bytes);
        std::memset(static_cast<char *>(copy.target) + copy.bytes, 0, 16 - copy.bytes);
    }
    me.copies.erase(me.copies.begin(), me.copies.begin() + static_cast<std::ptrdiff_t>(arrived));
    me.groups.erase(me.groups.begin(), me.groups.begin() + static_cast<std::ptrdiff_t>(groups));
    for (std::size_t &end : me.groups) end -= arrived;
}
