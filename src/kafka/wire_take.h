// SPDX-License-Identifier: Apache-2.0
/* wire_take.h — answers of a Kafka broker, field by field: versions without compact lengths. Inside
 * the room only.
 *
 * Each moves on and gives true; or false, when the field is not there as a whole, and stays.
 */
#ifndef CM_KAFKA_WIRE_TAKE_H
#define CM_KAFKA_WIRE_TAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "kafka/record_fields.h"

struct cm_wire_reader {
    const uint8_t *at, *end;
};

static inline bool cm_wire_take(struct cm_wire_reader *r, size_t bytes, const uint8_t **out)
{
    if ((size_t)(r->end - r->at) < bytes) {
        return false;
    }
    *out = r->at;
    r->at += bytes;
    return true;
}

static inline bool cm_wire_take16(struct cm_wire_reader *r, int16_t *out)
{
    const uint8_t *p;
    if (!cm_wire_take(r, 2, &p)) {
        return false;
    }
    *out = (int16_t)cm_be16(p);
    return true;
}

static inline bool cm_wire_take32(struct cm_wire_reader *r, int32_t *out)
{
    const uint8_t *p;
    if (!cm_wire_take(r, 4, &p)) {
        return false;
    }
    *out = (int32_t)cm_be32(p);
    return true;
}

/* Of a length that may be -1, which gives an empty one. */
static inline bool cm_wire_take_run(struct cm_wire_reader *r, int32_t len, struct cm_str *out)
{
    const uint8_t *p;
    if (len < -1 || !cm_wire_take(r, len < 0 ? 0 : (size_t)len, &p)) {
        return false;
    }
    *out = (struct cm_str){(const char *)p, len < 0 ? 0 : (uint32_t)len};
    return true;
}

static inline bool cm_wire_take_string(struct cm_wire_reader *r, struct cm_str *out)
{
    int16_t len;
    return cm_wire_take16(r, &len) && cm_wire_take_run(r, len, out);
}

#endif
