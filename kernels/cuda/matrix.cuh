// Tensor-core products, loads of their operands and copies in flight: the PTX instructions, wrapped. Twins: cpu/matrix.hpp.
//
// All lanes of a warp call the first three together. Layouts are those of the PTX ISA, "Matrix Fragments for mma.m16n8k16":
// with g = lane / 4 and t = 2 * (lane % 4), a = rows g and g + 8 at columns t.., then at t + 8..; b = rows t.. and t + 8.. of column g;
// sums = row g at columns t, t + 1, then row g + 8.
#pragma once
#include "platform.cuh"

#ifdef __CUDACC__

// sums += a * b, with a 16 x 16 in rows, b 16 x 8 in columns, two bf16 in each register, the lower one first.
__device__ __forceinline__ void mma_m16n8k16_bf16(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                 "{%0, %1, %2, %3};"
                 : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// Four 8 x 8 matrices of 16-bit values out of shared memory; lanes 8 i to 8 i + 7 point to the rows of matrix i, 16-byte aligned.
__device__ __forceinline__ void load_matrix_x4(uint32_t (&registers)[4], const void *row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]), "=r"(registers[3])
                 : "r"(static_cast<uint32_t>(__cvta_generic_to_shared(row)))
                 : "memory");
}

// The same, each matrix transposed.
__device__ __forceinline__ void load_matrix_x4_transposed(uint32_t (&registers)[4], const void *row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]), "=r"(registers[3])
                 : "r"(static_cast<uint32_t>(__cvta_generic_to_shared(row)))
                 : "memory");
}

// Begins to copy `bytes` (at most 16) from global to shared memory, zeros after them up to 16; both addresses are multiples of 16.
__device__ __forceinline__ void copy_async_16(void *shared, const void *global, unsigned bytes) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(static_cast<uint32_t>(__cvta_generic_to_shared(shared))),
                 "l"(global), "r"(bytes)
                 : "memory");
}

// Makes a group of the copies that this thread began since the last one.
__device__ __forceinline__ void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }

// Waits until all but the latest IN_FLIGHT groups of this thread have arrived; others see them after a barrier.
template <int IN_FLIGHT> __device__ __forceinline__ void wait_for_copies() {
    asm volatile("cp.async.wait_group %0;" ::"n"(IN_FLIGHT) : "memory");
}

#endif
