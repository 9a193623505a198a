// SPDX-License-Identifier: Apache-2.0
/* figures.c — figures from a tally: integers in, fixed-point integers out.
 *
 * A ratio is rounded half up, (2 num scale + den) / (2 den), in 64 bits where that fits and in 128
 * where not; no floating point, so a figure is the same on every machine.
 *
 * THREADS   No state. COST  A row is about 40 literals and integers, written one behind the other
 * into room that was made once, plus three walks over the histogram; nothing is formatted by
 *           printf.
 */
#include "event/figures.h"

#include <string.h>

#include "base/fail.h"

#define RATE_SCALE  10000u
#define SCORE_SCALE 100u

__extension__ typedef unsigned __int128 wide;

static const uint8_t kinds[CM_FIGURE_COUNT] = {
#define X(name, kind, unit, formula, meaning) [CM_FIGURE_##name] = CM_FIGURE_KIND_##kind,
    CM_FIGURES(X)
#undef X
};

static const char *const figure_names[CM_FIGURE_COUNT] = {
#define X(name, kind, unit, formula, meaning) [CM_FIGURE_##name] = #name,
    CM_FIGURES(X)
#undef X
};

static struct cm_value number(uint64_t value)
{
    return (struct cm_value){.null = false, .value = value};
}

static struct cm_value ratio(uint64_t numerator, uint64_t denominator, uint32_t scale)
{
    if (denominator == 0) {
        return (struct cm_value){.null = true, .value = 0};
    }
    if (CM_LIKELY((numerator | denominator) >> 48 == 0)) {
        return number((2 * numerator * scale + denominator) / (2 * denominator));
    }
    wide rounded = (2 * (wide)numerator * scale + denominator) / (2 * (wide)denominator);
    CM_ASSERT(rounded <= UINT64_MAX);
    return number((uint64_t)rounded);
}

static struct cm_value quantile(const struct cm_measures *m, uint32_t per_mille)
{
    const struct cm_tally *t = &m->tally;
    if (t->answered == 0) {
        return (struct cm_value){.null = true, .value = 0};
    }
    uint64_t value_ms = cm_hist_quantile(&m->handle, t->answered, per_mille);
    /* The middle of the last bin may lie above the longest call, and that one is known exactly. */
    return number(value_ms < t->handle_max_ms ? value_ms : t->handle_max_ms);
}

static struct cm_value abandon_rate(const struct cm_tally *t, enum cm_abandon_formula formula)
{
    uint64_t offered = cm_tally_offered(t);
    if (formula == CM_ABANDON_GROSS) {
        return ratio(t->abandoned, offered, RATE_SCALE);
    }
    CM_ASSERT(formula == CM_ABANDON_NET && t->short_abandoned <= t->abandoned);
    return ratio(t->abandoned - t->short_abandoned, offered - t->short_abandoned, RATE_SCALE);
}

static struct cm_value service_level(const struct cm_tally *t, enum cm_sl_formula formula)
{
    uint64_t met = t->sl_met;
    uint64_t resolved = (uint64_t)t->answered + t->abandoned;
    CM_ASSERT(t->sl_abandoned <= t->abandoned && t->short_abandoned <= t->abandoned);
    switch (formula) {
    case CM_SL_ANSWERED:
        return ratio(met, t->answered, RATE_SCALE);
    case CM_SL_IGNORE:
        return ratio(met, resolved - t->sl_abandoned, RATE_SCALE);
    case CM_SL_POSITIVE:
        return ratio(met + t->sl_abandoned, resolved, RATE_SCALE);
    case CM_SL_NEGATIVE:
        break;
    }
    CM_ASSERT(formula == CM_SL_NEGATIVE);
    return ratio(met, resolved - t->short_abandoned, RATE_SCALE);
}

