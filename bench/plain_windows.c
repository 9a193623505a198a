// SPDX-License-Identifier: Apache-2.0
#include "bench/plain_windows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/hash.h"
#include "base/memory.h"
#include "bench/bench.h"

#define STEPS     60
#define WINDOWS   4
#define ID_BYTES  36u
#define SLOTS     (1u << 12)
#define ROW_BYTES 512u

enum kind { SEAT, TEAM, ROOM, CENTRE, QUEUE, KINDS };
static const char *const kind_names[KINDS] = {"seat", "team", "room", "centre", "queue"};
static const struct {
    const char *name;
    int64_t step_ms;
} shapes[WINDOWS] = {{"1m", 1000}, {"5m", 5000}, {"15m", 15000}, {"1h", 60000}};

/* Holds the steps last - STEPS + 1 .. last; step n lies at n % STEPS. */
struct window {
    int64_t last;
    struct plain_figures total, published;
    struct plain_figures at[STEPS];
};

struct unit {
    enum kind kind;
    char id[ID_BYTES];
    struct unit *parent;
    struct window windows[WINDOWS];
};

struct plain_centre {
    struct unit **slots; /* open addressing */
    uint32_t cap, count;
    int64_t newest_ms;
    uint64_t late;
};

/* ---- units ---- */

static struct unit **slot_of(struct plain_centre *centre, enum kind kind, const char *id)
{
    uint32_t at = (uint32_t)cm_hash64(id, strlen(id)) + (uint32_t)kind;
    for (;; at++) {
        struct unit **slot = &centre->slots[at & (centre->cap - 1)];
        if (*slot == NULL || ((*slot)->kind == kind && strcmp((*slot)->id, id) == 0)) {
            return slot;
        }
    }
}

static void enlarge(struct plain_centre *centre)
{
    struct unit **old = centre->slots;
    uint32_t cap = centre->cap;
    centre->cap = cap * 2;
    centre->slots = cm_alloc(centre->cap, sizeof(struct unit *));
    for (uint32_t i = 0; i < cap; i++) {
        if (old[i] != NULL) {
            *slot_of(centre, old[i]->kind, old[i]->id) = old[i];
        }
    }
    free(old);
}

/* parent: of a unit that is new. */
static struct unit *unit_of(struct plain_centre *centre, enum kind kind, const char *id,
                            struct unit *parent)
{
    struct unit **slot = slot_of(centre, kind, id);
    if (*slot != NULL) {
        return *slot;
    }
    if (centre->count >= centre->cap / 2) {
        enlarge(centre);
        slot = slot_of(centre, kind, id);
    }
    struct unit *unit = cm_alloc(1, sizeof(*unit));
    unit->kind = kind;
    snprintf(unit->id, sizeof(unit->id), "%s", id);
    unit->parent = parent;
    *slot = unit;
    centre->count++;
    return unit;
}

static void read_roster(struct plain_centre *centre, FILE *file)
{
    char line[256];
    while (fgets(line, sizeof(line), file) != NULL) {
        char seat[ID_BYTES], team[ID_BYTES], room[ID_BYTES], site[ID_BYTES];
        if (sscanf(line, "%35[^,],%35[^,],%35[^,],%35[^,\r\n]", seat, team, room, site) == 4 &&
            strcmp(seat, "seat") != 0) {
            struct unit *unit = unit_of(centre, CENTRE, site, NULL);
            unit = unit_of(centre, ROOM, room, unit);
            unit = unit_of(centre, TEAM, team, unit);
            unit_of(centre, SEAT, seat, unit);
        }
    }
}

static void read_queues(struct plain_centre *centre, FILE *file)
{
    char line[256];
    while (fgets(line, sizeof(line), file) != NULL) {
        char queue[ID_BYTES], kind[8], owner[ID_BYTES];
        if (sscanf(line, " %35[^: ]: {owner: \"%7[a-z]:%35[^\"]\"}", queue, kind, owner) != 3) {
            continue;
        }
        for (uint32_t i = TEAM; i <= CENTRE; i++) {
            if (strcmp(kind, kind_names[i]) == 0) {
                unit_of(centre, QUEUE, queue, unit_of(centre, (enum kind)i, owner, NULL));
            }
        }
    }
}

static void read_file(struct plain_centre *centre, const char *path,
                      void (*reader)(struct plain_centre *centre, FILE *file))
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        cm_bench_die("%s cannot be read", path);
    }
    reader(centre, file);
    fclose(file);
}

struct plain_centre *plain_open(const char *roster, const char *queues)
{
    struct plain_centre *centre = cm_alloc(1, sizeof(*centre));
    centre->cap = SLOTS;
    centre->slots = cm_alloc(SLOTS, sizeof(struct unit *));
    centre->newest_ms = -1;
    read_file(centre, roster, read_roster);
    read_file(centre, queues, read_queues);
    return centre;
}

void plain_close(struct plain_centre *centre)
{
    for (uint32_t i = 0; i < centre->cap; i++) {
        free(centre->slots[i]);
    }
    free(centre->slots);
    free(centre);
}

