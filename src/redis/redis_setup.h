// SPDX-License-Identifier: Apache-2.0
/* redis_setup.h — what is said to the server between connecting and the first command of a caller:
 *
 *   AUTH [user] password      when a password file is configured
 *   SELECT n                  when the database is not 0
 *   CLIENT SETNAME name       helps people only: an error is not the end of it
 *   ROLE                      a replica would take connections and refuse every write
 *   PING                      LOADING, NOAUTH and their like
 *
 * All of it goes out in one write; the answers decide. No input or output here but the password
 * file, which is read anew each time, so that a rotated password needs no restart. The password is
 * never logged and never part of an error text.
 */
#ifndef CM_REDIS_REDIS_SETUP_H
#define CM_REDIS_REDIS_SETUP_H

#include <stdbool.h>
#include <stdint.h>

#include "redis/redis.h"

enum cm_redis_verdict { CM_REDIS_MORE, CM_REDIS_FINE, CM_REDIS_REFUSED };

#define CM_REDIS_SETUP_STEPS 5u

struct cm_redis_setup {
    uint8_t steps[CM_REDIS_SETUP_STEPS];
    uint32_t steps_len;
    uint32_t answered;
    bool failed;
    bool refused_password; /* or asks for one */
    char reason[240];      /* of the failure; or the last error that was let pass */
};

/* Encodes the commands of this connection into `text`; their number, or -CM_ERR_REDIS (the password
 * file) with the reason in `reason`. */
CM_NODISCARD int cm_redis_setup_start(struct cm_redis_setup *setup,
                                      const struct cm_redis_options *options, struct cm_text *text);
/* The next answer. CM_REDIS_MORE until the last; then the verdict, for REFUSED with `reason`. */
enum cm_redis_verdict cm_redis_setup_answer(struct cm_redis_setup *setup,
                                            const struct redisReply *reply);

#endif
