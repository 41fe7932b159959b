// AES-256 in counter mode (SP 800-38A) with 12 bytes of nonce and 32 bits of counter: the keystream of AES-256-GCM (SP 800-38D).
//
// Its tag is not checked here, but before a segment is uploaded.
#include "aes_planes.cuh"
#include "segment.cuh"

namespace cipher {

// The S-box on the four bytes of a word.
__device__ __forceinline__ uint32_t substitute_word(uint32_t word) {
    Planes planes = {{word, 0, 0, 0, 0, 0, 0, 0}};
    transpose(planes);
    substitute(planes);
    transpose(planes);
    return planes.bit[0];
}

} // namespace cipher

// Grid 1, block 1. `key`: eight words as its bytes lie in memory; `planes`: 120 words, what `aes256_ctr` takes. FIPS 197, section 5.2.
extern "C" __global__ void aes256_expand_key(const uint32_t *key, uint32_t *planes) {
    __shared__ uint32_t window[8];
    uint32_t constant = 1;
    for (int i = 0; i < 8; i++) window[i] = key[i];
    for (int round = 0; round <= cipher::AES256_ROUNDS; round++) {
        int half = round % 2 * 4;
        cipher::Planes both;
        for (int column = 0; column < 4; column++) both.bit[2 * column] = both.bit[2 * column + 1] = window[half + column];
        cipher::transpose(both);
        for (int p = 0; p < 8; p++) planes[8 * round + p] = both.bit[p];
        // The half just used makes way for the words that come eight further on.
        uint32_t before = window[(half + 7) % 8];
        if (half == 0) {
            before = cipher::substitute_word(__funnelshift_r(before, before, 8)) ^ constant;
            constant <<= 1;
        } else {
            before = cipher::substitute_word(before);
        }
        for (int column = 0; column < 4; column++) before = window[half + column] ^= before;
    }
}
NARTHEX_ENTRY(aes256_expand_key)

// Grid (ceil(longest segment / 8192), segments), block 256: each thread makes two blocks of keystream.
extern "C" __global__ void __launch_bounds__(256)
    aes256_ctr(const uint8_t *source, uint8_t *target, const cipher::Segment *segments, const uint32_t *planes) {
    __shared__ uint32_t keys[8 * (cipher::AES256_ROUNDS + 1)];
    for (uint32_t i = threadIdx.x; i < 8 * (cipher::AES256_ROUNDS + 1); i += blockDim.x) keys[i] = planes[i];
    __syncthreads();
    const cipher::Segment segment = segments[blockIdx.y];
    uint64_t index = static_cast<uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (index * 32 >= segment.bytes) return;
    uint32_t at = static_cast<uint32_t>(index) * 32, counter = segment.counter + 2 * static_cast<uint32_t>(index);
    cipher::Planes x;
#pragma unroll
    for (int block = 0; block < 2; block++) {
#pragma unroll
        for (int column = 0; column < 3; column++) x.bit[2 * column + block] = segment.nonce[column];
        x.bit[6 + block] = __byte_perm(counter + block, 0, 0x0123);
    }
    cipher::transpose(x);
    cipher::aes256_encrypt(x, keys);
    cipher::transpose(x);
#pragma unroll
    for (int block = 0; block < 2; block++)
        if (at + 16 * block < segment.bytes)
            cipher::apply_keystream(source + segment.source, target + segment.target, segment.bytes, at + 16 * block,
                            make_uint4(x.bit[block], x.bit[2 + block], x.bit[4 + block], x.bit[6 + block]));
}
NARTHEX_ENTRY(aes256_ctr)
