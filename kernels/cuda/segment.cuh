// What a cipher decrypts: a table of segments, one row of the grid for each.
#pragma once
#include "platform.cuh"

namespace cipher {

// 40 bytes; offsets are multiples of 16, from the start of the ciphertext and of the plaintext (which may be the same memory).
struct Segment {
    uint64_t source, target;
    uint32_t bytes;
    // Counter of the segment's first block: 2 for AES-GCM's ciphertext, 1 for ChaCha20-Poly1305's.
    uint32_t counter;
    // The nonce as it is written, four bytes in each.
    uint32_t nonce[3];
    uint32_t reserved;
};

// Up to 16 bytes of plaintext at `at`; the last block of a segment may be shorter.
__device__ __forceinline__ void apply_keystream(const uint8_t *source, uint8_t *target, uint32_t bytes, uint32_t at, uint4 keystream) {
    if (at + 16 <= bytes) {
        uint4 text = *reinterpret_cast<const uint4 *>(source + at);
        *reinterpret_cast<uint4 *>(target + at) =
            make_uint4(text.x ^ keystream.x, text.y ^ keystream.y, text.z ^ keystream.z, text.w ^ keystream.w);
        return;
    }
    const uint32_t words[4] = {keystream.x, keystream.y, keystream.z, keystream.w};
#pragma unroll
    for (uint32_t byte = 0; byte < 16; byte++)
        if (at + byte < bytes) target[at + byte] = source[at + byte] ^ static_cast<uint8_t>(words[byte / 4] >> (byte % 4 * 8));
}

} // namespace cipher
