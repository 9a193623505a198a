// SPDX-License-Identifier: Apache-2.0
/* redis_address_test.c — the three forms of an address, and what is none. */
#include "redis/redis_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "base/fail.h"

static struct cm_redis_address address;
static struct sockaddr_storage target;
static socklen_t len;

static int next(const char *text)
{
    return cm_redis_address_next(&address, text, &target, &len);
}

static int teardown(void **state)
{
    (void)state;
    cm_redis_address_reset(&address);
    return 0;
}

static void numbers(void **state)
{
    (void)state;
    assert_int_equal(next("127.0.0.1:6379"), 0);
    struct sockaddr_in v4;
    memcpy(&v4, &target, sizeof(v4));
    assert_int_equal(len, sizeof(v4));
    assert_int_equal(v4.sin_family, AF_INET);
    assert_int_equal(ntohs(v4.sin_port), 6379);
    assert_int_equal(ntohl(v4.sin_addr.s_addr), INADDR_LOOPBACK);
    assert_false(cm_redis_address_has_more(&address));
    assert_int_equal(next("[::1]:7000"), 0);
    struct sockaddr_in6 v6;
    memcpy(&v6, &target, sizeof(v6));
    assert_int_equal(v6.sin6_family, AF_INET6);
    assert_int_equal(ntohs(v6.sin6_port), 7000);
    assert_true(IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr));
}

static void names_are_handed_out_one_by_one(void **state)
{
    (void)state;
    assert_int_equal(next("localhost:6379"), 0);
    int count = 1;
    while (cm_redis_address_has_more(&address)) {
        assert_int_equal(next("localhost:6379"), 0);
        count++;
    }
    assert_in_range(count, 1, 8);
    /* Used up: from the start again. */
    assert_int_equal(next("localhost:6379"), 0);
}

static void paths(void **state)
{
    (void)state;
    assert_int_equal(next("unix:/run/redis/redis.sock"), 0);
    struct sockaddr_un local;
    memcpy(&local, &target, sizeof(local));
    assert_int_equal(local.sun_family, AF_UNIX);
    assert_string_equal(local.sun_path, "/run/redis/redis.sock");
    char longest[5 + sizeof(local.sun_path) + 1] = "unix:";
    memset(longest + 5, 'x', sizeof(local.sun_path) - 1);
    assert_int_equal(next(longest), 0);
    longest[5 + sizeof(local.sun_path) - 1] = 'x';
    assert_int_equal(next(longest), -CM_ERR_REDIS);
    assert_int_equal(next("unix:"), -CM_ERR_REDIS);
}

static void mistakes(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", ":", ":6379", "127.0.0.1", "127.0.0.1:", "[::1:6379", "[]:6379", "127.0.0.1:redis-x",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(next(bad[i]), -CM_ERR_REDIS);
        assert_true(strlen(cm_fail_text()) > 0);
        assert_false(cm_redis_address_has_more(&address));
    }
    assert_int_equal(next("127.0.0.1"), -CM_ERR_REDIS);
    assert_string_equal(cm_fail_text(), "address 127.0.0.1 is neither host:port nor unix:PATH");
    char endless[400];
    memset(endless, 'a', sizeof(endless));
    memcpy(endless + sizeof(endless) - 3, ":1", 3);
    assert_int_equal(next(endless), -CM_ERR_REDIS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(numbers, teardown),
        cmocka_unit_test_teardown(names_are_handed_out_one_by_one, teardown),
        cmocka_unit_test_teardown(paths, teardown),
        cmocka_unit_test_teardown(mistakes, teardown),
    };
    return cmocka_run_group_tests_name("redis_address", tests, NULL, NULL);
}
