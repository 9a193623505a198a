// SPDX-License-Identifier: Apache-2.0
/* breach_event.h — a breach event as CloudEvents 1.0 JSON, its dedup key and its id.
 *
 * dedup key  `rule:kind:id:window`; a ':' or '%' in the rule's name is written %3A or %25, so the
 *            rule ends at the first colon, and the window begins after the last.
 * id         32 hex digits: XXH3-128 (low word behind the high one) over the text
 *            `since type level asof escalated_to dedup_key`, parted by single spaces; times as ms,
 *            type as `raised`, escalated_to empty where there is none. So the id is a function of
 *            what happened, not of when or where it was computed.
 * episode    16 hex digits: XXH3-64 over `since dedup_key`; the same from raised to cleared.
 *
 * THREADS    Pure functions.
 */
#ifndef CM_RULE_BREACH_EVENT_H
#define CM_RULE_BREACH_EVENT_H

#include <stdint.h>

#include "base/text.h"
#include "config/config.h"
#include "rule/breach.h"
#include "rule/breach_rule.h"

struct cm_breach_facts {
    enum cm_breach_type type;
    const struct cm_rule_spec *rule;
    const char *window; /* its name, "15m" */
    struct cm_str id;
    enum cm_level level; /* cleared: the highest that was reached */
    struct cm_sample sample;
    int64_t since_ms, asof_ms;
    const char *escalated_to; /* level of the tree; NULL where the event is not of the ladder */
    struct cm_str dedup_key;
};

/* Appends the key. */
void cm_breach_key_write(struct cm_text *out, const struct cm_rule_spec *rule, const char *window,
                         struct cm_str id);
/* Appends the event, one line without a newline. */
void cm_breach_event_write(struct cm_text *out, const struct cm_breach_facts *facts);
const char *cm_breach_type_name(enum cm_breach_type type); /* "raised", "escalated", "cleared" */

#endif
