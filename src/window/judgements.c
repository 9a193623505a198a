// SPDX-License-Identifier: Apache-2.0
#include "window/judgements.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/hash.h"
#include "base/memory.h"

#define TS_BITS     59u
#define CHUNK_LINES ((uint64_t)8192) /* a power of two; 192 KiB */
#define SLOTS_FIRST ((uint64_t)1024)
#define SLOTS_MOST  ((uint64_t)1 << 31) /* as far as tags reach */

/* A counted leg. Written in the order of arrival; there are those of a week, in chunks that are
 * never copied: the newest are added at one end, and the oldest leave, a chunk at a time. */
struct line {
    uint64_t key;
    uint64_t ts_low : TS_BITS; /* see ts_of() */
    uint64_t counts : 1;
    uint64_t checked : 1, compliant : 1; /* by its own record */
    uint64_t judged : 1, failed : 1;     /* by judgements: any, one that failed */
    uint32_t set;
    uint32_t before; /* how far back the line before it with the same key is, 0: none; index only */
};

_Static_assert(sizeof(struct line) == 24, "a line is meant to stay compact");

/* Event time, ms. */
static int64_t ts_of(const struct line *line)
{
    uint64_t sign = UINT64_C(1) << (TS_BITS - 1);
    return (int64_t)((line->ts_low ^ sign) - sign);
}

/* tag: of the key, and never 0; it says where the slot belongs. 0: free. place: of the newest line
 * of the key, modulo 2^32. */
struct slot {
    uint32_t tag, place;
};

struct verdict {
    uint32_t key; /* of cm_sums */
    bool passed;
};

struct waiting {
    int64_t ts_ms;
    int64_t from_ms; /* its leg is not older */
    uint64_t order;  /* of arrival */
    uint64_t key;
    uint32_t set, weight, weight_passed, vetoes;
    uint32_t count;
    struct verdict *at;
    uint8_t source;
};

struct cm_judgements {
    const struct cm_config *config;
    struct cm_sums *sums;
    struct cm_unit_sets *sets;
    const struct cm_units *units;
    struct line **chunks; /* of the lines [first, end) */
    uint32_t chunks_count, chunks_cap;
    uint64_t first, end; /* places; first is that of a chunk's first line */
    struct slot *slots;  /* NULL: no index yet. They never point at lines that are gone */
    uint64_t slots_count, slots_used;
    struct waiting *heap; /* the earliest first */
    uint32_t heap_count, heap_cap;
    uint64_t order;
};

struct cm_judgements *cm_judgements_create(const struct cm_config *config, struct cm_sums *sums,
                                           struct cm_unit_sets *sets, const struct cm_units *units)
{
    struct cm_judgements *j = cm_alloc(1, sizeof(*j));
    j->config = config;
    j->sums = sums;
    j->sets = sets;
    j->units = units;
    return j;
}

void cm_judgements_destroy(struct cm_judgements *j)
{
    if (j == NULL) {
        return;
    }
    for (uint32_t i = 0; i < j->heap_count; i++) {
        free(j->heap[i].at);
    }
    free(j->heap);
    for (uint32_t i = 0; i < j->chunks_count; i++) {
        free(j->chunks[i]);
    }
    free(j->chunks);
    free(j->slots);
    free(j);
}

/* ---- the log of legs */

static uint64_t key_of(const struct cm_event *event)
{
    return cm_hash64_seeded(event->call.p, event->call.len,
                            cm_hash64(event->seat.p, event->seat.len));
}

static struct line *line_at(const struct cm_judgements *j, uint64_t place)
{
    return &j->chunks[(place - j->first) / CHUNK_LINES][place % CHUNK_LINES];
}

static bool is_there(const struct cm_judgements *j, uint64_t place)
{
    return place >= j->first && place < j->end;
}

/* The place of a line of which the low half is known; there are fewer than 2^32. */
static uint64_t whole_place(const struct cm_judgements *j, uint32_t low)
{
    return j->end - (uint32_t)((uint32_t)j->end - low);
}

static uint32_t tag_of(uint64_t key)
{
    return (uint32_t)key | 1;
}

static uint64_t home_of(const struct cm_judgements *j, uint32_t tag)
{
    return (tag >> 1) & (j->slots_count - 1);
}

