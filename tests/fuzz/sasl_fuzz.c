// SPDX-License-Identifier: Apache-2.0
/* sasl_fuzz.c — any bytes as a broker's side of an authentication. The first byte chooses mechanism
 * and version; then responses, each behind two bytes of length.
 *
 * Whatever it says: nothing outside is read, a SCRAM conversation does not end well (the nonce is
 * not the broker's to choose, and it does not know the password), and no secret is in a text.
 */
#include "kafka/sasl.h"

#include <string.h>

#include "base/fail.h"
#include "driver.h"

#define NONCE "rOprNGfwEbeRWgbNEkqO"

static char user[] = "user", password[] = "hunter2-hunter2";

/* Of its own length, for the sanitizer; the correlation is what was asked for. */
static int read_copy(struct cm_sasl *sasl, const uint8_t *data, size_t len)
{
    uint8_t *bytes = malloc(len + 1);
    FUZZ_REQUIRE(bytes != NULL);
    memcpy(bytes, data, len);
    memset(bytes, 0, len < 4 ? len : 4);
    uint8_t *exact = realloc(bytes, len == 0 ? 1 : len);
    int rc = cm_sasl_read(sasl, 0, exact, len);
    free(exact);
    return rc;
}

/* Stretching a password takes long, and is libcrypto's. */
static bool is_slow(const uint8_t *data, size_t size)
{
    static const char at[] = ",i=";
    for (size_t i = 0; i + 8 < size; i++) {
        if (memcmp(data + i, at, sizeof at - 1) == 0 && data[i + 7] >= '0' && data[i + 7] <= '9') {
            return true; /* five digits and more */
        }
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || is_slow(data, size)) {
        return 0;
    }
    struct cm_sasl_terms terms = {(enum cm_sasl_mechanism)(CM_SASL_PLAIN + data[0] % 3), user,
                                  password};
    struct cm_sasl sasl = {0};
    struct cm_text out = {0};
    size_t at = 1;
    int rc = 1;
    cm_sasl_begin(&sasl, &terms, (int16_t)(data[0] >> 7), NONCE);
    while (rc == 1 && at + 2 <= size) {
        size_t len = (size_t)data[at] << 8 | data[at + 1];
        at += 2;
        len = len < size - at ? len : size - at;
        out.len = 0;
        cm_sasl_write(&sasl, 0, "fuzz", &out);
        rc = read_copy(&sasl, data + at, len);
        at += len;
    }
    FUZZ_REQUIRE(rc == 1 || rc == 0 || rc == -CM_ERR_KAFKA);
    FUZZ_REQUIRE(rc != 0 || terms.mechanism == CM_SASL_PLAIN);
    FUZZ_REQUIRE(rc >= 0 || strstr(cm_fail_text(), "hunter2") == NULL);
    cm_sasl_end(&sasl);
    cm_text_free(&out);
    return 0;
}
