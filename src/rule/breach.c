// SPDX-License-Identifier: Apache-2.0
/* breach.c — the state machine of breach.h and the table of its (rule, unit) pairs.
 *
 *   rule ── buckets: hash of the id → chain of pairs      (observe finds here)
 *        └─ pairs:   array, sorted by id at the next step (step walks here, drops by compacting)
 *
 * A pair is dropped at the end of a step when nothing about it can matter later: it is ok, no level
 * holds and its cooldown is over. A unit that is not observed has not changed, so a dropped pair
 * stays ok until an observe makes a new one, which starts from what was observed.
 *
 * THREADS   One. OWNERSHIP rules and pairs belong to the cm_breaches; the id's text stands behind
 * the pair.
 */
#include "rule/breach.h"

#include <stdlib.h>

#include "base/fail.h"
#include "base/hash.h"
#include "base/memory.h"
#include "rule/breach_event.h"
#include "rule/breach_rule.h"

#define BUCKETS_MIN 16u

enum pair_state { PAIR_OK, PAIR_PENDING, PAIR_FIRING, PAIR_RECOVERING };

struct pair {
    struct pair *chain;
    uint64_t hash;
    struct cm_str id; /* text behind the struct */
    struct cm_sample sample;
    enum pair_state state;
    enum cm_level level;      /* firing, recovering: the highest reached */
    enum cm_breach_type type; /* of `event` */
    uint32_t ladder_next;     /* first escalation not yet emitted */
    int64_t since_ms, raised_ms, recovering_ms, cooldown_end_ms, event_ms;
    struct cm_text key;   /* dedup key, made when first raised */
    struct cm_text event; /* firing, recovering: the latest */
};

struct rule {
    const struct cm_rule_spec *spec;
    const char *window;
    struct cm_str *ids; /* sorted; none: every unit of the kind */
    uint32_t ids_count;
    struct cm_escalation *ladder; /* sorted by after_ms */
    uint32_t ladder_count;
    struct pair **buckets;
    uint32_t buckets_count; /* a power of two, 0 before the first pair */
    struct pair **pairs;
    uint32_t count, cap;
    bool unsorted;
};

struct cm_breaches {
    const struct cm_config *config;
    cm_breach_fn emit;
    void *context;
    struct rule *rules;
    uint32_t rules_count;
    uint32_t wants[CM_WINDOWS_MAX]; /* a bit a kind */
    int64_t stepped_ms[CM_WINDOWS_MAX], wake_ms[CM_WINDOWS_MAX];
};

static int by_text(const void *a, const void *b)
{
    return cm_str_cmp(*(const struct cm_str *)a, *(const struct cm_str *)b);
}

static int by_pair_id(const void *a, const void *b)
{
    const struct pair *const *left = a;
    const struct pair *const *right = b;
    return cm_str_cmp((*left)->id, (*right)->id);
}

static void pair_free(struct pair *pair)
{
    cm_text_free(&pair->key);
    cm_text_free(&pair->event);
    free(pair);
}

static void rule_init(struct rule *rule, const struct cm_rule_spec *spec, const char *window)
{
    rule->spec = spec;
    rule->window = window;
    if (spec->ids_count > 0) {
        rule->ids = cm_alloc(spec->ids_count, sizeof(*rule->ids));
        rule->ids_count = spec->ids_count;
        for (uint32_t i = 0; i < spec->ids_count; i++) {
            rule->ids[i] = (struct cm_str){spec->ids[i], (uint32_t)strlen(spec->ids[i])};
        }
        qsort(rule->ids, rule->ids_count, sizeof(*rule->ids), by_text);
    }
    if (spec->escalate_count > 0) {
        rule->ladder = cm_alloc(spec->escalate_count, sizeof(*rule->ladder));
        rule->ladder_count = spec->escalate_count;
        for (uint32_t i = 0; i < spec->escalate_count; i++) {
            uint32_t at = i; /* insertion: equal ones keep the configured order */
            while (at > 0 && rule->ladder[at - 1].after_ms > spec->escalate[i].after_ms) {
                rule->ladder[at] = rule->ladder[at - 1];
                at--;
            }
            rule->ladder[at] = spec->escalate[i];
        }
    }
}

