// One block of threads: each runs until it must wait for others of its warp or block, then another goes on.
//
// A thread that ends without waiting leaves its stack to the next one, so that kernels that never synchronise run as a plain loop.
// What is undefined on a GPU is a fault here, never a hang: a barrier that not all threads reach, or reach at different lines; a lane
// that a mask names and that has ended, or does not exist; a shuffle from a lane outside the mask.
#pragma once
#include <array>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

#include "memory.hpp"
#include "switch.hpp"
#include "types.hpp"

namespace cuda_cpu {

constexpr unsigned WARP = 32;
constexpr unsigned MOST_THREADS = 1024;

// Which line of a kernel waits.
struct Site {
    const char *file;
    int line;
    bool operator==(const Site &other) const { return line == other.line && std::strcmp(file, other.file) == 0; }
};

// One asynchronous copy into shared memory: so many bytes, and zeros after them up to 16.
struct Copy {
    void *target;
    const void *source;
    unsigned bytes;
};

class Block;

// One thread of the block.
struct Thread {
    Block *block;
    uint3 index;
    unsigned number, lane;
    Context context;
    // What it brings to a meeting of its warp, and what it takes away.
    std::uint64_t brought, taken;
    unsigned source;
    const void *operands;
    // Copies in flight, and where each committed group of them ends.
    std::vector<Copy> copies;
    std::vector<std::size_t> groups;
};

// The thread that runs on this thread of the system.
inline thread_local Thread *current = nullptr;

class Warp;
using Complete = void (*)(Warp &, std::uint32_t mask);

// Lanes that wait for each other: those of `mask`; `arrived` of them are there.
struct Meeting {
    std::uint32_t mask = 0, arrived = 0;
    Site site = {"", 0};
    Complete complete = nullptr;
};

class Warp {
  public:
    Thread *first = nullptr;
    std::uint32_t ended = 0;
    // Meetings of disjoint masks may be under way at once.
    std::array<Meeting, 4> meetings;

    Thread &lane(unsigned lane) { return first[lane]; }
};

// What is launched: the kernel with its arguments.
struct Launch {
    uint3 grid, block;
    unsigned shared_bytes;
    void (*call)(void *kernel, void **arguments);
    void *kernel;
    void **arguments;
    // Later threads and blocks first: what depends on the order is not synchronised.
    bool descending;
};

class Block {
  public:
    Block() : stacks_(MOST_THREADS), threads_(MOST_THREADS), warps_(MOST_THREADS / WARP), ready_(MOST_THREADS) {}

    // Runs the block at `index` of the grid; false: `fault()` says why.
    bool run(const Launch &launch, uint3 index);
    const char *fault() const { return fault_; }

    const Launch &launch() const { return *launch_; }
    const uint3 &index() const { return index_; }
    char *shared() const { return shared_.start(launch_->shared_bytes); }

    // Waits for all threads that have not ended.
    void meet_all(Site site);
    // Waits for the lanes of `mask`; whoever comes last does `complete` for all.
    void meet(std::uint32_t mask, Site site, Complete complete);
    [[noreturn]] void fail(Site site, const char *format, ...) __attribute__((format(printf, 3, 4)));

  private:
    void prepare(const Launch &launch, uint3 index);
    static void enter();
    [[noreturn]] void carry();
    Thread *start();
    void end(Thread &thread);
    void suspend();
    void go_on(Context &from);
    Meeting &meeting(Warp &warp, std::uint32_t mask, Site site);
    void release_all();
    void release(Thread &thread);

