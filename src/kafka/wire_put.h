// SPDX-License-Identifier: Apache-2.0
/* wire_put.h — requests to a Kafka broker, field by field. Inside the room only.
 *
 *   length 4 │ key 2 │ version 2 │ correlation 4 │ client id │ tags │ body ..
 *
 * Big endian. `flexible`: the version of the message has compact lengths and tagged fields.
 *
 * THREADS   Functions of their arguments; each appends to `out`.
 */
#ifndef CM_KAFKA_WIRE_PUT_H
#define CM_KAFKA_WIRE_PUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

void cm_wire_put16(struct cm_text *out, int16_t value);
void cm_wire_put32(struct cm_text *out, int32_t value);
void cm_wire_put64(struct cm_text *out, int64_t value);
void cm_wire_put_varint(struct cm_text *out, uint32_t value);
void cm_wire_put_string(struct cm_text *out, const char *s, bool flexible);
void cm_wire_put_count(struct cm_text *out, uint32_t count, bool flexible);
/* No tagged field follows. */
void cm_wire_put_tags(struct cm_text *out, bool flexible);

/* The header; returns where the request begins, which cm_wire_end() wants to fill in its length. */
size_t cm_wire_begin(struct cm_text *out, int16_t key, int16_t version, int32_t correlation,
                     const char *client_id, bool flexible);
void cm_wire_end(struct cm_text *out, size_t at);

#endif
