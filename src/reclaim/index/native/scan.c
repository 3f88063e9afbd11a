/* The scans for each kind of processor, and which of them this one can run. One build holds them all. */
#include "kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vpopcntdq,avx512bitalg,avx2,popcnt,bmi,bmi2")))
#define NAME(x) x##_avx512_popcnt
#define TITLE "avx512-bitalg"
#define LEVEL 3
#include "scan_impl.h"
#undef TARGET
#undef NAME
#undef TITLE
#undef LEVEL

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx2,popcnt,bmi,bmi2")))
#define NAME(x) x##_avx512
#define TITLE "avx512-bw"
#define LEVEL 2
#include "scan_impl.h"
#undef TARGET
#undef NAME
#undef TITLE
#undef LEVEL

#define TARGET __attribute__((target("avx2,popcnt,bmi,bmi2")))
#define NAME(x) x##_avx2
#define TITLE "avx2"
#define LEVEL 1
#include "scan_impl.h"
#undef TARGET
#undef NAME
#undef TITLE
#undef LEVEL
#endif

#define TARGET
#define NAME(x) x##_plain
#define TITLE "plain"
#define LEVEL 0
#include "scan_impl.h"

size_t kernels_here(const Kernel **out, size_t room)
{
    size_t count = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    const int bmi = __builtin_cpu_supports("popcnt") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    const int avx2 = bmi && __builtin_cpu_supports("avx2");
    const int avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                       __builtin_cpu_supports("avx512vl");
    if (avx512 && __builtin_cpu_supports("avx512vpopcntdq") && __builtin_cpu_supports("avx512bitalg") && count < room) {
        out[count++] = &kernel_avx512_popcnt;
    }
    if (avx512 && count < room) {
        out[count++] = &kernel_avx512;
    }
    if (avx2 && count < room) {
        out[count++] = &kernel_avx2;
    }
#endif
    if (count < room) {
        out[count++] = &kernel_plain;
    }
    return count;
}
