// SPDX-License-Identifier: Apache-2.0
/* ring_test.c — every op on every rung of the set-up ladder; full queues, cancelling, refusals. */
#include "io/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"

#define MANY 5000u

/* An op that remembers what became of it. */
struct seen {
    struct cm_op op;
    uint32_t calls;
    int32_t result;
};

static struct cm_ring *ring;
static uint32_t rung;

static void note(struct cm_op *op, int32_t result, uint32_t flags)
{
    (void)flags;
    struct seen *seen = (struct seen *)(void *)op;
    seen->calls++;
    seen->result = result;
}

static struct seen fresh(void)
{
    return (struct seen){.op = {.done = note}};
}

static int32_t finish(struct seen *seen)
{
    while (seen->op.in_flight) {
        (void)cm_ring_wait(ring, -1);
    }
    return seen->result;
}

static int setup(void **state)
{
    rung = *(uint32_t *)*state;
    return cm_ring_create_from(8, rung, &ring);
}

static int teardown(void **state)
{
    (void)state;
    cm_ring_destroy(ring);
    ring = NULL;
    return 0;
}

static void describes_itself(void **state)
{
    (void)state;
    const char *text = cm_ring_describe(ring);
    if (rung == CM_RING_EPOLL) {
        assert_int_equal(strncmp(text, "epoll, ", 7), 0);
        return;
    }
    assert_int_equal(strncmp(text, "io_uring ", 9), 0);
    assert_non_null(strstr(text, ", kernel "));
    assert_true(rung > 0 || strstr(text, "TASKRUN") != NULL || strstr(text, "without") != NULL);
    if (rung == CM_RING_EPOLL - 1) {
        assert_non_null(strstr(text, "without flags"));
    }
}

static void moves_bytes_between_sockets(void **state)
{
    (void)state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    char got[64] = "";
    struct seen receiver = fresh();
    struct seen sender = fresh();
    cm_ring_recv(ring, &receiver.op, pair[0], got, sizeof(got));
    assert_true(receiver.op.in_flight);
    (void)cm_ring_wait(ring, 0);
    assert_int_equal(receiver.calls, 0);
    cm_ring_send(ring, &sender.op, pair[1], "hello", 5);
    assert_int_equal(finish(&sender), 5);
    assert_int_equal(finish(&receiver), 5); /* as many as there were, not as many as fit */
    assert_memory_equal(got, "hello", 5);
    (void)close(pair[1]);
    cm_ring_recv(ring, &receiver.op, pair[0], got, sizeof(got));
    assert_int_equal(finish(&receiver), 0);
    /* No SIGPIPE: the process would be gone. */
    cm_ring_send(ring, &sender.op, pair[0], "x", 1);
    assert_int_equal(finish(&sender), -EPIPE);
    (void)close(pair[0]);
}

