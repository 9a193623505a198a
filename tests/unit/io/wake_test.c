// SPDX-License-Identifier: Apache-2.0
/* wake_test.c — posts from other threads and from a signal handler end a wait, none is lost. */
#include "io/wake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fail.h"

#define POSTERS     4
#define POSTS       2000u
#define FOR_A_WHILE INT64_C(20000000000) /* only when the test fails */

static struct cm_ring *ring;
static struct cm_wake wake;
static _Atomic uint32_t told;

static int setup(void **state)
{
    (void)state;
    atomic_store(&told, 0);
    int rc = cm_ring_create(8, &ring);
    return rc < 0 ? rc : cm_wake_open(&wake, ring);
}

static int teardown(void **state)
{
    (void)state;
    cm_wake_close(&wake);
    cm_ring_destroy(ring);
    return 0;
}

static void *post_once(void *context)
{
    (void)usleep(2000); /* the owner should be waiting; the outcome does not depend on it */
    cm_wake_post(context);
    return NULL;
}

static void another_thread_ends_a_wait(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, post_once, &wake), 0);
        assert_int_equal(cm_ring_wait(ring, FOR_A_WHILE), 1);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(cm_ring_wait(ring, 0), 0);
    }
}

static void a_post_before_the_wait_counts(void **state)
{
    (void)state;
    (void)cm_ring_wait(ring, 0);
    cm_wake_post(&wake);
    cm_wake_post(&wake);
    cm_wake_post(&wake);
    assert_int_equal(cm_ring_wait(ring, FOR_A_WHILE), 1); /* three melt into one */
    assert_int_equal(cm_ring_wait(ring, 0), 0);
}

static void *post_often(void *context)
{
    for (uint32_t i = 0; i < POSTS; i++) {
        (void)atomic_fetch_add_explicit(&told, 1, memory_order_relaxed);
        cm_wake_post(context);
    }
    return NULL;
}

/* Whatever was said before a post is seen after a wake-up: else the last wait would never end. */
static void no_post_is_lost(void **state)
{
    (void)state;
    pthread_t threads[POSTERS];
    for (int i = 0; i < POSTERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, post_often, &wake), 0);
    }
    while (atomic_load_explicit(&told, memory_order_relaxed) < POSTERS * POSTS) {
        assert_true(cm_ring_wait(ring, FOR_A_WHILE) > 0);
    }
    for (int i = 0; i < POSTERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
}

static void on_signal(int signal_number)
{
    (void)signal_number;
    cm_wake_post(&wake);
}

static void a_signal_handler_may_post(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = on_signal};
    struct sigaction before;
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(cm_ring_wait(ring, FOR_A_WHILE), 1);
    assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
}

static void closes_with_a_post_on_its_way(void **state)
{
    (void)state;
    struct cm_wake other;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(cm_wake_open(&other, ring), 0);
        if (i % 2 == 0) {
            (void)cm_ring_wait(ring, 0);
        }
        cm_wake_post(&other);
        cm_wake_close(&other);
        assert_int_equal(other.fd, -1);
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(another_thread_ends_a_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(a_post_before_the_wait_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(no_post_is_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(a_signal_handler_may_post, setup, teardown),
        cmocka_unit_test_setup_teardown(closes_with_a_post_on_its_way, setup, teardown),
    };
    return cmocka_run_group_tests_name("wake", tests, NULL, NULL);
}
