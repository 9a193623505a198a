// SPDX-License-Identifier: Apache-2.0
/* roster_watch_test.c — which changes of the file are worth a load, and when. */
#include "engine/roster_watch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

#define STEP CM_NS_PER_S

static char folder[] = "/tmp/callmill-roster-XXXXXX";
static char path[64], other[64];

static void put(const char *name, const char *text, int64_t mtime_ns)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    struct timespec times[2] = {
        {0, 0}, {.tv_sec = mtime_ns / CM_NS_PER_S, .tv_nsec = mtime_ns % CM_NS_PER_S}};
    assert_int_equal(utimensat(AT_FDCWD, name, times, 0), 0);
}

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    snprintf(path, sizeof(path), "%s/r.csv", folder);
    snprintf(other, sizeof(other), "%s/new.csv", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    unlink(other);
    return rmdir(folder);
}

static void a_change_is_loaded_once_it_rests(void **state)
{
    (void)state;
    struct cm_roster_watch watch;
    put(path, "a", 1000);
    cm_roster_watch_init(&watch, path, 1000, 0);
    assert_false(cm_roster_watch_poll(&watch, STEP));
    put(path, "ab", 2000);
    assert_false(cm_roster_watch_poll(&watch, 2 * STEP - 1)); /* not yet time to look */
    assert_false(cm_roster_watch_poll(&watch, 2 * STEP));     /* just seen */
    put(path, "abc", 3000);
    assert_false(cm_roster_watch_poll(&watch, 3 * STEP)); /* still being written */
    assert_true(cm_roster_watch_poll(&watch, 4 * STEP));
    assert_false(cm_roster_watch_poll(&watch, 5 * STEP)); /* once */
    put(path, "xyz", 4000);                               /* the same size */
    assert_false(cm_roster_watch_poll(&watch, 6 * STEP));
    assert_true(cm_roster_watch_poll(&watch, 7 * STEP));
}

static void a_file_put_in_its_place_is_another_one(void **state)
{
    (void)state;
    struct cm_roster_watch watch;
    put(path, "a", 1000);
    put(other, "b", 1000);
    cm_roster_watch_init(&watch, path, 1000, 0);
    assert_int_equal(rename(other, path), 0);
    assert_false(cm_roster_watch_poll(&watch, STEP));
    assert_true(cm_roster_watch_poll(&watch, 2 * STEP));
}

static void a_file_that_is_gone_loads_nothing(void **state)
{
    (void)state;
    struct cm_roster_watch watch;
    put(path, "a", 1000);
    cm_roster_watch_init(&watch, path, 1000, 0);
    assert_int_equal(unlink(path), 0);
    assert_false(cm_roster_watch_poll(&watch, STEP));
    assert_false(cm_roster_watch_poll(&watch, 2 * STEP));
    put(path, "b", 2000);
    assert_false(cm_roster_watch_poll(&watch, 3 * STEP));
    assert_true(cm_roster_watch_poll(&watch, 4 * STEP));
}

static void what_was_loaded_otherwise_is_not_loaded_again(void **state)
{
    (void)state;
    struct cm_roster_watch watch;
    put(path, "a", 1000);
    cm_roster_watch_init(&watch, path, 1000, 0);
    put(path, "b", 2000);
    cm_roster_watch_loaded(&watch);
    assert_false(cm_roster_watch_poll(&watch, STEP));
    assert_false(cm_roster_watch_poll(&watch, 2 * STEP));
}

static void without_an_interval_or_a_file_it_never_does(void **state)
{
    (void)state;
    struct cm_roster_watch watch;
    put(path, "a", 1000);
    cm_roster_watch_init(&watch, path, 0, 0);
    put(path, "b", 2000);
    assert_false(cm_roster_watch_poll(&watch, 5 * STEP));
    assert_false(cm_roster_watch_poll(&watch, 9 * STEP));
    cm_roster_watch_init(&watch, NULL, 1000, 0);
    assert_false(cm_roster_watch_poll(&watch, 5 * STEP));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_loaded_once_it_rests),
        cmocka_unit_test(a_file_put_in_its_place_is_another_one),
        cmocka_unit_test(a_file_that_is_gone_loads_nothing),
        cmocka_unit_test(what_was_loaded_otherwise_is_not_loaded_again),
        cmocka_unit_test(without_an_interval_or_a_file_it_never_does),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
