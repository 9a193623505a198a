// SPDX-License-Identifier: Apache-2.0
/* layout_kit.h — what the tests of layouts share: a record with its shape, its scan and a scratch,
 * in a heap block that ends where the record ends; two events compared.
 *
 * OWNERSHIP kit_free() gives everything back. THREADS One.
 */
#ifndef CM_TESTS_UNIT_DECODE_LAYOUT_KIT_H
#define CM_TESTS_UNIT_DECODE_LAYOUT_KIT_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "decode/decoder.h"
#include "decode/layout.h"
#include "decode/layout_learn.h"

#define KIT_HEAD "{\"type\":\"cdr\",\"id\":\"c1-1\",\"ts\":1793581200083,\"outcome\":\"answered\""
#define KIT_FULL                                                                                   \
    "{\"type\":\"cdr\",\"id\":\"c1-1\",\"ts\":1793581200083,\"call\":\"c1\",\"seat\":\"s0001\","   \
    "\"agent\":\"a01\",\"outcome\":\"answered\",\"wait_ms\":0,\"ring_ms\":3544,\"end\":"           \
    "\"caller\",\"transfers\":0,\"on_hold\":false,\"rating\":90,\"checks\":{\"greeting\":true,"    \
    "\"identity\":null},\"more\":[1,{\"a\":\"b\",\"c\":\"d\"}],\"note\":\"x\",\"rev\":2}"

struct kit {
    struct cm_layout layout;
    struct cm_layout_work work;
    struct cm_shape shape;
    struct cm_json_scan scan;
    struct cm_scratch scratch;
    struct cm_decoder *general; /* without layouts */
    cm_layout_reader *read;
    char *bytes;
};

static inline void kit_init(struct kit *kit)
{
    memset(kit, 0, sizeof *kit);
    kit->work.shape = &kit->shape;
    kit->work.scan = &kit->scan;
    kit->work.scratch = &kit->scratch;
    kit->read = cm_layout_reader_for(0);
    kit->general = cm_decoder_create();
    (void)cm_decoder_use(kit->general, NULL);
}

static inline void kit_free(struct kit *kit)
{
    cm_scratch_free(&kit->scratch);
    cm_decoder_destroy(kit->general);
    free(kit->bytes);
}

/* Takes the record in. false: a layout is not for it (not plain, not UTF-8, too small). */
static inline bool kit_take(struct kit *kit, const char *record, size_t len)
{
    free(kit->bytes);
    kit->bytes = malloc(len);
    if (kit->bytes == NULL || len < CM_SHAPE_BYTES_LEAST) {
        return false;
    }
    memcpy(kit->bytes, record, len);
    cm_shape_find("swar")->look(kit->bytes, len, &kit->shape);
    return cm_json_begin(&kit->scan, kit->bytes, kit->bytes + len) && kit->shape.plain &&
           kit->shape.count <= CM_SHAPE_ANCHORS_MAX;
}

/* Learns the record's layout. false: the general parser refuses it, or there is no layout. */
static inline bool kit_learn(struct kit *kit, const char *record)
{
    struct cm_event event;
    size_t len = strlen(record);
    return kit_take(kit, record, len) &&
           cm_decode(kit->general, kit->bytes, len, &event) == CM_REASON_NONE &&
           cm_layout_learn(&kit->layout, &kit->shape, kit->bytes, (uint32_t)len, event.type,
                           &kit->scan);
}

static inline bool kit_read(struct kit *kit, const char *record, size_t len, struct cm_event *event)
{
    cm_scratch_rewind(&kit->scratch, (struct cm_scratch_mark){0, 0});
    return kit_take(kit, record, len) && kit->read(&kit->layout, &kit->work, kit->bytes, event);
}

static inline bool kit_same(const struct cm_event *a, const struct cm_event *b)
{
    struct cm_event x = *a;
    struct cm_event y = *b;
    if (a->checks_count != b->checks_count) {
        return false;
    }
    for (uint32_t i = 0; i < a->checks_count; i++) {
        if (!cm_str_eq(a->checks[i].name, b->checks[i].name) ||
            a->checks[i].result != b->checks[i].result) {
            return false;
        }
    }
#define X(member)                                                                                  \
    if (!cm_str_eq(x.member, y.member)) {                                                          \
        return false;                                                                              \
    }                                                                                              \
    x.member = y.member = (struct cm_str){0};
    X(id) X(call) X(seat) X(agent) X(queue) X(centre) X(channel) X(reason) X(case_id) X(kind)
#undef X
                return x.type == y.type &&
        x.outcome == y.outcome && x.end == y.end && x.state == y.state && x.source == y.source &&
        x.step == y.step && x.on_hold == y.on_hold && x.rating == y.rating && x.ts_ms == y.ts_ms &&
        x.wait_ms == y.wait_ms && x.ring_ms == y.ring_ms && x.talk_ms == y.talk_ms &&
        x.hold_ms == y.hold_ms && x.acw_ms == y.acw_ms && x.hold_n == y.hold_n &&
        x.transfers == y.transfers && x.rev == y.rev;
}

/* -1: the layout says yes where the general parser says no or gives another event; else whether
 * the layout says yes. */
static inline int kit_judge(struct kit *kit, const char *record, size_t len)
{
    struct cm_event event;
    struct cm_event expected;
    memset(&event, 0x5a, sizeof event); /* what is not written is seen */
    if (!kit_read(kit, record, len, &event)) {
        return 0;
    }
    enum cm_reason reason = cm_decode(kit->general, kit->bytes, len, &expected);
    int same = reason == CM_REASON_NONE && kit_same(&event, &expected) ? 1 : -1;
    cm_decoder_reset(kit->general);
    return same;
}

#endif
