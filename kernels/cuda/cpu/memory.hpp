// Memory that ends at a page nobody may touch: stacks of threads, and dynamic shared memory, whose overflow is a fault here as there.
#pragma once
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <sys/mman.h>
#include <unistd.h>

namespace cuda_cpu {

inline std::size_t page_bytes() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

// Pages of zeros, taken from the system when they are first touched.
class Pages {
  public:
    explicit Pages(std::size_t bytes) : bytes_(bytes) {
        void *got = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (got == MAP_FAILED) die("no memory");
        start_ = static_cast<char *>(got);
    }
    ~Pages() { munmap(start_, bytes_); }
    Pages(const Pages &) = delete;
    Pages &operator=(const Pages &) = delete;

    char *start() const { return start_; }

    // Makes the page at `offset` one that nobody may touch.
    void guard(std::size_t offset) {
        if (mprotect(start_ + offset, page_bytes(), PROT_NONE) != 0) die("no guard page");
    }

  private:
    [[noreturn]] static void die(const char *what) {
        std::perror(what);
        std::abort();
    }
    char *start_;
    std::size_t bytes_;
};

// Stacks for the threads of one block, each above a guard page.
class Stacks {
  public:
    static constexpr std::size_t BYTES = 128 * 1024;

    explicit Stacks(unsigned count) : pages_(count * BYTES) {
        for (unsigned stack = 0; stack < count; stack++) pages_.guard(stack * BYTES);
    }
    // Tops lie at different distances from the boundaries of pages: with equal ones, all stacks would share a few lines of the caches.
    char *top(unsigned stack) const { return pages_.start() + (stack + 1) * BYTES - stack % 29 * 576; }
    // What lies below any top for sure.
    static std::size_t usable() { return BYTES - page_bytes() - 28 * 576; }

  private:
    Pages pages_;
};

// Dynamic shared memory: as long as the launch says, not a byte more.
class SharedMemory {
  public:
    // What a block can ask for at most on compute capability 9.0 and 10.0.
    static constexpr unsigned MOST_BYTES = 227 * 1024;

    SharedMemory() : pages_(ROOM + page_bytes()) { pages_.guard(ROOM); }
    // Its start for a launch of so many bytes, a multiple of 16.
    char *start(unsigned bytes) const { return pages_.start() + ROOM - (bytes + 15) / 16 * 16; }

  private:
    static constexpr std::size_t ROOM = 256 * 1024;
    Pages pages_;
};

} // namespace cuda_cpu
