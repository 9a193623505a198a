// SPDX-License-Identifier: Apache-2.0
/* refusal.c — see refusal.h. */
#include "publish/refusal.h"

#include <string.h>

static enum cm_refusal of_error(const struct redisReply *reply, const char **text)
{
    *text = reply->str;
    return strncmp(reply->str, "WRONGTYPE", 9) == 0 ? CM_REFUSAL_KEY : CM_REFUSAL_RETRY;
}

enum cm_refusal cm_refusal_of(const struct redisReply *reply, const char **text)
{
    *text = NULL;
    if (reply->type == REDIS_REPLY_ERROR) {
        return of_error(reply, text);
    }
    enum cm_refusal worst = CM_REFUSAL_NONE;
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++) {
        if (reply->element[i]->type == REDIS_REPLY_ERROR && worst != CM_REFUSAL_RETRY) {
            worst = of_error(reply->element[i], text);
        }
    }
    return worst;
}