/* The slot of that key, or the free one where it belongs. */
static uint64_t find_slot(const struct cm_judgements *j, uint64_t key)
{
    uint32_t tag = tag_of(key);
    uint64_t at = home_of(j, tag);
    while (j->slots[at].tag != 0 && (j->slots[at].tag != tag ||
                                     line_at(j, whole_place(j, j->slots[at].place))->key != key)) {
        at = (at + 1) & (j->slots_count - 1);
    }
    return at;
}

static void index_line(struct cm_judgements *j, uint64_t place)
{
    struct line *line = line_at(j, place);
    struct slot *slot = &j->slots[find_slot(j, line->key)];
    j->slots_used += slot->tag == 0;
    line->before = slot->tag == 0 ? 0 : (uint32_t)place - slot->place;
    *slot = (struct slot){tag_of(line->key), (uint32_t)place};
}

/* Over all lines that are there, with room for one more. */
static void build_index(struct cm_judgements *j)
{
    free(j->slots);
    j->slots_count = SLOTS_FIRST;
    while (j->slots_count < 2 * (j->end - j->first + 1)) {
        j->slots_count *= 2;
    }
    CM_ASSERT(j->slots_count <= SLOTS_MOST);
    j->slots = cm_alloc(j->slots_count, sizeof(*j->slots));
    j->slots_used = 0;
    for (uint64_t place = j->first; place < j->end; place++) {
        index_line(j, place);
    }
}

/* Takes a line out of the index, if it is the newest of its key, and moves up the slots that had
 * been pushed past its own. */
static void unindex_line(struct cm_judgements *j, uint64_t place)
{
    uint64_t mask = j->slots_count - 1;
    uint64_t hole = find_slot(j, line_at(j, place)->key);
    if (j->slots[hole].place != (uint32_t)place) {
        return; /* a newer one leads to it no more once it is gone: see is_there() */
    }
    for (uint64_t i = (hole + 1) & mask; j->slots[i].tag != 0; i = (i + 1) & mask) {
        if (((i - home_of(j, j->slots[i].tag)) & mask) >= ((i - hole) & mask)) {
            j->slots[hole] = j->slots[i];
            hole = i;
        }
    }
    j->slots[hole] = (struct slot){0, 0};
    j->slots_used--;
}

/* Whether all lines of the oldest chunk, which is full, are older than that. */
static bool is_past(const struct cm_judgements *j, int64_t oldest_ms)
{
    uint64_t at = 0;
    while (at < CHUNK_LINES && ts_of(&j->chunks[0][at]) < oldest_ms) {
        at++;
    }
    return at == CHUNK_LINES;
}

/* Lets go of the oldest chunk, which is returned. */
static struct line *drop_chunk(struct cm_judgements *j)
{
    for (uint64_t i = 0; j->slots != NULL && i < CHUNK_LINES; i++) {
        unindex_line(j, j->first + i);
    }
    struct line *chunk = j->chunks[0];
    j->chunks_count--;
    memmove(j->chunks, j->chunks + 1, j->chunks_count * sizeof(*j->chunks));
    j->first += CHUNK_LINES;
    return chunk;
}

/* One chunk more at the end: one that is past, or a new one. */
static void make_room(struct cm_judgements *j, int64_t oldest_ms)
{
    struct line *chunk = NULL;
    while (j->chunks_count > 0 && is_past(j, oldest_ms)) {
        free(chunk);
        chunk = drop_chunk(j);
    }
    if (j->chunks_count == j->chunks_cap) {
        j->chunks_cap = j->chunks_cap == 0 ? 16 : 2 * j->chunks_cap;
        j->chunks = cm_realloc(j->chunks, j->chunks_cap, sizeof(*j->chunks));
    }
    /* Not zeroed: pages are taken up as lines are written. */
    j->chunks[j->chunks_count++] =
        chunk != NULL ? chunk : cm_realloc(NULL, CHUNK_LINES, sizeof(*chunk));
}

/* What the judgements of a leg change in `checked` and `compliant` of its units. */
static struct cm_sum share(const struct line *line)
{
    if (!line->judged) {
        return (struct cm_sum){0, 0};
    }
    bool compliant = (line->compliant || !line->checked) && !line->failed;
    return (struct cm_sum){1 - line->checked, (uint64_t)compliant - line->compliant};
}

static void add_judged(struct cm_judgements *j, uint32_t set_no, int64_t ts_ms, struct cm_sum sum)
{
    if (sum.a == 0 && sum.b == 0) {
        return;
    }
    const struct cm_unit_set *set = cm_unit_sets_at(j->sets, set_no);
    for (uint32_t u = 0; u < set->count; u++) {
        cm_sums_add(j->sums, set->units[u], cm_units_key(j->units, set->units[u])->kind,
                    CM_SUM_JUDGED, ts_ms, sum);
    }
}