/* Figures that need more than a look into the tally. */
static struct cm_value derived(enum cm_figure figure, const struct cm_measures *m,
                               const struct cm_formulas *formulas)
{
    const struct cm_tally *t = &m->tally;
    switch (figure) {
    case CM_FIGURE_offered:
        return number(cm_tally_offered(t));
    case CM_FIGURE_handle_ms:
        return number(cm_tally_handle_ms(t));
    case CM_FIGURE_aht_ms:
        return ratio(cm_tally_handle_ms(t), t->answered, 1);
    case CM_FIGURE_asa_ms:
        return ratio(t->wait_ms, t->answered, 1);
    case CM_FIGURE_handle_p50_ms:
        return quantile(m, 500);
    case CM_FIGURE_handle_p90_ms:
        return quantile(m, 900);
    case CM_FIGURE_handle_p99_ms:
        return quantile(m, 990);
    case CM_FIGURE_abandon_rate:
        return abandon_rate(t, formulas->abandon);
    case CM_FIGURE_service_level:
        return service_level(t, formulas->service_level);
    case CM_FIGURE_compliance_rate:
        return ratio(t->check_weight_passed, t->check_weight, RATE_SCALE);
    case CM_FIGURE_compliant_rate:
        return ratio(t->compliant, t->checked, RATE_SCALE);
    case CM_FIGURE_rating_avg:
        return ratio(t->rating_sum, t->ratings, SCORE_SCALE);
    default:
        CM_ASSERT(figure == CM_FIGURE_occupancy);
        return ratio(m->busy_ms, m->busy_ms + m->available_ms, RATE_SCALE);
    }
}

/* Into straight code where the figure is known. */
static CM_ALWAYS_INLINE struct cm_value get(enum cm_figure figure, const struct cm_measures *m,
                                            const struct cm_formulas *formulas)
{
    switch (figure) {
#define X(name)                                                                                    \
    case CM_FIGURE_##name:                                                                         \
        return number(m->tally.name);
        CM_TALLY_COUNTS(X)
        CM_TALLY_SUMS(X)
        X(wait_max_ms)
        X(handle_max_ms)
#undef X
    default:
        return derived(figure, m, formulas);
    }
}

struct cm_value cm_figure_get(enum cm_figure figure, const struct cm_measures *m,
                              const struct cm_formulas *formulas)
{
    return get(figure, m, formulas);
}

const char *cm_figure_name(enum cm_figure figure)
{
    return (unsigned)figure < CM_FIGURE_COUNT ? figure_names[figure] : "?";
}

enum cm_figure_kind cm_figure_kind(enum cm_figure figure)
{
    CM_ASSERT((unsigned)figure < CM_FIGURE_COUNT);
    return (enum cm_figure_kind)kinds[figure];
}

static inline unsigned decimals(unsigned kind)
{
    return kind == CM_FIGURE_KIND_RATE ? 4 : kind == CM_FIGURE_KIND_SCORE ? 2 : 0;
}

unsigned cm_figure_decimals(enum cm_figure figure)
{
    return decimals(cm_figure_kind(figure));
}

bool cm_figure_parse(struct cm_str name, enum cm_figure *figure)
{
    for (uint32_t i = 0; i < CM_FIGURE_COUNT; i++) {
        if (strlen(figure_names[i]) == name.len && memcmp(figure_names[i], name.p, name.len) == 0) {
            *figure = (enum cm_figure)i;
            return true;
        }
    }
    return false;
}

#define VALUE_BYTES 21u /* the longest value: 20 digits and a point */

/* As cm_put_fixed(), into straight code: `digits` is known, and 2 or 4. */
static inline char *put_decimals(char *to, uint64_t value, unsigned digits)
{
    uint64_t scale = digits == 4 ? RATE_SCALE : SCORE_SCALE;
    uint32_t rest = (uint32_t)(value % scale);
    to = cm_put_small(to, value / scale);
    *to++ = '.';
    for (scale /= 10; scale > 0; scale /= 10) {
        *to++ = (char)('0' + rest / scale % 10);
    }
    return to;
}

static inline char *put_value(char *to, struct cm_value value, unsigned digits)
{
    if (value.null) {
        static const char null[] = {'n', 'u', 'l', 'l'};
        memcpy(to, null, sizeof(null));
        return to + sizeof(null);
    }
    return digits > 0 ? put_decimals(to, value.value, digits) : cm_put_small(to, value.value);
}

