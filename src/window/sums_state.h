// SPDX-License-Identifier: Apache-2.0
/* sums_state.h — what sums.c (who has cells, which windows change) and sums_items.c (a unit's
 * items, and how its cells follow the cursors) share. Nobody else. */
#ifndef CM_WINDOW_SUMS_STATE_H
#define CM_WINDOW_SUMS_STATE_H

#include "base/words.h"
#include "event/unit.h"
#include "window/sums.h"

#define CM_SUM_SPANS_MAX 32u

/* Added to a unit's cell in a pane. */
struct item {
    int64_t no;
    uint32_t key;
    struct cm_sum sum;
};

/* A pane tells which windows change when they pass it; what is added lies with the units. */
struct pane {
    int64_t no;
    uint32_t *units;
    uint32_t count, cap;
    uint64_t on[CM_KIND_COUNT]; /* sum of a over cells that are on, of units of that kind */
};

/* A unit and a key. */
struct cell {
    uint32_t unit;
    bool is_on;        /* seats in a state that goes on and is not offline */
    bool is_share;     /* offline, of a unit that several workers may have a share in */
    struct cm_sum *at; /* two a window: asof, left */
};

/* What a unit knows of one of its cells. */
struct slot {
    uint32_t cell; /* number + 1, 0: none */
    uint32_t newest_at;
    int64_t newest_no; /* pane of its newest item, which is at newest_at of the unit's */
};

/* How far a unit's cells have followed the two cursors of a window: they hold what lies in panes
 * below no[], the first at[] of the unit's items. */
struct place {
    int64_t no[2];
    uint32_t at[2];
};

struct unit_cells {
    struct slot *at; /* by key */
    uint32_t count;
    uint32_t spans;       /* bit of each window that its kind has; 0: the unit is not known yet */
    int64_t noted_no;     /* pane that has it in its list */
    struct place *places; /* by window; NULL: nobody has looked yet */
    int64_t furthest_no;  /* no cursor has passed this pane or one behind it */
    struct item *items;   /* in the order of their panes */
    uint32_t items_count, items_cap;
    struct item *late; /* came out of order, not yet among the items; those have room for them */
    uint32_t late_count, late_cap;
    int64_t late_least_no, late_most_no;
};

/* Of a check. Records name the same ones in the same order as a rule. */
struct name {
    struct cm_str text;
    struct cm_words words; /* of a short one */
    uint32_t after;        /* the name that was asked for after it the last time */
};

struct span {
    bool is_period, tells_left;
    uint32_t kinds;
    int64_t left_no, asof_no; /* INT64_MIN: never moved */
    uint64_t on[2];           /* sum of a over cells that are on, at either cursor */
};

struct cm_sums {
    int64_t pane_ms;
    cm_sums_changed_fn changed;
    void *context;
    struct span spans[CM_SUM_SPANS_MAX];
    uint32_t spans_count;
    struct cell *cells;
    uint32_t cells_count, cells_cap;
    uint32_t *running; /* cells that are on, or shares */
    uint32_t running_count, running_cap;
    struct unit_cells *units;
    uint32_t units_cap;
    struct pane *panes; /* a queue in the order of their numbers: [first, first + count) */
    uint32_t first, count, cap;
    int64_t floor_no;     /* panes below were given back */
    int64_t most_asof_no; /* of all spans */
    uint32_t swept;       /* unit that trimming looks at next */
    struct name *names;   /* by key - CM_SUM_NAMES */
    uint32_t names_count;
    uint32_t last_name;   /* that was asked for */
    uint16_t *name_slots; /* name + 1, 0 = free */
    uint16_t *name_order; /* names by their bytes */
    size_t bytes;
};

/* Its sums in a window. */
static inline struct cm_sum *sums_of(const struct cm_sums *s, const struct unit_cells *cells,
                                     uint32_t key, uint32_t span)
{
    return &s->cells[cells->at[key].cell - 1].at[(size_t)2 * span];
}

static inline void add(struct cm_sum *into, struct cm_sum sum)
{
    into->a += sum.a;
    into->b += sum.b;
}

/* Brings the unit's cells to where that window's cursors stand. */
void cm_sums_catch_up(const struct cm_sums *sums, struct unit_cells *cells, uint32_t span);
/* Drops the items that no cursor has before it. */
void cm_sums_drop_passed(const struct cm_sums *sums, struct unit_cells *cells);
/* Adds to the cursors that have passed it, and keeps it for those that have not. Its slot is there.
 */
void cm_sums_add_item(struct cm_sums *sums, struct unit_cells *cells, const struct item *item);

#endif
