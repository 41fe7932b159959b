// A token drawn of all: the one in whose share of the line a random point lies.
#include "exact_sample.cuh"

namespace exact {

// Where the walk over the blocks ends: the last block looked at that weighs anything, and what lies before it.
struct Found {
    double before;
    uint32_t block;
    bool is_final;
};

// The token of a block in whose share of the line `point` lies; the last that weighs anything where rounding puts it behind all.
__device__ __forceinline__ uint32_t pick_within(const double *__restrict__ weights, uint32_t count, double point) {
    double sum = 0.0;
    uint32_t last = NO_TOKEN;
    for (uint32_t at = 0; at < count; at++) {
        if (!(weights[at] > 0.0)) continue;
        sum += weights[at];
        last = at;
        if (point < sum) break;
    }
    return last;
}

// A token of all.
__device__ __forceinline__ uint32_t pick(const Weighed &row, const Choice &choice) {
    __shared__ Stage stage;
    double point = unit_interval(choice.seed, choice.position) * total_weight(stage, row);
    Found found = {0.0, NO_TOKEN, false};
    double next = 0.0;
    in_order(stage, blocks_of(row.vocabulary), [&](uint32_t block) { return row.blocks[block].sum; },
             [&](uint32_t block, double sum) {
                 if (found.is_final || !(sum > 0.0)) return;
                 found = {next, block, point < next + sum};
                 next += sum;
             });
    if (threadIdx.x != 0 || found.block == NO_TOKEN) return NO_TOKEN;
    uint32_t first = found.block * WEIGHT_BLOCK, length = min(row.vocabulary - first, WEIGHT_BLOCK);
    // Where no share holds the point, it is counted from behind the last block.
    double before = found.is_final ? found.before : next;
    uint32_t token = pick_within(row.weights + first, length, point - before);
    return token == NO_TOKEN ? NO_TOKEN : first + token;
}

} // namespace exact

// Draws a token where there is a temperature and nothing is cut.
extern "C" __global__ void __launch_bounds__(256)
    exact_pick(const double *__restrict__ weights, const exact::WeightBlock *__restrict__ sums, const exact::Choice *__restrict__ choices,
               uint32_t *__restrict__ chosen, uint32_t vocabulary) {
    exact::Choice choice = choices[blockIdx.x];
    if (!choice.draws() || choice.cuts(vocabulary) || chosen[blockIdx.x] == exact::NO_TOKEN) return;
    uint32_t token = exact::pick({weights, sums, vocabulary}, choice);
    if (token != exact::NO_TOKEN) chosen[blockIdx.x] = token;
}
NARTHEX_ENTRY(exact_pick)