struct cm_breaches *cm_breaches_create(const struct cm_config *config, cm_breach_fn emit,
                                       void *context)
{
    struct cm_breaches *breaches = cm_alloc(1, sizeof(*breaches));
    breaches->config = config;
    breaches->emit = emit;
    breaches->context = context;
    breaches->rules_count = config->rules.count;
    breaches->rules = cm_alloc(config->rules.count + 1u, sizeof(*breaches->rules));
    for (uint32_t i = 0; i < CM_WINDOWS_MAX; i++) {
        breaches->stepped_ms[i] = INT64_MIN;
        breaches->wake_ms[i] = INT64_MAX;
    }
    for (uint32_t i = 0; i < config->rules.count; i++) {
        const struct cm_rule_spec *spec = &config->rules.at[i];
        CM_ASSERT(spec->window < config->all_count && spec->kind < CM_KIND_COUNT);
        rule_init(&breaches->rules[i], spec, config->all[spec->window].name);
        breaches->wants[spec->window] |= 1u << spec->kind;
    }
    return breaches;
}

void cm_breaches_destroy(struct cm_breaches *breaches)
{
    if (breaches == NULL) {
        return;
    }
    for (uint32_t i = 0; i < breaches->rules_count; i++) {
        struct rule *rule = &breaches->rules[i];
        for (uint32_t j = 0; j < rule->count; j++) {
            pair_free(rule->pairs[j]);
        }
        free(rule->pairs);
        free(rule->buckets);
        free(rule->ids);
        free(rule->ladder);
    }
    free(breaches->rules);
    free(breaches);
}

bool cm_breaches_wants(const struct cm_breaches *breaches, uint32_t window, enum cm_kind kind)
{
    CM_ASSERT(window < CM_WINDOWS_MAX);
    return (breaches->wants[window] >> kind & 1u) != 0;
}

static struct pair *rule_find(const struct rule *rule, uint64_t hash, struct cm_str id)
{
    if (rule->buckets_count == 0) {
        return NULL;
    }
    struct pair *pair = rule->buckets[hash & (rule->buckets_count - 1u)];
    while (pair != NULL && (pair->hash != hash || !cm_str_eq(pair->id, id))) {
        pair = pair->chain;
    }
    return pair;
}

static void rule_link(struct rule *rule, struct pair *pair)
{
    struct pair **head = &rule->buckets[pair->hash & (rule->buckets_count - 1u)];
    pair->chain = *head;
    *head = pair;
}

static void rule_unlink(struct rule *rule, const struct pair *pair)
{
    struct pair **at = &rule->buckets[pair->hash & (rule->buckets_count - 1u)];
    while (*at != pair) {
        CM_ASSERT(*at != NULL);
        at = &(*at)->chain;
    }
    *at = pair->chain;
}

static void rule_grow(struct rule *rule)
{
    if (rule->count == rule->cap) {
        rule->cap = rule->cap > 0 ? rule->cap * 2 : BUCKETS_MIN;
        rule->pairs = cm_realloc(rule->pairs, rule->cap, sizeof(struct pair *));
    }
    if (rule->count < rule->buckets_count) {
        return;
    }
    free(rule->buckets);
    rule->buckets_count = rule->buckets_count > 0 ? rule->buckets_count * 2 : BUCKETS_MIN;
    rule->buckets = cm_alloc(rule->buckets_count, sizeof(struct pair *));
    for (uint32_t i = 0; i < rule->count; i++) {
        rule_link(rule, rule->pairs[i]);
    }
}

static struct pair *rule_add(struct rule *rule, uint64_t hash, struct cm_str id)
{
    rule_grow(rule);
    struct pair *pair = cm_alloc(1, sizeof(*pair) + id.len);
    char *text = (char *)(pair + 1);
    if (id.len > 0) {
        memcpy(text, id.p, id.len);
    }
    pair->hash = hash;
    pair->id = (struct cm_str){text, id.len};
    pair->cooldown_end_ms = INT64_MIN;
    rule_link(rule, pair);
    rule->pairs[rule->count++] = pair;
    rule->unsorted = true;
    return pair;
}

static bool rule_covers(const struct rule *rule, struct cm_str id)
{
    return rule->ids_count == 0 ||
           bsearch(&id, rule->ids, rule->ids_count, sizeof(*rule->ids), by_text) != NULL;
}

