// SPDX-License-Identifier: Apache-2.0
/* record_fields.h — the numbers of Kafka's wire: big endian words, zigzag varints, and one record
 * of a batch taken apart.
 *
 *   length │ attributes 1 │ ms delta │ offset delta │ length, key │ length, value │ n │ headers
 *   varint                  varlong    varint         varint        varint          varint
 *
 * A varint has seven bits a byte, lowest first, and its sign in bit 0. Most have one or two bytes,
 * so these are read without a loop.
 *
 * BOUNDS    Nothing at or behind `end` is read, whatever the bytes say.
 * ERRORS    NULL for a place, a text for a record: what is wrong with it.
 */
#ifndef CM_KAFKA_RECORD_FIELDS_H
#define CM_KAFKA_RECORD_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"

#define CM_RECORD_BYTES_LEAST 7u /* with its length */
#define CM_VARINT_BYTES_MOST  5

static inline uint16_t cm_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t cm_be32(const uint8_t *p)
{
    uint32_t word;
    memcpy(&word, p, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap32(word);
#endif
    return word;
}

static inline int64_t cm_be64(const uint8_t *p)
{
    return (int64_t)((uint64_t)cm_be32(p) << 32 | cm_be32(p + 4));
}

/* The rest of the two below: any length. */
const uint8_t *cm_varint_rest(const uint8_t *p, const uint8_t *end, uint32_t bits_most,
                              uint64_t *raw);

/* Each reads one and returns the place behind it; NULL: it is cut off by the end, or too long. */
static inline const uint8_t *cm_varint(const uint8_t *p, const uint8_t *end, int32_t *value)
{
    uint64_t raw;
    if (CM_LIKELY(end - p >= 2 && p[0] < 0x80)) {
        raw = p[0];
        p += 1;
    } else if (CM_LIKELY(end - p >= 2 && p[1] < 0x80)) {
        raw = (p[0] & 0x7fu) | (uint32_t)p[1] << 7;
        p += 2;
    } else {
        p = cm_varint_rest(p, end, 35, &raw);
        if (p == NULL) {
            return NULL;
        }
    }
    *value = (int32_t)((uint32_t)raw >> 1 ^ (0u - ((uint32_t)raw & 1)));
    return p;
}

static inline const uint8_t *cm_varlong(const uint8_t *p, const uint8_t *end, int64_t *value)
{
    uint64_t raw;
    if (CM_LIKELY(end - p >= 2 && p[0] < 0x80)) {
        raw = p[0];
        p += 1;
    } else {
        p = cm_varint_rest(p, end, 70, &raw);
        if (p == NULL) {
            return NULL;
        }
    }
    *value = (int64_t)(raw >> 1 ^ (UINT64_C(0) - (raw & 1)));
    return p;
}

/* A length and so many bytes; -1, where it is allowed, stands for none (bytes NULL). */
static inline const uint8_t *cm_bytes_at(const uint8_t *p, const uint8_t *end, bool none,
                                         const uint8_t **bytes, uint32_t *len)
{
    int32_t n;
    p = cm_varint(p, end, &n);
    if (p == NULL || n > end - p || (n < 0 && !(none && n == -1))) {
        return NULL;
    }
    *bytes = n < 0 ? NULL : p;
    *len = n < 0 ? 0 : (uint32_t)n;
    return p + *len;
}

/* `count` headers between p and the record's end: NULL, or what is wrong. */
const char *cm_record_check_headers(const uint8_t *p, const uint8_t *end, int32_t count);

struct cm_record_fields {
    int64_t ms_delta;
    int32_t offset_delta;
    uint32_t value_bytes;
    const uint8_t *key;
    const uint8_t *value;
    uint32_t key_bytes;
};

/* Takes a record between p (behind its length) and its end apart. NULL, or what is wrong. */
static inline const char *cm_record_read(const uint8_t *p, const uint8_t *end,
                                         struct cm_record_fields *record)
{
    int32_t headers;
    if (end - p < (ptrdiff_t)CM_RECORD_BYTES_LEAST - 1) {
        return "a record is too short";
    }
    p = cm_varlong(p + 1, end, &record->ms_delta);
    p = p == NULL ? NULL : cm_varint(p, end, &record->offset_delta);
    p = p == NULL ? NULL : cm_bytes_at(p, end, true, &record->key, &record->key_bytes);
    p = p == NULL ? NULL : cm_bytes_at(p, end, true, &record->value, &record->value_bytes);
    if (CM_UNLIKELY(p == NULL)) {
        return "a record does not fit its length";
    }
    if (CM_LIKELY(end - p == 1 && *p == 0)) {
        return NULL;
    }
    p = cm_varint(p, end, &headers);
    return p == NULL ? "headers of a record do not fit it"
                     : cm_record_check_headers(p, end, headers);
}

#endif
