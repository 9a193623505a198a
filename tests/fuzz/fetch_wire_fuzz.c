// SPDX-License-Identifier: Apache-2.0
/* fetch_wire_fuzz.c — any bytes as a response of a broker. The first byte chooses the version.
 *
 * Whatever it says: nothing outside is read (the sanitizer sees to that, for the bytes lie in
 * memory of their own length), what a part points to lies inside, and parts end.
 */
#include <string.h>

#include "base/fail.h"
#include "driver.h"
#include "kafka/fetch_wire.h"
#include "kafka/leadership.h"

static void walk(struct cm_fetch_answer *answer, const uint8_t *bytes, size_t len)
{
    struct cm_fetch_part part;
    size_t parts = 0;
    int rc;
    while ((rc = cm_fetch_next(answer, &part)) == 1) {
        FUZZ_REQUIRE(++parts <= len); /* each takes some bytes */
        FUZZ_REQUIRE(part.bytes >= bytes && part.bytes + part.len <= bytes + len);
        int32_t epoch = -1;
        struct cm_fetch_batches batches;
        FUZZ_REQUIRE(cm_fetch_end(&part, 7, &epoch, &batches) >= 7);
        FUZZ_REQUIRE(batches.bytes <= part.len && batches.largest <= batches.bytes);
        if (part.aborted_count > 0) {
            FUZZ_REQUIRE(part.aborted_count <= len / 16);
            struct cm_aborted *aborted = calloc(part.aborted_count, sizeof(*aborted));
            FUZZ_REQUIRE(aborted != NULL);
            cm_fetch_aborted(answer, &part, aborted);
            free(aborted);
        }
    }
    FUZZ_REQUIRE(rc == 0 || rc == -CM_ERR_CORRUPT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 5) {
        return 0;
    }
    int16_t version = (int16_t)(CM_FETCH_VERSION_LEAST +
                                data[0] % (CM_FETCH_VERSION_MOST - CM_FETCH_VERSION_LEAST + 1));
    size_t len = size - 1;
    uint8_t *bytes = malloc(len);
    FUZZ_REQUIRE(bytes != NULL);
    memcpy(bytes, data + 1, len);
    memset(bytes, 0, 4); /* the correlation is what was asked for */
    struct cm_fetch_answer answer;
    int rc = cm_fetch_begin(&answer, version, 0, bytes, len);
    FUZZ_REQUIRE(rc == 0 || rc == -CM_ERR_CORRUPT);
    if (rc == 0) {
        walk(&answer, bytes, len);
    }
    struct cm_broker_versions best;
    rc = cm_fetch_read_versions(bytes, len, 0, &best);
    FUZZ_REQUIRE(rc != 0 ||
                 (best.fetch >= CM_FETCH_VERSION_LEAST && best.fetch <= CM_FETCH_VERSION_MOST));
    struct cm_led_partition led = {.epoch = -1, .replica = -1};
    struct cm_leadership leadership = {.partitions = &led, .count = 1};
    rc = cm_leadership_read_epochs(&leadership, 0, "calls", bytes, len);
    FUZZ_REQUIRE((rc >= 0 || rc == -CM_ERR_CORRUPT) && led.epoch >= -1);
    free(bytes);
    return 0;
}
