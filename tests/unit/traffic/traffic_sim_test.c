// SPDX-License-Identifier: Apache-2.0
/* traffic_sim_test.c — what holds of any contact centre: one call at a time for a seat, who enters
 * a queue leaves it, legs of a call follow one another, states fit the calls. */
#include "traffic/traffic_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#define START_MS INT64_C(1793613600000) /* 2026-11-02T10:00:00Z, a Monday */
#define HOUR_MS  INT64_C(3600000)

enum { SEATS = 60 };

struct seen {
    int64_t free_ms[SEATS];   /* end of the seat's last leg */
    const char *state[SEATS]; /* by live events; one of the words below */
    json_t *waiting;          /* call -> time of queue_enter */
    json_t *legs;             /* call -> legs seen */
    uint32_t lines, answered, queued, left, waited_in_line;
};

static struct cm_traffic_options busy(void)
{
    struct cm_traffic_options options;
    cm_traffic_defaults(&options);
    options.seed = 9;
    options.seats = SEATS;
    options.calls_per_month = 700000;
    options.self_service = 0.1;
    options.start_ms = START_MS;
    options.end_ms = START_MS + 2 * HOUR_MS;
    options.live_events = true;
    options.judgements = 0.1;
    return options;
}

static const char *text_of(const json_t *root, const char *key)
{
    const char *text = json_string_value(json_object_get(root, key));
    return text != NULL ? text : "";
}

static int64_t number_of(const json_t *root, const char *key)
{
    return json_integer_value(json_object_get(root, key));
}

static void see_cdr(struct seen *seen, const json_t *root, int64_t ts)
{
    const char *seat_name = text_of(root, "seat");
    int64_t legs = number_of(seen->legs, text_of(root, "call")) + 1;
    json_object_set_new(seen->legs, text_of(root, "call"), json_integer(legs));
    if (seat_name[0] == '\0') {
        return;
    }
    int64_t seat = atoi(seat_name + 1) - 1;
    assert_in_range(seat, 0, SEATS - 1);
    int64_t parts = number_of(root, "ring_ms") + number_of(root, "talk_ms") +
                    number_of(root, "hold_ms") + number_of(root, "acw_ms");
    assert_true(ts - parts >= seen->free_ms[seat]); /* it did not have another call then */
    seen->free_ms[seat] = ts;
    if (strcmp(text_of(root, "outcome"), "answered") == 0) {
        seen->answered++;
    }
}

static void see_queue(struct seen *seen, const json_t *root, int64_t ts, bool enter)
{
    const char *call = text_of(root, "call");
    json_t *since = json_object_get(seen->waiting, call);
    if (enter) {
        assert_null(since); /* not twice in line */
        json_object_set_new(seen->waiting, call, json_integer(ts));
        seen->queued++;
    } else if (since != NULL) { /* some entered before the first line */
        assert_true(json_integer_value(since) <= ts);
        seen->waited_in_line += json_integer_value(since) < ts;
        json_object_del(seen->waiting, call);
        seen->left++;
    }
}

static void see_state(struct seen *seen, const json_t *root)
{
    static const struct {
        const char *before, *after;
    } steps[] = {{"available", "ringing"}, {"ringing", "talking"}, {"ringing", "available"},
                 {"talking", "acw"},       {"acw", "available"},   {"acw", "break"},
                 {"ringing", "break"},     {"break", "available"}};
    int64_t seat = atoi(text_of(root, "seat") + 1) - 1;
    const char *state = text_of(root, "state");
    bool known = seen->state[seat] == NULL;
    for (size_t i = 0; i < CM_ARRAY_LEN(steps) && !known; i++) {
        known =
            strcmp(seen->state[seat], steps[i].before) == 0 && strcmp(state, steps[i].after) == 0;
    }
    if (!known) {
        fail_msg("seat %lld goes from %s to %s", (long long)seat, seen->state[seat], state);
    }
    static const char *const words[] = {"available", "ringing", "talking", "acw", "break"};
    seen->state[seat] = NULL;
    for (size_t i = 0; i < CM_ARRAY_LEN(words); i++) {
        if (strcmp(state, words[i]) == 0) {
            seen->state[seat] = words[i];
        }
    }
    assert_non_null(seen->state[seat]);
}

static void watch(const struct cm_traffic_options *options, struct seen *seen)
{
    memset(seen, 0, sizeof(*seen));
    seen->waiting = json_object();
    seen->legs = json_object();
    struct cm_sim *sim = cm_sim_create(options);
    int64_t last_ms = options->start_ms;
    for (struct cm_traffic_line *line = cm_sim_peek(sim); line != NULL; line = cm_sim_peek(sim)) {
        json_error_t error;
        json_t *root = json_loadb(line->text.data, line->text.len, JSON_REJECT_DUPLICATES, &error);
        assert_non_null(root);
        int64_t ts = number_of(root, "ts");
        assert_true(ts == line->ts_ms && ts >= last_ms && ts < options->end_ms);
        last_ms = ts;
        const char *type = text_of(root, "type");
        if (strcmp(type, "cdr") == 0) {
            see_cdr(seen, root, ts);
        } else if (strncmp(type, "queue", 5) == 0) {
            see_queue(seen, root, ts, strcmp(type, "queue_enter") == 0);
        } else if (strcmp(type, "seat_state") == 0) {
            see_state(seen, root);
        } else {
            assert_string_equal(type, "check");
        }
        seen->lines++;
        json_decref(root);
        cm_sim_pop(sim);
    }
    assert_null(cm_sim_peek(sim)); /* the end stays the end */
    cm_sim_free(sim);
}

static void unsee(struct seen *seen)
{
    json_decref(seen->waiting);
    json_decref(seen->legs);
}

static void test_a_centre_with_room(void **state)
{
    (void)state;
    struct cm_traffic_options options = busy();
    options.calls_per_month = 300000;
    struct seen seen;
    watch(&options, &seen);
    assert_true(seen.answered > 1000);
    assert_true(seen.left > seen.queued * 9 / 10);
    uint32_t several = 0;
    const char *call;
    json_t *legs;
    json_object_foreach(seen.legs, call, legs)
    {
        assert_in_range(json_integer_value(legs), 1, 8);
        several += json_integer_value(legs) > 1;
    }
    assert_in_range(several, seen.answered / 50, seen.answered / 8); /* transferred, rung in vain */
    for (int i = 0; i < SEATS; i++) {
        assert_non_null(seen.state[i]); /* each said its state at the start */
    }
    unsee(&seen);
}

static void test_a_centre_with_too_many_calls(void **state)
{
    (void)state;
    struct cm_traffic_options options = busy();
    options.calls_per_month = 2500000; /* three times what the seats can do */
    options.end_ms = START_MS + HOUR_MS;
    struct seen seen;
    watch(&options, &seen);
    assert_true(seen.waited_in_line > seen.left * 8 / 10);
    /* The seats are busy nearly all the time: 60 seats, an hour, 217 s a call, breaks. */
    assert_in_range(seen.answered, 750, 1100);
    unsee(&seen);
}

static void test_one_seat(void **state)
{
    (void)state;
    struct cm_traffic_options options = busy();
    options.seats = 1;
    options.queues = 1;
    options.agents_per_seat = 24;
    options.calls_per_month = 20000;
    options.end_ms = START_MS + 12 * HOUR_MS;
    struct seen seen;
    watch(&options, &seen);
    assert_true(seen.answered > 50);
    unsee(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_centre_with_room),
        cmocka_unit_test(test_a_centre_with_too_many_calls),
        cmocka_unit_test(test_one_seat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
