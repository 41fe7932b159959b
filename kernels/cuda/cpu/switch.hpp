// Changes from one stack to another: what a cooperative thread of a block costs, a few nanoseconds on x86-64 and aarch64.
#pragma once
#include <cstddef>
#include <cstdint>

// NARTHEX_UCONTEXT takes the portable way on any machine.
#if defined(NARTHEX_UCONTEXT) || !(defined(__x86_64__) || defined(__aarch64__))
#define NARTHEX_PORTABLE
#include <memory>
#include <ucontext.h>
#endif

namespace cuda_cpu {

#if defined(NARTHEX_PORTABLE)

// Anywhere else: the C library's contexts, which ask the kernel at every change.
using Context = std::shared_ptr<ucontext_t>;

inline void change(Context &from, Context &to) {
    if (!from) from = std::make_shared<ucontext_t>();
    swapcontext(from.get(), to.get());
}

inline Context fresh(char *top, std::size_t bytes, void (*entry)()) {
    auto context = std::make_shared<ucontext_t>();
    getcontext(context.get());
    context->uc_stack.ss_sp = top - bytes;
    context->uc_stack.ss_size = bytes;
    context->uc_link = nullptr;
    makecontext(context.get(), entry, 0);
    return context;
}

#elif defined(__x86_64__)

// Saves the callee-saved registers of the System V ABI on this stack and its top in *from, then goes on where `to` left off.
extern "C" void narthex_cuda_cpu_switch(void **from, void *to);
asm(R"(
    .text
    .balign 16
    .globl narthex_cuda_cpu_switch
    .hidden narthex_cuda_cpu_switch
    .type narthex_cuda_cpu_switch, @function
narthex_cuda_cpu_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size narthex_cuda_cpu_switch, .-narthex_cuda_cpu_switch
)");

using Context = void *;

inline void change(Context &from, Context &to) { narthex_cuda_cpu_switch(&from, to); }

// A context that enters `entry` on the stack that ends at `top` (a multiple of 16): six registers, the entry, and no caller.
inline Context fresh(char *top, std::size_t, void (*entry)()) {
    auto *words = reinterpret_cast<std::uintptr_t *>(top);
    for (int word = 1; word <= 8; word++) words[-word] = 0;
    words[-2] = reinterpret_cast<std::uintptr_t>(entry);
    return words - 8;
}

#elif defined(__aarch64__)

// Saves the callee-saved registers of the AAPCS64 on this stack and its top in *from, then goes on where `to` left off.
extern "C" void narthex_cuda_cpu_switch(void **from, void *to);
asm(R"(
    .text
    .balign 16
    .globl narthex_cuda_cpu_switch
    .hidden narthex_cuda_cpu_switch
    .type narthex_cuda_cpu_switch, %function
narthex_cuda_cpu_switch:
    sub sp, sp, #160
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    ret
    .size narthex_cuda_cpu_switch, .-narthex_cuda_cpu_switch
)");

using Context = void *;

inline void change(Context &from, Context &to) { narthex_cuda_cpu_switch(&from, to); }

// A context that enters `entry` on the stack that ends at `top` (a multiple of 16): x30 is where the switch returns to.
inline Context fresh(char *top, std::size_t, void (*entry)()) {
    auto *words = reinterpret_cast<std::uintptr_t *>(top) - 20;
    for (int word = 0; word < 20; word++) words[word] = 0;
    words[11] = reinterpret_cast<std::uintptr_t>(entry);
    return words;
}

#endif

} // namespace cuda_cpu