    Stacks stacks_;
    SharedMemory shared_;
    std::vector<Thread> threads_;
    std::vector<Warp> warps_;
    // Ring of the threads that may go on.
    std::vector<Thread *> ready_;
    std::size_t ready_first_ = 0, ready_count_ = 0;
    const Launch *launch_ = nullptr;
    uint3 index_ = {0, 0, 0};
    unsigned count_ = 0, started_ = 0, ended_ = 0, used_stacks_ = 0;
    // Threads that wait for the whole block, and where.
    std::vector<Thread *> waiting_;
    Site waiting_site_ = {"", 0};
    Context outside_{}, nowhere_{};
    char fault_[256] = "";
};

inline bool Block::run(const Launch &launch, uint3 index) {
    prepare(launch, index);
    go_on(outside_);
    current = nullptr;
    if (fault_[0] == 0 && ended_ != count_) {
        const char *what = waiting_.empty() ? "lanes wait for lanes that never come" : "not all threads reach the barrier";
        std::snprintf(fault_, sizeof fault_, "divergent: %s (%s:%d)", what, waiting_site_.file, waiting_site_.line);
    }
    return fault_[0] == 0;
}

inline void Block::prepare(const Launch &launch, uint3 index) {
    launch_ = &launch;
    index_ = index;
    count_ = launch.block.x * launch.block.y * launch.block.z;
    started_ = ended_ = used_stacks_ = 0;
    ready_first_ = ready_count_ = 0;
    waiting_.clear();
    waiting_site_ = {"", 0};
    fault_[0] = 0;
    for (unsigned warp = 0; warp < (count_ + WARP - 1) / WARP; warp++) {
        unsigned lanes = count_ - warp * WARP;
        warps_[warp] = Warp{};
        warps_[warp].first = &threads_[warp * WARP];
        warps_[warp].ended = lanes < WARP ? ~0u << lanes : 0;
    }
    // No kernel may read what it did not write: bytes of 255 are not-a-number in every format.
    std::memset(shared(), 0xff, launch.shared_bytes);
}

// Takes the next thread that has not started.
inline Thread *Block::start() {
    if (started_ == count_) return nullptr;
    unsigned number = launch_->descending ? count_ - 1 - started_ : started_;
    started_++;
    Thread &thread = threads_[number];
    const uint3 &block = launch_->block;
    thread.block = this;
    thread.index = {number % block.x, number / block.x % block.y, number / block.x / block.y};
    thread.number = number;
    thread.lane = number % WARP;
    thread.copies.clear();
    thread.groups.clear();
    return &thread;
}

// The bottom of every stack. The block is found through the thread that `go_on` was about to start.
inline void Block::enter() { current->block->carry(); }

// Runs threads one after the other, as long as there are such that have not started.
[[noreturn]] inline void Block::carry() {
    for (Thread *thread = current; thread != nullptr; thread = start()) {
        current = thread;
        launch_->call(launch_->kernel, launch_->arguments);
        end(*thread);
    }
    go_on(nowhere_);
    __builtin_unreachable();
}

inline void Block::end(Thread &thread) {
    ended_++;
    Warp &warp = warps_[thread.number / WARP];
    warp.ended |= 1u << thread.lane;
    for (const Meeting &meeting : warp.meetings)
        if (meeting.arrived != 0 && (meeting.mask >> thread.lane & 1) != 0)
            fail(meeting.site, "lane %u has ended and is waited for", thread.lane);
    if (!waiting_.empty() && waiting_.size() == count_ - ended_) release_all();
}

inline void Block::suspend() { go_on(current->context); }

// Leaves this stack for a thread that may go on, for one that has not started, or for the caller of `run`.
inline void Block::go_on(Context &from) {
    if (ready_count_ != 0) {
        Thread *next = ready_[ready_first_];
        ready_first_ = (ready_first_ + 1) % MOST_THREADS;
        ready_count_--;
        current = next;
        change(from, next->context);
    } else if (Thread *next = start()) {
        current = next;
        next->context = fresh(stacks_.top(used_stacks_++), Stacks::usable(), enter);
        change(from, next->context);
    } else {
        change(from, outside_);
    }
}

inline void Block::release(Thread &thread) {
    ready_[(ready_first_ + ready_count_) % MOST_THREADS] = &thread;
    ready_count_++;
}

inline void Block::release_all() {
    for (Thread *thread : waiting_) release(*thread);
    waiting_.clear();
}

inline void Block::meet_all(Site site) {
    if (waiting_.empty()) waiting_site_ = site;
    if (!(waiting_site_ == site))
        fail(site, "divergent: other threads wait at the barrier at %s:%d", waiting_site_.file, waiting_site_.line);
    if (waiting_.size() + 1 == count_ - ended_) return release_all();
    waiting_.push_back(current);
    suspend();
}

inline void Block::meet(std::uint32_t mask, Site site, Complete complete) {
    Thread &me = *current;
    Warp &warp = warps_[me.number / WARP];
    if ((mask >> me.lane & 1) == 0) fail(site, "lane %u is not in its own mask %08x", me.lane, mask);
    if ((mask & warp.ended) != 0) fail(site, "the mask %08x names lanes that have ended: %08x", mask, mask & warp.ended);
    Meeting &here = meeting(warp, mask, site);
    if (here.arrived == 0) here = {mask, 0, site, complete};
    if (!(here.site == site) || here.complete != complete)
        fail(site, "divergent: other lanes of the mask wait at %s:%d", here.site.file, here.site.line);
    here.arrived |= 1u << me.lane;
    if (here.arrived != mask) return suspend();
    here = Meeting{};
    complete(warp, mask);
    for (unsigned at = 0; at < WARP; at++) {
        unsigned lane = launch_->descending ? WARP - 1 - at : at;
        if ((mask >> lane & 1) != 0 && lane != me.lane) release(warp.lane(lane));
    }
}

// The meeting of these lanes, or a place for it.
inline Meeting &Block::meeting(Warp &warp, std::uint32_t mask, Site site) {
    Meeting *free = nullptr;
    for (Meeting &meeting : warp.meetings) {
        if (meeting.arrived == 0) free = free == nullptr ? &meeting : free;
        else if (meeting.mask == mask) return meeting;
        else if ((meeting.mask & mask) != 0)
            fail(site, "divergent: the masks %08x and %08x overlap", mask, meeting.mask);
    }
    if (free == nullptr) fail(site, "more than %zu masks at once", warp.meetings.size());
    return *free;
}

// Ends the launch; the stacks of its threads are left as they are.
[[noreturn]] inline void Block::fail(Site site, const char *format, ...) {
    std::va_list values;
    va_start(values, format);
    int length = std::vsnprintf(fault_, sizeof fault_, format, values);
    va_end(values);
    if (length >= 0 && static_cast<std::size_t>(length) < sizeof fault_)
        std::snprintf(fault_ + length, sizeof fault_ - length, " (%s:%d)", site.file, site.line);
    change(nowhere_, outside_);
    __builtin_unreachable();
}

} // namespace cuda_cpu
