// SPDX-License-Identifier: Apache-2.0
/* event.c — the wire's words for the enums of event.h, from the same tables.
 *
 * THREADS   Constant data. COST  One bounds check and one load.
 */
#include "event/event.h"

#define X(code, text) text,
static const char *const type_names[] = {CM_EVENT_TYPES(X)};
static const char *const outcome_names[] = {CM_OUTCOMES(X)};
static const char *const state_names[] = {CM_STATES(X)};
static const char *const source_names[] = {CM_SOURCES(X)};
static const char *const step_names[] = {CM_STEPS(X)};
#undef X

static const char *pick(const char *const *names, size_t count, unsigned at)
{
    return at < count ? names[at] : "?";
}

const char *cm_event_type_name(unsigned type)
{
    return pick(type_names, CM_ARRAY_LEN(type_names), type);
}

const char *cm_outcome_name(unsigned outcome)
{
    return pick(outcome_names, CM_ARRAY_LEN(outcome_names), outcome);
}

const char *cm_state_name(unsigned state)
{
    return pick(state_names, CM_ARRAY_LEN(state_names), state);
}

const char *cm_source_name(unsigned source)
{
    return pick(source_names, CM_ARRAY_LEN(source_names), source);
}

const char *cm_step_name(unsigned step)
{
    return pick(step_names, CM_ARRAY_LEN(step_names), step);
}
