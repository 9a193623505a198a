// SPDX-License-Identifier: Apache-2.0
/* placement.c — see placement.h. An update marks what the rows in force name with a new epoch; what
 * is left with an old one is found a place by the rules for the rest. */
#include "publish/placement.h"

#include <stdlib.h>

#include "base/fail.h"
#include "base/memory.h"

struct unit_state {
    uint32_t parent;
    uint32_t named; /* by a row in force: the parent to be ... */
    uint32_t epoch; /* ... in this update */
    int64_t named_from_ms;
    bool handed_over; /* has figures */
    bool told;        /* `first` was given out */
};

struct cm_placement {
    const struct cm_config *config;
    const struct cm_roster *roster;
    struct cm_units *units;
    struct unit_state *states;
    uint32_t states_count, states_cap;
    struct cm_placement_change *changes;
    uint32_t changes_count, changes_cap;
    uint32_t epoch;            /* 0: never updated */
    uint32_t centre;           /* the configured one */
    int64_t from_ms, until_ms; /* the parents hold for asof in [from, until) */
    bool new_roster;
};

static struct cm_str str(const char *text)
{
    return (struct cm_str){text, (uint32_t)strlen(text)};
}

struct cm_placement *cm_placement_create(const struct cm_config *config,
                                         const struct cm_roster *roster)
{
    struct cm_placement *p = cm_alloc(1, sizeof(*p));
    p->config = config;
    p->roster = roster;
    p->units = cm_units_create();
    p->new_roster = true;
    p->centre = cm_placement_intern(p, CM_KIND_CENTRE, str(config->centre));
    return p;
}

void cm_placement_destroy(struct cm_placement *p)
{
    if (p == NULL) {
        return;
    }
    cm_units_destroy(p->units);
    free(p->states);
    free(p->changes);
    free(p);
}

void cm_placement_set_roster(struct cm_placement *p, const struct cm_roster *roster)
{
    p->roster = roster;
    p->new_roster = true;
}

uint32_t cm_placement_intern(struct cm_placement *p, enum cm_kind kind, struct cm_str id)
{
    uint32_t unit = cm_units_intern(p->units, kind, id);
    if (unit == p->states_count) {
        if (p->states_count == p->states_cap) {
            p->states_cap = p->states_cap == 0 ? 256 : p->states_cap * 2;
            p->states = cm_realloc(p->states, p->states_cap, sizeof(*p->states));
        }
        p->states[p->states_count++] =
            (struct unit_state){.parent = CM_UNIT_NONE, .named = CM_UNIT_NONE};
    }
    return unit;
}

uint32_t cm_placement_parent(const struct cm_placement *p, uint32_t unit)
{
    return p->states[unit].parent;
}

const struct cm_unit_key *cm_placement_key(const struct cm_placement *p, uint32_t unit)
{
    return cm_units_key(p->units, unit);
}

uint32_t cm_placement_count(const struct cm_placement *p)
{
    return p->states_count;
}

bool cm_placement_has_child(const struct cm_placement *p, uint32_t parent, struct cm_str id)
{
    for (uint32_t kind = 0; kind < CM_KIND_COUNT; kind++) {
        uint32_t unit = cm_units_find(p->units, (enum cm_kind)kind, id);
        if (unit != CM_UNIT_NONE && p->states[unit].parent == parent) {
            return true;
        }
    }
    return false;
}

/* --- changes --- */

static void note(struct cm_placement *p, uint32_t unit, uint32_t from, uint32_t to)
{
    if (p->changes_count == p->changes_cap) {
        p->changes_cap = p->changes_cap == 0 ? 256 : p->changes_cap * 2;
        p->changes = cm_realloc(p->changes, p->changes_cap, sizeof(*p->changes));
    }
    p->changes[p->changes_count++] =
        (struct cm_placement_change){.unit = unit, .from = from, .to = to};
}

/* Whether it has moved. */
static bool put(struct cm_placement *p, uint32_t unit, uint32_t parent)
{
    struct unit_state *state = &p->states[unit];
    if (state->parent == parent) {
        return false;
    }
    note(p, unit, state->parent, parent);
    state->parent = parent;
    return true;
}

const struct cm_placement_change *cm_placement_changes(const struct cm_placement *p,
                                                       uint32_t *count)
{
    *count = p->changes_count;
    return p->changes;
}

void cm_placement_clear(struct cm_placement *p)
{
    p->changes_count = 0;
}

void cm_placement_forget(struct cm_placement *p)
{
    p->changes_count = 0;
    for (uint32_t unit = 0; unit < p->states_count; unit++) {
        p->states[unit].told = false;
        if (p->states[unit].parent != CM_UNIT_NONE) {
            note(p, unit, CM_UNIT_NONE, p->states[unit].parent);
        }
    }
}

/* --- what the rows say --- */

static uint32_t centre_of(struct cm_placement *p, const struct cm_place *place)
{
    return place->centre.len == 0 ? p->centre
                                  : cm_placement_intern(p, CM_KIND_CENTRE, place->centre);
}

