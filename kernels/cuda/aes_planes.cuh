// AES (FIPS 197) on bit planes: two blocks of 16 bytes in eight registers, register p holds bit p of all 32 bytes.
//
// Byte (row, column) of block b is bit 8 * row + 2 * column + b of each plane. Why planes: a table in memory is read at addresses that
// depend on the key, and on a GPU the conflicts between a warp's lanes over banks show in the time of a launch, which the host sees;
// keys were recovered from that. Here every operation is a logic gate: neither time nor addresses depend on key or text.
#pragma once
#include "platform.cuh"

namespace cipher {

struct Planes {
    uint32_t bit[8];
};

// Exchanges the bits of `a` under `mask << by` with those of `b` under `mask`.
__device__ __forceinline__ void exchange(uint32_t &a, uint32_t &b, uint32_t mask, int by) {
    uint32_t changed = ((a >> by) ^ b) & mask;
    b ^= changed;
    a ^= changed << by;
}

// Eight words to eight planes, and back: in every byte, bit p of word j changes places with bit j of word p. Words are the columns of
// both blocks in turn, row 0 in the lowest byte.
__device__ __forceinline__ void transpose(Planes &x) {
#pragma unroll
    for (int i = 0; i < 8; i += 2) exchange(x.bit[i], x.bit[i + 1], 0x55555555u, 1);
#pragma unroll
    for (int i = 0; i < 8; i++)
        if ((i & 2) == 0) exchange(x.bit[i], x.bit[i + 2], 0x33333333u, 2);
#pragma unroll
    for (int i = 0; i < 4; i++) exchange(x.bit[i], x.bit[i + 4], 0x0f0f0f0fu, 4);
}

// The S-box on all 32 bytes: the circuit of Boyar and Peralta, "A depth-16 circuit for the AES S-box" (2011), with their names: x0 is
// the highest bit, y their linear forms, z the products of the last layer.
__device__ __forceinline__ void substitute(Planes &x) {
    const uint32_t x0 = x.bit[7], x1 = x.bit[6], x2 = x.bit[5], x3 = x.bit[4];
    const uint32_t x4 = x.bit[3], x5 = x.bit[2], x6 = x.bit[1], x7 = x.bit[0];

    const uint32_t y14 = x3 ^ x5, y13 = x0 ^ x6, y9 = x0 ^ x3, y8 = x0 ^ x5;
    const uint32_t t0 = x1 ^ x2, y1 = t0 ^ x7, y4 = y1 ^ x3, y12 = y13 ^ y14;
    const uint32_t y2 = y1 ^ x0, y5 = y1 ^ x6, y3 = y5 ^ y8, t1 = x4 ^ y12;
    const uint32_t y15 = t1 ^ x5, y20 = t1 ^ x1, y6 = y15 ^ x7, y10 = y15 ^ t0;
    const uint32_t y11 = y20 ^ y9, y7 = x7 ^ y11, y17 = y10 ^ y11, y19 = y10 ^ y8;
    const uint32_t y16 = t0 ^ y11, y21 = y13 ^ y16, y18 = x0 ^ y16;

    const uint32_t t2 = y12 & y15, t4 = (y3 & y6) ^ t2, t6 = (y4 & x7) ^ t2;
    const uint32_t t7 = y13 & y16, t9 = (y5 & y1) ^ t7, t11 = (y2 & y7) ^ t7;
    const uint32_t t12 = y9 & y11, t14 = (y14 & y17) ^ t12, t16 = (y8 & y10) ^ t12;
    const uint32_t t21 = t4 ^ t14 ^ y20, t22 = t6 ^ t16 ^ y19, t23 = t9 ^ t14 ^ y21, t24 = t11 ^ t16 ^ y18;

    const uint32_t t25 = t21 ^ t22, t26 = t21 & t23, t27 = t24 ^ t26, t29 = (t25 & t27) ^ t22;
    const uint32_t t30 = t23 ^ t24, t31 = t22 ^ t26, t33 = (t31 & t30) ^ t24, t34 = t23 ^ t33;
    const uint32_t t35 = t27 ^ t33, t36 = t24 & t35, t37 = t36 ^ t34, t38 = t27 ^ t36;
    const uint32_t t40 = t25 ^ (t29 & t38), t41 = t40 ^ t37, t42 = t29 ^ t33, t43 = t29 ^ t40;
    const uint32_t t44 = t33 ^ t37, t45 = t42 ^ t41;

    const uint32_t z0 = t44 & y15, z1 = t37 & y6, z2 = t33 & x7, z3 = t43 & y16, z4 = t40 & y1, z5 = t29 & y7;
    const uint32_t z6 = t42 & y11, z7 = t45 & y17, z8 = t41 & y10, z9 = t44 & y12, z10 = t37 & y3, z11 = t33 & y4;
    const uint32_t z12 = t43 & y13, z13 = t40 & y5, z14 = t29 & y2, z15 = t42 & y9, z16 = t45 & y14, z17 = t41 & y8;

    const uint32_t t46 = z15 ^ z16, t48 = z5 ^ z13, t53 = z0 ^ z3, t57 = z2 ^ z12 ^ t53;
    const uint32_t t58 = z4 ^ t46, t59 = z3 ^ z6 ^ z7, t62 = z7 ^ z8 ^ t58, t63 = z9 ^ z10 ^ t58;
    const uint32_t t64 = z4 ^ t59, t65 = z14 ^ t57 ^ t62, t66 = z1 ^ t63, s3 = t53 ^ t66;
    x.bit[7] = t59 ^ t63;
    x.bit[6] = t64 ^ ~s3;
    x.bit[5] = z16 ^ z17 ^ ~(t64 ^ t65);
    x.bit[4] = s3;
    x.bit[3] = z2 ^ z5 ^ t66;
    x.bit[2] = z10 ^ z11 ^ t65;
    x.bit[1] = z12 ^ t48 ^ ~t62;
    x.bit[0] = t48 ^ ~(t46 ^ t57);
}

// Row r moves r columns to the left: byte r of each plane turns right by 2 r bits, first by 4 where r has a two, then by 2 where it has a one.
__device__ __forceinline__ void shift_rows(Planes &x) {
#pragma unroll
    for (int p = 0; p < 8; p++) {
        uint32_t y = x.bit[p];
        y = (y & 0x0000ffffu) | (y >> 4 & 0x0f0f0000u) | (y << 4 & 0xf0f00000u);
        x.bit[p] = (y & 0x00ff00ffu) | (y >> 2 & 0x3f003f00u) | (y << 6 & 0xc000c000u);
    }
}

// Each byte becomes 2 a + 3 b + c + d of its column's bytes from its own row on.
__device__ __forceinline__ void mix_columns(Planes &x) {
    uint32_t next[8], sum[8];
#pragma unroll
    for (int p = 0; p < 8; p++) {
        next[p] = __funnelshift_r(x.bit[p], x.bit[p], 8);
        sum[p] = x.bit[p] ^ next[p];
    }
#pragma unroll
    for (int p = 0; p < 8; p++) {
        uint32_t doubled = p == 0 ? sum[7] : sum[p - 1];
        if (p == 1 || p == 3 || p == 4) doubled ^= sum[7];
        x.bit[p] = doubled ^ next[p] ^ __funnelshift_r(sum[p], sum[p], 16);
    }
}

__device__ __forceinline__ void add_round_key(Planes &x, const uint32_t *key) {
#pragma unroll
    for (int p = 0; p < 8; p++) x.bit[p] ^= key[p];
}

constexpr int AES256_ROUNDS = 14;

// The cipher with a key of 256 bits; `keys`: eight planes for each of fifteen round keys.
__device__ __forceinline__ void aes256_encrypt(Planes &x, const uint32_t *keys) {
    add_round_key(x, keys);
#pragma unroll 1
    for (int round = 1; round < AES256_ROUNDS; round++) {
        substitute(x);
        shift_rows(x);
        mix_columns(x);
        add_round_key(x, keys + 8 * round);
    }
    substitute(x);
    shift_rows(x);
    add_round_key(x, keys + 8 * AES256_ROUNDS);
}

} // namespace cipher
