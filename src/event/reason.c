// SPDX-License-Identifier: Apache-2.0
/* reason.c — the words for the reasons of reason.h, from its table.
 *
 * THREADS   Constant data.
 */
#include "event/reason.h"

#include "base/compiler.h"

struct words {
    const char *name;
    const char *meaning;
    const char *advice;
};

static const struct words reasons[CM_REASON_COUNT] = {
    [CM_REASON_NONE] = {"none", "The record counted.", ""},
#define X(code, name, meaning, advice) [CM_REASON_##code] = {name, meaning, advice},
    CM_REASON_MAP(X)
#undef X
};

static const struct words *words_of(enum cm_reason reason)
{
    static const struct words unknown = {"?", "", ""};
    return (unsigned)reason < CM_ARRAY_LEN(reasons) ? &reasons[reason] : &unknown;
}

const char *cm_reason_name(enum cm_reason reason)
{
    return words_of(reason)->name;
}

const char *cm_reason_meaning(enum cm_reason reason)
{
    return words_of(reason)->meaning;
}

const char *cm_reason_advice(enum cm_reason reason)
{
    return words_of(reason)->advice;
}
