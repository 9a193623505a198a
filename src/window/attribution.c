// SPDX-License-Identifier: Apache-2.0
#include "window/attribution.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/words.h"

/* A set of units (unit_sets.h) that a leg had, and what it hangs on beside the roster. */
struct known_set {
    uint32_t queue, above; /* the unit that was added before the queue */
    uint32_t set;          /* + 1; 0: not known */
};

/* A seat serves a few queues in turn. */
#define SETS_KNOWN 8u

struct known_sets {
    struct known_set at[SETS_KNOWN];
    uint32_t next; /* the one that makes room */
};

/* The ancestors of a seat between from_ms (inclusive) and until_ms (exclusive). */
struct seat_cache {
    int64_t from_ms, until_ms;
    uint32_t above[3]; /* team, room, centre; CM_UNIT_NONE where there is none */
    struct known_sets sets;
    bool known;
    bool in_roster;
};

struct queue_cache {
    uint32_t above[3];
    struct known_sets sets; /* of legs without a seat */
    bool known;
    bool owned;
};

struct cm_attribution {
    const struct cm_config *config;
    const struct cm_roster *roster;
    struct cm_units *units;
    uint32_t centre; /* the configured one */
    struct cm_str centre_id;
    struct cm_words centre_words; /* of a short one */
    struct seat_cache *seats;     /* by unit number */
    uint32_t seats_cap;
    uint32_t last_seat, last_queue; /* of the event resolved last; CM_UNIT_NONE: it has none */
    uint32_t last_above;
    struct queue_cache *queues; /* by unit number */
    uint32_t queues_cap;
};

struct cm_attribution *cm_attribution_create(const struct cm_config *config,
                                             const struct cm_roster *roster, struct cm_units *units)
{
    struct cm_attribution *a = cm_alloc(1, sizeof(*a));
    a->config = config;
    a->roster = roster;
    a->units = units;
    a->last_seat = CM_UNIT_NONE;
    a->centre_id = (struct cm_str){config->centre, (uint32_t)strlen(config->centre)};
    if (a->centre_id.len <= CM_WORDS_BYTES) {
        a->centre_words = cm_words_of(a->centre_id.p, a->centre_id.len);
    }
    a->centre = cm_units_intern(units, CM_KIND_CENTRE, a->centre_id);
    return a;
}

void cm_attribution_destroy(struct cm_attribution *a)
{
    if (a == NULL) {
        return;
    }
    free(a->seats);
    free(a->queues);
    free(a);
}

void cm_attribution_set_roster(struct cm_attribution *a, const struct cm_roster *roster)
{
    a->roster = roster;
    if (a->seats != NULL) {
        memset(a->seats, 0, a->seats_cap * sizeof(*a->seats));
    }
    if (a->queues != NULL) {
        memset(a->queues, 0, a->queues_cap * sizeof(*a->queues));
    }
}

/* Makes at[index] exist, zeroed. */
static CM_NOINLINE void *grow(void *at, uint32_t *cap, uint32_t index, size_t size_bytes)
{
    uint32_t wanted = *cap == 0 ? 256 : *cap;
    while (wanted <= index) {
        wanted *= 2;
    }
    char *grown = cm_realloc(at, wanted, size_bytes);
    memset(grown + *cap * size_bytes, 0, (wanted - *cap) * size_bytes);
    *cap = wanted;
    return grown;
}

static uint32_t intern(struct cm_attribution *a, enum cm_kind kind, struct cm_str id)
{
    return id.len == 0 ? CM_UNIT_NONE : cm_units_intern(a->units, kind, id);
}

static void place_units(struct cm_attribution *a, const struct cm_place *place, uint32_t above[3])
{
    above[0] = intern(a, CM_KIND_TEAM, place->team);
    above[1] = intern(a, CM_KIND_ROOM, place->room);
    above[2] = place->centre.len == 0 ? a->centre : intern(a, CM_KIND_CENTRE, place->centre);
}

/* Looks up the row in force at ts and how long it holds. */
static CM_NOINLINE void seat_refresh(struct cm_attribution *a, struct seat_cache *cache,
                                     struct cm_str seat, int64_t ts_ms)
{
    uint32_t count = 0;
    const struct cm_seat_row *rows = cm_roster_seat(a->roster, seat, &count);