static void reports_partial_sends(void **state)
{
    (void)state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    size_t bytes = 8u << 20;
    char *data = calloc(1, bytes);
    struct seen sender = fresh();
    cm_ring_send(ring, &sender.op, pair[1], data, bytes);
    size_t total = 0;
    size_t sent = 0;
    char *sink = malloc(65536);
    while (total < bytes) {
        (void)cm_ring_wait(ring, 0);
        if (!sender.op.in_flight && sent < bytes) {
            assert_true(sender.result > 0);
            sent += (size_t)sender.result;
            if (sent < bytes) {
                cm_ring_send(ring, &sender.op, pair[1], data + sent, bytes - sent);
            }
        }
        ssize_t n = recv(pair[0], sink, 65536, MSG_DONTWAIT);
        total += n > 0 ? (size_t)n : 0;
    }
    while (sender.op.in_flight) {
        (void)cm_ring_wait(ring, -1);
        sent += (size_t)sender.result;
    }
    assert_int_equal(sent, bytes);
    free(sink);
    free(data);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

static void connects(void **state)
{
    (void)state;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t len = sizeof(address);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    /* Bound but not listening: refused. */
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct seen connecting = fresh();
    cm_ring_connect(ring, &connecting.op, fd, (struct sockaddr *)&address, len);
    assert_int_equal(finish(&connecting), -ECONNREFUSED);
    (void)close(fd);
    assert_int_equal(listen(listener, 1), 0);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cm_ring_connect(ring, &connecting.op, fd, (struct sockaddr *)&address, len);
    assert_int_equal(finish(&connecting), 0);
    (void)close(fd);
    (void)close(listener);
}

static void reads_and_writes_files(void **state)
{
    (void)state;
    char path[] = "/tmp/cm_ring_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    struct seen op = fresh();
    char got[16] = "";
    cm_ring_write(ring, &op.op, fd, "0123456789", 10, 0);
    assert_int_equal(finish(&op), 10);
    cm_ring_write(ring, &op.op, fd, "ab", 2, 4);
    assert_int_equal(finish(&op), 2);
    cm_ring_fsync(ring, &op.op, fd);
    assert_int_equal(finish(&op), 0);
    cm_ring_read(ring, &op.op, fd, got, sizeof(got), 2);
    assert_int_equal(finish(&op), 8);
    assert_memory_equal(got, "23ab6789", 8);
    cm_ring_read(ring, &op.op, fd, got, sizeof(got), 10);
    assert_int_equal(finish(&op), 0);
    (void)close(fd);
    (void)unlink(path);
    cm_ring_read(ring, &op.op, -1, got, sizeof(got), 0);
    assert_int_equal(finish(&op), -EBADF);
    fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    cm_ring_write(ring, &op.op, fd, "x", 1, -1);
    assert_int_equal(finish(&op), -ENOSPC);
    (void)close(fd);
}

static void timers_run_out_in_order(void **state)
{
    (void)state;
    struct seen late = fresh();
    struct seen soon = fresh();
    struct seen at_once = fresh();
    int64_t start_ns = cm_clock_mono_ns();
    cm_ring_timer(ring, &late.op, 30 * CM_NS_PER_MS);
    cm_ring_timer(ring, &soon.op, 1 * CM_NS_PER_MS);
    cm_ring_timer(ring, &at_once.op, -5);
    assert_int_equal(finish(&at_once), -ETIME);
    assert_int_equal(finish(&soon), -ETIME);
    assert_int_equal(finish(&late), -ETIME);
    assert_true(cm_clock_mono_ns() - start_ns >= 30 * CM_NS_PER_MS);
    assert_int_equal(late.calls + soon.calls + at_once.calls, 3);
}

static void waits_as_long_as_told(void **state)
{
    (void)state;
    int64_t start_ns = cm_clock_mono_ns();
    assert_int_equal(cm_ring_wait(ring, 5 * CM_NS_PER_MS), 0);
    assert_true(cm_clock_mono_ns() - start_ns >= 5 * CM_NS_PER_MS);
    assert_int_equal(cm_ring_wait(ring, 0), 0);
}

static void on_alarm(int signal_number)
{
    (void)signal_number;
}

static void signals_end_a_wait(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = on_alarm};
    struct sigaction before;
    assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
    /* Again and again, should the first come before the wait. */
    struct itimerval often = {.it_interval = {.tv_usec = 5000}, .it_value = {.tv_usec = 5000}};
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
    assert_int_equal(cm_ring_wait(ring, -1), 0); /* would wait for ever */
    struct itimerval never = {.it_value = {.tv_usec = 0}};
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
}

