// SPDX-License-Identifier: Apache-2.0
/* resp.h — commands in Redis' wire format, written by hand into a buffer: a hot command is a few
 * copies and no allocation. A command is an array of bulks: *2 $4 HGET ... */
#ifndef CM_PUBLISH_RESP_H
#define CM_PUBLISH_RESP_H

#include "base/text.h"

/* Longest command in words: what one command costs Redis stays below a millisecond or so, and other
 * clients get their turn. */
#define CM_RESP_ITEMS_MAX 512u

/* The end of a line, at `to`, where there is room; returns what is behind it. */
static inline char *cm_resp_end(char *to)
{
    to[0] = '\r';
    to[1] = '\n';
    return to + 2;
}

void cm_resp_array(struct cm_text *out, uint64_t words);
void cm_resp_bulk(struct cm_text *out, const void *bytes, size_t len);
void cm_resp_word(struct cm_text *out, const char *word);
void cm_resp_i64(struct cm_text *out, int64_t value);
/* One bulk of several pieces, a key for instance. */
void cm_resp_pieces(struct cm_text *out, const struct cm_str *pieces, uint32_t count);

#endif
