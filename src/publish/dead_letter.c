// SPDX-License-Identifier: Apache-2.0
#include "publish/dead_letter.h"

#include <stdbool.h>
#include <string.h>

/* Strict: no overlong forms, no surrogates, nothing above U+10FFFF. */
static bool is_utf8(const unsigned char *p, size_t len)
{
    size_t i = 0;
    while (i < len) {
        unsigned char c = p[i];
        size_t more = c < 0x80             ? 0
                      : (c & 0xe0) == 0xc0 ? 1
                      : (c & 0xf0) == 0xe0 ? 2
                      : (c & 0xf8) == 0xf0 ? 3
                                           : 9;
        if (more > 3 || i + more >= len) {
            return false;
        }
        uint32_t code = more == 0 ? c : (uint32_t)(c & (0x3f >> more));
        for (size_t k = 1; k <= more; k++) {
            if ((p[i + k] & 0xc0) != 0x80) {
                return false;
            }
            code = code << 6 | (p[i + k] & 0x3fu);
        }
        static const uint32_t least[4] = {0, 0x80, 0x800, 0x10000};
        if (code < least[more] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
            return false;
        }
        i += more + 1;
    }
    return true;
}

static void add_base64(struct cm_text *out, const unsigned char *p, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        uint32_t block = (uint32_t)p[i] << 16;
        block |= i + 1 < len ? (uint32_t)p[i + 1] << 8 : 0;
        block |= i + 2 < len ? (uint32_t)p[i + 2] : 0;
        cm_text_addc(out, digits[block >> 18 & 63]);
        cm_text_addc(out, digits[block >> 12 & 63]);
        cm_text_addc(out, i + 1 < len ? digits[block >> 6 & 63] : '=');
        cm_text_addc(out, i + 2 < len ? digits[block & 63] : '=');
    }
}

void cm_dead_letter_write(struct cm_text *out, enum cm_reason reason, const char *topic,
                          int32_t partition, int64_t offset, const char *record, size_t len)
{
    cm_text_adds(out, "{\"reason\":\"");
    cm_text_adds(out, cm_reason_name(reason));
    cm_text_adds(out, "\",\"topic\":");
    cm_text_add_json(out, topic, strlen(topic));
    cm_text_adds(out, ",\"partition\":");
    cm_text_add_i64(out, partition);
    cm_text_adds(out, ",\"offset\":");
    cm_text_add_i64(out, offset);
    if (is_utf8((const unsigned char *)record, len)) {
        cm_text_adds(out, ",\"record\":");
        cm_text_add_json(out, record, len);
    } else {
        cm_text_adds(out, ",\"record_base64\":\"");
        add_base64(out, (const unsigned char *)record, len);
        cm_text_addc(out, '"');
    }
    cm_text_adds(out, "}\n");
}
