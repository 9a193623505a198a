// SPDX-License-Identifier: Apache-2.0
/* windows_fold.c — the sums of units follow their windows when somebody looks, not when panes move.
 *
 *   a pane         [ leg leg leg leg | leg leg ]   done: the legs in front are in the sums of the
 *                                    done          windows in `in`
 *
 * A pane that comes into a window, leaves it, or gets a leg while it is in one, is listed. To catch
 * up, the legs of the listed panes are added and subtracted, for all windows and units at once, and
 * their units are marked. A pane that came and went unseen costs no arithmetic. Legs lie here and
 * there, and so do the sums of their units: what the next ones need is fetched from memory while
 * one is taken. */
#include "base/compiler.h"
#include "window/windows_state.h"

/* How many legs ahead: the leg, its cell, where the sums of its units are, these, and what they
 * point to. */
#define AHEAD_LEG   24u
#define AHEAD_CELL  18u
#define AHEAD_STATE 12u
#define AHEAD_SUMS  7u
#define AHEAD_PARTS 3u
#define UNITS_AHEAD 2u /* a cell's seat and team; those above are used all the time */
#define SUMS_LINES  4u /* of an accumulator, that few legs touch */
#define FEW_LINES   3u /* of those of few legs, and the bins in them */
#define FEW_BINS    21u

/* ---- fetching ahead */

static void expect_state(const struct cm_windows *w, enum cm_view view, const struct work *work)
{
    const struct cell *cell = cell_of(w, cm_leg_log_at(&w->legs, work->leg));
    for (uint32_t u = 0; u < UNITS_AHEAD; u++) { /* there is room for so many, and more */
        cm_prefetch(&w->state[cell->units[u]]);
        cm_prefetch_write(&w->views[view].marks[cell->units[u]]);
    }
}

static void expect_lines(const void *sums, uint32_t lines)
{
    for (uint32_t line = 0; line < lines; line++) {
        cm_prefetch_write((const char *)sums + (size_t)line * CM_CACHE_LINE);
    }
}

static void expect_parts(const struct cm_accumulator *sums, uint32_t bin)
{
    if (sums->hist.cells != sums->few_bins) {
        cm_hist_expect(&sums->hist, bin);
    }
    if (sums->longest != NULL) {
        cm_prefetch_write(sums->longest);
        cm_prefetch_write(&sums->longest->handle);
    }
}

static void expect_seat(const struct cm_windows *w, enum cm_view view, uint32_t unit,
                        uint32_t windows)
{
    char *few = w->state[unit].few[view];
    for (uint32_t bits = few == NULL ? 0 : windows; bits != 0; bits &= bits - 1) {
        expect_lines(few_of(w, few, (uint32_t)__builtin_ctz(bits)), FEW_LINES);
    }
}

static void expect_seat_parts(const struct cm_windows *w, enum cm_view view, uint32_t unit,
                              uint32_t windows)
{
    char *few = w->state[unit].few[view];
    for (uint32_t bits = few == NULL ? 0 : windows; bits != 0; bits &= bits - 1) {
        const struct cm_few_sums *sums = few_of(w, few, (uint32_t)__builtin_ctz(bits));
        if (sums->count[CM_FEW_AT_MANY] != 0) {
            expect_lines(sums->many, SUMS_LINES);
        } else if (sums->bins > FEW_BINS) {
            cm_prefetch_write(&sums->bin[FEW_BINS]);
        }
    }
}

/* Fetches each of the sums of the seat and the team that this leg goes to, or comes from. */
static void expect_sums(const struct cm_windows *w, enum cm_view view, const struct work *work)
{
    const struct cell *cell = cell_of(w, cm_leg_log_at(&w->legs, work->leg));
    uint32_t periods = work->add & w->views[view].periods;
    uint32_t windows = ((uint32_t)work->add | work->subtract) & ~w->views[view].periods;
    for (uint32_t u = 0; u < cell->units_count && u < UNITS_AHEAD; u++) {
        const struct unit_state *state = &w->state[cell->units[u]];
        if (is_seat(w, cell->units[u])) {
            expect_seat(w, view, cell->units[u], windows);
        } else if (state->sliding[view] != NULL) {
            for (uint32_t bits = windows; bits != 0; bits &= bits - 1) {
                const struct window_sums *sums = &state->sliding[view][__builtin_ctz(bits)];
                expect_lines(sums, SUMS_LINES);
                cm_prefetch_write(&sums->top);
            }
        }
        if (periods != 0 && state->pending[view] != NULL) {
            expect_lines(state->pending[view], SUMS_LINES);
        }
    }
}