static void cancels(void **state)
{
    (void)state;
    int pipe_fds[2];
    assert_int_equal(pipe(pipe_fds), 0);
    char byte;
    struct seen timer = fresh();
    struct seen reader = fresh();
    struct seen poller = fresh();
    struct seen idle = fresh();
    cm_ring_timer(ring, &timer.op, 3600 * CM_NS_PER_S);
    cm_ring_read(ring, &reader.op, pipe_fds[0], &byte, 1, -1);
    cm_ring_poll(ring, &poller.op, pipe_fds[0], POLLIN);
    (void)cm_ring_wait(ring, 0);
    cm_ring_cancel(ring, &idle.op); /* not in flight: nothing */
    cm_ring_cancel(ring, &timer.op);
    cm_ring_cancel(ring, &timer.op); /* twice: once */
    cm_ring_cancel(ring, &reader.op);
    cm_ring_cancel(ring, &poller.op);
    assert_int_equal(finish(&timer), -ECANCELED);
    assert_int_equal(finish(&reader), -ECANCELED);
    assert_int_equal(finish(&poller), -ECANCELED);
    assert_int_equal(idle.calls, 0);
    /* In the same batch as the op itself. */
    cm_ring_timer(ring, &timer.op, 3600 * CM_NS_PER_S);
    cm_ring_cancel(ring, &timer.op);
    assert_int_equal(finish(&timer), -ECANCELED);
    /* One that has come to an end before is not harmed. */
    assert_int_equal(write(pipe_fds[1], "x", 1), 1);
    cm_ring_poll(ring, &poller.op, pipe_fds[0], POLLIN);
    (void)cm_ring_wait(ring, -1);
    cm_ring_cancel(ring, &poller.op);
    assert_int_equal(finish(&poller), POLLIN);
    (void)close(pipe_fds[0]);
    (void)close(pipe_fds[1]);
}

/* Eight entries in the queue, five thousand ops started before the first wait. */
static void loses_nothing_when_full(void **state)
{
    (void)state;
    struct seen *ops = calloc(MANY, sizeof(*ops));
    for (uint32_t i = 0; i < MANY; i++) {
        ops[i] = fresh();
        cm_ring_timer(ring, &ops[i].op, 0);
    }
    uint32_t done = 0;
    while (done < MANY) {
        done += cm_ring_wait(ring, -1);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        assert_int_equal(ops[i].calls, 1);
        assert_int_equal(ops[i].result, -ETIME);
    }
    free(ops);
}

struct chain {
    struct cm_op op;
    uint32_t left;
    struct seen *others;
};

static void next_link(struct cm_op *op, int32_t result, uint32_t flags)
{
    (void)flags;
    struct chain *chain = (struct chain *)(void *)op;
    assert_int_equal(result, -ETIME);
    assert_false(op->in_flight);
    if (chain->left == 0) {
        return;
    }
    chain->left--;
    /* More than the queue holds, from inside a callback. */
    for (uint32_t i = 0; i < 20; i++) {
        struct seen *other = &chain->others[chain->left * 20 + i];
        *other = fresh();
        cm_ring_timer(ring, &other->op, 0);
    }
    cm_ring_timer(ring, op, 0);
}

static void callbacks_start_ops(void **state)
{
    (void)state;
    struct chain chain = {.op = {.done = next_link}, .left = 50};
    chain.others = calloc((size_t)chain.left * 20, sizeof(*chain.others));
    uint32_t expected = 51 + 50 * 20;
    cm_ring_timer(ring, &chain.op, 0);
    uint32_t done = 0;
    while (done < expected) {
        done += cm_ring_wait(ring, -1);
    }
    assert_int_equal(done, expected);
    assert_int_equal(chain.left, 0);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(chain.others[i].calls, 1);
    }
    free(chain.others);
}