uint32_t plain_units(const struct plain_centre *centre)
{
    return centre->count;
}

uint64_t plain_late(const struct plain_centre *centre)
{
    return centre->late;
}

/* ---- windows ---- */

static void move_on(struct window *window, int64_t last)
{
    if (last - window->last >= STEPS) {
        memset(window->at, 0, sizeof(window->at));
        window->total = (struct plain_figures){0};
        window->last = last;
    }
    while (window->last < last) {
        struct plain_figures *gone = &window->at[++window->last % STEPS];
        window->total.offered -= gone->offered;
        window->total.answered -= gone->answered;
        window->total.abandoned -= gone->abandoned;
        window->total.handle_ms -= gone->handle_ms;
        *gone = (struct plain_figures){0};
    }
}

static void add_to(struct plain_figures *to, const struct plain_figures *from)
{
    to->offered += from->offered;
    to->answered += from->answered;
    to->abandoned += from->abandoned;
    to->handle_ms += from->handle_ms;
}

static void add_unit(struct plain_centre *centre, struct unit *unit, const struct plain_leg *leg)
{
    for (uint32_t i = 0; i < WINDOWS; i++) {
        struct window *window = &unit->windows[i];
        int64_t step = leg->ts_ms / shapes[i].step_ms;
        if (step > window->last) {
            move_on(window, step);
        } else if (step <= window->last - STEPS) {
            centre->late++;
            continue;
        }
        add_to(&window->at[step % STEPS], &leg->figures);
        add_to(&window->total, &leg->figures);
    }
}

void plain_add(struct plain_centre *centre, const struct plain_leg *leg)
{
    struct unit *site = unit_of(centre, CENTRE, leg->centre == NULL ? "main" : leg->centre, NULL);
    struct unit *queue = leg->queue == NULL ? NULL : unit_of(centre, QUEUE, leg->queue, site);
    struct unit *from = leg->seat != NULL ? unit_of(centre, SEAT, leg->seat, site) : queue;
    if (leg->seat != NULL && queue != NULL) {
        add_unit(centre, queue, leg);
    }
    for (struct unit *unit = from == NULL ? site : from; unit != NULL; unit = unit->parent) {
        add_unit(centre, unit, leg);
    }
    centre->newest_ms = leg->ts_ms > centre->newest_ms ? leg->ts_ms : centre->newest_ms;
}

/* ---- rows ---- */

static int format_row(char *out, const struct unit *unit, uint32_t i)
{
    const struct window *window = &unit->windows[i];
    int len = snprintf(out, ROW_BYTES,
                       "{\"asof\":%" PRId64 ",\"kind\":\"%s\",\"id\":\"%s\",\"window\":\"%s\","
                       "\"offered\":%" PRIu32 ",\"answered\":%" PRIu32 ",\"abandoned\":%" PRIu32
                       ",\"handle_ms\":%" PRIu64 "}\n",
                       (window->last + 1) * shapes[i].step_ms, kind_names[unit->kind], unit->id,
                       shapes[i].name, window->total.offered, window->total.answered,
                       window->total.abandoned, window->total.handle_ms);
    CM_ASSERT(len > 0 && (uint32_t)len < ROW_BYTES);
    return len;
}

static bool same(const struct plain_figures *a, const struct plain_figures *b)
{
    return a->offered == b->offered && a->answered == b->answered && a->abandoned == b->abandoned &&
           a->handle_ms == b->handle_ms;
}

static void publish_unit(struct unit *unit, int64_t newest_ms, struct plain_sink *sink)
{
    for (uint32_t i = 0; i < WINDOWS; i++) {
        struct window *window = &unit->windows[i];
        move_on(window, newest_ms / shapes[i].step_ms);
        if (!same(&window->total, &window->published)) {
            char row[ROW_BYTES];
            int len = format_row(row, unit, i);
            sink->rows++;
            sink->bytes += (uint64_t)len;
            sink->checksum += (unsigned char)row[len - 3];
            window->published = window->total;
        }
    }
}

void plain_publish(struct plain_centre *centre, struct plain_sink *sink)
{
    for (uint32_t i = 0; i < centre->cap; i++) {
        if (centre->slots[i] != NULL) {
            publish_unit(centre->slots[i], centre->newest_ms, sink);
        }
    }
}

void plain_dump(struct plain_centre *centre, FILE *to)
{
    int64_t minute = shapes[WINDOWS - 1].step_ms;
    int64_t last_ms = (centre->newest_ms / minute + 1) * minute - 1;
    for (uint32_t at = 0; at < centre->cap; at++) {
        struct unit *unit = centre->slots[at];
        for (uint32_t i = 0; unit != NULL && i < WINDOWS; i++) {
            move_on(&unit->windows[i], last_ms / shapes[i].step_ms);
            if (unit->windows[i].total.offered > 0) {
                char row[ROW_BYTES];
                int len = format_row(row, unit, i);
                fwrite(row, 1, (size_t)len, to);
            }
        }
    }
}
