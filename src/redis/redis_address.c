// SPDX-License-Identifier: Apache-2.0
/* redis_address.c — splits the text, asks the resolver only where there is a name.
 *
 * A name may stand for several addresses ("localhost" for ::1 and 127.0.0.1, with the server on one
 * of them), so they are handed out one by one; and for others tomorrow, so a used-up list is
 * resolved again.
 */
#include "redis/redis_address.h"

#include <errno.h>
#include <string.h>
#include <sys/un.h>

#include "base/fail.h"

#define HOST_BYTES 256u

static bool split(const char *text, char *host, const char **port)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text || colon[1] == '\0') {
        return false;
    }
    const char *start = text;
    size_t len = (size_t)(colon - text);
    if (text[0] == '[') {
        if (len < 3 || colon[-1] != ']') {
            return false;
        }
        start++;
        len -= 2;
    }
    if (len >= HOST_BYTES) {
        return false;
    }
    memcpy(host, start, len);
    host[len] = '\0';
    *port = colon + 1;
    return true;
}

static int unix_address(const char *path, struct sockaddr_storage *out, socklen_t *out_len)
{
    struct sockaddr_un local;
    memset(&local, 0, sizeof(local));
    local.sun_family = AF_UNIX;
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof(local.sun_path)) {
        return cm_fail(CM_ERR_REDIS, "a path after unix: has 1 to %zu bytes",
                       sizeof(local.sun_path) - 1);
    }
    memcpy(local.sun_path, path, len + 1);
    memcpy(out, &local, sizeof(local));
    *out_len = (socklen_t)sizeof(local);
    return 0;
}

static int resolve(struct cm_redis_address *address, const char *text)
{
    char host[HOST_BYTES];
    const char *port;
    if (!split(text, host, &port)) {
        return cm_fail(CM_ERR_REDIS, "address %s is neither host:port nor unix:PATH", text);
    }
    struct addrinfo hints;
    memset(&hints, 0, sizeof(hints));
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICHOST;
    int rc = getaddrinfo(host, port, &hints, &address->resolved);
    if (rc == EAI_NONAME) {
        hints.ai_flags = 0;
        rc = getaddrinfo(host, port, &hints, &address->resolved);
    }
    if (rc != 0) {
        address->resolved = NULL;
        return cm_fail(CM_ERR_REDIS, "cannot resolve %s: %s", text,
                       rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
    }
    address->next = address->resolved;
    return 0;
}

int cm_redis_address_next(struct cm_redis_address *address, const char *text,
                          struct sockaddr_storage *out, socklen_t *out_len)
{
    memset(out, 0, sizeof(*out));
    if (strncmp(text, "unix:", 5) == 0) {
        return unix_address(text + 5, out, out_len);
    }
    if (address->next == NULL) {
        cm_redis_address_reset(address);
        int rc = resolve(address, text);
        if (rc < 0) {
            return rc;
        }
    }
    CM_ASSERT(address->next != NULL && address->next->ai_addrlen <= sizeof(*out));
    memcpy(out, address->next->ai_addr, address->next->ai_addrlen);
    *out_len = address->next->ai_addrlen;
    address->next = address->next->ai_next;
    return 0;
}

bool cm_redis_address_has_more(const struct cm_redis_address *address)
{
    return address->next != NULL;
}

void cm_redis_address_reset(struct cm_redis_address *address)
{
    if (address->resolved != NULL) {
        freeaddrinfo(address->resolved);
    }
    address->resolved = NULL;
    address->next = NULL;
}
