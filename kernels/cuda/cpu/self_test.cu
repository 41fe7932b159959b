// Kernels that only the tests of this header run: each shows one thing that it does, or refuses.
#pragma once
#include "../bf16.cuh"
#include "../matrix.cuh"

// out[block]: sum of the block's values, by shuffles within warps and shared memory between them.
extern "C" __global__ void self_test_sum(const int *values, int *out) {
    __shared__ int sums[32];
    int sum = values[blockIdx.x * blockDim.x + threadIdx.x];
    for (int by = 16; by > 0; by >>= 1) sum += __shfl_xor_sync(~0u, sum, by);
    if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = sum;
    __syncthreads();
    if (threadIdx.x != 0) return;
    out[blockIdx.x] = 0;
    for (unsigned warp = 0; warp < blockDim.x / 32; warp++) out[blockIdx.x] += sums[warp];
}
NARTHEX_ENTRY(self_test_sum)

// out[lane][..]: every kind of shuffle and vote.
extern "C" __global__ void self_test_warp(uint64_t *out) {
    uint32_t lane = threadIdx.x;
    uint64_t value = 0x100000000ull * lane + lane * lane;
    uint64_t *here = out + 8 * lane;
    here[0] = __shfl_up_sync(~0u, value, 3);
    here[1] = __shfl_down_sync(~0u, value, 3, 8);
    here[2] = __shfl_sync(~0u, value, 9, 8);
    here[3] = __ballot_sync(~0u, lane % 3 == 0);
    // Halves of the warp meet apart.
    uint32_t half = lane < 16 ? 0x0000ffffu : 0xffff0000u;
    here[4] = __reduce_add_sync(half, lane);
    here[5] = __reduce_max_sync(half, lane);
    here[6] = __any_sync(half, lane == 3);
    here[7] = __all_sync(half, lane >= 16);
}
NARTHEX_ENTRY(self_test_warp)

// Writes what its dynamic shared memory held, then `value` to word `index` of it.
extern "C" __global__ void self_test_dynamic(uint32_t *out, uint32_t index, uint32_t value) {
    DYNAMIC_SHARED(uint32_t, words);
    out[threadIdx.x] = words[threadIdx.x];
    __syncthreads();
    if (threadIdx.x == 0) words[index] = value;
}
NARTHEX_ENTRY(self_test_dynamic)

// `how`: 0 a lane waits for lanes that end, 1 two barriers for one, 2 a lane of a mask has ended, 3 a lane outside its mask, 4 a lane
// waits for the block while its warp waits for it, 5 a shuffle from outside the mask, 6 nothing: those that ended are not waited for.
extern "C" __global__ void self_test_diverge(int how) {
    uint32_t thread = threadIdx.x, lane = thread % 32;
    if (how == 0 && lane == 0) __syncwarp();
    if (how == 1) {
        if (thread < 32) __syncthreads();
        else
            __syncthreads();
    }
    if (how == 2 && lane != 5) __syncwarp();
    if (how == 3) __syncwarp(1u << ((lane + 1) % 32));
    if (how == 4) {
        if (thread < 32 && lane != 7) __syncwarp();
        else
            __syncthreads();
    }
    if (how == 5) __shfl_sync(lane < 16 ? 0x0000ffffu : 0xffff0000u, 0, 20);
    if (how == 6 && thread >= 40) __syncthreads();
}
NARTHEX_ENTRY(self_test_diverge)

// One product: operands out of shared memory, there by copies in flight. a: [16][16], b: [8][16], c and out: [16][8].
extern "C" __global__ void self_test_product(const uint16_t *a, const uint16_t *b, const float *c, float *out) {
    __shared__ __align__(16) uint16_t rows[24][16];
    uint32_t lane = threadIdx.x, group = lane / 4, place = lane % 4 * 2;
    copy_async_16(&rows[lane / 2][lane % 2 * 8], a + lane * 8, 16);
    if (lane < 16) copy_async_16(&rows[16 + lane / 2][lane % 2 * 8], b + lane * 8, 16);
    commit_copies();
    wait_for_copies<0>();
    __syncwarp();
    uint32_t left[4], right[4];
    load_matrix_x4(left, &rows[lane % 16][lane / 16 * 8]);
    load_matrix_x4(right, &rows[16 + lane % 8][lane / 8 % 2 * 8]);
    float sums[4];
    for (int part = 0; part < 4; part++) sums[part] = c[(group + part / 2 * 8) * 8 + place + part % 2];
    const uint32_t pair[2] = {right[0], right[1]};
    mma_m16n8k16_bf16(sums, left, pair);
    for (int part = 0; part < 4; part++) out[(group + part / 2 * 8) * 8 + place + part % 2] = sums[part];
}
NARTHEX_ENTRY(self_test_product)

// out: the 16 x 16 matrix transposed, four quarters at once.
extern "C" __global__ void self_test_transpose(const uint16_t *matrix, uint16_t *out) {
    __shared__ __align__(16) uint16_t rows[16][16];
    uint32_t lane = threadIdx.x;
    for (int i = 0; i < 8; i++) rows[lane / 2][lane % 2 * 8 + i] = matrix[lane * 8 + i];
    __syncwarp();
    uint32_t quarters[4];
    load_matrix_x4_transposed(quarters, &rows[lane % 16][lane / 16 * 8]);
    for (int quarter = 0; quarter < 4; quarter++) {
        uint32_t row = lane / 4 + quarter / 2 * 8, column = lane % 4 * 2 + quarter % 2 * 8;
        out[row * 16 + column] = static_cast<uint16_t>(quarters[quarter]);
        out[row * 16 + column + 1] = static_cast<uint16_t>(quarters[quarter] >> 16);
    }
}
NARTHEX_ENTRY(self_test_transpose)

// What three copies have brought after each wait: out[0..3] with two groups in flight, out[3..6] with none; the third is of 4 bytes.
extern "C" __global__ void self_test_copies(const uint4 *source, uint4 *out) {
    __shared__ uint4 got[3];
    for (int i = 0; i < 3; i++) got[i] = make_uint4(7, 7, 7, 7);
    for (int i = 0; i < 3; i++) {
        copy_async_16(&got[i], source + i, i == 2 ? 4 : 16);
        commit_copies();
    }
    wait_for_copies<2>();
    for (int i = 0; i < 3; i++) out[i] = got[i];
    wait_for_copies<0>();
    for (int i = 0; i < 3; i++) out[3 + i] = got[i];
}
NARTHEX_ENTRY(self_test_copies)

// A race: each thread reads what its neighbour writes, with no barrier between.
extern "C" __global__ void self_test_race(uint32_t *out) {
    __shared__ uint32_t values[64];
    values[threadIdx.x] = threadIdx.x;
    out[threadIdx.x] = values[(threadIdx.x + 1) % 64] == threadIdx.x + 1;
}
NARTHEX_ENTRY(self_test_race)
