// SPDX-License-Identifier: Apache-2.0
/* marks.h — the verdicts of one record or one judgement on compliance checks: by name, and summed
 * up by weight and veto.
 *
 * THREADS   One at a time. OWNERSHIP Names are borrowed from the event or the configuration; the
 * list of verdicts is reused from call to call.
 */
#ifndef CM_WINDOW_MARKS_H
#define CM_WINDOW_MARKS_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "event/event.h"

struct cm_mark {
    struct cm_str name;
    bool passed;
};

struct cm_marks {
    bool failed;                    /* one at least */
    uint32_t vetoes;                /* at most 65,535: as many as a leg can hold */
    uint64_t weight, weight_passed; /* 64 KiB of record hold fewer than 2^14 checks of weight
                                       1,000 at most: far below 2^32 */
    struct cm_mark *at;             /* applicable checks only */
    uint32_t count, cap;
};

/* The checks of an event: those of its `checks` whose name is no rule's, and for a cdr the rules
 * that judge the record itself. Replaces what was there. */
void cm_marks_judge(struct cm_marks *marks, const struct cm_event *event,
                    const struct cm_config *config);
void cm_marks_free(struct cm_marks *marks);

#endif
