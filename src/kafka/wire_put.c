// SPDX-License-Identifier: Apache-2.0
#include "kafka/wire_put.h"

void cm_wire_put16(struct cm_text *out, int16_t value)
{
    char bytes[2] = {(char)((uint16_t)value >> 8), (char)value};
    cm_text_add(out, bytes, sizeof bytes);
}

void cm_wire_put32(struct cm_text *out, int32_t value)
{
    char bytes[4];
    for (uint32_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)((uint32_t)value >> (24 - 8 * i));
    }
    cm_text_add(out, bytes, sizeof bytes);
}

void cm_wire_put64(struct cm_text *out, int64_t value)
{
    cm_wire_put32(out, (int32_t)(value >> 32));
    cm_wire_put32(out, (int32_t)value);
}

void cm_wire_put_varint(struct cm_text *out, uint32_t value)
{
    for (; value >= 0x80; value >>= 7) {
        cm_text_addc(out, (char)(value | 0x80));
    }
    cm_text_addc(out, (char)value);
}

void cm_wire_put_string(struct cm_text *out, const char *s, bool flexible)
{
    size_t len = strlen(s);
    if (flexible) {
        cm_wire_put_varint(out, (uint32_t)len + 1);
    } else {
        cm_wire_put16(out, (int16_t)len);
    }
    cm_text_add(out, s, len);
}

void cm_wire_put_count(struct cm_text *out, uint32_t count, bool flexible)
{
    if (flexible) {
        cm_wire_put_varint(out, count + 1);
    } else {
        cm_wire_put32(out, (int32_t)count);
    }
}

/* No tagged field follows. */
void cm_wire_put_tags(struct cm_text *out, bool flexible)
{
    if (flexible) {
        cm_text_addc(out, 0);
    }
}

size_t cm_wire_begin(struct cm_text *out, int16_t key, int16_t version, int32_t correlation,
                     const char *client_id, bool flexible)
{
    size_t at = out->len;
    cm_wire_put32(out, 0); /* the length, known at the end */
    cm_wire_put16(out, key);
    cm_wire_put16(out, version);
    cm_wire_put32(out, correlation);
    cm_wire_put_string(out, client_id, false); /* in every version of the header */
    cm_wire_put_tags(out, flexible);
    return at;
}

void cm_wire_end(struct cm_text *out, size_t at)
{
    uint32_t len = (uint32_t)(out->len - at - 4);
    for (uint32_t i = 0; i < 4; i++) {
        out->data[at + i] = (char)(len >> (24 - 8 * i));
    }
}
