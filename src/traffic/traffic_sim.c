// SPDX-License-Identifier: Apache-2.0
/* traffic_sim.c — the simulation of traffic.h: one heap of things to happen, one pool of calls.
 *
 *   ENTER ──► CONNECT ──► ANSWER ──► WRAP ──► END          ANSWER and WRAP only for live events
 *     │          │ no seat idle: in line, until one is
 *     └──────────┴──► GIVE_UP
 *
 * What a call will do is drawn when it is decided (the wait on entering, the talk on connecting),
 * so the heap holds one item a call, two while it stands in line. Lines that one step gives are
 * collected and handed out one by one. Half an hour before start_ms is simulated without output, so
 * that the centre is as busy at the first line as it will be later.
 */
#include "traffic/traffic_sim.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/memory.h"
#include "traffic/traffic_heap.h"
#include "traffic/traffic_leg.h"
#include "traffic/traffic_model.h"
#include "traffic/traffic_write.h"

#define WARM_UP_MS   (30 * CM_MS_PER_M)
#define REF_BITS     28u
#define SCORE_FAILED 30u

enum what { ENTER, CONNECT, GIVE_UP, ANSWER, WRAP, END, BACK, RESEND, JUDGE };
enum place { ON_ITS_WAY, IN_LINE, SERVED, GONE };

struct call {
    struct cm_leg leg;
    int64_t entered_ms; /* of this leg */
    int64_t patience_end_ms;
    enum place place;
    uint32_t next_unused;
};

struct cm_sim {
    struct cm_traffic_options options;
    struct cm_labels labels;
    struct cm_arrivals arrivals;
    struct cm_prng prng;  /* what the calls do */
    struct cm_prng after; /* what is told about them afterwards; does not change the calls */
    uint64_t number_base, calls_made, events_made;
    uint64_t self_service, revisions, judgements; /* chances */
    struct cm_leg_model model;
    uint8_t *seat_state; /* enum cm_state */
    uint32_t *idle;      /* ring of seats, longest idle first */
    uint32_t idle_at, idle_count;
    uint32_t *line; /* ring of calls in line */
    uint32_t line_at, line_count, line_cap;
    struct call *calls;
    uint32_t calls_count, calls_cap, calls_unused; /* the head of the unused, UINT32_MAX none */
    struct cm_heap heap;
    int64_t next_arrival_ms;
    bool opened, done;
    struct cm_traffic_line *lines; /* what the last step gave */
    uint32_t lines_at, lines_count, lines_cap;
};

