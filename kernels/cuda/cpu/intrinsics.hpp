// CUDA's device functions on one value, with the same results bit for bit where CUDA's are IEEE's; those that are approximate on a
// GPU (rsqrtf, __expf, exp2f ..) are the C library's here, and no kernel that promises bits may call them.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

template <class To, class From> To narthex_bits_as(From from) {
    static_assert(sizeof(To) == sizeof(From), "the same bits");
    To to;
    std::memcpy(&to, &from, sizeof to);
    return to;
}

inline unsigned __float_as_uint(float x) { return narthex_bits_as<unsigned>(x); }
inline int __float_as_int(float x) { return narthex_bits_as<int>(x); }
inline float __uint_as_float(unsigned x) { return narthex_bits_as<float>(x); }
inline float __int_as_float(int x) { return narthex_bits_as<float>(x); }
inline long long __double_as_longlong(double x) { return narthex_bits_as<long long>(x); }
inline double __longlong_as_double(long long x) { return narthex_bits_as<double>(x); }

inline float __fmaf_rn(float x, float y, float z) { return __builtin_fmaf(x, y, z); }
inline float __fadd_rn(float x, float y) { return x + y; }
inline float __fsub_rn(float x, float y) { return x - y; }
inline float __fmul_rn(float x, float y) { return x * y; }
inline float __fdiv_rn(float x, float y) { return x / y; }
inline float __frcp_rn(float x) { return 1.0f / x; }
inline float __fsqrt_rn(float x) { return __builtin_sqrtf(x); }
inline double __fma_rn(double x, double y, double z) { return __builtin_fma(x, y, z); }
inline double __dadd_rn(double x, double y) { return x + y; }
inline double __dmul_rn(double x, double y) { return x * y; }
inline double __ddiv_rn(double x, double y) { return x / y; }
inline double __dsqrt_rn(double x) { return __builtin_sqrt(x); }

inline int __float2int_rn(float x) { return static_cast<int>(__builtin_rintf(x)); }
inline int __float2int_rz(float x) { return static_cast<int>(x); }
inline unsigned __float2uint_rn(float x) { return static_cast<unsigned>(__builtin_rintf(x)); }
inline float __int2float_rn(int x) { return static_cast<float>(x); }
inline float __uint2float_rn(unsigned x) { return static_cast<float>(x); }
inline float __ll2float_rn(long long x) { return static_cast<float>(x); }
inline float __double2float_rn(double x) { return static_cast<float>(x); }

inline float rsqrtf(float x) { return 1.0f / __builtin_sqrtf(x); }
inline float __expf(float x) { return __builtin_expf(x); }
inline float __logf(float x) { return __builtin_logf(x); }
inline float __fdividef(float x, float y) { return x / y; }

inline int min(int a, int b) { return a < b ? a : b; }
inline unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
inline long long min(long long a, long long b) { return a < b ? a : b; }
inline unsigned long long min(unsigned long long a, unsigned long long b) { return a < b ? a : b; }
inline unsigned long min(unsigned long a, unsigned long b) { return a < b ? a : b; }
inline float min(float a, float b) { return __builtin_fminf(a, b); }
inline int max(int a, int b) { return a > b ? a : b; }
inline unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }
inline long long max(long long a, long long b) { return a > b ? a : b; }
inline unsigned long long max(unsigned long long a, unsigned long long b) { return a > b ? a : b; }
inline unsigned long max(unsigned long a, unsigned long b) { return a > b ? a : b; }
inline float max(float a, float b) { return __builtin_fmaxf(a, b); }

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz(static_cast<unsigned>(x)); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline unsigned __umulhi(unsigned x, unsigned y) { return static_cast<unsigned>((static_cast<std::uint64_t>(x) * y) >> 32); }
inline unsigned long long __umul64hi(unsigned long long x, unsigned long long y) {
    return static_cast<unsigned long long>((static_cast<unsigned __int128>(x) * y) >> 64);
}
inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned by) {
    by &= 31;
    return by == 0 ? high : high << by | low >> (32 - by);
}
inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned by) {
    by &= 31;
    return by == 0 ? low : low >> by | high << (32 - by);
}
inline unsigned __byte_perm(unsigned x, unsigned y, unsigned selector) {
    std::uint64_t bytes = static_cast<std::uint64_t>(y) << 32 | x;
    unsigned result = 0;
    for (unsigned byte = 0; byte < 4; byte++) {
        unsigned select = selector >> (4 * byte);
        auto value = static_cast<unsigned>(bytes >> (8 * (select & 7))) & 0xff;
        if ((select & 8) != 0) value = (value & 0x80) != 0 ? 0xff : 0;
        result |= value << (8 * byte);
    }
    return result;
}
inline unsigned __brev(unsigned x) {
    unsigned result = 0;
    for (unsigned bit = 0; bit < 32; bit++) result |= (x >> bit & 1) << (31 - bit);
    return result;
}

// Products of four signed bytes, added to `c`.
inline int __dp4a(int a, int b, int c) {
    for (int byte = 0; byte < 4; byte++)
        c += static_cast<std::int8_t>(a >> (8 * byte)) * static_cast<std::int8_t>(b >> (8 * byte));
    return c;
}
inline unsigned __dp4a(unsigned a, unsigned b, unsigned c) {
    for (int byte = 0; byte < 4; byte++) c += (a >> (8 * byte) & 0xff) * (b >> (8 * byte) & 0xff);
    return c;
}
// Products of two signed words of `a` with the two lower or upper signed bytes of `b`, added to `c`.
inline int __dp2a_lo(int a, int b, int c) {
    for (int word = 0; word < 2; word++)
        c += static_cast<std::int16_t>(a >> (16 * word)) * static_cast<std::int8_t>(b >> (8 * word));
    return c;
}
inline int __dp2a_hi(int a, int b, int c) { return __dp2a_lo(a, b >> 16, c); }

template <class T> T __ldg(const T *pointer) { return *pointer; }
template <class T> T __ldcg(const T *pointer) { return *pointer; }
template <class T> T __ldcs(const T *pointer) { return *pointer; }
template <class T> void __stcg(T *pointer, T value) { *pointer = value; }
template <class T> void __stcs(T *pointer, T value) { *pointer = value; }

inline void __threadfence() {}
inline void __threadfence_block() {}
[[noreturn]] inline void __trap() { __builtin_trap(); }

template <class T> T atomicAdd(T *address, T value) {
    static_assert(static_cast<T>(0.5) == 0, "sums of floats have an order, so they are not atomic");
    return __atomic_fetch_add(address, value, __ATOMIC_RELAXED);
}
template <class T> T atomicExch(T *address, T value) { return __atomic_exchange_n(address, value, __ATOMIC_RELAXED); }
template <class T> T atomicMax(T *address, T value) {
    T before = __atomic_load_n(address, __ATOMIC_RELAXED);
    while (before < value && !__atomic_compare_exchange_n(address, &before, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {}
    return before;
}
template <class T> T atomicMin(T *address, T value) {
    T before = __atomic_load_n(address, __ATOMIC_RELAXED);
    while (value < before && !__atomic_compare_exchange_n(address, &before, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {}
    return before;
}
template <class T> T atomicCAS(T *address, T expected, T value) {
    __atomic_compare_exchange_n(address, &expected, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    return expected;
}
