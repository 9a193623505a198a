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

#endif
