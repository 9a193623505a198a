// SPDX-License-Identifier: Apache-2.0
/* embed.c — the public header callmill/callmill.h: windows over records that somebody else brings.
 *
 * The same path as replay.c, without files and threads: decode, apply, let the watermark and the
 * windows follow, look. Its rows equal those of `replay` over the same records.
 */
#include "callmill/callmill.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/config.h"
#include "decode/decoder.h"
#include "event/roster.h"
#include "publish/row.h"
#include "window/windows.h"

#define TRIM_EVERY_PANES 64 /* how far the watermark moves before the windows follow it unasked */

/* One unit in one window, until all are in order. */
struct place {
    int64_t asof_ms;
    uint32_t unit, window;
};

struct cm_engine {
    struct cm_config *config;
    struct cm_roster *roster;
    struct cm_decoder *decoder;
    struct cm_windows *windows;
    int64_t newest_ms, watermark_ms, next_trim_ms;
    struct place *places;
    size_t places_count, places_cap;
    struct cm_text row;
};

const char *cm_engine_version(void)
{
    return CM_VERSION;
}

const char *cm_engine_error(void)
{
    return cm_fail_text();
}

int cm_engine_create(const char *yaml, struct cm_engine **out)
{
    struct cm_config *config = NULL;
    struct cm_roster *roster = NULL;
    yaml = yaml == NULL ? "" : yaml;
    int rc = cm_config_parse("configuration", yaml, strlen(yaml), NULL, 0, &config);
    if (rc < 0) {
        return rc;
    }
    const char *path = cm_config_roster_path(config);
    if (path == NULL) {
        roster = cm_roster_empty();
    } else {
        rc = cm_roster_load(path, config->centre, &roster);
    }
    if (rc < 0) {
        cm_config_free(config);
        return rc;
    }
    struct cm_engine *e = cm_alloc(1, sizeof(*e));
    e->config = config;
    e->roster = roster;
    e->decoder = cm_decoder_create();
    e->windows = cm_windows_create(config, roster, 0, 0);
    e->newest_ms = e->watermark_ms = e->next_trim_ms = INT64_MIN;
    *out = e;
    return 0;
}

void cm_engine_destroy(struct cm_engine *engine)
{
    if (engine == NULL) {
        return;
    }
    cm_windows_destroy(engine->windows);
    cm_decoder_destroy(engine->decoder);
    cm_roster_free(engine->roster);
    cm_config_free(engine->config);
    cm_text_free(&engine->row);
    free(engine->places);
    free(engine);
}

int cm_engine_set_roster(struct cm_engine *engine, const char *name, const char *bytes, size_t len)
{
    struct cm_roster *roster = NULL;
    int rc = cm_roster_parse(name, bytes, len, engine->config->centre, &roster);
    if (rc < 0) {
        return rc;
    }
    cm_windows_set_roster(engine->windows, roster);
    cm_roster_free(engine->roster);
    engine->roster = roster;
    return 0;
}

static int64_t round_down(int64_t ms, int64_t step_ms)
{
    return ms - ms % step_ms;
}

/* Lets the windows follow the watermark, so that panes are given back. No row that may still be
 * asked for lies behind it. */
static void follow(struct cm_engine *e)
{
    for (uint32_t i = 0; e->watermark_ms >= 0 && i < e->config->all_count; i++) {
        int64_t asof_ms = round_down(e->watermark_ms, e->config->all[i].step_ms);
        if (asof_ms > cm_windows_asof(e->windows, CM_VIEW_ROWS, i)) {
            cm_windows_advance(e->windows, CM_VIEW_ROWS, i, asof_ms);
        }
    }
    cm_windows_trim(e->windows);
    e->next_trim_ms = e->watermark_ms + TRIM_EVERY_PANES * cm_windows_pane_ms(e->windows);
}

enum cm_push cm_engine_push(struct cm_engine *engine, const char *bytes, size_t len,
                            const char **reason)
{
    static const enum cm_push push_of[] = {
        [CM_VERDICT_COUNTED] = CM_PUSH_COUNTED,
        [CM_VERDICT_REVISED] = CM_PUSH_REVISED,
        [CM_VERDICT_DUPLICATE] = CM_PUSH_DUPLICATE,
        [CM_VERDICT_LATE] = CM_PUSH_BAD,
    };
    struct cm_event event;
    enum cm_reason why = cm_decode(engine->decoder, bytes, len, &event);
    enum cm_push push = CM_PUSH_BAD;
    if (why == CM_REASON_NONE) {
        push = push_of[cm_windows_apply(engine->windows, &event, NULL, engine->watermark_ms)];
        why = push == CM_PUSH_BAD ? CM_REASON_LATE : CM_REASON_NONE;
        if (event.ts_ms > engine->newest_ms) {
            engine->newest_ms = event.ts_ms;
            engine->watermark_ms = event.ts_ms - engine->config->allowed_lateness_ms;
            cm_windows_settle(engine->windows, engine->watermark_ms);
        }
        if (engine->watermark_ms >= engine->next_trim_ms) {
            follow(engine);
        }
    }
    cm_decoder_reset(engine->decoder);
    if (reason != NULL) {
        *reason = cm_reason_name(why);
    }
    return push;
}

