// ChaCha20 (RFC 8439), a block of 64 bytes for each thread.
//
// Additions, rotations and exclusive ors only: neither time nor addresses depend on key or text.
#include "segment.cuh"

namespace cipher {

__device__ __forceinline__ void quarter_round(uint32_t &a, uint32_t &b, uint32_t &c, uint32_t &d) {
    a += b, d ^= a, d = __funnelshift_l(d, d, 16);
    c += d, b ^= c, b = __funnelshift_l(b, b, 12);
    a += b, d ^= a, d = __funnelshift_l(d, d, 8);
    c += d, b ^= c, b = __funnelshift_l(b, b, 7);
}

// The block function: twenty rounds over the state, then the state added.
__device__ __forceinline__ void chacha20_block(const uint32_t (&state)[16], uint32_t (&block)[16]) {
#pragma unroll
    for (int word = 0; word < 16; word++) block[word] = state[word];
#pragma unroll
    for (int round = 0; round < 20; round += 2) {
#pragma unroll
        for (int i = 0; i < 4; i++) quarter_round(block[i], block[4 + i], block[8 + i], block[12 + i]);
#pragma unroll
        for (int i = 0; i < 4; i++)
            quarter_round(block[i], block[4 + (i + 1) % 4], block[8 + (i + 2) % 4], block[12 + (i + 3) % 4]);
    }
#pragma unroll
    for (int word = 0; word < 16; word++) block[word] += state[word];
}

} // namespace cipher

// Grid (ceil(longest segment / 16384), segments), block 256. `key`: eight words, as its bytes lie in memory.
extern "C" __global__ void __launch_bounds__(256)
    chacha20(const uint8_t *source, uint8_t *target, const cipher::Segment *segments, const uint32_t *key) {
    const cipher::Segment segment = segments[blockIdx.y];
    uint64_t index = static_cast<uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (index * 64 >= segment.bytes) return;
    uint32_t at = static_cast<uint32_t>(index) * 64;
    const uint32_t state[16] = {0x61707865u, 0x3320646eu, 0x79622d32u, 0x6b206574u, key[0], key[1], key[2], key[3],
                                key[4], key[5], key[6], key[7], segment.counter + static_cast<uint32_t>(index),
                                segment.nonce[0], segment.nonce[1], segment.nonce[2]};
    uint32_t block[16];
    cipher::chacha20_block(state, block);
#pragma unroll
    for (int quarter = 0; quarter < 4; quarter++)
        if (at + 16 * quarter < segment.bytes)
            cipher::apply_keystream(source + segment.source, target + segment.target, segment.bytes, at + 16 * quarter,
                            make_uint4(block[4 * quarter], block[4 * quarter + 1], block[4 * quarter + 2], block[4 * quarter + 3]));
}
NARTHEX_ENTRY(chacha20)
