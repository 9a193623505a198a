// SPDX-License-Identifier: Apache-2.0
/* resp.c — see resp.h. Lengths are bytes, so whatever an id holds needs no escaping. */
#include "publish/resp.h"

#define HEAD_BYTES 23u /* a mark, 20 digits, the end of the line */

static char *put_head(char *to, char mark, uint64_t number)
{
    *to = mark;
    to = cm_put_small(to + 1, number);
    return cm_resp_end(to);
}

void cm_resp_array(struct cm_text *out, uint64_t words)
{
    char *to = cm_text_room(out, HEAD_BYTES);
    out->len += (size_t)(put_head(to, '*', words) - to);
}

void cm_resp_bulk(struct cm_text *out, const void *bytes, size_t len)
{
    char *begin = cm_text_room(out, HEAD_BYTES + len + 2);
    char *to = put_head(begin, '$', len);
    if (len > 0) {
        memcpy(to, bytes, len);
    }
    out->len += (size_t)(cm_resp_end(to + len) - begin);
}

void cm_resp_word(struct cm_text *out, const char *word)
{
    cm_resp_bulk(out, word, strlen(word));
}

void cm_resp_i64(struct cm_text *out, int64_t value)
{
    char digits[24];
    struct cm_text text = {.data = digits, .cap = sizeof(digits)}; /* never grows: at most 20 */
    cm_text_add_i64(&text, value);
    cm_resp_bulk(out, text.data, text.len);
}

void cm_resp_pieces(struct cm_text *out, const struct cm_str *pieces, uint32_t count)
{
    size_t len = 0;
    for (uint32_t i = 0; i < count; i++) {
        len += pieces[i].len;
    }
    char *begin = cm_text_room(out, HEAD_BYTES + len + 2);
    char *to = put_head(begin, '$', len);
    for (uint32_t i = 0; i < count; i++) {
        if (pieces[i].len > 0) {
            memcpy(to, pieces[i].p, pieces[i].len);
            to += pieces[i].len;
        }
    }
    out->len += (size_t)(cm_resp_end(to) - begin);
}