int64_t cm_engine_watermark_ms(const struct cm_engine *engine)
{
    return engine->watermark_ms;
}

/* Where a window is to stand. */
static int64_t target_ms(const struct cm_engine *e, uint32_t window, int64_t asof_ms)
{
    if (asof_ms != CM_ENGINE_LATEST) {
        return round_down(asof_ms, e->config->all[window].step_ms);
    }
    int64_t now_ms = cm_windows_asof(e->windows, CM_VIEW_ROWS, window);
    int64_t next_ms = cm_window_next_asof(&e->config->all[window], e->newest_ms);
    return next_ms > now_ms ? next_ms : now_ms;
}

static int check_asof(const struct cm_engine *e, int64_t asof_ms)
{
    if (asof_ms == CM_ENGINE_LATEST) {
        return 0;
    }
    if (asof_ms < 0 || asof_ms > CM_TS_MS_MAX) {
        return cm_fail(CM_ERR_USAGE, "as of %lld: it is 0 to %lld, ms since 1970",
                       (long long)asof_ms, (long long)CM_TS_MS_MAX);
    }
    if (asof_ms < e->watermark_ms) {
        return cm_fail(CM_ERR_USAGE, "as of %lld lies behind the watermark, %lld",
                       (long long)asof_ms, (long long)e->watermark_ms);
    }
    for (uint32_t i = 0; i < e->config->all_count; i++) {
        int64_t now_ms = cm_windows_asof(e->windows, CM_VIEW_ROWS, i);
        if (target_ms(e, i, asof_ms) < now_ms) {
            return cm_fail(CM_ERR_USAGE, "as of %lld: window %s stands at %lld already",
                           (long long)asof_ms, e->config->all[i].name, (long long)now_ms);
        }
    }
    return 0;
}

static void collect(struct cm_engine *e, uint32_t window)
{
    uint32_t units = cm_units_count(cm_windows_units(e->windows));
    for (uint32_t u = 0; u < units; u++) {
        struct cm_measures m;
        if (!cm_windows_measure(e->windows, CM_VIEW_ROWS, window, u, &m)) {
            continue;
        }
        if (e->places_count == e->places_cap) {
            e->places_cap = e->places_cap == 0 ? 256 : 2 * e->places_cap;
            e->places = cm_realloc(e->places, e->places_cap, sizeof(*e->places));
        }
        e->places[e->places_count++] =
            (struct place){cm_windows_asof(e->windows, CM_VIEW_ROWS, window), u, window};
    }
}

static int compare_places(const void *a, const void *b, void *units)
{
    const struct place *x = a, *y = b;
    if (x->asof_ms != y->asof_ms) {
        return x->asof_ms < y->asof_ms ? -1 : 1;
    }
    if (x->unit != y->unit) {
        return cm_unit_key_cmp(cm_units_key(units, x->unit), cm_units_key(units, y->unit));
    }
    return x->window < y->window ? -1 : x->window > y->window;
}

int cm_engine_rows(struct cm_engine *engine, int64_t asof_ms, cm_engine_row_fn *row, void *context)
{
    struct cm_engine *e = engine;
    int rc = check_asof(e, asof_ms);
    if (rc < 0 || e->newest_ms == INT64_MIN) {
        return rc; /* no event, no row */
    }
    e->places_count = 0;
    /* CM_ENGINE_LATEST asks for all that has come. */
    cm_windows_settle(e->windows, asof_ms == CM_ENGINE_LATEST ? INT64_MAX : asof_ms);
    for (uint32_t i = 0; i < e->config->all_count; i++) {
        int64_t to_ms = target_ms(e, i, asof_ms);
        cm_windows_advance(e->windows, CM_VIEW_ROWS, i, to_ms);
        collect(e, i);
    }
    cm_windows_trim(e->windows);
    struct cm_units *units = cm_windows_units(e->windows);
    if (e->places_count > 0) {
        qsort_r(e->places, e->places_count, sizeof(*e->places), compare_places, units);
    }
    for (size_t i = 0; rc == 0 && i < e->places_count; i++) {
        const struct place *p = &e->places[i];
        struct cm_measures m;
        (void)cm_windows_measure(e->windows, CM_VIEW_ROWS, p->window, p->unit, &m);
        e->row.len = 0;
        cm_row_write(&e->row, e->config, p->asof_ms, cm_units_key(units, p->unit), p->window, &m);
        rc = row(context, e->row.data, e->row.len);
    }
    return rc;
}
