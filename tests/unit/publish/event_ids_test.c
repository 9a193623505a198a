// SPDX-License-Identifier: Apache-2.0
/* event_ids_test.c — the set forgets the oldest only, and an id is found where it is. */
#include "publish/event_ids.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static struct cm_str name(char *out, uint32_t number)
{
    int len = snprintf(out, 16, "e%u", number);
    return (struct cm_str){out, (uint32_t)len};
}

static void the_newest_are_in_it(void **state)
{
    (void)state;
    enum { KEPT = 32768, ALL = 200000 };
    struct cm_event_ids ids = {0};
    char id[16];
    assert_false(cm_event_ids_has(&ids, CM_STR("e0")));
    for (uint32_t i = 0; i < ALL; i++) {
        cm_event_ids_add(&ids, name(id, i));
        assert_true(cm_event_ids_has(&ids, name(id, i)));
        assert_true(cm_event_ids_has(&ids, name(id, i < KEPT ? 0 : i - KEPT + 1)));
    }
    assert_false(cm_event_ids_has(&ids, CM_STR("e0")));
    assert_false(cm_event_ids_has(&ids, name(id, ALL)));
    cm_event_ids_add(&ids, (struct cm_str){NULL, 0});
    assert_true(cm_event_ids_has(&ids, (struct cm_str){NULL, 0}));
    cm_event_ids_clear(&ids);
    assert_false(cm_event_ids_has(&ids, name(id, ALL - 1)));
    cm_event_ids_clear(&ids);
}

static void assert_id(const char *json, const char *expected)
{
    struct cm_str id = cm_event_id_of((struct cm_str){json, (uint32_t)strlen(json)});
    assert_int_equal(id.len, strlen(expected));
    assert_memory_equal(id.p, expected, id.len);
}

static void the_id_of_an_event(void **state)
{
    (void)state;
    assert_id("{\"id\":\"a1\"}", "a1");
    assert_id(" { \"x\" : [ {\"id\":\"no\"} ] , \"id\" : \"a\\\"}2\" }", "a\\\"}2");
    assert_id("{\"data\":{\"id\":\"no\"},\"id\":\"yes\",\"more\":{\"id\":\"no\"}}", "yes");
    assert_id("{\"k\":\"id\",\"v\":\"\\\"id\\\":\",\"id\":\"z\"}", "z");
    assert_id("{\"id\":7}", "");
    assert_id("{\"ident\":\"a\"}", "");
    assert_id("[\"id\",\"a\"]", "");
    assert_id("{}", "");
    assert_id("", "");
}

static void cut_text_is_harmless(void **state)
{
    (void)state;
    static const char json[] = "{\"x\":{\"id\":\"n\"},\"id\":\"a\\\"b\"}";
    for (uint32_t len = 0; len + 2 < sizeof(json); len++) {
        assert_int_equal(cm_event_id_of((struct cm_str){json, len}).len, 0);
    }
    assert_id("}]}{\"id\":\"a\"", "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_are_in_it),
        cmocka_unit_test(the_id_of_an_event),
        cmocka_unit_test(cut_text_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
