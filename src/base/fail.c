// SPDX-License-Identifier: Apache-2.0
/* fail.c — keeps the text of a thread's last error, and ends the process when a bug is met.
 *
 * A text may be long (a configuration reports all mistakes at once), so it lives on the heap, at
 * most TEXT_MAX_BYTES of it, and goes with its thread by way of a thread-specific key. The new text
 * is written before the old one is given up, so an argument of cm_fail() may be cm_fail_text()
 * itself.
 *
 * THREADS   Any. COST  One malloc an error: never on the path of a record.
 */
#include "base/fail.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX_BYTES ((size_t)64 * 1024)

static pthread_key_t text_key;
static pthread_once_t text_once = PTHREAD_ONCE_INIT;

static void make_key(void)
{
    CM_ASSERT(pthread_key_create(&text_key, free) == 0);
}

int cm_fail(enum cm_error code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);

    size_t bytes = len < 0 ? 1 : (size_t)len + 1;
    bytes = bytes > TEXT_MAX_BYTES ? TEXT_MAX_BYTES : bytes;
    char *text = malloc(bytes);
    if (text != NULL) {
        text[0] = '\0';
        va_start(args, format);
        vsnprintf(text, bytes, format, args);
        va_end(args);
        if (len >= 0 && (size_t)len >= TEXT_MAX_BYTES) {
            memcpy(text + bytes - 4, "...", 4);
        }
    }
    pthread_once(&text_once, make_key);
    free(pthread_getspecific(text_key));
    if (pthread_setspecific(text_key, text) != 0) {
        free(text);
    }
    return -(int)code;
}

const char *cm_fail_text(void)
{
    pthread_once(&text_once, make_key);
    const char *text = pthread_getspecific(text_key);
    return text == NULL ? "" : text;
}

const char *cm_error_name(int code)
{
    switch (code < 0 ? -code : code) {
#define X(name, number, summary)                                                                   \
    case number:                                                                                   \
        return #name;
        CM_ERROR_MAP(X)
#undef X
    default:
        return "?";
    }
}

const char *cm_error_summary(int code)
{
    switch (code < 0 ? -code : code) {
#define X(name, number, summary)                                                                   \
    case number:                                                                                   \
        return summary;
        CM_ERROR_MAP(X)
#undef X
    default:
        return "?";
    }
}

int cm_exit_status(int rc)
{
    switch (rc < 0 ? -rc : 0) {
    case 0:
        return 0;
    case CM_ERR_USAGE:
    case CM_ERR_CONFIG:
    case CM_ERR_ROSTER:
    case CM_ERR_ZONE:
        return 2;
    default:
        return 1;
    }
}

_Noreturn void cm_assert_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "callmill: bug at %s:%d: %s does not hold; please report this\n", file, line,
            condition);
    fflush(stderr);
    abort();
}