static uint32_t room_or_centre_of(struct cm_placement *p, const struct cm_place *place)
{
    return place->room.len == 0 ? centre_of(p, place)
                                : cm_placement_intern(p, CM_KIND_ROOM, place->room);
}

static void name(struct cm_placement *p, uint32_t unit, uint32_t parent, int64_t from_ms)
{
    struct unit_state *state = &p->states[unit];
    if (state->epoch != p->epoch || from_ms > state->named_from_ms) {
        state->epoch = p->epoch;
        state->named = parent;
        state->named_from_ms = from_ms;
    }
}

static void apply_row(struct cm_placement *p, const struct cm_seat_row *row)
{
    const struct cm_place *place = &row->place;
    uint32_t centre = centre_of(p, place);
    uint32_t above = centre;
    if (place->room.len > 0) {
        name(p, cm_placement_intern(p, CM_KIND_ROOM, place->room), centre, row->from_ms);
    }
    if (place->team.len > 0) {
        above = cm_placement_intern(p, CM_KIND_TEAM, place->team);
        name(p, above, room_or_centre_of(p, place), row->from_ms);
    }
    name(p, cm_placement_intern(p, CM_KIND_SEAT, row->seat), above, row->from_ms);
}

/* All rows in force; and between which instants these stay the ones. */
static void apply_roster(struct cm_placement *p, int64_t asof_ms)
{
    p->from_ms = INT64_MIN;
    p->until_ms = INT64_MAX;
    uint32_t count;
    const struct cm_seat_row *rows = cm_roster_rows(p->roster, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (rows[i].from_ms > asof_ms) {
            p->until_ms = rows[i].from_ms < p->until_ms ? rows[i].from_ms : p->until_ms;
            continue;
        }
        p->from_ms = rows[i].from_ms > p->from_ms ? rows[i].from_ms : p->from_ms;
        bool superseded = i + 1 < count && rows[i + 1].from_ms <= asof_ms &&
                          cm_str_eq(rows[i + 1].seat, rows[i].seat);
        if (!superseded) {
            apply_row(p, &rows[i]);
        }
    }
}

static bool owns_queue(const struct cm_placement *p, const struct cm_unit_key *key)
{
    for (uint32_t i = 0; i < p->config->queues.count; i++) {
        const struct cm_queue_spec *queue = &p->config->queues.at[i];
        if (queue->owner_id != NULL && queue->owner_kind == (enum cm_kind)key->kind &&
            cm_str_eq(str(queue->owner_id), key->id)) {
            return true;
        }
    }
    return false;
}

/* The parent of a unit that no row in force names. */
static uint32_t parent_of_unnamed(struct cm_placement *p, uint32_t unit)
{
    const struct cm_unit_key key = *cm_units_key(p->units, unit);
    struct cm_place place;
    if (!p->states[unit].handed_over) {
        return CM_UNIT_NONE;
    }
    switch ((enum cm_kind)key.kind) {
    case CM_KIND_SEAT:
        return p->centre;
    case CM_KIND_TEAM:
        if (cm_roster_team(p->roster, key.id, &place)) {
            return room_or_centre_of(p, &place);
        }
        break;
    case CM_KIND_ROOM:
        if (cm_roster_room(p->roster, key.id, &place)) {
            return centre_of(p, &place);
        }
        break;
    default:
        return CM_UNIT_NONE;
    }
    return owns_queue(p, &key) ? p->centre : CM_UNIT_NONE;
}

/* --- over time --- */

bool cm_placement_is_due(const struct cm_placement *p, int64_t asof_ms)
{
    return p->new_roster || asof_ms < p->from_ms || asof_ms >= p->until_ms;
}

bool cm_placement_update(struct cm_placement *p, int64_t asof_ms)
{
    if (!cm_placement_is_due(p, asof_ms)) {
        return false;
    }
    p->new_roster = false;
    p->epoch++;
    apply_roster(p, asof_ms);
    bool moved = false;
    for (uint32_t unit = 0; unit < p->states_count; unit++) { /* finding a place may add units */
        uint32_t parent =
            p->states[unit].epoch == p->epoch ? p->states[unit].named : parent_of_unnamed(p, unit);
        bool changed = put(p, unit, parent);
        moved = moved || (changed && p->states[unit].handed_over);
    }
    return moved;
}

uint32_t cm_placement_hand_over(struct cm_placement *p, const struct cm_unit_key *key, bool *first)
{
    CM_ASSERT(p->epoch > 0);
    uint32_t unit = cm_placement_intern(p, (enum cm_kind)key->kind, key->id);
    if (!p->states[unit].handed_over) {
        p->states[unit].handed_over = true;
        if (p->states[unit].parent == CM_UNIT_NONE) {
            (void)put(p, unit, parent_of_unnamed(p, unit));
        }
    }
    *first = !p->states[unit].told;
    p->states[unit].told = true;
    return unit;
}

int cm_placement_by_parent(const void *a, const void *b)
{
    const struct cm_placement_change *x = a;
    const struct cm_placement_change *y = b;
    return x->to != y->to ? (x->to > y->to) - (x->to < y->to)
                          : (x->unit > y->unit) - (x->unit < y->unit);
}
