// SPDX-License-Identifier: Apache-2.0
/* windows_longest.c — the longest wait and handle time of a unit, found again among its legs where
 * its sums do not know them any more.
 *
 *   unit ──► its cells ──► each its newest leg ──► the one before it ──► ... until all are too old
 *
 * Over a sliding window the first few of those that may still become the longest are kept (top.h):
 * they are looked for when one was taken back, or all have left. Where that has taken many steps,
 * all are kept from then on (longest.h). A seat that has had more legs than few (few_sums.h) has
 * neither until then, and its longest are looked for when one leaves. A period outlives its legs:
 * it has the longest of those that nothing takes back any more, and only what can be taken back is
 * looked at. */
#include "base/compiler.h"
#include "base/memory.h"
#include "window/windows_state.h"

/* What a search may take, in cells and legs, where one in several reads needs one: what it took
 * is a debt that every read pays off by so much; who owes too much keeps the longest instead. */
#define PAID_OFF    16u
#define DEBT_MOST   512u
#define AHEAD_CELLS 16u

/* What is looked for: the longest of [left_ms, asof_ms), not older than the leg at `oldest`. */
struct search {
    int64_t left_ms, asof_ms;
    uint32_t oldest;
    uint32_t wait_ms, handle_ms; /* found */
    uint32_t steps;              /* that it took */
    struct cm_longest *keep;     /* gets each of them; NULL: nobody */
    struct cm_top *top;          /* the same */
};

static void note_leg(const struct cm_windows *w, const struct cm_leg *leg, struct search *search)
{
    if (leg->ts_ms < search->left_ms || leg->ts_ms >= search->asof_ms) {
        return;
    }
    uint32_t handle_ms = cm_leg_handle_ms(leg);
    search->wait_ms = max_u32(search->wait_ms, leg->wait_ms);
    search->handle_ms = max_u32(search->handle_ms, handle_ms);
    if (search->keep != NULL) {
        cm_longest_add(search->keep, pane_no(w, leg->ts_ms), leg->wait_ms, handle_ms);
    }
    if (search->top != NULL) {
        cm_top_add(search->top, pane_no(w, leg->ts_ms), leg->wait_ms, handle_ms);
    }
}

/* Places are modulo 2^32: what a cell that was idle for long has last may be another one's by now.
 */
static void search_cell(const struct cm_windows *w, uint32_t cell, struct search *search)
{
    const struct cm_leg_log *legs = &w->legs;
    uint32_t place = w->cells[cell].last;
    while (cm_leg_log_has(legs, place) && (int32_t)(place - search->oldest) >= 0 &&
           cm_leg_log_newest_ms(legs, place) >= search->left_ms) {
        const struct cm_leg *leg = cm_leg_log_at(legs, place);
        if (leg->cell != cell) {
            break;
        }
        note_leg(w, leg, search);
        search->steps++;
        if ((uint32_t)(leg->before - legs->first) >= (uint32_t)(place - legs->first)) {
            break;
        }
        place = leg->before;
    }
}

static void expect_leg(const struct cm_windows *w, uint32_t place)
{
    if (cm_leg_log_has(&w->legs, place)) {
        cm_prefetch(cm_leg_log_at(&w->legs, place));
    }
}

static void search_unit(const struct cm_windows *w, uint32_t unit, struct search *search)
{
    const struct unit_state *state = &w->state[unit];
    for (uint32_t c = 0; c < state->cells_count; c++) {
        if (state->cells_count - c > AHEAD_CELLS) {
            cm_prefetch(&w->cells[state->cells[c + AHEAD_CELLS]]);
        }
        if (state->cells_count - c > AHEAD_CELLS / 2) {
            expect_leg(w, w->cells[state->cells[c + AHEAD_CELLS / 2]].last);
        }
        search_cell(w, state->cells[c], search);
        search->steps++;
    }
}

void cm_windows_expect_cells(const struct cm_windows *w, uint32_t unit)
{
    const struct unit_state *state = &w->state[unit];
    for (uint32_t c = 0; c < state->cells_count && c < AHEAD_CELLS; c++) {
        cm_prefetch(&w->cells[state->cells[c]]);
    }
}

void cm_windows_expect_legs(const struct cm_windows *w, uint32_t unit)
{
    const struct unit_state *state = &w->state[unit];
    for (uint32_t c = 0; c < state->cells_count && c < AHEAD_CELLS; c++) {
        expect_leg(w, w->cells[state->cells[c]].last);
    }
}

