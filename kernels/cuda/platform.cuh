// What every kernel includes: the GPU's compiler, or its twin on a CPU (cpu/cuda_cpu.hpp).
//
// A kernel is `extern "C" __global__ void name(..)`, followed by NARTHEX_ENTRY(name). Dynamic shared memory is taken with
// DYNAMIC_SHARED(type, name), 16-byte aligned. Neither CUDA's headers of numbers nor inline PTX appear in a kernel's file: what is
// needed of them is wrapped here, in bf16.cuh or in matrix.cuh, with a twin.
#pragma once

#ifdef __CUDACC__

#include <stddef.h>
#include <stdint.h>

#define NARTHEX_ENTRY(name)
#define DYNAMIC_SHARED(type, name)                                                                                                 \
    extern __shared__ __align__(16) unsigned char narthex_dynamic_shared[];                                                        \
    type *name = reinterpret_cast<type *>(narthex_dynamic_shared)

#else

#include "cpu/cuda_cpu.hpp"

#define NARTHEX_ENTRY(name) static const bool narthex_entered_##name = ::cuda_cpu::enter_name(#name, name);
#define DYNAMIC_SHARED(type, name) type *name = reinterpret_cast<type *>(::cuda_cpu::current->block->shared())

#endif
