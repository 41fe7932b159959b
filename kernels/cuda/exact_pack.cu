// Rows of a model file to packed panels, byte for byte what `kernels::matmul::Matrix::pack` makes of them: where a file was decrypted on the
// device, its rows are nowhere else.
//
// A thread makes one word of a panel. Rows that the last panel lacks are zero bytes. A scale, an offset or a weight that is not finite
// leaves a 1 behind: the CPU refuses such a matrix, and who launched this must.
#include "exact_formats.cuh"

namespace exact {

// The blocks in the same place of sixteen rows.
struct BlockRows {
    const uint8_t *first;
    size_t row_bytes;
    uint32_t rows;
    uint32_t *not_finite;

    __device__ __forceinline__ uint32_t byte(unsigned lane, unsigned at) const {
        return lane < rows ? first[lane * row_bytes + at] : 0;
    }
    __device__ __forceinline__ uint32_t half(unsigned lane, unsigned at) const { return byte(lane, at) | byte(lane, at + 1) << 8; }
    __device__ __forceinline__ uint32_t word(unsigned lane, unsigned at) const { return half(lane, at) | half(lane, at + 2) << 16; }

    // `bits` must not be all ones under `exponent`.
    __device__ __forceinline__ uint32_t finite(uint32_t bits, uint32_t exponent) const {
        if ((bits & exponent) == exponent) *not_finite = 1;
        return bits;
    }
    // The `pair`-th two of sixteen halves.
    __device__ __forceinline__ uint32_t halves(unsigned pair, unsigned at, uint32_t exponent = 0x7c00) const {
        return finite(half(2 * pair, at), exponent) | finite(half(2 * pair + 1, at), exponent) << 16;
    }
};

// Word `index` of `Nibbles`, where `joined` gives a row's byte `j`: column `j` low, `16 + j` high.
template <class Joined> __device__ __forceinline__ uint32_t pack_nibbles(unsigned index, Joined joined) {
    unsigned lane = index % LANES, first = index / LANES * 4;
    uint32_t word = 0;
    for (unsigned i = 0; i < 4; i++) word |= joined(lane, first + i) << (8 * i);
    return word;
}

// Word `index` of `FifthBits`, where `four` gives those of a row's columns from `4 * quad` on.
template <class Four> __device__ __forceinline__ uint32_t pack_fifths(unsigned index, Four four) {
    uint32_t word = 0;
    for (unsigned row = 0; row < 8; row++) word |= four(index % 2 * 8 + row, index / 2) << (4 * row);
    return word;
}

// Word `index` of an array of bytes, one for each lane.
template <class Byte> __device__ __forceinline__ uint32_t pack_bytes(unsigned index, Byte byte) {
    uint32_t word = 0;
    for (unsigned i = 0; i < 4; i++) word |= (byte(4 * index + i) & 255) << (8 * i);
    return word;
}

constexpr unsigned NIBBLE_WORDS = sizeof(Nibbles) / 4, FIFTH_WORDS = sizeof(FifthBits) / 4, TOP_WORDS = sizeof(TopPairs) / 4;
constexpr unsigned HALF_WORDS = LANES / 2, BYTE_WORDS = LANES / 4;

// The formats of 32 columns that keep their bytes' order: nibbles, fifth bits, then one or two arrays of halves.
template <unsigned QUANTS, unsigned FIFTHS> __device__ __forceinline__ uint32_t pack_simple(const BlockRows &rows, unsigned index) {
    if (index < NIBBLE_WORDS) return pack_nibbles(index, [&](unsigned lane, unsigned j) { return rows.byte(lane, QUANTS + j); });
    index -= NIBBLE_WORDS;
    if (FIFTHS > 0) {
        if (index < FIFTH_WORDS)
            return pack_fifths(index, [&](unsigned lane, unsigned quad) { return rows.byte(lane, FIFTHS + quad / 2) >> (quad % 2 * 4) & 15; });
        index -= FIFTH_WORDS;
    }
    return rows.halves(index % HALF_WORDS, index / HALF_WORDS * 2);
}

// Nibbles of formats with eight parts: `quant` gives a column of a part.
template <class Quant> __device__ __forceinline__ uint32_t pack_parts(unsigned index, Quant quant) {
    unsigned part = index / NIBBLE_WORDS;
    return pack_nibbles(index % NIBBLE_WORDS, [&](unsigned lane, unsigned j) { return quant(part, lane, j) | quant(part, lane, 16 + j) << 4; });
}

// Scale `six` of a row, or, from the eighth on, a minimum: `kernels/src/matmul/formats/k_scales.rs`.
__device__ __forceinline__ uint32_t six_bits(const BlockRows &rows, unsigned lane, unsigned six) {
    constexpr unsigned AT = 4;
    unsigned of_minima = six / 8, j = six % 4;
    uint32_t top = rows.byte(lane, AT + 4 * of_minima + j);
    if (six % 8 < 4) return top & 63;
    return (rows.byte(lane, AT + 8 + j) >> (4 * of_minima) & 15) | top >> 6 << 4;
}

// Word `index` of `KScales`.
__device__ __forceinline__ uint32_t pack_k_scales(const BlockRows &rows, unsigned index) {
    if (index < 16 * BYTE_WORDS)
        return pack_bytes(index % BYTE_WORDS, [&](unsigned lane) { return six_bits(rows, lane, index / BYTE_WORDS); });
    index -= 16 * BYTE_WORDS;
    if (index < HALF_WORDS) return rows.halves(index, 0);
    return rows.halves(index - HALF_WORDS, 2) ^ 0x80008000u;
}

__device__ __forceinline__ uint32_t pack_word(const Q4_0 *, const BlockRows &rows, unsigned index) { return pack_simple<2, 0>(rows, index); }
__device__ __forceinline__ uint32_t pack_word(const Q4_1 *, const BlockRows &rows, unsigned index) { return pack_simple<4, 0>(rows, index); }
__device__ __forceinline__ uint32_t pack_word(const Q5_0 *, const BlockRows &rows, unsigned index) { return pack_simple<6, 2>(rows, index); }
__device__ __forceinline__ uint32_t pack_word(const Q5_1 *, const BlockRows &rows, unsigned index) { return pack_simple<8, 4>(rows, index); }

__device__ __forceinline__ uint32_t pack_word(const Q8_0 *, const BlockRows &rows, unsigned index) {
    constexpr unsigned QUANT_WORDS = sizeof(Q8_0::quants) / 4;
    if (index < QUANT_WORDS) return rows.word(index % LANES, 2 + index / LANES * 4) ^ 0x80808080u;
    return rows.halves(index - QUANT_WORDS, 0);
}

__device__ __forceinline__ uint32_t pack_word(const Q4_K *, const BlockRows &rows, unsigned index) {
    if (index < 8 * NIBBLE_WORDS)
        return pack_parts(index, [&](unsigned part, unsigned lane, unsigned column) {
            return rows.byte(lane, 16 + part / 2 * BLOCK + column) >> (part % 2 * 4) & 15;
        });
    return pack_k_scales(rows, index - 8 * NIBBLE_WORDS);
}

__device__ __forceinline__ uint32_t pack_word(const Q5_K *, const BlockRows &rows, unsigned index) {
    if (index < 8 * NIBBLE_WORDS)
        return pack_parts(index, [&](unsigned part, unsigned lane, unsigned column) {
            return rows.byte(lane, 48 + part / 2 * BLOCK + column) >> (part % 2 * 4) & 15;
        });
    index -= 8 * NIBBLE_WORDS;
    if (index < 8 * FIFTH_WORDS)
        return pack_fifths(index % FIFTH_WORDS, [&](unsigned lane, unsigned quad) {
            uint32_t four = 0;
            for (unsigned i = 0; i < 4; i++) four |= (rows.byte(lane, 16 + 4 * quad + i) >> (index / FIFTH_WORDS) & 1) << i;
            return four;
        });
    return pack_k_scales(rows, index - 8 * FIFTH_WORDS);
}

__device__ __forceinline__ uint32_t pack_word(const Q6_K *, const BlockRows &rows, unsigned index) {
    if (index < 8 * NIBBLE_WORDS)
        return pack_parts(index, [&](unsigned part, unsigned lane, unsigned column) {
            return rows.byte(lane, part / 4 * 64 + part % 2 * BLOCK + column) >> (part % 4 / 2 * 4) & 15;
        });
    index -= 8 * NIBBLE_WORDS;
    if (index < 8 * TOP_WORDS) {
        unsigned part = index / TOP_WORDS, k = index % TOP_WORDS / LANES, lane = index % LANES;
        uint32_t word = 0;
        for (unsigned column = 0; column < 16; column++) {
            uint32_t pair = rows.byte(lane, 128 + part / 4 * BLOCK + 16 * k + column) >> (part % 4 * 2) & 3;
            word |= pair << (8 * (column % 4) + 2 * (column / 4));
        }
        return word;
    }
    index -= 8 * TOP_WORDS;
    if (index < 16 * BYTE_WORDS)
        return pack_bytes(index % BYTE_WORDS, [&](unsigned lane) { return rows.byte(lane, 192 + index / BYTE_WORDS); });
    return rows.halves(index - 16 * BYTE_WORDS, 208);
}

__device__ __forceinline__ uint32_t pack_word(const F16 *, const BlockRows &rows, unsigned index) {
    return rows.halves(index % HALF_WORDS, index / HALF_WORDS * 2);
}
__device__ __forceinline__ uint32_t pack_word(const BF16 *, const BlockRows &rows, unsigned index) {
    return rows.halves(index % HALF_WORDS, index / HALF_WORDS * 2, 0x7f80);
}
__device__ __forceinline__ uint32_t pack_word(const F32 *, const BlockRows &rows, unsigned index) {
    return rows.finite(rows.word(index % LANES, index / LANES * 4), 0x7f800000u);
}

template <class Format, unsigned FILE_BYTES>
__device__ __forceinline__ void pack_panel(const uint8_t *file, uint32_t *panels, uint32_t *not_finite, uint32_t row_blocks, uint32_t rows,
                                           uint32_t first_panel, uint32_t panel_step) {
    constexpr unsigned WORDS = sizeof(Format) / 4;
    size_t index = static_cast<size_t>(blockIdx.y) * blockDim.x + threadIdx.x, words = static_cast<size_t>(row_blocks) * WORDS;
    if (index >= words) return;
    size_t row_bytes = static_cast<size_t>(row_blocks) * FILE_BYTES;
    uint32_t first_row = blockIdx.x * LANES;
    const uint8_t *block = file + first_row * row_bytes + index / WORDS * FILE_BYTES;
    BlockRows block_rows = {block, row_bytes, rows - first_row, not_finite};
    size_t panel = first_panel + static_cast<size_t>(blockIdx.x) * panel_step;
    panels[panel * words + index] = pack_word(static_cast<const Format *>(nullptr), block_rows, static_cast<unsigned>(index % WORDS));
}

} // namespace exact

