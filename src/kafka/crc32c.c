// SPDX-License-Identifier: Apache-2.0
/* Checksums are kept reflected: bit 31 of the register is the term x^0. To move one up by n bytes
 * is to multiply it by x^(8n) modulo the polynomial. */
#include "kafka/crc32c.h"

#include <pthread.h>
#include <string.h>

#include "base/fail.h"

#define POLYNOMIAL UINT32_C(0x82f63b78) /* 0x1edc6f41 reflected */

/* ---- the table ---- */

/* table[k][b]: byte b followed by k zero bytes. */
static uint32_t table[8][256];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static void make_table(void)
{
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t crc = b;
        for (uint32_t bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
        }
        table[0][b] = crc;
    }
    for (uint32_t k = 1; k < 8; k++) {
        for (uint32_t b = 0; b < 256; b++) {
            uint32_t before = table[k - 1][b];
            table[k][b] = (before >> 8) ^ table[0][before & 0xff];
        }
    }
}

static uint32_t by_table(uint32_t crc, const uint8_t *p, size_t len)
{
    pthread_once(&table_once, make_table);
    for (; len >= 8; p += 8, len -= 8) {
        uint32_t low = crc ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
                              (uint32_t)p[3] << 24);
        crc = table[7][low & 0xff] ^ table[6][(low >> 8) & 0xff] ^ table[5][(low >> 16) & 0xff] ^
              table[4][low >> 24] ^ table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^
              table[0][p[7]];
    }
    for (; len > 0; p++, len--) {
        crc = (crc >> 8) ^ table[0][(crc ^ *p) & 0xff];
    }
    return crc;
}

/* ---- the instruction ---- */

#if defined(__x86_64__) || defined(__AARCH64EL__)
static inline uint64_t load64(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof(word));
    return word;
}

/* Three lanes of so many bytes, and what moves the first up by two lanes, the second by one:
 * x^(8n - 33), because a carry-less product of reflected numbers comes out one power short, and the
 * instruction that reduces it adds 32. */
struct lanes {
    size_t bytes;
    uint32_t up_two;
    uint32_t up_one;
};

static const struct lanes lanes_of[] = {
    {4096, 0x54a86326, 0x82f89c77},
    {512, 0x170076fa, 0xdd7e3b0c},
    {64, 0x0d3b6092, 0x9e4addf8},
};
#endif

#if defined(__x86_64__)
#include <immintrin.h>

#define SSE42 __attribute__((target("sse4.2,pclmul")))

