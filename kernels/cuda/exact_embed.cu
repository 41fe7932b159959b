// Rows of the embedding to the residual stream: `kernels::matmul::Matrix::row`, each value times a scale.
//
// One block of threads for a row; a thread makes four columns.
#include "exact_formats.cuh"

namespace exact {

// Four weights of a row in one part.
template <class Format> __device__ __forceinline__ void four_weights(const Format &block, unsigned part, unsigned lane, unsigned word, float *out) {
    uint32_t quants = block.word(part, lane, word);
    float scale = block.scale(part, lane);
    for (unsigned i = 0; i < 4; i++) {
        float weight = scale * static_cast<float>(signed_byte(quants, i) - Format::EXCESS);
        out[i] = Format::HAS_OFFSET ? weight + block.offset(part, lane) : weight;
    }
}

__device__ __forceinline__ void four_weights(const Q6_K &block, unsigned part, unsigned lane, unsigned word, float *out) {
    uint32_t quants = block.word(part, lane, word);
    float scale = block.scale(part, word / 4, lane);
    for (unsigned i = 0; i < 4; i++) out[i] = scale * static_cast<float>(signed_byte(quants, i) - Q6_K::EXCESS);
}

template <class Format>
__device__ __forceinline__ void embed_integers(const Format *weights, uint32_t token, float *stream, uint32_t columns, float scale) {
    const Format *panel = weights + static_cast<size_t>(token / LANES) * (columns / BLOCK / Format::PARTS);
    for (unsigned quad = threadIdx.x; quad < columns / 4; quad += blockDim.x) {
        unsigned block = quad / 8;
        float four[4];
        four_weights(panel[block / Format::PARTS], block % Format::PARTS, token % LANES, quad % 8, four);
        for (unsigned i = 0; i < 4; i++) stream[4 * quad + i] = four[i] * scale;
    }
}

template <class Format>
__device__ __forceinline__ void embed_floats(const Format *weights, uint32_t token, float *stream, uint32_t columns, float scale) {
    const Format *panel = weights + static_cast<size_t>(token / LANES) * (columns / BLOCK);
    for (unsigned column = threadIdx.x; column < columns; column += blockDim.x)
        stream[column] = panel[column / BLOCK].weight(token % LANES, column % BLOCK) * scale;
}

} // namespace exact

#define EXACT_EMBED(kind, name, Format)                                                                                            \
    extern "C" __global__ void __launch_bounds__(128) exact_embed_##name(                                                          \
        const exact::Format *__restrict__ weights, const uint32_t *__restrict__ tokens, float *__restrict__ stream,                \
        uint32_t columns, float scale) {                                                                                           \
        float *row = stream + static_cast<size_t>(blockIdx.x) * columns;                                                           \
        exact::embed_##kind(weights, tokens[blockIdx.x], row, columns, scale);                                                     \
    }                                                                                                                              \
    NARTHEX_ENTRY(exact_embed_##name)
#define EXACT_EMBED_INTEGERS(name, Format) EXACT_EMBED(integers, name, Format)
#define EXACT_EMBED_FLOATS(name, Format) EXACT_EMBED(floats, name, Format)

EXACT_INTEGER_FORMATS(EXACT_EMBED_INTEGERS)
EXACT_FLOAT_FORMATS(EXACT_EMBED_FLOATS)
