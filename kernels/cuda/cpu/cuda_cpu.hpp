// CUDA C++ on a CPU: what a kernel's source needs so that a C++ compiler makes it a library that runs it, for tests on machines
// without a GPU. Not shipped. What it does not have does not compile.
//
// Same bits as a GPU: everything IEEE (compile with -ffp-contract=off). Not the same bits: functions that CUDA calls approximate, and
// the order in which tensor cores add (matrix.hpp).
#pragma once
#include "types.hpp"

#include "block.hpp"
#include "collectives.hpp"
#include "intrinsics.hpp"
#include "launch.hpp"
#include "matrix.hpp"

using dim3 = uint3;
using std::size_t;

#define __global__
#define __device__
#define __host__
#define __constant__ static
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(bytes) __attribute__((aligned(bytes)))
// One for each thread of the system, which runs one block at a time.
#define __shared__ static thread_local

#define threadIdx (::cuda_cpu::current->index)
#define blockIdx (::cuda_cpu::current->block->index())
#define blockDim (::cuda_cpu::current->block->launch().block)
#define gridDim (::cuda_cpu::current->block->launch().grid)
constexpr int warpSize = 32;