void cm_breaches_observe(struct cm_breaches *breaches, uint32_t window, int64_t asof_ms,
                         enum cm_kind kind, struct cm_str id, const struct cm_measures *m)
{
    if (!cm_breaches_wants(breaches, window, kind)) {
        return;
    }
    CM_ASSERT(asof_ms > breaches->stepped_ms[window]);
    uint64_t hash = cm_hash64(id.p, id.len);
    for (uint32_t i = 0; i < breaches->rules_count; i++) {
        struct rule *rule = &breaches->rules[i];
        const struct cm_rule_spec *spec = rule->spec;
        if (spec->window != window || spec->kind != kind || !rule_covers(rule, id)) {
            continue;
        }
        struct cm_sample sample = cm_rule_sample(spec, m, &breaches->config->formulas);
        struct pair *pair = rule_find(rule, hash, id);
        if (pair == NULL) {
            if (cm_rule_level(spec, &sample) == CM_LEVEL_NONE) {
                continue; /* ok before, ok now */
            }
            pair = rule_add(rule, hash, id);
        }
        pair->sample = sample;
    }
}

static struct cm_str text_str(const struct cm_text *text)
{
    return (struct cm_str){text->data, (uint32_t)text->len};
}

static struct cm_breach pair_breach(const struct rule *rule, const struct pair *pair)
{
    return (struct cm_breach){.type = pair->type,
                              .rule = rule->spec,
                              .id = pair->id,
                              .asof_ms = pair->event_ms,
                              .dedup_key = text_str(&pair->key),
                              .json = text_str(&pair->event)};
}

static void pair_emit(const struct cm_breaches *breaches, const struct rule *rule,
                      struct pair *pair, enum cm_breach_type type, int64_t asof_ms,
                      const char *escalated_to)
{
    if (pair->key.len == 0) {
        cm_breach_key_write(&pair->key, rule->spec, rule->window, pair->id);
    }
    struct cm_breach_facts facts = {.type = type,
                                    .rule = rule->spec,
                                    .window = rule->window,
                                    .id = pair->id,
                                    .level = pair->level,
                                    .sample = pair->sample,
                                    .since_ms = pair->since_ms,
                                    .asof_ms = asof_ms,
                                    .escalated_to = escalated_to,
                                    .dedup_key = text_str(&pair->key)};
    pair->type = type;
    pair->event_ms = asof_ms;
    pair->event.len = 0;
    cm_breach_event_write(&pair->event, &facts);
    struct cm_breach breach = pair_breach(rule, pair);
    breaches->emit(breaches->context, &breach);
}

/* The escalations up the tree that are due in state firing. */
static void pair_climb(const struct cm_breaches *breaches, const struct rule *rule,
                       struct pair *pair, int64_t asof_ms)
{
    while (pair->ladder_next < rule->ladder_count &&
           asof_ms - pair->raised_ms >= rule->ladder[pair->ladder_next].after_ms) {
        const char *to = cm_kind_name(rule->ladder[pair->ladder_next++].to);
        pair_emit(breaches, rule, pair, CM_BREACH_ESCALATED, asof_ms, to);
    }
}

/* A step of a pair that is ok or pending. Returns whether it has to be kept. */
static bool pair_step_quiet(const struct cm_breaches *breaches, const struct rule *rule,
                            struct pair *pair, int64_t asof_ms)
{
    enum cm_level level = cm_rule_level(rule->spec, &pair->sample);
    if (level == CM_LEVEL_NONE) {
        pair->state = PAIR_OK;
        return asof_ms < pair->cooldown_end_ms;
    }
    if (pair->state == PAIR_OK) {
        pair->state = PAIR_PENDING;
        pair->since_ms = asof_ms;
    }
    if (asof_ms - pair->since_ms >= rule->spec->for_ms && asof_ms >= pair->cooldown_end_ms) {
        pair->state = PAIR_FIRING;
        pair->level = level;
        pair->raised_ms = asof_ms;
        pair->ladder_next = 0;
        pair_emit(breaches, rule, pair, CM_BREACH_RAISED, asof_ms, NULL);
        pair_climb(breaches, rule, pair, asof_ms);
    }
    return true;
}

/* A step of a pair that is firing or recovering. Returns whether it has to be kept. */
static bool pair_step_raised(const struct cm_breaches *breaches, const struct rule *rule,
                             struct pair *pair, int64_t asof_ms)
{
    enum cm_level level = cm_rule_level(rule->spec, &pair->sample);
    if (!cm_rule_is_clear(rule->spec, &pair->sample)) {
        pair->state = PAIR_FIRING;
        if (level > pair->level) {
            pair->level = level;
            pair_emit(breaches, rule, pair, CM_BREACH_ESCALATED, asof_ms, NULL);
        }
        pair_climb(breaches, rule, pair, asof_ms);
        return true;
    }
    if (pair->state == PAIR_FIRING) {
        pair->state = PAIR_RECOVERING;
        pair->recovering_ms = asof_ms;
    }
    if (asof_ms - pair->recovering_ms < rule->spec->keep_ms) {
        return true;
    }
    pair_emit(breaches, rule, pair, CM_BREACH_CLEARED, asof_ms, NULL);
    cm_text_free(&pair->event);
    pair->state = PAIR_OK;
    pair->cooldown_end_ms = asof_ms + rule->spec->cooldown_ms;
    /* A level can hold beside clear; nobody may observe the unit again, so it must not be
     * forgotten. */
    return asof_ms < pair->cooldown_end_ms || level != CM_LEVEL_NONE;
}

