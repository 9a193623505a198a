// SPDX-License-Identifier: Apache-2.0
/* resp.c — see resp.h. Lengths are bytes, so whatever an id holds needs no escaping. */
#include "publish/resp.h"

static void head(struct cm_text *out, char mark, uint64_t number)
{
    cm_text_addc(out, mark);
    cm_text_add_u64(out, number);
    cm_text_add(out, "\r\n", 2);
}

void cm_resp_array(struct cm_text *out, uint64_t words)
{
    head(out, '*', words);
}

void cm_resp_bulk(struct cm_text *out, const void *bytes, size_t len)
{
    head(out, '$', len);
    cm_text_add(out, bytes, len);
    cm_text_add(out, "\r\n", 2);
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
    head(out, '$', len);
    for (uint32_t i = 0; i < count; i++) {
        cm_text_add(out, pieces[i].p, pieces[i].len);
    }
    cm_text_add(out, "\r\n", 2);
}
