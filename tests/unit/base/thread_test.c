// SPDX-License-Identifier: Apache-2.0
/* thread_test.c — threads that end, and one that takes its time. */
#include "base/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"

static void *ends_with_mutex(void *mutex)
{
    pthread_mutex_lock(mutex);
    pthread_mutex_unlock(mutex);
    return NULL;
}

static void a_thread_is_joined_when_it_has_ended(void **state)
{
    (void)state;
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_t thread;
    pthread_mutex_lock(&mutex);
    assert_int_equal(pthread_create(&thread, NULL, ends_with_mutex, &mutex), 0);
    int64_t begin_ns = cm_clock_mono_ns();
    assert_false(cm_thread_join_within(thread, 5));
    assert_true(cm_clock_mono_ns() - begin_ns >= 5 * CM_NS_PER_MS);
    assert_false(cm_thread_join_within(thread, 0));
    pthread_mutex_unlock(&mutex);
    assert_true(cm_thread_join_within(thread, CM_MS_PER_M));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_is_joined_when_it_has_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
