// All kernels as one library for tests on machines without a GPU: c++ -std=c++17 -O2 -ffp-contract=off -shared -fPIC.
#include "../narthex.cu"
#include "self_test.cu"

#define NARTHEX_EXPORT extern "C" __attribute__((visibility("default")))

// Launches entry point `entry` and waits for it; `arguments` points to each argument. 0: done; 1: no such entry; 2: divergent barrier or
// the like, see narthex_cuda_cpu_fault; 3: no device takes such a grid, block or size of shared memory.
NARTHEX_EXPORT int narthex_cuda_cpu_launch(const char *entry, const unsigned grid[3], const unsigned block[3], unsigned shared_bytes,
                                           void **arguments) {
    return static_cast<int>(cuda_cpu::launch(entry, grid, block, shared_bytes, arguments));
}

// Why the calling thread's last launch gave 2.
NARTHEX_EXPORT const char *narthex_cuda_cpu_fault() { return cuda_cpu::device().fault(); }

// Name of entry point `index`; null beyond the last one.
NARTHEX_EXPORT const char *narthex_cuda_cpu_entry(unsigned index) {
    return index < cuda_cpu::entries().size() ? cuda_cpu::entries()[index].name : nullptr;
}

// Whether later blocks and threads go first in the calling thread's launches: a kernel that gives other bits so lacks a barrier.
NARTHEX_EXPORT void narthex_cuda_cpu_descending(int descending) { cuda_cpu::device().descending = descending != 0; }
