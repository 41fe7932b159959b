// A token drawn of those that `top_k`, `top_p` and `min_p` leave: the sampler's `likeliest`.
//
// Tokens are counted in buckets, sixteen for each halving of the weight; only the bucket in which a bound lies is put in order. What is
// summed is summed by one thread, by token; the others find, gather and sort for it.
#include "exact_sample.cuh"

namespace exact {

// What weighs less than 2^-60 is in the last bucket.
constexpr uint32_t BUCKETS = 16 * 60 + 1;
// Sign, exponent and four bits of the fraction of 1.
constexpr uint32_t TOP_OF_ONE = 0x3ff0;

// Some tokens of a row and their weights, in memory for a whole vocabulary.
struct List {
    uint32_t *tokens;
    double *weights;
};

// Where ranked tokens end: at so many, with the one that brings their weight to this, before one that weighs less.
struct Bounds {
    uint32_t count;
    double weight, least;

    __device__ __forceinline__ bool reached(uint32_t tokens, double sum) const { return tokens >= count || sum >= weight; }
};

// The bucket in which a bound is reached; nothing in it weighs less than `floor`.
struct Edge {
    uint32_t bucket;
    double floor, sum_before;
};

struct Buckets {
    double sums[BUCKETS];
    uint32_t tokens[BUCKETS];
};

// What the threads of a block share.
struct Shared {
    Stage stage;
    Buckets buckets;
    Edge edge;
    uint32_t votes[SAMPLE_THREADS / 32];
    uint32_t kept;
    double total;
    bool is_done;
};

__device__ __forceinline__ uint32_t bucket_of(double weight) {
    auto top = static_cast<uint32_t>(static_cast<uint64_t>(__double_as_longlong(weight)) >> 48);
    return top >= TOP_OF_ONE ? 0 : min(TOP_OF_ONE - top, BUCKETS - 1);
}

__device__ __forceinline__ double floor_of(uint32_t bucket) {
    if (bucket >= BUCKETS - 1) return 0.0;
    return __longlong_as_double(static_cast<long long>(static_cast<uint64_t>(TOP_OF_ONE - bucket) << 48));
}

// Whether one of the tokens that the threads look at next may weigh so much.
__device__ __forceinline__ bool may_reach(const Weighed &row, uint32_t first, double floor) {
    bool may = false;
    for (uint32_t block = first / WEIGHT_BLOCK; block < min((first + SAMPLE_THREADS) / WEIGHT_BLOCK, blocks_of(row.vocabulary)); block++)
        may |= row.blocks[block].greatest >= floor;
    return may;
}

// Puts the tokens that are wanted, and weigh at least `floor` and more than nothing, behind the first `length` of `list`, by token; gives
// how many there are then.
template <class Wanted>
__device__ __forceinline__ uint32_t gather(Shared &shared, const Weighed &row, double floor, const List &list, uint32_t length, Wanted wanted) {
    unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    for (uint32_t first = 0; first < row.vocabulary; first += SAMPLE_THREADS) {
        if (!may_reach(row, first, floor)) continue;
        uint32_t token = first + threadIdx.x;
        double weight = token < row.vocabulary ? row.weights[token] : 0.0;
        bool is_wanted = weight > 0.0 && weight >= floor && wanted(weight);
        unsigned votes = __ballot_sync(ALL, is_wanted);
        __syncthreads();
        if (lane == 0) shared.votes[warp] = __popc(votes);
        __syncthreads();
        uint32_t place = length + __popc(votes & ((1u << lane) - 1));
        for (unsigned other = 0; other < SAMPLE_THREADS / 32; other++) {
            if (other < warp) place += shared.votes[other];
            length += shared.votes[other];
        }
        if (!is_wanted) continue;
        list.tokens[place] = token;
        list.weights[place] = weight;
    }
    __syncthreads();
    return length;
}

// Counts tokens from the heaviest, at least until the bounds are reached; `list` is scratch.
__device__ __forceinline__ void count_buckets(Shared &shared, const Weighed &row, const Bounds &bounds, const List &list) {
    const double floors[3] = {1.0 / 1024.0, 1.0 / 33554432.0, 0.0};
    for (uint32_t bucket = threadIdx.x; bucket < BUCKETS; bucket += SAMPLE_THREADS) {
        shared.buckets.sums[bucket] = 0.0;
        shared.buckets.tokens[bucket] = 0;
    }
    double ceiling = __longlong_as_double(0x7ff0000000000000ll), sum = 0.0;
    uint32_t tokens = 0;
    for (unsigned pass = 0; pass < 3; pass++) {
        double floor = floors[pass] > bounds.least ? floors[pass] : bounds.least;
        uint32_t length = gather(shared, row, floor, list, 0, [&](double weight) { return weight < ceiling; });
        in_order(shared.stage, length, [&](uint32_t at) { return list.weights[at]; },
                 [&](uint32_t, double weight) {
                     uint32_t bucket = bucket_of(weight);
                     shared.buckets.tokens[bucket]++;
                     shared.buckets.sums[bucket] += weight;
                     tokens++;
                     sum += weight;
                 });
        __syncthreads();
        if (threadIdx.x == 0) shared.is_done = bounds.reached(tokens, sum) || floors[pass] <= bounds.least;
        __syncthreads();
        if (shared.is_done) return;
        ceiling = floors[pass];
    }
}

// In one thread.
__device__ __forceinline__ Edge edge_of(const Buckets &buckets, const Bounds &bounds) {
    uint32_t tokens = 0;
    double sum = 0.0;
    for (uint32_t bucket = 0; bucket < BUCKETS; bucket++) {
        double sum_before = sum;
        tokens += buckets.tokens[bucket];
        sum = sum_before + buckets.sums[bucket];
        if (bounds.reached(tokens, sum)) return {bucket, floor_of(bucket), sum_before};
    }
    return {BUCKETS, 0.0, sum};
}

// Puts the heavier one first, of equals the lower token.
__device__ __forceinline__ void rank(const List &list, uint32_t first, uint32_t second) {
    double weight = list.weights[first], other_weight = list.weights[second];
    uint32_t token = list.tokens[first], other_token = list.tokens[second];
    if (weight > other_weight || (weight == other_weight && token < other_token)) return;
    list.weights[first] = other_weight;
    list.weights[second] = weight;
    list.tokens[first] = other_token;
    list.tokens[second] = token;
}

// Sorts by rank: a bitonic network whose comparisons all point the same way, so that what is beyond the end may be left out.
__device__ __forceinline__ void sort(const List &list, uint32_t length) {
    for (uint32_t size = 2; size / 2 < length; size *= 2) {
        for (uint32_t half = size / 2; half > 0; half /= 2) {
            for (uint32_t pair = threadIdx.x; pair < (length + size - 1) / size * (size / 2); pair += SAMPLE_THREADS) {
                uint32_t at = pair / half * 2 * half + pair % half;
                uint32_t mirrored = pair / half * 2 * half + 2 * half - 1 - pair % half;
                uint32_t other = half == size / 2 ? mirrored : at + half;
                if (other < length) rank(list, at, other);
            }
            __syncthreads();
        }
    }
}

// The likeliest within the bounds, at the beginning of `list`: by token, and those of the last bucket by rank behind them. Gives how many.
__device__ __forceinline__ uint32_t take(Shared &shared, const Weighed &row, const Bounds &bounds, const List &list) {
    count_buckets(shared, row, bounds, list);
    if (threadIdx.x == 0) shared.edge = edge_of(shared.buckets, bounds);
    __syncthreads();
    Edge edge = shared.edge;
    double floor = edge.floor > bounds.least ? edge.floor : bounds.least;
    uint32_t taken = gather(shared, row, floor, list, 0, [&](double weight) { return bucket_of(weight) < edge.bucket; });
    uint32_t all = gather(shared, row, floor, list, taken, [&](double weight) { return bucket_of(weight) == edge.bucket; });
    sort({list.tokens + taken, list.weights + taken}, all - taken);
    uint32_t kept = taken;
    double sum = edge.sum_before;
    bool is_done = false;
    in_order(shared.stage, all - taken, [&](uint32_t at) { return list.weights[taken + at]; },
             [&](uint32_t, double weight) {
                 is_done |= bounds.reached(kept, sum);
                 if (is_done) return;
                 kept++;
                 sum += weight;
             });
    __syncthreads();
    if (threadIdx.x == 0) shared.kept = kept;
    __syncthreads();
    return shared.kept;
}

// What so many of the list weigh, for all threads.
__device__ __forceinline__ double total_of(Shared &shared, const List &list, uint32_t length) {
    double total = 0.0;
    in_order(shared.stage, length, [&](uint32_t at) { return list.weights[at]; }, [&](uint32_t, double weight) { total += weight; });
    __syncthreads();
    if (threadIdx.x == 0) shared.total = total;
    __syncthreads();
    return shared.total;
}

// What is left of a row's tokens.
__device__ __forceinline__ uint32_t keep(Shared &shared, const Weighed &row, const Choice &choice, const List &list) {
    const double infinite = __longlong_as_double(0x7ff0000000000000ll);
    bool counts = choice.counts(row.vocabulary);
    bool is_count_alone = choice.top_p >= 1.0 && choice.min_p <= 0.0;
    uint32_t count = counts ? choice.top_k : NO_TOKEN, kept = 0;
    double mass = infinite;
    if (counts) {
        kept = take(shared, row, {count, infinite, 0.0}, list);
        if (is_count_alone) return kept;
        mass = total_of(shared, list, kept);
    } else {
        double total = total_weight(shared.stage, row);
        __syncthreads();
        if (threadIdx.x == 0) shared.total = total;
        __syncthreads();
        mass = shared.total;
    }
    return take(shared, row, {count, choice.top_p < 1.0 ? choice.top_p * mass : infinite, choice.min_p}, list);
}

// A token of those that are left; in one thread.
__device__ __forceinline__ uint32_t pick_likeliest(const Weighed &row, const Choice &choice, const List &list) {
    __shared__ Shared shared;
    uint32_t kept = keep(shared, row, choice, list);
    double point = unit_interval(choice.seed, choice.position) * total_of(shared, list, kept);
    double sum = 0.0;
    uint32_t last = NO_TOKEN;
    bool is_found = false;
    in_order(shared.stage, kept, [&](uint32_t at) { return list.weights[at]; },
             [&](uint32_t at, double weight) {
                 if (is_found) return;
                 sum += weight;
                 last = at;
                 is_found = point < sum;
             });
    return last == NO_TOKEN ? NO_TOKEN : list.tokens[last];
}

} // namespace exact

// Draws a token where there is a temperature and something is cut; `tokens` and `kept` are scratch for a vocabulary in each row.
extern "C" __global__ void __launch_bounds__(256)
    exact_pick_likeliest(const double *__restrict__ weights, const exact::WeightBlock *__restrict__ sums,
                         const exact::Choice *__restrict__ choices, uint32_t *tokens, double *kept,
                         uint32_t *__restrict__ chosen, uint32_t vocabulary) {
    exact::Choice choice = choices[blockIdx.x];
    if (!choice.draws() || !choice.cuts(vocabulary) || chosen[blockIdx.x] == exact::NO_TOKEN) return;
    size_t first = static_cast<size_t>(blockIdx.x) * vocabulary;
    uint32_t token = exact::pick_likeliest({weights, sums, vocabulary}, choice, {tokens + first, kept + first});
    if (threadIdx.x == 0 && token != exact::NO_TOKEN) chosen[blockIdx.x] = token;
}
NARTHEX_ENTRY(exact_pick_likeliest)
