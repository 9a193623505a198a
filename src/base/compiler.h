// SPDX-License-Identifier: Apache-2.0
/* compiler.h — the few words the compiler needs spelled once. */
#ifndef CM_BASE_COMPILER_H
#define CM_BASE_COMPILER_H

#define CM_CACHE_LINE       64
#define CM_LIKELY(x)        __builtin_expect(!!(x), 1)
#define CM_UNLIKELY(x)      __builtin_expect(!!(x), 0)
#define CM_ARRAY_LEN(a)     (sizeof(a) / sizeof((a)[0]))
#define CM_PRINTF(fmt, arg) __attribute__((format(printf, fmt, arg)))
#define CM_NODISCARD        __attribute__((warn_unused_result))
#define CM_ALWAYS_INLINE    inline __attribute__((always_inline))
#define CM_NOINLINE         __attribute__((noinline))
#define CM_ALIGNED(n)       __attribute__((aligned(n)))

/* Fetches the cache line at an address, to be read or to be written soon. A compiler that sees a
 * function do nothing but __builtin_prefetch() takes it for one without effect and leaves out its
 * calls: gcc 12 does at -O2, and says nothing. The empty asm is an effect, and no instruction. */
static CM_ALWAYS_INLINE void cm_prefetch(const void *at)
{
    __builtin_prefetch(at, 0);
    __asm__ volatile("" : : "r"(at));
}

static CM_ALWAYS_INLINE void cm_prefetch_write(const void *at)
{
    __builtin_prefetch(at, 1);
    __asm__ volatile("" : : "r"(at));
}

#endif