static void find_in_period(struct cm_windows *w, const struct span *span, uint32_t unit,
                           struct cm_accumulator *sums)
{
    struct search search = {.left_ms = span->left_no * w->pane_ms,
                            .asof_ms = span->asof_no * w->pane_ms,
                            .oldest = w->forgotten};
    if (w->config->dedupe_ms > 0) {
        search_unit(w, unit, &search);
    }
    sums->tally.wait_max_ms = max_u32(search.wait_ms, sums->settled_wait_ms);
    sums->tally.handle_max_ms = max_u32(search.handle_ms, sums->settled_handle_ms);
}

static struct search search_of(const struct cm_windows *w, const struct span *span)
{
    return (struct search){.left_ms = span->left_no * w->pane_ms,
                           .asof_ms = span->asof_no * w->pane_ms,
                           .oldest = w->legs.first};
}

/* From now on it keeps all that may still become the longest. */
static void keep_longest(const struct cm_windows *w, const struct span *span, uint32_t unit,
                         struct cm_accumulator *sums)
{
    struct search search = search_of(w, span);
    search.keep = sums->longest = cm_alloc_lines(sizeof(*sums->longest));
    sums->top = NULL;
    search_unit(w, unit, &search);
}

static void pay_off(uint32_t *debt)
{
    *debt -= *debt < PAID_OFF ? *debt : PAID_OFF;
}

static void find_in_many(const struct cm_windows *w, const struct span *span, uint32_t unit,
                         struct cm_accumulator *sums)
{
    struct search search = search_of(w, span);
    search.keep = sums->longest;
    search.top = sums->top;
    if (sums->longest != NULL) {
        cm_longest_clear(sums->longest);
    }
    if (sums->top != NULL) {
        *sums->top = (struct cm_top){.wait = {.count = 0}};
    }
    if (sums->tally.answered + sums->tally.abandoned > 0) {
        search_unit(w, unit, &search);
    }
    sums->tally.wait_max_ms = search.wait_ms;
    sums->tally.handle_max_ms = search.handle_ms;
    sums->search_debt += search.steps;
    if (sums->search_debt > DEBT_MOST && sums->longest == NULL) {
        keep_longest(w, span, unit, sums);
    }
}

static void find_in_few(struct cm_windows *w, const struct span *span, uint32_t unit,
                        struct cm_few_sums *few)
{
    uint32_t debt = few->search_debt;
    if (cm_top_leave(&few->top, span->left_no) && few->is_stale == 0) {
        pay_off(&debt);
        few->search_debt = (uint16_t)debt;
        return;
    }
    struct search search = search_of(w, span);
    search.top = &few->top;
    few->top = (struct cm_top){.wait = {.count = 0}};
    few->is_stale = 0;
    search_unit(w, unit, &search);
    debt += search.steps;
    few->search_debt = (uint16_t)(debt < UINT16_MAX ? debt : UINT16_MAX);
    if (debt > DEBT_MOST) {
        keep_longest(w, span, unit, cm_few_sums_make_many(few, &w->sums));
    }
}

static void find_in_window(const struct cm_windows *w, const struct span *span, uint32_t unit,
                           struct cm_accumulator *sums)
{
    struct cm_tally *tally = &sums->tally;
    if (sums->top != NULL && cm_top_leave(sums->top, span->left_no) && tally->reserved == 0) {
        tally->wait_max_ms = cm_top_ms(&sums->top->wait);
        tally->handle_max_ms = cm_top_ms(&sums->top->handle);
        pay_off(&sums->search_debt);
    } else if (sums->longest != NULL && !sums->longest->is_stale) {
        cm_longest_get(sums->longest, span->left_no, &tally->wait_max_ms, &tally->handle_max_ms);
    } else if (sums->top != NULL || sums->longest != NULL || tally->reserved != 0) {
        find_in_many(w, span, unit, sums);
    } else {
        pay_off(&sums->search_debt);
    }
    tally->reserved = 0;
}

void cm_windows_find_longest(struct cm_windows *w, enum cm_view view, uint32_t window,
                             uint32_t unit)
{
    const struct span *span = &w->views[view].spans[window];
    struct cm_few_sums *few = cm_windows_few(w, view, unit, window);
    if (few != NULL && cm_few_sums_many(few) == NULL) {
        find_in_few(w, span, unit, few);
    }
    struct cm_accumulator *sums = cm_windows_many(w, view, unit, window);
    if (sums == NULL) {
        return; /* it is few */
    }
    if (!w->config->all[window].is_period) {
        find_in_window(w, span, unit, sums);
    } else if (sums->tally.reserved != 0) {
        find_in_period(w, span, unit, sums);
        sums->tally.reserved = 0;
    }
}
