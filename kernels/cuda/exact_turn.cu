// From the product of queries, keys and values to what attention takes: bias, normalisation, rotation and scale of each head
// (`kernels::bias`, `kernels::rms_norm::normalize`, `kernels::rope`), keys and values into their pages
// (`kernels::attention::append`).
//
// One block of threads for a head of a row, one thread for a column: query heads first, then keys, then values.
#include "exact_norm.cuh"

namespace exact {

constexpr unsigned MOST_COLUMNS = 256;

// One head in shared memory, and the thread's column of it.
struct Head {
    float *columns;
    uint32_t width;

    // Puts a value in the place of the thread's column, where the head has one, and waits for the others'.
    __device__ __forceinline__ void put(float value) const {
        __syncthreads();
        if (threadIdx.x < width) columns[threadIdx.x] = value;
        __syncthreads();
    }
    __device__ __forceinline__ float normalized(const float *__restrict__ weights, float epsilon) const {
        __shared__ float factor;
        if (threadIdx.x < 32) {
            float squares = 0.0f;
            for (uint32_t column = threadIdx.x % LANES; column < width; column += LANES)
                squares = __fmaf_rn(columns[column], columns[column], squares);
            float result = factor_of(sum_of_lanes(squares), width, epsilon);
            if (threadIdx.x == 0) factor = result;
        }
        __syncthreads();
        return threadIdx.x < width ? columns[threadIdx.x] * factor * weights[threadIdx.x] : 0.0f;
    }
    // `turn` has cosine and sine of each pair.
    __device__ __forceinline__ float turned(const float *__restrict__ turn, uint32_t halves) const {
        uint32_t column = threadIdx.x;
        if (column >= width) return 0.0f;
        uint32_t pair = halves != 0 ? column % (width / 2) : column / 2;
        bool is_first = halves != 0 ? column < width / 2 : column % 2 == 0;
        float x = columns[halves != 0 ? pair : 2 * pair];
        float y = columns[halves != 0 ? pair + width / 2 : 2 * pair + 1];
        float cosine = turn[2 * pair], sine = turn[2 * pair + 1];
        return is_first ? x * cosine - y * sine : x * sine + y * cosine;
    }
};

// Where a row's key and value go.
struct Place {
    float *page;
    unsigned position;
    uint32_t padded_width;

    __device__ __forceinline__ void put_key(float value) const { page[threadIdx.x * LANES + position] = value; }
    __device__ __forceinline__ void put_value(float value) const {
        page[(LANES + position) * padded_width + threadIdx.x] = value;
    }
};

__device__ __forceinline__ Place place_of(float *cache, const uint32_t *pages, uint32_t position, uint32_t head, const HeadShape &shape) {
    size_t page = pages[position / LANES];
    size_t length = 2 * LANES * static_cast<size_t>(shape.padded_width);
    return {cache + (page * shape.kv_heads + head) * length, position % LANES, shape.padded_width};
}

} // namespace exact

extern "C" __global__ void __launch_bounds__(256)
    exact_turn(const float *__restrict__ qkv, const uint32_t *__restrict__ positions, const uint32_t *__restrict__ sequences,
               const uint32_t *__restrict__ pages, const float *__restrict__ turns, const float *__restrict__ bias,
               const float *__restrict__ query_norm, const float *__restrict__ key_norm, float *__restrict__ queries,
               float *__restrict__ cache, exact::HeadShape shape) {
    __shared__ float columns[exact::MOST_COLUMNS];
    uint32_t row = blockIdx.x, index = blockIdx.y, sequence = sequences[row], position = positions[row];
    if (sequence == exact::NO_SEQUENCE) return;
    bool is_query = index < shape.heads, is_value = index >= shape.heads + shape.kv_heads;
    uint32_t column = index * shape.width + threadIdx.x;
    size_t first = static_cast<size_t>(row) * (shape.heads + 2 * shape.kv_heads) * shape.width;
    float value = 0.0f;
    if (threadIdx.x < shape.width) {
        value = qkv[first + column];
        if (bias != nullptr) value += bias[column];
    }
    const uint32_t *own_pages = pages + static_cast<size_t>(sequence) * shape.pages_per_sequence;
    if (is_value) {
        uint32_t head = index - shape.heads - shape.kv_heads;
        return exact::place_of(cache, own_pages, position, head, shape).put_value(value);
    }
    exact::Head head = {columns, shape.width};
    const float *norm = is_query ? query_norm : key_norm;
    head.put(value);
    if (norm != nullptr) head.put(head.normalized(norm, shape.epsilon));
    value = head.turned(turns + static_cast<size_t>(position) * shape.width, shape.halves);
    if (is_query) {
        queries[(static_cast<size_t>(row) * shape.heads + index) * shape.padded_width + threadIdx.x] = value * shape.query_scale;
    } else {
        exact::place_of(cache, own_pages, position, index - shape.heads, shape).put_key(value);
    }
}
NARTHEX_ENTRY(exact_turn)