bool cm_judgements_keeps(const struct cm_judgements *j, const struct cm_event *event)
{
    return event->call.len > 0 && event->seat.len > 0 && j->config->judge_within_ms > 0;
}

static CM_NOINLINE uint32_t add_leg(struct cm_judgements *j, const struct cm_event *event,
                                    uint32_t set, bool checked, bool compliant,
                                    struct cm_judged judged, int64_t newest_ms)
{
    if (CM_UNLIKELY(j->end - j->first == j->chunks_count * CHUNK_LINES)) {
        /* What waits still looks for its leg; a leg that is too old for that may be revised yet. */
        int64_t reach_ms = newest_ms - j->config->allowed_lateness_ms;
        int64_t next_ms = cm_judgements_next_ms(j);
        make_room(j, (next_ms < reach_ms ? next_ms : reach_ms) - j->config->judge_within_ms -
                         j->config->dedupe_ms);
    }
    uint64_t place = j->end++;
    CM_ASSERT(j->end - j->first < CM_JUDGED_NONE);
    struct line *line = line_at(j, place);
    line->key = key_of(event);
    line->ts_low = (uint64_t)event->ts_ms & ((UINT64_C(1) << TS_BITS) - 1);
    line->set = set;
    line->counts = true;
    line->checked = checked;
    line->compliant = compliant;
    line->judged = judged.any;
    line->failed = judged.failed;
    add_judged(j, line->set, ts_of(line), share(line));
    if (j->slots != NULL && j->slots_used >= j->slots_count / 2) {
        build_index(j);
    } else if (j->slots != NULL) {
        index_line(j, place);
    }
    /* One place in 2^32 is nobody's: that leg cannot be taken out again. */
    return (uint32_t)place;
}

uint32_t cm_judgements_add_leg(struct cm_judgements *j, const struct cm_event *event, uint32_t set,
                               bool checked, bool compliant, struct cm_judged judged,
                               int64_t newest_ms)
{
    return cm_judgements_keeps(j, event)
               ? add_leg(j, event, set, checked, compliant, judged, newest_ms)
               : CM_JUDGED_NONE;
}

struct cm_judged cm_judgements_drop_leg(struct cm_judgements *j, uint32_t place)
{
    uint64_t whole = whole_place(j, place);
    if (place == CM_JUDGED_NONE || !is_there(j, whole)) {
        return (struct cm_judged){false, false};
    }
    struct line *line = line_at(j, whole);
    struct cm_sum sum = share(line);
    add_judged(j, line->set, ts_of(line), (struct cm_sum){-sum.a, -sum.b});
    line->counts = false;
    return (struct cm_judged){line->judged, line->failed};
}

/* The leg that the judgement speaks of: the one of its key that ended last before it; of several
 * the last that came. */
static struct line *find_leg(struct cm_judgements *j, const struct waiting *waiting)
{
    struct line *found = NULL;
    if (j->first == j->end) {
        return NULL;
    }
    if (j->slots == NULL) {
        build_index(j);
    }
    const struct slot *slot = &j->slots[find_slot(j, waiting->key)];
    uint64_t place = slot->tag == 0 ? UINT64_MAX : whole_place(j, slot->place);
    while (is_there(j, place)) {
        struct line *line = line_at(j, place);
        if (line->counts && ts_of(line) >= waiting->from_ms && ts_of(line) <= waiting->ts_ms &&
            (found == NULL || ts_of(line) > ts_of(found))) {
            found = line;
        }
        place = line->before == 0 ? UINT64_MAX : place - line->before;
    }
    return found;
}

/* ---- judgements that wait */

static bool comes_first(const struct waiting *a, const struct waiting *b)
{
    return a->ts_ms != b->ts_ms ? a->ts_ms < b->ts_ms : a->order < b->order;
}

static void sift_up(struct cm_judgements *j, uint32_t at)
{
    while (at > 0 && comes_first(&j->heap[at], &j->heap[(at - 1) / 2])) {
        struct waiting swap = j->heap[at];
        j->heap[at] = j->heap[(at - 1) / 2];
        j->heap[(at - 1) / 2] = swap;
        at = (at - 1) / 2;
    }
}

