// SPDX-License-Identifier: Apache-2.0
/* step_clock.c — for LD_PRELOAD: a wall clock that a test sets while the program runs.
 *
 *   CM_STEP_FILE   eight bytes: by how many ns the clock is off, as this machine writes an int64_t
 *
 * Sleeps until a time of the wall clock (librdkafka's main thread) sleep on when it is set back, as
 * with a real one: they are cut into short pieces, each of which ends with a look at the time. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)
#define PIECE_NS INT64_C(20000000)

static const int64_t right = 0;
static const volatile int64_t *off_ns = &right;

__attribute__((constructor)) static void open_file(void)
{
    const char *path = getenv("CM_STEP_FILE");
    int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    void *map = mmap(NULL, sizeof(*off_ns), PROT_READ, MAP_SHARED, fd, 0);
    off_ns = map == MAP_FAILED ? &right : map;
    (void)close(fd);
}

static int64_t ns_of(const struct timespec *at)
{
    return at->tv_sec * NS_PER_S + at->tv_nsec;
}

static struct timespec at_ns(int64_t ns)
{
    return (struct timespec){ns / NS_PER_S, ns % NS_PER_S};
}

static int64_t now_ns(clockid_t id)
{
    struct timespec now = {0};
    (void)syscall(SYS_clock_gettime, id, &now);
    return ns_of(&now) + (id == CLOCK_REALTIME ? *off_ns : 0);
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    if (id == CLOCK_REALTIME) {
        *now = at_ns(now_ns(id));
        return 0;
    }
    return (int)syscall(SYS_clock_gettime, id, now);
}

int timespec_get(struct timespec *now, int base)
{
    *now = at_ns(now_ns(CLOCK_REALTIME));
    return base;
}

/* In glibc both kinds of condition and of mutex are the same. */
int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex,
                  const struct timespec *restrict until)
{
    int64_t left_ns = ns_of(until) - now_ns(CLOCK_REALTIME);
    int64_t piece_ns = left_ns < 0 ? 0 : left_ns < PIECE_NS ? left_ns : PIECE_NS;
    struct timespec piece = at_ns(now_ns(CLOCK_MONOTONIC) + piece_ns);
    int rc = pthread_cond_clockwait((void *)condition, (void *)mutex, CLOCK_MONOTONIC, &piece);
    bool due = now_ns(CLOCK_REALTIME) >= ns_of(until);
    return rc == 0 || (rc == ETIMEDOUT && !due) ? thrd_success
           : rc == ETIMEDOUT                    ? thrd_timedout
                                                : thrd_error;
}