    cache->known = true;
    cache->in_roster = false;
    cache->sets = (struct known_sets){.next = 0};
    cache->from_ms = INT64_MIN;
    cache->until_ms = INT64_MAX;
    const struct cm_seat_row *row = NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (rows[i].from_ms > ts_ms) {
            cache->until_ms = rows[i].from_ms;
            break;
        }
        row = &rows[i];
    }
    if (row != NULL) {
        cache->from_ms = row->from_ms;
        cache->in_roster = true;
        place_units(a, &row->place, cache->above);
    }
}

static CM_NOINLINE void queue_refresh(struct cm_attribution *a, struct queue_cache *cache,
                                      struct cm_str queue)
{
    const struct cm_queue_spec *spec = NULL;
    for (uint32_t i = 0; i < a->config->queues.count; i++) {
        const struct cm_queue_spec *at = &a->config->queues.at[i];
        if (strlen(at->id) == queue.len && memcmp(at->id, queue.p, queue.len) == 0) {
            spec = at;
        }
    }
    cache->known = true;
    cache->owned = spec != NULL && spec->owner_id != NULL;
    if (!cache->owned) {
        return;
    }
    struct cm_str owner = {spec->owner_id, (uint32_t)strlen(spec->owner_id)};
    struct cm_place place = {{0}, {0}, {0}};
    if (spec->owner_kind == CM_KIND_TEAM) {
        (void)cm_roster_team(a->roster, owner, &place);
        place.team = owner;
    } else if (spec->owner_kind == CM_KIND_ROOM) {
        (void)cm_roster_room(a->roster, owner, &place);
        place.team = (struct cm_str){0};
        place.room = owner;
    } else {
        place.centre = owner;
    }
    place_units(a, &place, cache->above);
}

static void add_unit(struct cm_unit_set *units, uint32_t unit)
{
    if (unit != CM_UNIT_NONE) {
        units->units[units->count++] = unit;
    }
}

/* As a rule the centre of a record is the configured one, named once more. False as well where that
 * has a long name: it is looked up then. */
static inline bool is_configured(const struct cm_attribution *a, struct cm_str centre)
{
    return centre.len == 0 || (centre.len == a->centre_id.len && centre.len <= CM_WORDS_BYTES &&
                               cm_words_are(a->centre_words, centre.p, centre.len));
}

static uint32_t record_centre(struct cm_attribution *a, const struct cm_event *event)
{
    if (is_configured(a, event->centre)) {
        return a->centre;
    }
    return cm_units_intern(a->units, CM_KIND_CENTRE, event->centre);
}

/* Team, room and centre; NULL: the centre that the record names. */
static void add_above(struct cm_attribution *a, const struct cm_event *event,
                      const uint32_t above[3], struct cm_unit_set *units)
{
    if (above == NULL) {
        add_unit(units, record_centre(a, event));
        return;
    }
    for (uint32_t i = 0; i < 3; i++) {
        add_unit(units, above[i]);
    }
}

static bool holds_at(const struct seat_cache *cache, int64_t ts_ms)
{
    return cache->known && ts_ms >= cache->from_ms && ts_ms < cache->until_ms;
}

static const struct known_sets *resolve_seat(struct cm_attribution *a, const struct cm_event *event,
                                             uint32_t seat, struct cm_unit_set *units)
{
    if (CM_UNLIKELY(seat >= a->seats_cap)) {
        a->seats = grow(a->seats, &a->seats_cap, seat, sizeof(*a->seats));
    }
    struct seat_cache *cache = &a->seats[seat];
    if (!holds_at(cache, event->ts_ms)) {
        seat_refresh(a, cache, event->seat, event->ts_ms);
    }
    add_unit(units, seat);
    add_above(a, event, cache->in_roster ? cache->above : NULL, units);
    return &cache->sets;
}

void cm_attribution_expect(const struct cm_attribution *a, uint32_t seat)
{
    if (seat < a->seats_cap) {
        const char *cache = (const char *)&a->seats[seat];
        for (size_t at = 0; at < sizeof(struct seat_cache); at += CM_CACHE_LINE) {
            cm_prefetch(cache + at);
        }
    }
}

