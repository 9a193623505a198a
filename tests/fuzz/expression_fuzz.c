// SPDX-License-Identifier: Apache-2.0
/* expression_fuzz.c — any text compiles or is refused with a column inside it; what compiles
 * evaluates to true, false or null on any event, the same each time, and its negation to the
 * opposite.
 */
#include <stdbool.h>
#include <string.h>

#include "base/text.h"
#include "config/expression.h"
#include "driver.h"

static const struct cm_event events[] = {
    {.rating = -1},
    {.outcome = CM_OUTCOME_ABANDONED, .rating = 0, .wait_ms = 604800000, .transfers = UINT32_MAX},
    {.outcome = CM_OUTCOME_ANSWERED,
     .rating = 100,
     .on_hold = true,
     .wait_ms = 19999,
     .ring_ms = 1,
     .talk_ms = 604800000,
     .hold_ms = 604800000,
     .acw_ms = 604800000,
     .hold_n = 3,
     .transfers = 1,
     .rev = 7},
};

/* `not (text)` must be the Kleene opposite, where it still fits the limits of the language. */
static void check_opposite(const char *text, size_t size, const int *results)
{
    struct cm_text negated = {0};
    struct cm_expression *expression = NULL;
    uint32_t column = 0;
    cm_text_adds(&negated, "not (");
    cm_text_add(&negated, text, size);
    cm_text_adds(&negated, ")");
    if (cm_expression_compile(negated.data, negated.len, &expression, &column) == 0) {
        for (size_t i = 0; i < CM_ARRAY_LEN(events); i++) {
            int expected = results[i] < 0 ? -1 : !results[i];
            FUZZ_REQUIRE(cm_expression_eval(expression, &events[i]) == expected);
        }
        cm_expression_free(expression);
    }
    cm_text_free(&negated);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = size > 0 ? (const char *)data : "";
    struct cm_expression *expression = NULL;
    uint32_t column = 0;
    int results[CM_ARRAY_LEN(events)];
    int rc = cm_expression_compile(text, size, &expression, &column);
    FUZZ_REQUIRE(rc <= 0);
    if (rc < 0) {
        FUZZ_REQUIRE(column >= 1 && column <= size + 1);
        return 0;
    }
    FUZZ_REQUIRE(expression != NULL);
    for (size_t i = 0; i < CM_ARRAY_LEN(events); i++) {
        results[i] = cm_expression_eval(expression, &events[i]);
        FUZZ_REQUIRE(results[i] >= -1 && results[i] <= 1);
        FUZZ_REQUIRE(cm_expression_eval(expression, &events[i]) == results[i]);
    }
    cm_expression_free(expression);
    check_opposite(text, size, results);
    return 0;
}
