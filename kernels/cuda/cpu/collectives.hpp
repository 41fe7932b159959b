// What threads of a warp or block do together: barriers, shuffles, votes, matrix products, and copies in flight.
#pragma once
#include <cstring>
#include <type_traits>

#include "block.hpp"

// The calling line, as a default argument.
#define NARTHEX_SITE ::cuda_cpu::Site site = {__builtin_FILE(), __builtin_LINE()}

namespace cuda_cpu {

inline void meet(std::uint32_t mask, Site site, Complete complete) { current->block->meet(mask, site, complete); }

template <class Visit> void each(Warp &warp, std::uint32_t mask, Visit visit) {
    for (unsigned lane = 0; lane < WARP; lane++)
        if ((mask >> lane & 1) != 0) visit(warp.lane(lane));
}

inline void nothing(Warp &, std::uint32_t) {}

inline void give_sources(Warp &warp, std::uint32_t mask) {
    each(warp, mask, [&](Thread &thread) { thread.taken = warp.lane(thread.source).brought; });
}

inline void vote(Warp &warp, std::uint32_t mask) {
    std::uint32_t votes = 0;
    each(warp, mask, [&](Thread &thread) { votes |= static_cast<std::uint32_t>(thread.brought != 0) << thread.lane; });
    each(warp, mask, [&](Thread &thread) { thread.taken = votes; });
}

template <class Fold> void reduce(Warp &warp, std::uint32_t mask, Fold fold) {
    bool first = true;
    std::uint32_t all = 0;
    each(warp, mask, [&](Thread &thread) {
        auto brought = static_cast<std::uint32_t>(thread.brought);
        all = first ? brought : fold(all, brought);
        first = false;
    });
    each(warp, mask, [&](Thread &thread) { thread.taken = all; });
}

inline std::uint32_t reduced(std::uint32_t mask, std::uint32_t value, Site site, Complete complete) {
    current->brought = value;
    meet(mask, site, complete);
    return static_cast<std::uint32_t>(current->taken);
}

// Where a shuffle reads, as in the PTX ISA's `shfl.sync`.
enum class Shuffle { Up, Down, Xor, Index };

inline unsigned source_lane(Shuffle shuffle, unsigned lane, unsigned by, unsigned width) {
    unsigned segment = WARP - width, low = lane & segment;
    unsigned high = low | (width - 1);
    int from = 0;
    switch (shuffle) {
    case Shuffle::Up: from = static_cast<int>(lane) - static_cast<int>(by); break;
    case Shuffle::Down: from = static_cast<int>(lane + by); break;
    case Shuffle::Xor: from = static_cast<int>(lane ^ by); break;
    case Shuffle::Index: from = static_cast<int>(low | (by & (width - 1))); break;
    }
    bool within = shuffle == Shuffle::Up ? from >= static_cast<int>(low) : from <= static_cast<int>(high);
    return within ? static_cast<unsigned>(from) : lane;
}

template <class T> T shuffle(Shuffle kind, std::uint32_t mask, T value, unsigned by, unsigned width, Site site) {
    static_assert(sizeof(T) <= 8 && std::is_trivially_copyable<T>::value, "a register or two");
    Thread &me = *current;
    me.source = source_lane(kind, me.lane, by, width);
    if ((mask >> me.source & 1) == 0) me.block->fail(site, "a shuffle reads lane %u, outside its mask", me.source);
    me.brought = 0;
    std::memcpy(&me.brought, &value, sizeof value);
    meet(mask, site, give_sources);
    std::memcpy(&value, &me.taken, sizeof value);
    return value;
}

} // namespace cuda_cpu

inline void __syncthreads(NARTHEX_SITE) { cuda_cpu::current->block->meet_all(site); }
inline void __syncwarp(unsigned mask = ~0u, NARTHEX_SITE) { cuda_cpu::meet(mask, site, cuda_cpu::nothing); }

template <class T> T __shfl_sync(unsigned mask, T value, int lane, int width = 32, NARTHEX_SITE) {
    return cuda_cpu::shuffle(cuda_cpu::Shuffle::Index, mask, value, static_cast<unsigned>(lane), width, site);
}
template <class T> T __shfl_xor_sync(unsigned mask, T value, int by, int width = 32, NARTHEX_SITE) {
    return cuda_cpu::shuffle(cuda_cpu::Shuffle::Xor, mask, value, static_cast<unsigned>(by), width, site);
}
template <class T> T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32, NARTHEX_SITE) {
    return cuda_cpu::shuffle(cuda_cpu::Shuffle::Up, mask, value, by, width, site);
}
template <class T> T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32, NARTHEX_SITE) {
    return cuda_cpu::shuffle(cuda_cpu::Shuffle::Down, mask, value, by, width, site);
}

inline unsigned __ballot_sync(unsigned mask, int predicate, NARTHEX_SITE) {
    return cuda_cpu::reduced(mask, predicate != 0, site, cuda_cpu::vote);
}
inline int __any_sync(unsigned mask, int predicate, NARTHEX_SITE) { return __ballot_sync(mask, predicate, site) != 0; }
inline int __all_sync(unsigned mask, int predicate, NARTHEX_SITE) { return __ballot_sync(mask, predicate, site) == mask; }

inline unsigned __reduce_add_sync(unsigned mask, unsigned value, NARTHEX_SITE) {
    return cuda_cpu::reduced(mask, value, site, [](cuda_cpu::Warp &warp, std::uint32_t lanes) {
        cuda_cpu::reduce(warp, lanes, [](std::uint32_t a, std::uint32_t b) { return a + b; });
    });
}
inline int __reduce_add_sync(unsigned mask, int value, NARTHEX_SITE) {
    return static_cast<int>(__reduce_add_sync(mask, static_cast<unsigned>(value), site));
}
inline unsigned __reduce_max_sync(unsigned mask, unsigned value, NARTHEX_SITE) {
    return cuda_cpu::reduced(mask, value, site, [](cuda_cpu::Warp &warp, std::uint32_t lanes) {
        cuda_cpu::reduce(warp, lanes, [](std::uint32_t a, std::uint32_t b) { return a > b ? a : b; });
    });
}
inline unsigned __reduce_min_sync(unsigned mask, unsigned value, NARTHEX_SITE) {
    return cuda_cpu::reduced(mask, value, site, [](cuda_cpu::Warp &warp, std::uint32_t lanes) {
        cuda_cpu::reduce(warp, lanes, [](std::uint32_t a, std::uint32_t b) { return a < b ? a : b; });
    });
}
