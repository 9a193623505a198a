// SPDX-License-Identifier: Apache-2.0
/* refusal.h — what an answer of Redis to a write means for the writer. */
#ifndef CM_PUBLISH_REFUSAL_H
#define CM_PUBLISH_REFUSAL_H

#include <hiredis/hiredis.h>

enum cm_refusal {
    CM_REFUSAL_NONE,  /* done */
    CM_REFUSAL_RETRY, /* not now: out of memory, read-only, loading, no permission yet .. */
    CM_REFUSAL_KEY    /* never: that key holds another type */
};

/* Looks into the answers of a transaction as well. *text: the error, NULL for none. */
enum cm_refusal cm_refusal_of(const struct redisReply *reply, const char **text);

#endif
