// SPDX-License-Identifier: Apache-2.0
#include "redis/redis_out.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"

#define IDLE_BYTES ((size_t)64 << 20) /* memory of more than this is given back at once */

/* The spare with most memory; there may be none. */
static struct cm_text take_spare(struct cm_redis_out *out)
{
    struct cm_text *spare = &out->spares[out->spares[1].cap > out->spares[0].cap];
    struct cm_text taken = *spare;
    *spare = (struct cm_text){0};
    return taken;
}

static void keep_spare(struct cm_redis_out *out, struct cm_text *text)
{
    struct cm_text *spare = &out->spares[out->spares[1].cap < out->spares[0].cap];
    if (text->cap > IDLE_BYTES || text->cap <= spare->cap) {
        cm_text_free(text);
        return;
    }
    cm_text_free(spare);
    text->len = 0;
    *spare = *text;
}

static void add_waiting(struct cm_redis_out *out, struct cm_text text)
{
    if (out->count == out->cap) {
        out->cap = out->cap == 0 ? 8 : out->cap * 2;
        out->waiting = cm_realloc(out->waiting, out->cap, sizeof(*out->waiting));
    }
    out->waiting[out->count++] = text;
}

void cm_redis_out_give(struct cm_redis_out *out, struct cm_text *text)
{
    if (text->len == 0) {
        return;
    }
    struct cm_text given = *text;
    *text = take_spare(out);
    if (out->filling.len > 0) {
        add_waiting(out, out->filling);
        out->filling = take_spare(out);
    }
    add_waiting(out, given);
}

bool cm_redis_out_next(struct cm_redis_out *out, const char **bytes, size_t *len)
{
    if (out->count == 0) {
        if (out->filling.len == 0) {
            return false;
        }
        add_waiting(out, out->filling);
        out->filling = take_spare(out);
    }
    *bytes = out->waiting[0].data + out->sent;
    *len = out->waiting[0].len - out->sent;
    return true;
}

void cm_redis_out_sent(struct cm_redis_out *out, size_t len)
{
    CM_ASSERT(out->count > 0 && len <= out->waiting[0].len - out->sent);
    out->sent += len;
    if (out->sent == out->waiting[0].len) {
        keep_spare(out, &out->waiting[0]);
        out->count--;
        memmove(out->waiting, out->waiting + 1, out->count * sizeof(*out->waiting));
        out->sent = 0;
    }
}

size_t cm_redis_out_unsent(const struct cm_redis_out *out)
{
    size_t bytes = out->filling.len - out->sent;
    for (uint32_t i = 0; i < out->count; i++) {
        bytes += out->waiting[i].len;
    }
    return bytes;
}

static void wipe(struct cm_text *text)
{
    if (text->data != NULL) {
        explicit_bzero(text->data, text->cap);
    }
}

void cm_redis_out_wipe(struct cm_redis_out *out)
{
    wipe(&out->filling);
    for (uint32_t i = 0; i < out->count; i++) {
        wipe(&out->waiting[i]);
    }
    wipe(&out->spares[0]);
    wipe(&out->spares[1]);
}

void cm_redis_out_free(struct cm_redis_out *out)
{
    cm_redis_out_wipe(out);
    cm_text_free(&out->filling);
    for (uint32_t i = 0; i < out->count; i++) {
        cm_text_free(&out->waiting[i]);
    }
    cm_text_free(&out->spares[0]);
    cm_text_free(&out->spares[1]);
    free(out->waiting);
    memset(out, 0, sizeof(*out));
}
