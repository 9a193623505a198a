// SPDX-License-Identifier: Apache-2.0
#include "window/queue_waits.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"

#define EXPIRE_EVERY_MS 10000

struct call {
    uint64_t key;             /* of call and queue */
    int64_t enter_ms, end_ms; /* INT64_MIN: none */
    uint32_t set;
};

struct cm_queue_waits {
    struct cm_unit_sets *sets;
    int64_t orphan_after_ms, keep_ms, expired_ms, swept_ms;
    int64_t counted_ms; /* who had to leave before has been counted */
    struct call *calls; /* those that wait first, then those that have ended; else in no order */
    uint32_t waiting, count, cap;
    uint32_t *slots; /* call + 1, 0 = free */
    uint32_t slots_count;
    struct cm_queue_gauge *gauges; /* of the last look: units with a call in front */
    uint32_t gauges_count, gauges_cap;
    uint32_t *gauge_of; /* by unit: gauge + 1 */
    uint32_t units_cap;
    uint64_t orphans;
    bool enters; /* there are queue_enter events at all */
};

struct cm_queue_waits *cm_queue_waits_create(struct cm_unit_sets *sets, int64_t orphan_after_ms,
                                             int64_t keep_ms)
{
    struct cm_queue_waits *w = cm_alloc(1, sizeof(*w));
    w->sets = sets;
    w->orphan_after_ms = orphan_after_ms;
    w->keep_ms = keep_ms;
    w->expired_ms = INT64_MIN / 2;
    w->swept_ms = w->counted_ms = INT64_MIN / 2;
    return w;
}

void cm_queue_waits_destroy(struct cm_queue_waits *w)
{
    if (w == NULL) {
        return;
    }
    free(w->calls);
    free(w->slots);
    free(w->gauges);
    free(w->gauge_of);
    free(w);
}

static uint32_t find_slot(const struct cm_queue_waits *w, uint64_t key)
{
    uint32_t slot = (uint32_t)key & (w->slots_count - 1);
    while (w->slots[slot] != 0 && w->calls[w->slots[slot] - 1].key != key) {
        slot = (slot + 1) & (w->slots_count - 1);
    }
    return slot;
}

static void fill_slots(struct cm_queue_waits *w)
{
    memset(w->slots, 0, w->slots_count * sizeof(*w->slots));
    for (uint32_t i = 0; i < w->count; i++) {
        w->slots[find_slot(w, w->calls[i].key)] = i + 1;
    }
}

static struct call *call_of(struct cm_queue_waits *w, uint64_t key, bool make)
{
    if (w->count == w->cap && make) {
        w->cap = w->cap == 0 ? 256 : 2 * w->cap;
        w->calls = cm_realloc(w->calls, w->cap, sizeof(*w->calls));
        w->slots_count = 2 * w->cap;
        w->slots = cm_realloc(w->slots, w->slots_count, sizeof(*w->slots));
        fill_slots(w);
    }
    if (w->slots == NULL) {
        return NULL;
    }
    uint32_t slot = find_slot(w, key);
    if (w->slots[slot] == 0 && make) {
        w->calls[w->count++] = (struct call){key, INT64_MIN, INT64_MIN, 0};
        w->slots[slot] = w->count;
    }
    return w->slots[slot] == 0 ? NULL : &w->calls[w->slots[slot] - 1];
}

static bool is_waiting(const struct call *call)
{
    return call->enter_ms > call->end_ms;
}

static void swap(struct cm_queue_waits *w, uint32_t a, uint32_t b)
{
    uint32_t slot_a = find_slot(w, w->calls[a].key);
    uint32_t slot_b = find_slot(w, w->calls[b].key);
    struct call call = w->calls[a];
    w->calls[a] = w->calls[b];
    w->calls[b] = call;
    w->slots[slot_a] = b + 1;
    w->slots[slot_b] = a + 1;
}

/* To the part of the array where it belongs now. */
static void settle(struct cm_queue_waits *w, const struct call *call)
{
    uint32_t at = (uint32_t)(call - w->calls);
    if (is_waiting(call) && at >= w->waiting) {
        swap(w, at, w->waiting++);
    } else if (!is_waiting(call) && at < w->waiting) {
        swap(w, at, --w->waiting);
    }
}

/* The caller's wait is over with that leg; one that nobody answered goes on waiting. */
static bool ends_wait(const struct cm_event *event)
{
    return event->type == CM_EVENT_QUEUE_EXIT ||
           (event->outcome != CM_OUTCOME_NO_ANSWER && event->outcome != CM_OUTCOME_REJECTED);
}