static void rule_sort(struct rule *rule)
{
    if (rule->unsorted) {
        qsort(rule->pairs, rule->count, sizeof(struct pair *), by_pair_id);
        rule->unsorted = false;
    }
}

/* When the pair has to be looked at again although nothing was observed. */
static int64_t pair_wake_ms(const struct rule *rule, const struct pair *pair, int64_t asof_ms)
{
    switch (pair->state) {
    case PAIR_PENDING: {
        int64_t due_ms = pair->since_ms + rule->spec->for_ms;
        return due_ms > pair->cooldown_end_ms ? due_ms : pair->cooldown_end_ms;
    }
    case PAIR_RECOVERING:
        return pair->recovering_ms + rule->spec->keep_ms;
    case PAIR_FIRING:
        if (cm_rule_is_clear(rule->spec, &pair->sample)) {
            return asof_ms + 1; /* just raised, and clear at once */
        }
        return pair->ladder_next < rule->ladder_count
                   ? pair->raised_ms + rule->ladder[pair->ladder_next].after_ms
                   : INT64_MAX;
    case PAIR_OK:
        break;
    }
    return cm_rule_level(rule->spec, &pair->sample) == CM_LEVEL_NONE ? pair->cooldown_end_ms
                                                                     : asof_ms + 1;
}

/* Returns when the next step is due if nothing is observed. */
static int64_t rule_step(const struct cm_breaches *breaches, struct rule *rule, int64_t asof_ms)
{
    rule_sort(rule);
    uint32_t kept = 0;
    int64_t wake_ms = INT64_MAX;
    for (uint32_t i = 0; i < rule->count; i++) {
        struct pair *pair = rule->pairs[i];
        bool raised = pair->state == PAIR_FIRING || pair->state == PAIR_RECOVERING;
        if (raised ? pair_step_raised(breaches, rule, pair, asof_ms)
                   : pair_step_quiet(breaches, rule, pair, asof_ms)) {
            rule->pairs[kept++] = pair;
            int64_t pair_ms = pair_wake_ms(rule, pair, asof_ms);
            wake_ms = pair_ms < wake_ms ? pair_ms : wake_ms;
        } else {
            rule_unlink(rule, pair);
            pair_free(pair);
        }
    }
    rule->count = kept;
    return wake_ms;
}

void cm_breaches_step(struct cm_breaches *breaches, uint32_t window, int64_t asof_ms)
{
    CM_ASSERT(window < CM_WINDOWS_MAX);
    CM_ASSERT(asof_ms > breaches->stepped_ms[window]);
    breaches->stepped_ms[window] = asof_ms;
    breaches->wake_ms[window] = INT64_MAX;
    for (uint32_t i = 0; i < breaches->rules_count; i++) {
        if (breaches->rules[i].spec->window == window) {
            int64_t wake_ms = rule_step(breaches, &breaches->rules[i], asof_ms);
            breaches->wake_ms[window] =
                wake_ms < breaches->wake_ms[window] ? wake_ms : breaches->wake_ms[window];
        }
    }
}

int64_t cm_breaches_wake_ms(const struct cm_breaches *breaches, uint32_t window)
{
    return breaches->wake_ms[window];
}

uint32_t cm_breaches_active(const struct cm_breaches *breaches, uint32_t window)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < breaches->rules_count; i++) {
        if (breaches->rules[i].spec->window == window) {
            count += breaches->rules[i].count;
        }
    }
    return count;
}

void cm_breaches_firing(const struct cm_breaches *breaches, cm_breach_fn visit, void *context)
{
    for (uint32_t i = 0; i < breaches->rules_count; i++) {
        struct rule *rule = &breaches->rules[i];
        rule_sort(rule);
        for (uint32_t j = 0; j < rule->count; j++) {
            const struct pair *pair = rule->pairs[j];
            if (pair->state == PAIR_FIRING || pair->state == PAIR_RECOVERING) {
                struct cm_breach breach = pair_breach(rule, pair);
                visit(context, &breach);
            }
        }
    }
}