static void sift_down(struct cm_judgements *j, uint32_t at)
{
    for (;;) {
        uint32_t least = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < j->heap_count; child++) {
            least = comes_first(&j->heap[child], &j->heap[least]) ? child : least;
        }
        if (least == at) {
            return;
        }
        struct waiting swap = j->heap[at];
        j->heap[at] = j->heap[least];
        j->heap[least] = swap;
        at = least;
    }
}

static struct waiting pop(struct cm_judgements *j)
{
    struct waiting first = j->heap[0];
    uint32_t last = --j->heap_count;
    j->heap[0] = j->heap[last];
    j->heap[last].at = NULL;
    sift_down(j, 0);
    return first;
}

void cm_judgements_take(struct cm_judgements *j, const struct cm_event *event,
                        const struct cm_marks *marks, uint32_t set, int64_t late_ms)
{
    if (marks->count == 0) {
        return; /* nothing applied */
    }
    int64_t seen_ms = late_ms > event->ts_ms ? late_ms : event->ts_ms;
    struct waiting waiting = {
        .ts_ms = event->ts_ms,
        .from_ms = seen_ms - j->config->judge_within_ms,
        .order = j->order++,
        .key = key_of(event),
        .set = set,
        .weight = (uint32_t)marks->weight,
        .weight_passed = (uint32_t)marks->weight_passed,
        .vetoes = marks->vetoes,
        .count = marks->count,
        .at = cm_alloc(marks->count, sizeof(struct verdict)),
        .source = event->source,
    };
    for (uint32_t i = 0; i < marks->count; i++) {
        waiting.at[i].key = cm_sums_name_key(j->sums, marks->at[i].name);
        waiting.at[i].passed = marks->at[i].passed;
    }
    if (j->heap_count == j->heap_cap) {
        j->heap_cap = j->heap_cap == 0 ? 64 : 2 * j->heap_cap;
        j->heap = cm_realloc(j->heap, j->heap_cap, sizeof(*j->heap));
    }
    j->heap[j->heap_count++] = waiting;
    sift_up(j, j->heap_count - 1);
}

static void count(struct cm_judgements *j, const struct waiting *waiting, struct line *leg)
{
    uint32_t passed = 0;
    int64_t ts_ms = leg == NULL ? waiting->ts_ms : ts_of(leg);
    for (uint32_t i = 0; i < waiting->count; i++) {
        passed += waiting->at[i].passed;
    }
    bool failed = passed < waiting->count;
    if (leg == NULL) {
        add_judged(j, waiting->set, ts_ms, (struct cm_sum){1, !failed});
    } else {
        struct cm_sum before = share(leg);
        leg->judged = true;
        leg->failed = leg->failed || failed;
        struct cm_sum now = share(leg);
        add_judged(j, leg->set, ts_ms, (struct cm_sum){now.a - before.a, now.b - before.b});
    }
    const struct cm_unit_set *set = cm_unit_sets_at(j->sets, leg == NULL ? waiting->set : leg->set);
    for (uint32_t u = 0; u < set->count; u++) {
        uint32_t unit = set->units[u];
        uint32_t kind = cm_units_key(j->units, unit)->kind;
        cm_sums_add(j->sums, unit, kind, CM_SUM_SOURCE + waiting->source, ts_ms,
                    (struct cm_sum){waiting->count, passed});
        cm_sums_add(j->sums, unit, kind, CM_SUM_WEIGHT, ts_ms,
                    (struct cm_sum){waiting->weight, waiting->weight_passed});
        if (waiting->vetoes > 0) {
            cm_sums_add(j->sums, unit, kind, CM_SUM_VETO, ts_ms,
                        (struct cm_sum){waiting->vetoes, 0});
        }
        for (uint32_t i = 0; i < waiting->count; i++) {
            cm_sums_add(j->sums, unit, kind, waiting->at[i].key, ts_ms,
                        (struct cm_sum){1, waiting->at[i].passed});
        }
    }
}

void cm_judgements_settle(struct cm_judgements *j, int64_t watermark_ms)
{
    while (j->heap_count > 0 && j->heap[0].ts_ms < watermark_ms) {
        struct waiting waiting = pop(j);
        count(j, &waiting, find_leg(j, &waiting));
        free(waiting.at);
    }
}

int64_t cm_judgements_next_ms(const struct cm_judgements *j)
{
    return j->heap_count == 0 ? INT64_MAX : j->heap[0].ts_ms;
}

size_t cm_judgements_bytes(const struct cm_judgements *j)
{
    return j->chunks_count * CHUNK_LINES * sizeof(struct line) +
           j->slots_count * sizeof(*j->slots) + j->heap_cap * sizeof(*j->heap);
}