/* A bijection of 64-bit numbers that looks like chance (the finish of splitmix64). */
static uint64_t mix64(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t event_number(struct cm_sim *t)
{
    return mix64(t->number_base + (UINT64_C(1) << 63) + t->events_made++);
}

/* ---- calls, seats, lines -------------------------------------------------------------------- */

static uint32_t call_new(struct cm_sim *t)
{
    if (t->calls_unused != UINT32_MAX) {
        uint32_t call = t->calls_unused;
        t->calls_unused = t->calls[call].next_unused;
        return call;
    }
    if (t->calls_count == t->calls_cap) {
        t->calls_cap = t->calls_cap > 0 ? t->calls_cap * 2 : 256;
        t->calls = cm_realloc(t->calls, t->calls_cap, sizeof(*t->calls));
    }
    CM_ASSERT(t->calls_count < 1u << REF_BITS);
    return t->calls_count++;
}

static void call_free(struct cm_sim *t, uint32_t call)
{
    t->calls[call].next_unused = t->calls_unused;
    t->calls_unused = call;
}

static uint32_t call_copy(struct cm_sim *t, uint32_t call)
{
    uint32_t copy = call_new(t);
    t->calls[copy] = t->calls[call];
    return copy;
}

static void later(struct cm_sim *t, int64_t at_ms, enum what what, uint32_t index)
{
    cm_heap_push(&t->heap, at_ms, (uint32_t)what << REF_BITS | index);
}

/* Room for a line of that time, or NULL while the simulation warms up. */
static struct cm_traffic_line *line_at(struct cm_sim *t, int64_t now_ms)
{
    if (now_ms < t->options.start_ms) {
        return NULL;
    }
    if (t->lines_count == t->lines_cap) {
        uint32_t cap = t->lines_cap > 0 ? t->lines_cap * 2 : 8;
        t->lines = cm_realloc(t->lines, cap, sizeof(*t->lines));
        memset(t->lines + t->lines_cap, 0, (cap - t->lines_cap) * sizeof(*t->lines));
        t->lines_cap = cap;
    }
    struct cm_traffic_line *line = &t->lines[t->lines_count++];
    line->ts_ms = now_ms;
    return line;
}

static void say_leg(struct cm_sim *t, int64_t now_ms, const struct cm_leg *leg)
{
    struct cm_traffic_line *line = line_at(t, now_ms);
    if (line != NULL) {
        cm_write_cdr(line, &t->labels, leg);
    }
}

static void say_queue(struct cm_sim *t, int64_t now_ms, const struct cm_leg *leg, bool enter)
{
    if (t->options.live_events) {
        struct cm_traffic_line *line = line_at(t, now_ms);
        if (line != NULL) {
            cm_write_queue(line, &t->labels, leg, event_number(t), enter);
        }
    }
}

static void say_state(struct cm_sim *t, int64_t now_ms, uint32_t seat, enum cm_state state)
{
    t->seat_state[seat] = (uint8_t)state;
    if (t->options.live_events) {
        struct cm_traffic_line *line = line_at(t, now_ms);
        if (line != NULL) {
            cm_write_state(line, &t->labels, seat, state, event_number(t));
        }
    }
}

static void line_push(struct cm_sim *t, uint32_t call)
{
    if (t->line_count == t->line_cap) {
        uint32_t cap = t->line_cap > 0 ? t->line_cap * 2 : 64;
        uint32_t *grown = cm_alloc(cap, sizeof(*grown));
        for (uint32_t i = 0; i < t->line_count; i++) {
            grown[i] = t->line[(t->line_at + i) % t->line_cap];
        }
        free(t->line);
        t->line = grown;
        t->line_cap = cap;
        t->line_at = 0;
    }
    t->line[(t->line_at + t->line_count++) % t->line_cap] = call;
}

/* ---- what a call does ----------------------------------------------------------------------- */

/* The next leg of a call, which enters a queue when this one lets go of the caller. */
static void go_on(struct cm_sim *t, uint32_t call, int64_t at_ms, bool elsewhere)
{
    uint32_t next = call_new(t);
    const struct cm_leg *leg = &t->calls[call].leg;
    uint8_t queue = leg->queue;
    if (elsewhere && t->options.queues > 1) {
        queue =
            (uint8_t)((queue + cm_between(&t->prng, 1, t->options.queues - 1)) % t->options.queues);
    }
    t->calls[next] = (struct call){.leg = {.number = leg->number,
                                           .seat = CM_NO_SEAT,
                                           .queue = queue,
                                           .leg = (uint8_t)(leg->leg + 1),
                                           .rating = -1,
                                           .checks = CM_NO_CHECKS}};
    later(t, at_ms, ENTER, next);
}

static void serve(struct cm_sim *t, uint32_t call, int64_t now_ms)
{
    uint32_t seat = t->idle[t->idle_at];
    t->idle_at = t->idle_at + 1 < t->options.seats ? t->idle_at + 1 : 0;
    t->idle_count--;

    struct cm_leg *leg = &t->calls[call].leg;
    uint32_t shift = t->arrivals.local_hour * t->options.agents_per_seat / 24;
    leg->seat = seat;
    leg->agent = seat * t->options.agents_per_seat + shift + 1;
    leg->wait_ms = (uint32_t)(now_ms - t->calls[call].entered_ms);
    cm_leg_at_seat(&t->model, &t->prng, leg);
    say_queue(t, now_ms, leg, false);
    say_state(t, now_ms, seat, CM_STATE_RINGING);

    int64_t answered_ms = now_ms + leg->ring_ms;
    int64_t wrap_ms = answered_ms + leg->talk_ms + leg->hold_ms;
    later(t, wrap_ms + leg->acw_ms, END, call);
    if (t->options.live_events && leg->outcome == CM_OUTCOME_ANSWERED) {
        later(t, answered_ms, ANSWER, seat);
        later(t, wrap_ms, WRAP, seat);
    }
    if (leg->transfers > 0) {
        go_on(t, call, wrap_ms, true);
    } else if (leg->outcome == CM_OUTCOME_NO_ANSWER || leg->outcome == CM_OUTCOME_REJECTED) {
        go_on(t, call, answered_ms, false);
    }
}

static void enter(struct cm_sim *t, uint32_t index, int64_t now_ms)
{
    struct call *call = &t->calls[index];
    call->entered_ms = now_ms;
    call->place = ON_ITS_WAY;
    say_queue(t, now_ms, &call->leg, true);

    uint32_t wait_ms = cm_leg_wait_ms(&t->model, &t->prng, t->arrivals.load_64k);
    uint32_t patience_ms = cm_quantiles_draw(&t->model.patience, cm_prng_next(&t->prng));
    call->patience_end_ms = now_ms + patience_ms;
    if (cm_chance(&t->prng, CM_PERCENT(1))) {
        static const uint8_t ways[] = {CM_OUTCOME_OVERFLOW, CM_OUTCOME_TIMEOUT,
                                       CM_OUTCOME_CALLBACK};
        call->leg.outcome = ways[cm_between(&t->prng, 0, 2)];
        call->leg.end = CM_END_SYSTEM;
        later(t, now_ms + cm_quantiles_draw(&t->model.wait, cm_prng_next(&t->prng)), GIVE_UP,
              index);
    } else {
        call->leg.outcome = CM_OUTCOME_ABANDONED;
        call->leg.end = CM_END_CALLER;
        bool gives_up = patience_ms < wait_ms;
        later(t, now_ms + (gives_up ? patience_ms : wait_ms), gives_up ? GIVE_UP : CONNECT, index);
    }
}

static void arrive(struct cm_sim *t, int64_t now_ms)
{
    uint32_t index = call_new(t);
    uint64_t random = cm_prng_next(&t->prng);
    t->calls[index] = (struct call){.leg = {.number = mix64(t->number_base + t->calls_made++),
                                            .seat = CM_NO_SEAT,
                                            .queue = t->model.queue_of[random % CM_QUEUE_SLOTS],
                                            .leg = 1,
                                            .rating = -1,
                                            .checks = CM_NO_CHECKS}};
    if (random >> 32 < t->self_service) {
        struct cm_leg *leg = &t->calls[index].leg;
        cm_leg_at_machine(&t->model, &t->prng, leg);
        later(t, now_ms + leg->wait_ms + leg->talk_ms, END, index);
    } else {
        enter(t, index, now_ms);
    }
}

/* ---- things that happen --------------------------------------------------------------------- */

/* A seat is free: the first in line who is still there, or idle. */
static void release(struct cm_sim *t, uint32_t seat, int64_t now_ms)
{
    uint32_t at = t->idle_at + t->idle_count++;
    t->idle[at < t->options.seats ? at : at - t->options.seats] = seat;
    say_state(t, now_ms, seat, CM_STATE_AVAILABLE);
    while (t->line_count > 0 && t->idle_count > 0) {
        uint32_t first = t->line[t->line_at];
        t->line_at = (t->line_at + 1) % t->line_cap;
        t->line_count--;
        if (t->calls[first].place == GONE) {
            call_free(t, first);
        } else {
            uint32_t served = call_copy(t, first); /* the old one waits for its GIVE_UP */
            t->calls[first].place = SERVED;
            serve(t, served, now_ms);
        }
    }
}

static void on_connect(struct cm_sim *t, uint32_t index, int64_t now_ms)
{
    if (t->idle_count > 0) {
        serve(t, index, now_ms);
        return;
    }
    struct call *call = &t->calls[index];
    call->place = IN_LINE;
    line_push(t, index);
    later(t, call->patience_end_ms > now_ms ? call->patience_end_ms : now_ms, GIVE_UP, index);
}

static void on_give_up(struct cm_sim *t, uint32_t index, int64_t now_ms)
{
    struct call *call = &t->calls[index];
    if (call->place == SERVED) {
        call_free(t, index);
        return;
    }
    call->leg.wait_ms = (uint32_t)(now_ms - call->entered_ms);
    say_leg(t, now_ms, &call->leg);
    say_queue(t, now_ms, &call->leg, false);
    if (call->place == IN_LINE) {
        call->place = GONE; /* freed when its turn comes */
    } else {
        call_free(t, index);
    }
}

/* What is told about an answered leg after its record. */
static void follow_up(struct cm_sim *t, uint32_t index, int64_t now_ms)
{
    /* Drawn whether wanted or not, so that switching one on does not change the other. */
    bool again = cm_chance(&t->after, t->revisions);
    uint32_t again_ms = cm_between(&t->after, 1000, 300000);
    bool judged = cm_chance(&t->after, t->judgements);
    uint32_t judged_ms = cm_between(&t->after, 60000, 1800000);
    if (now_ms < t->options.start_ms) {
        return; /* nobody saw the record */
    }
    if (again) {
        later(t, now_ms + again_ms, RESEND, call_copy(t, index));
    }
    if (judged) {
        later(t, now_ms + judged_ms, JUDGE, call_copy(t, index));
    }
}

static void on_end(struct cm_sim *t, uint32_t index, int64_t now_ms)
{
    struct cm_leg leg = t->calls[index].leg;
    say_leg(t, now_ms, &leg);
    if (leg.seat == CM_NO_SEAT) {
        call_free(t, index);
        return;
    }
    if (leg.outcome == CM_OUTCOME_ANSWERED) {
        follow_up(t, index, now_ms);
    }
    call_free(t, index);
    if (cm_chance(&t->prng, CM_PERCENT(1))) {
        say_state(t, now_ms, leg.seat, CM_STATE_BREAK);
        later(t, now_ms + cm_between(&t->prng, 180000, 900000), BACK, leg.seat);
    } else {
        release(t, leg.seat, now_ms);
    }
}

static void on_resend(struct cm_sim *t, uint32_t index, int64_t now_ms)
{
    struct cm_leg *leg = &t->calls[index].leg;
    leg->rev = 1;
    leg->acw_ms = (uint32_t)((uint64_t)leg->acw_ms * cm_between(&t->after, 50, 200) / 100) + 1;
    leg->rating = (int8_t)cm_between(&t->after, 0, CM_RATING_MAX);
    say_leg(t, now_ms, leg);
    call_free(t, index);
}

static void on_judge(struct cm_sim *t, uint32_t index, int64_t now_ms)
{
    struct cm_leg *leg = &t->calls[index].leg;
    uint32_t checks = cm_between(&t->after, 0, 99);
    uint32_t lost = cm_between(&t->after, 0, 20);
    enum cm_source source = (enum cm_source)cm_between(&t->after, 0, CM_SOURCE_COUNT - 1);
    /* Eight in ten pass all; the others fail or lack one. */
    static const uint8_t flaws[] = {1, 2, 3, 6, 9, 18};
    leg->checks = checks < 80 ? 0 : flaws[checks % sizeof(flaws)];
    struct cm_traffic_line *line = line_at(t, now_ms);
    if (line != NULL) {
        uint32_t score = CM_RATING_MAX - lost - (leg->checks != 0 ? SCORE_FAILED : 0);
        cm_write_check(line, &t->labels, leg, source, score, event_number(t));
    }
    call_free(t, index);
}

static void happen(struct cm_sim *t, const struct cm_heap_item *item)
{
    uint32_t index = item->ref & ((1u << REF_BITS) - 1u);
    int64_t now_ms = item->at_ms;
    switch ((enum what)(item->ref >> REF_BITS)) {
    case ENTER:
        enter(t, index, now_ms);
        break;
    case CONNECT:
        on_connect(t, index, now_ms);
        break;
    case GIVE_UP:
        on_give_up(t, index, now_ms);
        break;
    case ANSWER:
        say_state(t, now_ms, index, CM_STATE_TALKING);
        break;
    case WRAP:
        say_state(t, now_ms, index, CM_STATE_ACW);
        break;
    case END:
        on_end(t, index, now_ms);
        break;
    case BACK:
        release(t, index, now_ms);
        break;
    case RESEND:
        on_resend(t, index, now_ms);
        break;
    case JUDGE:
        on_judge(t, index, now_ms);
        break;
    }
}

/* One step of the simulation, which may give lines or none. */
static void advance(struct cm_sim *t)
{
    int64_t due_ms = cm_heap_due_ms(&t->heap);
    int64_t now_ms = due_ms < t->next_arrival_ms ? due_ms : t->next_arrival_ms;
    if (!t->opened && now_ms >= t->options.start_ms) {
        t->opened = true;
        for (uint32_t seat = 0; t->options.live_events && seat < t->options.seats; seat++) {
            say_state(t, t->options.start_ms, seat, (enum cm_state)t->seat_state[seat]);
        }
    } else if (now_ms >= t->options.end_ms) {
        t->done = true;
    } else if (t->next_arrival_ms <= due_ms) {
        arrive(t, now_ms);
        t->next_arrival_ms = cm_arrivals_next(&t->arrivals, &t->prng);
    } else {
        struct cm_heap_item item = cm_heap_pop(&t->heap);
        happen(t, &item);
    }
}

struct cm_traffic_line *cm_sim_peek(struct cm_sim *t)
{
    while (t->lines_at == t->lines_count) {
        if (t->done) {
            return NULL;
        }
        t->lines_at = t->lines_count = 0;
        advance(t);
    }
    return &t->lines[t->lines_at];
}

void cm_sim_pop(struct cm_sim *t)
{
    CM_ASSERT(t->lines_at < t->lines_count);
    t->lines_at++;
}

/* ---- making it ------------------------------------------------------------------------------ */

struct cm_sim *cm_sim_create(const struct cm_traffic_options *options)
{
    struct cm_sim *t = cm_alloc(1, sizeof(*t));
    t->options = *options;
    t->calls_unused = UINT32_MAX;
    t->number_base = mix64(options->seed ^ mix64((uint64_t)options->start_ms));
    t->self_service = cm_chance_of(options->self_service);
    t->revisions = cm_chance_of(options->revisions);
    t->judgements = cm_chance_of(options->judgements);
    cm_prng_seed(&t->prng, options->seed);
    cm_prng_seed(&t->after, options->seed ^ UINT64_C(0x6166746572));
    cm_labels_make(&t->labels, options);
    cm_leg_model_init(&t->model, options, &t->prng);
    t->seat_state = cm_alloc(options->seats, sizeof(*t->seat_state));
    t->idle = cm_alloc(options->seats, sizeof(*t->idle));
    t->idle_count = options->seats;
    for (uint32_t i = 0; i < options->seats; i++) {
        t->seat_state[i] = CM_STATE_AVAILABLE;
        t->idle[i] = i;
    }
    cm_arrivals_init(&t->arrivals, options->zone, options->calls_per_month,
                     options->start_ms - WARM_UP_MS);
    t->next_arrival_ms = cm_arrivals_next(&t->arrivals, &t->prng);
    return t;
}

void cm_sim_free(struct cm_sim *t)
{
    if (t == NULL) {
        return;
    }
    for (uint32_t i = 0; i < t->lines_cap; i++) {
        cm_text_free(&t->lines[i].text);
    }
    free(t->lines);
    free(t->calls);
    free(t->line);
    free(t->idle);
    free(t->seat_state);
    cm_leg_model_free(&t->model);
    cm_heap_free(&t->heap);
    cm_labels_free(&t->labels);
    free(t);
}