/* And what these point to, of all units. */
static void expect_all_parts(const struct cm_windows *w, enum cm_view view, const struct work *work)
{
    const struct cm_leg *leg = cm_leg_log_at(&w->legs, work->leg);
    const struct cell *cell = cell_of(w, leg);
    uint32_t periods = work->add & w->views[view].periods;
    uint32_t windows = ((uint32_t)work->add | work->subtract) & ~w->views[view].periods;
    for (uint32_t u = 0; u < cell->units_count; u++) {
        const struct unit_state *state = &w->state[cell->units[u]];
        if (is_seat(w, cell->units[u])) {
            expect_seat_parts(w, view, cell->units[u], windows);
        } else if (state->sliding[view] != NULL) {
            for (uint32_t bits = windows; bits != 0; bits &= bits - 1) {
                expect_parts(&state->sliding[view][__builtin_ctz(bits)].acc, leg->bin);
            }
        }
        if (periods != 0 && state->pending[view] != NULL) {
            cm_pending_expect(state->pending[view], leg->bin);
        }
    }
}

/* Each step reads what the one before has fetched. */
static void expect_work(const struct cm_windows *w, enum cm_view view, const struct work *work)
{
    cm_prefetch(cm_leg_log_at(&w->legs, work[AHEAD_LEG].leg));
    cm_prefetch(cell_of(w, cm_leg_log_at(&w->legs, work[AHEAD_CELL].leg)));
    expect_state(w, view, &work[AHEAD_STATE]);
    expect_sums(w, view, &work[AHEAD_SUMS]);
    expect_all_parts(w, view, &work[AHEAD_PARTS]);
}

/* ---- adding and subtracting */

static void do_seat(struct cm_windows *w, char *few, const struct work *work,
                    const struct cm_addend *addend, uint32_t add)
{
    for (uint32_t bits = add; bits != 0; bits &= bits - 1) {
        cm_few_sums_add(few_of(w, few, (uint32_t)__builtin_ctz(bits)), addend, &w->sums);
    }
    for (uint32_t bits = work->subtract; bits != 0; bits &= bits - 1) {
        cm_few_sums_subtract(few_of(w, few, (uint32_t)__builtin_ctz(bits)), addend);
    }
}

static void do_windows(struct cm_windows *w, enum cm_view view, uint32_t unit,
                       const struct work *work, const struct cm_addend *addend, uint32_t add)
{
    const struct unit_state *state = &w->state[unit];
    if (CM_UNLIKELY(state->sliding[view] == NULL)) {
        cm_windows_make_sliding(w, view, unit);
    }
    if (is_seat(w, unit)) {
        do_seat(w, state->few[view], work, addend, add);
        return;
    }
    struct window_sums *sums = state->sliding[view];
    for (uint32_t bits = add; bits != 0; bits &= bits - 1) {
        cm_accumulator_add(&sums[__builtin_ctz(bits)].acc, addend);
    }
    for (uint32_t bits = work->subtract; bits != 0; bits &= bits - 1) {
        cm_accumulator_subtract(&sums[__builtin_ctz(bits)].acc, addend);
    }
}