static CM_NOINLINE void take(struct cm_queue_waits *w, const struct cm_event *event, uint32_t set,
                             int64_t newest_ms)
{
    bool is_cdr = event->type == CM_EVENT_CDR;
    char text[CM_ID_BYTES_MAX + CM_UNIT_BYTES_MAX + 1];
    memcpy(text, event->call.p, event->call.len);
    text[event->call.len] = '\0';
    memcpy(text + event->call.len + 1, event->queue.p, event->queue.len);
    uint64_t key = cm_hash64(text, event->call.len + 1 + event->queue.len);

    struct call *call = call_of(w, key, !is_cdr || ends_wait(event));
    int64_t now_ms = newest_ms > w->expired_ms ? newest_ms : w->expired_ms;
    if (call != NULL && !is_waiting(call) && call->end_ms < now_ms - w->keep_ms) {
        call->enter_ms = call->end_ms = INT64_MIN; /* forgotten, though not yet swept out */
    }
    w->enters = w->enters || event->type == CM_EVENT_QUEUE_ENTER;
    if (call != NULL && event->type == CM_EVENT_QUEUE_ENTER) {
        if (event->ts_ms > call->enter_ms) {
            call->enter_ms = event->ts_ms;
            call->set = set;
        }
    } else if (call != NULL && ends_wait(event)) {
        call->end_ms = event->ts_ms > call->end_ms ? event->ts_ms : call->end_ms;
    }
    if (call != NULL) {
        settle(w, call);
    }
    if (newest_ms - w->expired_ms >= EXPIRE_EVERY_MS) {
        cm_queue_waits_expire(w, newest_ms);
    }
}

void cm_queue_waits_take(struct cm_queue_waits *w, const struct cm_event *event, uint32_t set,
                         int64_t newest_ms)
{
    /* Where nobody says when a call enters, cdrs say nothing about waiting. */
    bool counts = event->type != CM_EVENT_CDR || w->enters;
    if (counts && event->call.len > 0 && event->queue.len > 0) {
        take(w, event, set, newest_ms);
    }
}

static bool is_gone(struct cm_queue_waits *w, const struct call *call, int64_t now_ms)
{
    if (!is_waiting(call)) {
        return call->end_ms < now_ms - w->keep_ms;
    }
    bool gone = call->enter_ms < now_ms - w->orphan_after_ms;
    w->orphans += gone && call->enter_ms + w->orphan_after_ms >= w->counted_ms;
    return gone;
}

void cm_queue_waits_expire(struct cm_queue_waits *w, int64_t now_ms)
{
    /* Who waits is looked at each time; who has ended, now and then: there may be many. */
    bool sweep = now_ms - w->swept_ms >= EXPIRE_EVERY_MS;
    w->expired_ms = now_ms;
    w->swept_ms = sweep ? now_ms : w->swept_ms;
    uint32_t kept = 0;
    uint32_t waiting = 0;
    uint32_t end = sweep ? w->count : w->waiting;
    for (uint32_t i = 0; i < end; i++) {
        if (!is_gone(w, &w->calls[i], now_ms)) {
            waiting += i < w->waiting;
            w->calls[kept++] = w->calls[i];
        }
    }
    if (kept == end) {
        return;
    }
    memmove(&w->calls[kept], &w->calls[end], (w->count - end) * sizeof(*w->calls));
    w->count -= end - kept;
    w->waiting = waiting;
    fill_slots(w);
}

/* ---- looking */

static struct cm_queue_gauge *gauge_of(struct cm_queue_waits *w, uint32_t unit)
{
    if (unit >= w->units_cap) {
        uint32_t cap = w->units_cap == 0 ? 256 : w->units_cap;
        while (cap <= unit) {
            cap *= 2;
        }
        w->gauge_of = cm_realloc(w->gauge_of, cap, sizeof(*w->gauge_of));
        memset(&w->gauge_of[w->units_cap], 0, (cap - w->units_cap) * sizeof(*w->gauge_of));
        w->units_cap = cap;
    }
    if (w->gauge_of[unit] == 0) {
        if (w->gauges_count == w->gauges_cap) {
            w->gauges_cap = w->gauges_cap == 0 ? 64 : 2 * w->gauges_cap;
            w->gauges = cm_realloc(w->gauges, w->gauges_cap, sizeof(*w->gauges));
        }
        w->gauges[w->gauges_count] = (struct cm_queue_gauge){unit, 0, 0};
        w->gauge_of[unit] = ++w->gauges_count;
    }
    return &w->gauges[w->gauge_of[unit] - 1];
}

/* Those that the last look showed as empty are done with; the others begin from zero. */
static void begin_look(struct cm_queue_waits *w)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < w->gauges_count; i++) {
        uint32_t unit = w->gauges[i].unit;
        w->gauge_of[unit] = 0;
        if (w->gauges[i].calls > 0) {
            w->gauges[kept] = (struct cm_queue_gauge){unit, 0, 0};
            w->gauge_of[unit] = ++kept;
        }
    }
    w->gauges_count = kept;
}

const struct cm_queue_gauge *cm_queue_waits_look(struct cm_queue_waits *w, uint32_t *count)
{
    begin_look(w);
    for (uint32_t i = 0; i < w->waiting; i++) {
        const struct call *call = &w->calls[i];
        const struct cm_unit_set *set = cm_unit_sets_at(w->sets, call->set);
        for (uint32_t u = 0; u < set->count; u++) {
            struct cm_queue_gauge *gauge = gauge_of(w, set->units[u]);
            if (gauge->calls++ == 0 || call->enter_ms < gauge->since_ms) {
                gauge->since_ms = call->enter_ms;
            }
        }
    }
    *count = w->gauges_count;
    return w->gauges;
}

void cm_queue_waits_carry(struct cm_queue_waits *w, const struct cm_queue_waits *before)
{
    w->orphans = before->orphans;
    w->counted_ms =
        before->expired_ms > before->counted_ms ? before->expired_ms : before->counted_ms;
}

uint64_t cm_queue_waits_orphans(const struct cm_queue_waits *w)
{
    return w->orphans;
}
