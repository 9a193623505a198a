// SPDX-License-Identifier: Apache-2.0
/* redis_address.h — where a Redis server is: "host:port", "[v6]:port" or "unix:PATH", and the
 * socket addresses that a name stands for, one after the other.
 *
 * COST A host name is resolved by getaddrinfo(), which may block; numbers and paths ask nobody.
 */
#ifndef CM_REDIS_REDIS_ADDRESS_H
#define CM_REDIS_REDIS_ADDRESS_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/compiler.h"

/* Zero-initialised: nothing resolved yet. */
struct cm_redis_address {
    struct addrinfo *resolved;
    const struct addrinfo *next; /* NULL: the list is used up */
};

/* The next address to try; resolves `text` anew when none is left. 0, or -CM_ERR_REDIS with the
 * reason in cm_fail_text(). */
CM_NODISCARD int cm_redis_address_next(struct cm_redis_address *address, const char *text,
                                       struct sockaddr_storage *out, socklen_t *out_len);
/* Whether the name stands for more addresses than were tried. */
bool cm_redis_address_has_more(const struct cm_redis_address *address);
/* Forgets what was resolved: the next call starts from the beginning. */
void cm_redis_address_reset(struct cm_redis_address *address);

#endif