SSE42 static inline uint64_t moved_up(uint32_t crc, uint32_t power)
{
    __m128i product =
        _mm_clmulepi64_si128(_mm_cvtsi32_si128((int)crc), _mm_cvtsi32_si128((int)power), 0);
    return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

SSE42 static uint32_t by_sse42(uint32_t crc, const uint8_t *p, size_t len)
{
    uint64_t a = crc;
    for (const struct lanes *lanes = lanes_of; lanes < lanes_of + CM_ARRAY_LEN(lanes_of); lanes++) {
        size_t lane = lanes->bytes;
        for (; len >= 3 * lane; p += 3 * lane, len -= 3 * lane) {
            uint64_t b = 0, c = 0;
            for (size_t i = 0; i < lane; i += 8) {
                a = _mm_crc32_u64(a, load64(p + i));
                b = _mm_crc32_u64(b, load64(p + lane + i));
                c = _mm_crc32_u64(c, load64(p + 2 * lane + i));
            }
            a = moved_up((uint32_t)a, lanes->up_two) ^ moved_up((uint32_t)b, lanes->up_one) ^ c;
        }
    }
    for (; len >= 8; p += 8, len -= 8) {
        a = _mm_crc32_u64(a, load64(p));
    }
    crc = (uint32_t)a;
    for (; len > 0; p++, len--) {
        crc = _mm_crc32_u8(crc, *p);
    }
    return crc;
}

static bool has_sse42(void)
{
    return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
}
#endif

#if defined(__AARCH64EL__)
#include <sys/auxv.h>

#ifndef HWCAP_CRC32
#define HWCAP_CRC32 (1 << 7)
#endif
#ifndef HWCAP_PMULL
#define HWCAP_PMULL (1 << 4)
#endif

/* By name, because headers offer the intrinsics only where the whole build has the extension. */
static inline uint32_t crc_8(uint32_t crc, uint64_t word)
{
    uint32_t out;
    __asm__(".arch_extension crc\n\tcrc32cx %w0, %w1, %x2" : "=r"(out) : "r"(crc), "r"(word));
    return out;
}

static inline uint32_t crc_1(uint32_t crc, uint8_t byte)
{
    uint32_t out;
    __asm__(".arch_extension crc\n\tcrc32cb %w0, %w1, %w2" : "=r"(out) : "r"(crc), "r"(byte));
    return out;
}

static inline uint32_t moved_up(uint32_t crc, uint32_t power)
{
    uint64_t product;
    __asm__(".arch_extension crypto\n\tfmov d0, %x1\n\tfmov d1, %x2\n\t"
            "pmull v0.1q, v0.1d, v1.1d\n\tfmov %x0, d0"
            : "=r"(product)
            : "r"((uint64_t)crc), "r"((uint64_t)power)
            : "v0", "v1");
    return crc_8(0, product);
}

static uint32_t by_armv8(uint32_t crc, const uint8_t *p, size_t len)
{
    for (const struct lanes *lanes = lanes_of; lanes < lanes_of + CM_ARRAY_LEN(lanes_of); lanes++) {
        size_t lane = lanes->bytes;
        for (; len >= 3 * lane; p += 3 * lane, len -= 3 * lane) {
            uint32_t b = 0, c = 0;
            for (size_t i = 0; i < lane; i += 8) {
                crc = crc_8(crc, load64(p + i));
                b = crc_8(b, load64(p + lane + i));
                c = crc_8(c, load64(p + 2 * lane + i));
            }
            crc = moved_up(crc, lanes->up_two) ^ moved_up(b, lanes->up_one) ^ c;
        }
    }
    for (; len >= 8; p += 8, len -= 8) {
        crc = crc_8(crc, load64(p));
    }
    for (; len > 0; p++, len--) {
        crc = crc_1(crc, *p);
    }
    return crc;
}

static bool has_armv8(void)
{
    unsigned long wanted = HWCAP_CRC32 | HWCAP_PMULL;
    return (getauxval(AT_HWCAP) & wanted) == wanted;
}
#endif

/* ---- the choice ---- */

bool cm_crc32c_runs(enum cm_crc32c_kernel kernel)
{
    switch (kernel) {
    case CM_CRC32C_TABLE:
        return true;
#if defined(__x86_64__)
    case CM_CRC32C_SSE42:
        return has_sse42();
#endif
#if defined(__AARCH64EL__)
    case CM_CRC32C_ARMV8:
        return has_armv8();
#endif
    default:
        return false;
    }
}

uint32_t cm_crc32c_by(enum cm_crc32c_kernel kernel, const void *bytes, size_t len)
{
    CM_ASSERT(cm_crc32c_runs(kernel));
    switch (kernel) {
#if defined(__x86_64__)
    case CM_CRC32C_SSE42:
        return ~by_sse42(UINT32_MAX, bytes, len);
#endif
#if defined(__AARCH64EL__)
    case CM_CRC32C_ARMV8:
        return ~by_armv8(UINT32_MAX, bytes, len);
#endif
    default:
        return ~by_table(UINT32_MAX, bytes, len);
    }
}

uint32_t cm_crc32c(const void *bytes, size_t len)
{
#if defined(__x86_64__)
    if (CM_LIKELY(has_sse42())) {
        return ~by_sse42(UINT32_MAX, bytes, len);
    }
#elif defined(__AARCH64EL__)
    if (CM_LIKELY(has_armv8())) {
        return ~by_armv8(UINT32_MAX, bytes, len);
    }
#endif
    return ~by_table(UINT32_MAX, bytes, len);
}
