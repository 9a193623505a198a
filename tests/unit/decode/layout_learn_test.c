// SPDX-License-Identifier: Apache-2.0
/* layout_learn_test.c — which records give a layout; what it says about the record it came from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "unit/decode/layout_kit.h"

static void usual_records_give_a_layout(void **state)
{
    static const char *const records[] = {
        KIT_FULL,
        KIT_HEAD "}",
        KIT_HEAD ",\"x\":{}}",
        KIT_HEAD ",\"checks\":{}}",
        KIT_HEAD ",\"state\":7,\"score\":\"?\",\"checks\":{\"a,b\":true}}",
        "{\"agent\":\"a1\",\"id\":\"i\",\"outcome\":\"timeout\",\"ts\":1793581200083,\"type\":"
        "\"cdr\"}",
        "{\"type\": \"cdr\", \"id\": \"c1-1\", \"ts\": 1793581200083, \"outcome\": \"answered\"}",
        "{ \"type\" : \"cdr\" ,\"id\" : \"c,1\" ,\"ts\" : 1793581200083, \"outcome\": \"timeout\" "
        "}",
        "{\"type\":\"seat_state\",\"id\":\"e1\",\"ts\":1793581200083,\"seat\":\"s\",\"state\":"
        "\"break\",\"reason\":\"x,y\",\"agent\":\"\"}",
        "{\"type\":\"case\",\"id\":\"e1\",\"ts\":1793581200083,\"seat\":\"s\",\"case\":\"c\","
        "\"kind\":\"k\",\"step\":\"onsite\"}",
    };
    struct kit kit;
    (void)state;
    kit_init(&kit);
    for (uint32_t i = 0; i < CM_ARRAY_LEN(records); i++) {
        if (!kit_learn(&kit, records[i])) {
            fail_msg("no layout: %s", records[i]);
        }
        if (kit_judge(&kit, records[i], strlen(records[i])) != 1) {
            fail_msg("not read: %s", records[i]);
        }
    }
    kit_free(&kit);
}

static void what_a_layout_cannot_say_is_not_learnt(void **state)
{
    static const char *const records[] = {
        KIT_HEAD ",\"id\":\"c2\"}",                      /* twice */
        KIT_HEAD ",\"checks\":{\"a\":true,\"a\":true}}", /* twice */
        KIT_HEAD ",\"wait_ms\":100000000}",              /* nine digits */
        KIT_HEAD ",  \"wait_ms\":1}",                    /* no anchor */
        "{\"type\":\"cdr\",\"id\":\"c1-1\",\"ts\":5,\"outcome\":\"answered\",\"call\":\"c\"}",
    };
    struct kit kit;
    char record[4096];
    int len;
    (void)state;
    kit_init(&kit);
    for (uint32_t i = 0; i < CM_ARRAY_LEN(records); i++) {
        if (kit_learn(&kit, records[i])) {
            fail_msg("learnt: %s", records[i]);
        }
    }
    len = snprintf(record, sizeof record, "%s", KIT_HEAD ",\"checks\":{");
    for (uint32_t i = 0; i <= CM_LAYOUT_CHECKS_MAX; i++) {
        len += snprintf(record + len, sizeof record - (size_t)len, "\"%u\":true,", i);
    }
    (void)snprintf(record + len - 1, sizeof record - (size_t)len, "}}");
    assert_false(kit_learn(&kit, record));
    len = snprintf(record, sizeof record, "%s", KIT_HEAD);
    for (uint32_t i = 0; i < 20; i++) {
        len += snprintf(record + len, sizeof record - (size_t)len, ",\"%u\":%u", i, i);
    }
    (void)snprintf(record + len, sizeof record - (size_t)len, "}");
    assert_false(kit_learn(&kit, record));
    kit_free(&kit);
}

/* All orders of a few fields: the runs are short, and lie near both ends of the record. */
static void order_does_not_matter(void **state)
{
    static const char *const fields[] = {"\"id\":\"i\"", "\"type\":\"cdr\"", "\"rev\":1",
                                         "\"ts\":1793581200083", "\"outcome\":\"timeout\""};
    struct kit kit;
    uint32_t learnt = 0;
    (void)state;
    kit_init(&kit);
    for (uint32_t order = 0; order < 120; order++) {
        bool used[5] = {false};
        char record[256] = "{";
        uint32_t rest = order;
        for (uint32_t left = 5; left > 0; left--) {
            uint32_t skip = rest % left;
            uint32_t k = 0;
            rest /= left;
            while (used[k] || skip-- > 0) {
                k++;
            }
            used[k] = true;
            strcat(record, fields[k]);
            strcat(record, left > 1 ? "," : "}");
        }
        if (kit_learn(&kit, record)) {
            learnt++;
            assert_int_equal(kit_judge(&kit, record, strlen(record)), 1);
        }
    }
    assert_in_range(learnt, 60, 120);
    kit_free(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual_records_give_a_layout),
        cmocka_unit_test(what_a_layout_cannot_say_is_not_learnt),
        cmocka_unit_test(order_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
