// SPDX-License-Identifier: Apache-2.0
/* log.c — builds a line on the stack and hands it to standard error in one write.
 *
 *   ts=2026-11-23T21:00:00.123Z level=warn event=redis.lost suppressed=41 peer="10.0.0.7:6379"
 *
 * Repeats are counted in a small table of event names under a mutex; when the table is full, the
 * name whose period began first gives way. Control characters in values become blanks, so that one
 * event stays one line; a line ends at LINE_MAX_BYTES.
 *
 * THREADS   Any; the level is one relaxed atomic, since a line more or less does no harm.
 */
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

#define LINE_MAX_BYTES 8192
#define BURST_LINES    20u
#define PERIOD_NS      (10 * CM_NS_PER_S)
#define NAMES          64u
#define NAME_BYTES     48u

struct repeat {
    char name[NAME_BYTES]; /* cut to fit; "" is a free place */
    int64_t since_ns;
    uint32_t lines;
    uint32_t suppressed;
};

static atomic_int lowest_level = CM_LOG_INFO;
static pthread_mutex_t repeats_lock = PTHREAD_MUTEX_INITIALIZER;
static struct repeat repeats[NAMES];

void cm_log_set_level(enum cm_log_level level)
{
    /* relaxed: one number, nothing else hangs on it. */
    atomic_store_explicit(&lowest_level, (int)level, memory_order_relaxed);
}

static struct repeat *find_repeat(const char *event, int64_t now_ns)
{
    struct repeat *oldest = &repeats[0];
    for (unsigned i = 0; i < NAMES; i++) {
        struct repeat *entry = &repeats[i];
        if (entry->name[0] == '\0') {
            oldest = entry;
            break;
        }
        if (strncmp(entry->name, event, NAME_BYTES - 1) == 0) {
            return entry;
        }
        if (entry->since_ns < oldest->since_ns) {
            oldest = entry;
        }
    }
    *oldest = (struct repeat){.since_ns = now_ns};
    size_t len = strnlen(event, NAME_BYTES - 1);
    memcpy(oldest->name, event, len);
    return oldest;
}

bool cm_log_admit(const char *event, int64_t now_ns, uint32_t *suppressed)
{
    bool admitted = true;
    *suppressed = 0;
    pthread_mutex_lock(&repeats_lock);
    struct repeat *entry = find_repeat(event, now_ns);
    if (now_ns - entry->since_ns >= PERIOD_NS) {
        entry->since_ns = now_ns;
        entry->lines = 0;
    }
    if (entry->lines >= BURST_LINES) {
        entry->suppressed++;
        admitted = false;
    } else {
        entry->lines++;
        *suppressed = entry->suppressed;
        entry->suppressed = 0;
    }
    pthread_mutex_unlock(&repeats_lock);
    return admitted;
}

static size_t add_stamp(char *line, size_t cap, int64_t wall_ms)
{
    char day[32];
    /* Whole seconds first: the stamp always has its three decimals, so that lines align. */
    cm_format_rfc3339(wall_ms - wall_ms % 1000, day);
    size_t len = strlen(day);
    int n = snprintf(line, cap, "ts=%.*s.%03dZ", (int)len - 1, day, (int)(wall_ms % 1000));
    return n < 0 ? 0 : (size_t)n;
}

static void write_line(const char *line, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDERR_FILENO, line, len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return; /* nobody listens, and there is nobody left to tell */
        }
        line += n;
        len -= (size_t)n;
    }
}

void cm_log(enum cm_log_level level, const char *event, const char *format, ...)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    uint32_t suppressed;
    /* relaxed: as in cm_log_set_level(). */
    if ((int)level > atomic_load_explicit(&lowest_level, memory_order_relaxed) ||
        !cm_log_admit(event, cm_clock_mono_ns(), &suppressed)) {
        return;
    }
    int saved_errno = errno;
    char line[LINE_MAX_BYTES];
    const size_t cap = sizeof line - 1; /* the last byte is the line end's */
    size_t len = add_stamp(line, cap, cm_clock_wall_ms());
    int n =
        snprintf(line + len, cap - len, " level=%s event=%s", names[(unsigned)level & 3u], event);
    len += n < 0 ? 0 : (size_t)n;
    if (suppressed > 0 && len < cap) {
        n = snprintf(line + len, cap - len, " suppressed=%u", suppressed);
        len += n < 0 ? 0 : (size_t)n;
    }
    if (format[0] != '\0' && len + 1 < cap) {
        line[len++] = ' ';
        va_list args;
        va_start(args, format);
        n = vsnprintf(line + len, cap - len, format, args);
        va_end(args);
        len += n < 0 ? 0 : (size_t)n;
    }
    if (len >= cap) { /* cut; vsnprintf's NUL gives its place to the line end */
        len = cap - 1;
    }
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f) {
            line[i] = ' ';
        }
    }
    line[len++] = '\n';
    write_line(line, len);
    errno = saved_errno;
}
