// SPDX-License-Identifier: Apache-2.0
/* event_test.c — the words of the wire, and what happens outside the enums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "event/event.h"

static void names_are_those_of_the_contract(void **state)
{
    (void)state;
    assert_string_equal(cm_event_type_name(CM_EVENT_CDR), "cdr");
    assert_string_equal(cm_event_type_name(CM_EVENT_SEAT_STATE), "seat_state");
    assert_string_equal(cm_event_type_name(CM_EVENT_CASE), "case");
    assert_string_equal(cm_outcome_name(CM_OUTCOME_ANSWERED), "answered");
    assert_string_equal(cm_outcome_name(CM_OUTCOME_NO_ANSWER), "no_answer");
    assert_string_equal(cm_outcome_name(CM_OUTCOME_CALLBACK), "callback");
    assert_string_equal(cm_state_name(CM_STATE_OFFLINE), "offline");
    assert_string_equal(cm_state_name(CM_STATE_ACW), "acw");
    assert_string_equal(cm_state_name(CM_STATE_MEETING), "meeting");
    assert_string_equal(cm_source_name(CM_SOURCE_THIRD_PARTY), "third_party");
    assert_string_equal(cm_step_name(CM_STEP_OPENED), "opened");
    assert_string_equal(cm_step_name(CM_STEP_RESOLVED), "resolved");
}

static void outside_is_a_question_mark(void **state)
{
    (void)state;
    assert_string_equal(cm_event_type_name(CM_EVENT_COUNT), "?");
    assert_string_equal(cm_outcome_name(CM_OUTCOME_COUNT), "?");
    assert_string_equal(cm_state_name(CM_STATE_COUNT), "?");
    assert_string_equal(cm_source_name(CM_SOURCE_COUNT), "?");
    assert_string_equal(cm_step_name(~0u), "?");
}

static void an_end_is_none_unless_said(void **state)
{
    (void)state;
    struct cm_event event = {0};
    assert_int_equal(event.end, CM_END_NONE);
    assert_int_equal(CM_END_COUNT, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_those_of_the_contract),
        cmocka_unit_test(outside_is_a_question_mark),
        cmocka_unit_test(an_end_is_none_unless_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