static void destroy_cancels_what_is_left(void **state)
{
    (void)state;
    struct cm_ring *own;
    assert_int_equal(cm_ring_create_from(4, rung, &own), 0);
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct seen ops[40];
    char bytes[40];
    for (uint32_t i = 0; i < 40; i++) {
        ops[i] = fresh();
        if (i % 2 == 0) {
            cm_ring_recv(own, &ops[i].op, pair[0], &bytes[i], 1);
        } else {
            cm_ring_timer(own, &ops[i].op, 3600 * CM_NS_PER_S);
        }
    }
    cm_ring_destroy(own); /* most were never waited for */
    for (uint32_t i = 0; i < 40; i++) {
        assert_int_equal(ops[i].calls, 1);
        assert_int_equal(ops[i].result, -ECANCELED);
        assert_false(ops[i].op.in_flight);
    }
    cm_ring_destroy(NULL);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

/* In a child whose io_uring_setup is refused with `error`, as a container would: what does create
 * say? */
static int create_where_refused(uint32_t error, char *text, size_t size)
{
    int report[2];
    if (pipe(report) != 0) {
        return -1;
    }
    pid_t child = fork();
    if (child == 0) {
        struct sock_filter code[] = {
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) {
            _exit(77);
        }
        struct cm_ring *refused = NULL;
        int rc = cm_ring_create(8, &refused);
        struct cm_ring *other = NULL;
        if (cm_ring_open(8, CM_RING_AUTO, &other) != 0 ||
            strncmp(cm_ring_describe(other), "epoll, ", 7) != 0) {
            _exit(2);
        }
        rc = rc == 0 ? 0 : cm_ring_open(8, CM_RING_IO_URING_ONLY, &refused);
        const char *why = cm_fail_text();
        ssize_t n = write(report[1], why, strlen(why));
        _exit(rc == -CM_ERR_URING && refused == NULL && n > 0 ? 0 : 1);
    }
    (void)close(report[1]);
    ssize_t n = read(report[0], text, size - 1);
    text[n > 0 ? n : 0] = '\0';
    (void)close(report[0]);
    int status = 0;
    (void)waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void names_the_cause_of_a_refusal(void **state)
{
    (void)state;
    static const struct {
        uint32_t error;
        const char *word;
    } cases[] = {
        {EPERM, "seccomp"}, {ENOSYS, "5.15"}, {ENOMEM, "ulimit -l"}, {EMFILE, "open files"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[1024];
        int rc = create_where_refused(cases[i].error, text, sizeof(text));
        if (rc == 77) {
            skip(); /* no seccomp here */
        }
        assert_int_equal(rc, 0);
        assert_non_null(strstr(text, cases[i].word));
    }
}

int main(void)
{
    struct cm_ring *probe = NULL;
    if (cm_ring_create(8, &probe) < 0) {
        (void)fprintf(stderr, "skipped: %s\n", cm_fail_text());
        return 77;
    }
    cm_ring_destroy(probe);
    static uint32_t rungs[CM_RING_RUNGS] = {0, 1, 2, CM_RING_EPOLL};
    int failed = 0;
    for (uint32_t i = 0; i < CM_RING_RUNGS; i++) {
#define ON_RUNG(test) cmocka_unit_test_prestate_setup_teardown(test, setup, teardown, &rungs[i])
        const struct CMUnitTest tests[] = {
            ON_RUNG(describes_itself),
            ON_RUNG(moves_bytes_between_sockets),
            ON_RUNG(reports_partial_sends),
            ON_RUNG(connects),
            ON_RUNG(reads_and_writes_files),
            ON_RUNG(timers_run_out_in_order),
            ON_RUNG(waits_as_long_as_told),
            ON_RUNG(signals_end_a_wait),
            ON_RUNG(cancels),
            ON_RUNG(loses_nothing_when_full),
            ON_RUNG(callbacks_start_ops),
            ON_RUNG(destroy_cancels_what_is_left),
        };
#undef ON_RUNG
        failed += cmocka_run_group_tests_name("ring", tests, NULL, NULL);
    }
    const struct CMUnitTest once[] = {cmocka_unit_test(names_the_cause_of_a_refusal)};
    failed += cmocka_run_group_tests_name("ring refused", once, NULL, NULL);
    return failed;
}
