// SPDX-License-Identifier: Apache-2.0
#include "kafka/record_fields.h"

const uint8_t *cm_varint_rest(const uint8_t *p, const uint8_t *end, uint32_t bits_most,
                              uint64_t *raw)
{
    uint64_t value = 0;
    for (uint32_t shift = 0; p < end && shift < bits_most; shift += 7) {
        uint8_t byte = *p++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *raw = value;
            return p;
        }
    }
    return NULL;
}

static const char bad_headers[] = "headers of a record do not fit it";

const char *cm_record_check_headers(const uint8_t *p, const uint8_t *end, int32_t count)
{
    if (count < 0 || count > (end - p) / 2) {
        return bad_headers;
    }
    for (; count > 0; count--) {
        const uint8_t *bytes;
        uint32_t len;
        p = cm_bytes_at(p, end, false, &bytes, &len);
        p = p == NULL ? NULL : cm_bytes_at(p, end, true, &bytes, &len);
        if (p == NULL) {
            return bad_headers;
        }
    }
    return p == end ? NULL : bad_headers;
}
