// Entry points by their names, and the grid of blocks.
#pragma once
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "block.hpp"

namespace cuda_cpu {

// An entry point: how to call it with arguments as cudaLaunchKernel takes them, an array of pointers to each one.
struct Entry {
    const char *name;
    void *kernel;
    void (*call)(void *kernel, void **arguments);
};

inline std::vector<Entry> &entries() {
    static std::vector<Entry> all;
    return all;
}

template <class... Arguments, std::size_t... Places>
void call_with(void (*kernel)(Arguments...), void **arguments, std::index_sequence<Places...>) {
    kernel(*static_cast<std::remove_cv_t<std::remove_reference_t<Arguments>> *>(arguments[Places])...);
}

template <class... Arguments> bool enter_name(const char *name, void (*kernel)(Arguments...)) {
    entries().push_back({name, reinterpret_cast<void *>(kernel), [](void *kernel, void **arguments) {
                             auto typed = reinterpret_cast<void (*)(Arguments...)>(kernel);
                             call_with(typed, arguments, std::index_sequence_for<Arguments...>{});
                         }});
    return true;
}

// What became of a launch; the numbers are the library's interface.
enum class Outcome { Done = 0, UnknownEntry = 1, Fault = 2, BadConfiguration = 3 };

inline bool configuration_fits(const uint3 &grid, const uint3 &block, unsigned shared_bytes) {
    std::uint64_t threads = std::uint64_t{block.x} * block.y * block.z;
    return threads >= 1 && threads <= MOST_THREADS && block.z <= 64 && grid.x >= 1 && grid.x <= 0x7fffffff && grid.y >= 1 &&
           grid.y <= 65535 && grid.z >= 1 && grid.z <= 65535 && shared_bytes <= SharedMemory::MOST_BYTES;
}

// Runs all blocks one after the other on the calling thread; any thread may launch at any time.
class Device {
  public:
    Outcome run(const Launch &launch) {
        fault_[0] = 0;
        if (!block_) block_ = std::make_unique<Block>();
        const uint3 &grid = launch.grid;
        std::uint64_t blocks = std::uint64_t{grid.x} * grid.y * grid.z;
        for (std::uint64_t at = 0; at < blocks; at++) {
            std::uint64_t number = launch.descending ? blocks - 1 - at : at;
            uint3 index = {static_cast<unsigned>(number % grid.x), static_cast<unsigned>(number / grid.x % grid.y),
                           static_cast<unsigned>(number / grid.x / grid.y)};
            if (!block_->run(launch, index)) return failed();
        }
        return Outcome::Done;
    }
    const char *fault() const { return fault_; }
    bool descending = false;

  private:
    Outcome failed() {
        std::snprintf(fault_, sizeof fault_, "%s", block_->fault());
        return Outcome::Fault;
    }
    std::unique_ptr<Block> block_;
    char fault_[256] = "";
};

// The device of the calling thread.
inline Device &device() {
    static thread_local Device device;
    return device;
}

inline Outcome launch(const char *name, const unsigned grid[3], const unsigned block[3], unsigned shared_bytes, void **arguments) {
    uint3 blocks = {grid[0], grid[1], grid[2]}, threads = {block[0], block[1], block[2]};
    for (const Entry &entry : entries()) {
        if (std::strcmp(entry.name, name) != 0) continue;
        if (!configuration_fits(blocks, threads, shared_bytes)) return Outcome::BadConfiguration;
        return device().run({blocks, threads, shared_bytes, entry.call, entry.kernel, arguments, device().descending});
    }
    return Outcome::UnknownEntry;
}

} // namespace cuda_cpu
