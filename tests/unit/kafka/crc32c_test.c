// SPDX-License-Identifier: Apache-2.0
/* crc32c_test.c — known checksums, and every kernel against a bit at a time, at all lengths around
 * those of its lanes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "kafka/crc32c.h"

#define BYTES (3 * 4096 + 4096)

static uint8_t bytes[BYTES + 8];

static uint32_t slow(const uint8_t *p, size_t len)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < len; i++) {
        crc ^= p[i];
        for (uint32_t bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? UINT32_C(0x82f63b78) : 0);
        }
    }
    return ~crc;
}

static void test_known(void **state)
{
    (void)state;
    uint8_t block[32];
    for (int kernel = 0; kernel < CM_CRC32C_KERNELS; kernel++) {
        if (!cm_crc32c_runs((enum cm_crc32c_kernel)kernel)) {
            continue;
        }
        /* RFC 3720, appendix B.4 */
        memset(block, 0, sizeof(block));
        assert_int_equal(cm_crc32c_by((enum cm_crc32c_kernel)kernel, block, 32), 0x8a9136aa);
        memset(block, 0xff, sizeof(block));
        assert_int_equal(cm_crc32c_by((enum cm_crc32c_kernel)kernel, block, 32), 0x62a8ab43);
        for (uint8_t i = 0; i < 32; i++) {
            block[i] = i;
        }
        assert_int_equal(cm_crc32c_by((enum cm_crc32c_kernel)kernel, block, 32), 0x46dd794e);
        assert_int_equal(cm_crc32c_by((enum cm_crc32c_kernel)kernel, "123456789", 9), 0xe3069283);
        assert_int_equal(cm_crc32c_by((enum cm_crc32c_kernel)kernel, "", 0), 0);
    }
    assert_int_equal(cm_crc32c("123456789", 9), 0xe3069283);
}

static void test_lengths_and_places(void **state)
{
    (void)state;
    for (size_t len = 0; len <= BYTES; len += len < 3 * 512 + 80 ? 1 : 97) {
        const uint8_t *p = bytes + len % 8;
        uint32_t wanted = slow(p, len);
        assert_int_equal(cm_crc32c(p, len), wanted);
        for (int kernel = 0; kernel < CM_CRC32C_KERNELS; kernel++) {
            if (cm_crc32c_runs((enum cm_crc32c_kernel)kernel)) {
                assert_int_equal(cm_crc32c_by((enum cm_crc32c_kernel)kernel, p, len), wanted);
            }
        }
    }
}

/* Where the machine has the instruction, it is what runs. */
static void test_kernels(void **state)
{
    (void)state;
    assert_true(cm_crc32c_runs(CM_CRC32C_TABLE));
#if defined(__x86_64__)
    assert_false(cm_crc32c_runs(CM_CRC32C_ARMV8));
#endif
    assert_false(cm_crc32c_runs(CM_CRC32C_KERNELS));
}

int main(void)
{
    struct cm_prng prng;
    cm_prng_seed(&prng, 1);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)cm_prng_next(&prng);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_lengths_and_places),
        cmocka_unit_test(test_kernels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