// Grid (ceil(rows / 16), ceil(words of a panel / 256)), block 256.
#define EXACT_PACK(name, Format, file_bytes)                                                                                       \
    extern "C" __global__ void __launch_bounds__(256)                                                                              \
        exact_pack_##name(const uint8_t *__restrict__ file, uint32_t *__restrict__ panels, uint32_t *__restrict__ not_finite,      \
                          uint32_t row_blocks, uint32_t rows, uint32_t first_panel, uint32_t panel_step) {                         \
        exact::pack_panel<exact::Format, file_bytes>(file, panels, not_finite, row_blocks, rows, first_panel, panel_step);         \
    }                                                                                                                              \
    NARTHEX_ENTRY(exact_pack_##name)

EXACT_PACK(q4_0, Q4_0, 18)
EXACT_PACK(q4_1, Q4_1, 20)
EXACT_PACK(q5_0, Q5_0, 22)
EXACT_PACK(q5_1, Q5_1, 24)
EXACT_PACK(q8_0, Q8_0, 34)
EXACT_PACK(q4_k, Q4_K, 144)
EXACT_PACK(q5_k, Q5_K, 176)
EXACT_PACK(q6_k, Q6_K, 210)
EXACT_PACK(f16, F16, 64)
EXACT_PACK(bf16, BF16, 64)
EXACT_PACK(f32, F32, 128)