void cm_figures_write(struct cm_text *out, const struct cm_measures *m,
                      const struct cm_formulas *formulas)
{
    static const size_t most_bytes = 0
#define X(name, kind, unit, formula, meaning) +sizeof(",\"" #name "\":") - 1 + VALUE_BYTES
        CM_FIGURES(X)
#undef X
        ;
    char *begin = cm_text_room(out, most_bytes);
    char *to = begin;
#define X(name, kind, unit, formula, meaning)                                                      \
    {                                                                                              \
        unsigned skip = CM_FIGURE_##name == 0; /* no comma before the first */                     \
        memcpy(to, &",\"" #name "\":"[skip], sizeof(",\"" #name "\":") - 1 - skip);                \
        to += sizeof(",\"" #name "\":") - 1 - skip;                                                \
        to = put_value(to, get(CM_FIGURE_##name, m, formulas), decimals(CM_FIGURE_KIND_##kind));   \
    }
    CM_FIGURES(X)
#undef X
    out->len += (size_t)(to - begin);
    if (!cm_measures_are_empty(m)) { /* time in offline alone is not told */
        cm_details_write(out, &m->details);
    }
}

bool cm_measures_are_empty(const struct cm_measures *m)
{
    const struct cm_details *d = &m->details;
    bool only_offline =
        d->count == 1 && d->at[0].group == CM_DETAIL_STATE && d->at[0].index == CM_STATE_OFFLINE;
    return (d->count == 0 || only_offline) && cm_tally_is_empty(&m->tally);
}

const char *cm_abandon_formula_name(enum cm_abandon_formula formula)
{
    static const char *const names[] = {[CM_ABANDON_GROSS] = "gross", [CM_ABANDON_NET] = "net"};
    return (unsigned)formula < CM_ARRAY_LEN(names) ? names[formula] : "?";
}

const char *cm_sl_formula_name(enum cm_sl_formula formula)
{
    static const char *const names[] = {
        [CM_SL_ANSWERED] = "answered",
        [CM_SL_IGNORE] = "ignore",
        [CM_SL_POSITIVE] = "positive",
        [CM_SL_NEGATIVE] = "negative",
    };
    return (unsigned)formula < CM_ARRAY_LEN(names) ? names[formula] : "?";
}

void cm_measures_own(struct cm_measures *into, const struct cm_measures *from)
{
    *into = *from;
    into->handle = (struct cm_hist){0};
    into->details = (struct cm_details){0};
    cm_hist_copy(&into->handle, &from->handle);
    if (from->details.count > 0) {
        cm_details_copy(&into->details, &from->details);
    }
}

void cm_measures_copy(struct cm_measures *into, const struct cm_measures *from)
{
    struct cm_hist handle = into->handle;
    struct cm_details details = into->details;
    *into = *from;
    into->handle = handle;
    into->details = details;
    cm_hist_copy(&into->handle, &from->handle);
    cm_details_copy(&into->details, &from->details);
}

void cm_measures_run_on(struct cm_measures *m, const int32_t running[CM_STATE_COUNT],
                        int64_t passed_ms)
{
    struct cm_detail items[CM_STATE_COUNT];
    struct cm_details grown = {items, 0, CM_STATE_COUNT};
    for (uint32_t state = 0; state < CM_STATE_COUNT; state++) {
        uint64_t ms = (uint64_t)(running[state] * passed_ms);
        if (ms != 0) {
            items[grown.count++] = (struct cm_detail){CM_DETAIL_STATE, (uint8_t)state, {0}, ms, 0};
            cm_measures_add_state(m, (enum cm_state)state, ms);
        }
    }
    if (grown.count > 0) {
        cm_details_merge(&m->details, &grown);
        cm_details_drop_zeros(&m->details);
    }
}

void cm_measures_add_state(struct cm_measures *m, enum cm_state state, uint64_t ms)
{
    bool busy = state == CM_STATE_RINGING || state == CM_STATE_TALKING || state == CM_STATE_HOLD ||
                state == CM_STATE_ACW;
    m->busy_ms += busy ? ms : 0;
    m->available_ms += state == CM_STATE_AVAILABLE ? ms : 0;
}

void cm_measures_free(struct cm_measures *m)
{
    cm_hist_free(&m->handle);
    cm_details_free(&m->details);
}