static void do_leg(struct cm_windows *w, enum cm_view view, const struct work *work)
{
    const struct cm_leg *leg = cm_leg_log_at(&w->legs, work->leg);
    if (!cm_leg_counts(leg)) {
        return; /* taken back, and marked when it was */
    }
    const struct cell *cell = cell_of(w, leg);
    uint32_t periods = work->add & w->views[view].periods;
    uint32_t add = work->add & ~periods;
    bool is_settled = !is_remembered(w, work->leg);
    struct cm_addend addend;
    cm_addend_make(&addend, leg, work->no);
    if ((add | work->subtract) != 0) {
        cm_addend_make_few(&addend);
    }
    for (uint32_t u = 0; u < cell->units_count; u++) {
        uint32_t unit = cell->units[u];
        if (!in_view(w, view, unit)) {
            continue;
        }
        if (work->marks != 0) {
            cm_windows_mark(w, view, unit, work->marks);
        }
        if ((add | work->subtract) != 0) {
            do_windows(w, view, unit, work, &addend, add);
        }
        if (periods != 0) {
            cm_windows_add_periods(w, view, unit, &addend, periods);
            if (is_settled) {
                cm_windows_settle_periods(w, view, unit, &addend, periods);
            }
        }
    }
}

static void do_work(struct cm_windows *w, enum cm_view view)
{
    for (uint32_t i = 0; i < w->work_count; i++) {
        if (CM_LIKELY(w->work_count - i > AHEAD_LEG)) {
            expect_work(w, view, &w->work[i]);
        }
        do_leg(w, view, &w->work[i]);
    }
    w->work_count = 0;
}

/* ---- panes */

static void add_work(struct cm_windows *w, enum cm_view view, const struct cm_pane *pane,
                     uint32_t first, uint32_t end, struct work work)
{
    if ((work.add | work.subtract | work.marks) == 0) {
        return;
    }
    work.no = pane->no;
    for (uint32_t i = first; i < end; i++) {
        if (w->work_count == WORK_MOST) {
            do_work(w, view);
        }
        work.leg = pane->legs[i];
        w->work[w->work_count++] = work;
    }
}

/* Puts down what is to be made up for. */
static void take_pane(struct cm_windows *w, enum cm_view view, struct cm_pane *pane)
{
    struct cm_pane_use *use = &pane->uses[view];
    struct work work = {.add = (uint16_t)(use->want & ~use->in),
                        .subtract = (uint16_t)(use->in & ~use->want),
                        .marks = use->moved};
    add_work(w, view, pane, 0, use->done, work);
    work = (struct work){.add = use->want, .marks = (uint16_t)(use->moved | use->fresh)};
    add_work(w, view, pane, use->done, pane->legs_count, work);
    use->in = use->want;
    use->done = pane->legs_count;
    use->moved = use->fresh = 0;
}

void cm_windows_list_pane(struct view *v, enum cm_view number, struct cm_pane *pane)
{
    struct cm_pane_use *use = &pane->uses[number];
    if (use->is_listed) {
        return;
    }
    use->is_listed = true;
    use->next_use = NULL;
    use->last_use = v->listed_last;
    if (v->listed_last != NULL) {
        v->listed_last->uses[number].next_use = pane;
    } else {
        v->listed = pane;
    }
    v->listed_last = pane;
}

static void unlist_pane(struct view *v, enum cm_view number, struct cm_pane *pane)
{
    struct cm_pane_use *use = &pane->uses[number];
    if (use->last_use != NULL) {
        use->last_use->uses[number].next_use = use->next_use;
    } else {
        v->listed = use->next_use;
    }
    if (use->next_use != NULL) {
        use->next_use->uses[number].last_use = use->last_use;
    } else {
        v->listed_last = use->last_use;
    }
    use->is_listed = false;
}

void cm_windows_catch_up(struct cm_windows *w, enum cm_view view)
{
    struct view *v = &w->views[view];
    while (v->listed != NULL) {
        struct cm_pane *pane = v->listed;
        unlist_pane(v, view, pane);
        take_pane(w, view, pane);
    }
    if (w->work_count > 0) {
        do_work(w, view);
    }
}

void cm_windows_give_back(struct cm_windows *w, int64_t floor_no)
{
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        if (w->views[v].listed == NULL) {
            continue;
        }
        for (struct cm_pane *pane = cm_panes_oldest(w->panes); pane != NULL && pane->no < floor_no;
             pane = pane->newer) {
            cm_panes_expect(w->panes, pane->no + CM_PANES_AHEAD);
            if (pane->uses[v].is_listed) {
                unlist_pane(&w->views[v], v, pane);
                take_pane(w, v, pane);
            }
        }
        if (w->work_count > 0) {
            do_work(w, v);
        }
    }
}