static uint32_t find_set(const struct known_sets *sets, uint32_t queue, uint32_t above)
{
    for (uint32_t i = 0; i < SETS_KNOWN; i++) {
        const struct known_set *known = &sets->at[i];
        if (known->queue == queue && known->above == above && known->set > 0) {
            return known->set - 1;
        }
    }
    return CM_UNIT_NONE;
}

/* Of an event of another centre than the configured one. */
static CM_NOINLINE uint32_t find_set_of(const struct cm_attribution *a,
                                        const struct known_sets *sets, uint32_t queue,
                                        struct cm_str centre)
{
    return find_set(sets, queue, cm_units_find(a->units, CM_KIND_CENTRE, centre));
}

uint32_t cm_attribution_set(const struct cm_attribution *a, const struct cm_event *event,
                            uint32_t seat, uint32_t queue)
{
    const struct known_sets *sets;
    const uint32_t *centre; /* NULL: the one that the record names */
    if (queue == CM_UNIT_NONE && event->queue.len > 0) {
        return CM_UNIT_NONE;
    }
    if (event->seat.len > 0) {
        if (seat >= a->seats_cap || !holds_at(&a->seats[seat], event->ts_ms)) {
            return CM_UNIT_NONE;
        }
        sets = &a->seats[seat].sets;
        centre = a->seats[seat].in_roster ? &a->seats[seat].above[2] : NULL;
    } else {
        if (queue >= a->queues_cap || !a->queues[queue].known) {
            return CM_UNIT_NONE;
        }
        sets = &a->queues[queue].sets;
        centre = a->queues[queue].owned ? &a->queues[queue].above[2] : NULL;
    }
    if (centre == NULL && !is_configured(a, event->centre)) {
        return find_set_of(a, sets, queue, event->centre);
    }
    return find_set(sets, queue, centre == NULL ? a->centre : *centre);
}

/* Where the sets of the event resolved last are kept; NULL: it has neither seat nor queue. */
static struct known_sets *last_sets(const struct cm_attribution *a)
{
    return a->last_seat != CM_UNIT_NONE    ? &a->seats[a->last_seat].sets
           : a->last_queue != CM_UNIT_NONE ? &a->queues[a->last_queue].sets
                                           : NULL;
}

void cm_attribution_note_set(struct cm_attribution *a, uint32_t set)
{
    struct known_sets *sets = last_sets(a);
    if (sets != NULL) {
        sets->at[sets->next] = (struct known_set){a->last_queue, a->last_above, set + 1};
        sets->next = (sets->next + 1) % SETS_KNOWN;
    }
}

static const struct known_sets *resolve_queue(struct cm_attribution *a,
                                              const struct cm_event *event, uint32_t queue,
                                              struct cm_unit_set *units)
{
    if (CM_UNLIKELY(queue >= a->queues_cap)) {
        a->queues = grow(a->queues, &a->queues_cap, queue, sizeof(*a->queues));
    }
    struct queue_cache *cache = &a->queues[queue];
    if (!cache->known) {
        queue_refresh(a, cache, event->queue);
    }
    add_above(a, event, cache->owned ? cache->above : NULL, units);
    return &cache->sets;
}

uint32_t cm_attribution_resolve(struct cm_attribution *a, const struct cm_event *event,
                                struct cm_unit_set *units)
{
    const struct known_sets *sets = NULL;
    units->count = 0;
    a->last_seat = CM_UNIT_NONE;
    a->last_queue = CM_UNIT_NONE;
    if (event->queue.len > 0) {
        a->last_queue = cm_units_intern(a->units, CM_KIND_QUEUE, event->queue);
    }
    if (event->seat.len > 0) {
        a->last_seat = cm_units_intern(a->units, CM_KIND_SEAT, event->seat);
        sets = resolve_seat(a, event, a->last_seat, units);
    } else if (a->last_queue != CM_UNIT_NONE) {
        sets = resolve_queue(a, event, a->last_queue, units);
    } else {
        add_unit(units, record_centre(a, event));
    }
    a->last_above = units->units[units->count - 1];
    add_unit(units, a->last_queue);
    return sets == NULL ? CM_UNIT_NONE : find_set(sets, a->last_queue, a->last_above);
}
