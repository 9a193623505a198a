// SPDX-License-Identifier: Apache-2.0
#include "engine/replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/decode_pool.h"
#include "engine/group.h"
#include "engine/rule_steps.h"
#include "io/file_reader.h"
#include "io/file_writer.h"
#include "publish/dead_letter.h"
#include "publish/row.h"
#include "rule/breach.h"
#include "window/windows.h"

#define BLOCK_BYTES       ((size_t)64 * 1024)
#define DEAD_BUFFER_BYTES (1u << 20)
#define LINE_BYTES_MOST   ((size_t)2 * CM_RECORD_BYTES_MAX)
#define ROWS_FLUSH_BYTES  (1u << 20)
#define ENTRIES_MOST      (1u << 14) /* live entries before windows follow unasked */

/* A row kept back until its place in the order is known. */
struct kept_row {
    int64_t asof_ms;
    uint32_t window, unit;
    size_t at, len; /* in kept_text */
};

struct replay {
    const struct cm_replay_options *options;
    const struct cm_config *config;
    struct cm_replay_summary *summary;
    struct cm_ring *ring;
    struct cm_decode_pool *pool;
    struct cm_windows *windows;
    struct cm_breaches *breaches;
    struct cm_rule_feed rule_feed;
    struct cm_rule_log rule_log;
    FILE *breaches_out;
    struct cm_file_writer *dead;
    struct cm_text dead_line;
    int64_t clock_ms, watermark_ms, least_ms; /* newest, newest less lateness, oldest event time */
    int64_t next_every_ms;                    /* INT64_MIN: not begun */
    int64_t passed_ms;                        /* EVERY: instants up to here are frozen */
    int64_t followed_ms;                      /* the watermark when windows last followed it */
    int64_t follow_ms;                        /* how far it has to come to make that worth while */
    uint32_t at_done;                         /* AT: windows that are frozen */
    uint32_t *sorted;                         /* units in the order of rows */
    uint32_t sorted_count;
    struct kept_row *kept;
    uint32_t kept_count, kept_cap;
    struct cm_text kept_text;
    struct cm_text out;
    bool out_failed;
    int64_t bytes_read, bytes_all, progress_ns;
};

/* ---- rows */

static struct cm_units *sort_units;

static int compare_units(const void *a, const void *b)
{
    return cm_unit_key_cmp(cm_units_key(sort_units, *(const uint32_t *)a),
                           cm_units_key(sort_units, *(const uint32_t *)b));
}

static void sort_all_units(struct replay *r)
{
    struct cm_units *units = cm_windows_units(r->windows);
    uint32_t count = cm_units_count(units);
    if (count == r->sorted_count) {
        return;
    }
    r->sorted = cm_realloc(r->sorted, count, sizeof(*r->sorted));
    for (uint32_t i = 0; i < count; i++) {
        r->sorted[i] = i;
    }
    r->sorted_count = count;
    sort_units = units;
    qsort(r->sorted, count, sizeof(*r->sorted), compare_units);
}

static void write_out(struct replay *r)
{
    if (r->out.len > 0 && !r->out_failed &&
        fwrite(r->out.data, 1, r->out.len, r->options->out) != r->out.len) {
        r->out_failed = true;
    }
    r->out.len = 0;
}

/* All windows as of one instant, in order: for --every. Returns how many rows there were. */
static uint64_t rows_as_of(struct replay *r, int64_t asof_ms)
{
    uint64_t before = r->summary->rows;
    for (uint32_t i = 0; i < r->config->all_count; i++) {
        cm_windows_advance(r->windows, CM_VIEW_ROWS, i, asof_ms);
    }
    sort_all_units(r);
    for (uint32_t u = 0; u < r->sorted_count; u++) {
        for (uint32_t i = 0; i < r->config->all_count; i++) {
            struct cm_measures m;
            if (!cm_windows_measure(r->windows, CM_VIEW_ROWS, i, r->sorted[u], &m)) {
                continue;
            }
            cm_row_write(&r->out, r->config, asof_ms,
                         cm_units_key(cm_windows_units(r->windows), r->sorted[u]), i, &m);
            cm_text_addc(&r->out, '\n');
            r->summary->rows++;
        }
        if (r->out.len > ROWS_FLUSH_BYTES) {
            write_out(r);
        }
    }
    cm_windows_trim(r->windows);
    return r->summary->rows - before;
}

/* One window as of one instant, kept back: for the other modes, where windows differ in their
 * instant. */
static void keep_rows(struct replay *r, uint32_t window, int64_t asof_ms)
{
    cm_windows_advance(r->windows, CM_VIEW_ROWS, window, asof_ms);
    uint32_t count = cm_units_count(cm_windows_units(r->windows));
    for (uint32_t u = 0; u < count; u++) {
        struct cm_measures m;
        if (!cm_windows_measure(r->windows, CM_VIEW_ROWS, window, u, &m)) {
            continue;
        }
        if (r->kept_count == r->kept_cap) {
            r->kept_cap = r->kept_cap == 0 ? 1024 : 2 * r->kept_cap;
            r->kept = cm_realloc(r->kept, r->kept_cap, sizeof(*r->kept));
        }
        struct kept_row *row = &r->kept[r->kept_count++];
        *row = (struct kept_row){asof_ms, window, u, r->kept_text.len, 0};
        cm_row_write(&r->kept_text, r->config, asof_ms,
                     cm_units_key(cm_windows_units(r->windows), u), window, &m);
        cm_text_addc(&r->kept_text, '\n');
        row->len = r->kept_text.len - row->at;
    }
}

static int compare_rows(const void *a, const void *b)
{
    const struct kept_row *x = a, *y = b;
    if (x->asof_ms != y->asof_ms) {
        return x->asof_ms < y->asof_ms ? -1 : 1;
    }
    if (x->unit != y->unit) {
        return compare_units(&x->unit, &y->unit);
    }
    return x->window < y->window ? -1 : x->window > y->window;
}

static void write_kept(struct replay *r)
{
    sort_units = cm_windows_units(r->windows);
    if (r->kept_count > 0) {
        qsort(r->kept, r->kept_count, sizeof(*r->kept), compare_rows);
    }
    for (uint32_t i = 0; i < r->kept_count; i++) {
        cm_text_add(&r->out, r->kept_text.data + r->kept[i].at, r->kept[i].len);
        if (r->out.len > ROWS_FLUSH_BYTES) {
            write_out(r);
        }
    }
    r->summary->rows += r->kept_count;
}

/* ---- time */

static int64_t round_down(int64_t ms, int64_t step_ms)
{
    return ms - ms % step_ms;
}

static void pass_every(struct replay *r, int64_t until_ms)
{
    int64_t every_ms = r->options->every_ms;
    if (r->next_every_ms == INT64_MIN) {
        /* Nothing has been in a row yet; an older event may still come before the first one is due.
         */
        int64_t from_ms = r->least_ms > r->passed_ms ? r->least_ms : r->passed_ms;
        int64_t first_ms = round_down(from_ms, every_ms) + every_ms;
        if (first_ms > until_ms) {
            r->passed_ms = until_ms > r->passed_ms ? until_ms : r->passed_ms;
            return;
        }
        r->next_every_ms = first_ms;
    }
    while (r->next_every_ms <= until_ms) {
        int64_t asof_ms = r->next_every_ms;
        r->next_every_ms += every_ms;
        if (rows_as_of(r, asof_ms) > 0) {
            continue;
        }
        /* Everything is empty until the next pane comes in. */
        int64_t next_ms = INT64_MAX;
        for (uint32_t i = 0; i < r->config->all_count; i++) {
            int64_t change_ms = cm_windows_next_entry(r->windows, CM_VIEW_ROWS, i);
            next_ms = change_ms < next_ms ? change_ms : next_ms;
        }
        if (next_ms == INT64_MAX || next_ms > until_ms) {
            next_ms = until_ms;
        }
        if (round_down(next_ms, every_ms) > r->next_every_ms) {
            r->next_every_ms = round_down(next_ms, every_ms);
        }
    }
}

static void pass_at(struct replay *r, int64_t until_ms)
{
    for (uint32_t i = 0; i < r->config->all_count; i++) {
        int64_t asof_ms = round_down(r->options->at_ms, r->config->all[i].step_ms);
        if ((r->at_done >> i & 1u) == 0 && asof_ms <= until_ms) {
            keep_rows(r, i, asof_ms);
            r->at_done |= 1u << i;
        }
    }
}

/* Lets windows follow the watermark, so that panes are given back; changes no row. */
static void follow(struct replay *r)
{
    for (uint32_t i = 0; i < r->config->all_count; i++) {
        const struct cm_window_spec *window = &r->config->all[i];
        int64_t asof_ms = round_down(r->watermark_ms, window->step_ms);
        if (r->options->mode == CM_REPLAY_AT && (r->at_done >> i & 1u) == 0) {
            int64_t at_ms = round_down(r->options->at_ms, window->step_ms);
            asof_ms = asof_ms < at_ms ? asof_ms : at_ms;
        }
        if (asof_ms > cm_windows_asof(r->windows, CM_VIEW_ROWS, i)) {
            cm_windows_advance(r->windows, CM_VIEW_ROWS, i, asof_ms);
        }
    }
    cm_windows_trim(r->windows);
    r->followed_ms = r->watermark_ms;
}

static void walk_rules(struct replay *r, int64_t until_ms)
{
    if (r->breaches == NULL) {
        return;
    }
    cm_rule_walk(r->windows, r->config, until_ms, &r->rule_log);
    cm_rule_feed_run(&r->rule_feed, r->config, r->breaches, &r->rule_log, until_ms);
    cm_rule_log_clear(&r->rule_log);
}

/* Breaches and rows up to there. */
static void pass(struct replay *r, int64_t until_ms)
{
    walk_rules(r, until_ms);
    if (r->options->mode == CM_REPLAY_EVERY) {
        pass_every(r, until_ms);
    } else if (r->options->mode == CM_REPLAY_AT) {
        pass_at(r, until_ms);
    }
}

/* Judgements before that instant count, each in what is as of later than itself. */
static void settle(struct replay *r, int64_t before_ms)
{
    int64_t next_ms = cm_windows_next_judgement(r->windows);
    for (; next_ms < before_ms; next_ms = cm_windows_next_judgement(r->windows)) {
        pass(r, next_ms);
        cm_windows_settle(r->windows, next_ms + 1);
    }
}

static void advance_to(struct replay *r, int64_t watermark_ms)
{
    r->watermark_ms = watermark_ms;
    if (CM_UNLIKELY(cm_windows_next_judgement(r->windows) < watermark_ms)) {
        settle(r, watermark_ms);
    }
    cm_windows_settle(r->windows, watermark_ms);
    pass(r, watermark_ms);
    if (r->options->mode != CM_REPLAY_EVERY && cm_windows_entries(r->windows) > ENTRIES_MOST &&
        watermark_ms - r->followed_ms > r->follow_ms) {
        follow(r);
    }
}

/* ---- records */

static void dead_letter(struct replay *r, enum cm_reason reason,
                        const struct cm_decoded_block *block, const struct cm_decoded *decoded)
{
    r->summary->bad[reason]++;
    if (r->dead == NULL) {
        return;
    }
    r->dead_line.len = 0;
    cm_dead_letter_write(&r->dead_line, reason, block->source, 0,
                         (int64_t)(block->first_line + decoded->line_in_block), decoded->line.p,
                         decoded->line.len);
    if (cm_file_writer_try_add(r->dead, r->dead_line.data, r->dead_line.len)) {
        return;
    }
    /* A replay may wait: give the file a moment before anything is lost. */
    for (int tries = 0; tries < 50; tries++) {
        cm_file_writer_poll(r->dead, cm_clock_mono_ns());
        cm_ring_wait(r->ring, 100 * CM_NS_PER_MS);
        if (cm_file_writer_try_add(r->dead, r->dead_line.data, r->dead_line.len)) {
            return;
        }
    }
    r->summary->dead_letters_lost++;
}

static void apply(struct replay *r, const struct cm_decoded_block *block,
                  const struct cm_decoded *decoded, const struct cm_hint *hint)
{
    const struct cm_event *event = &decoded->event;
    switch (cm_windows_apply(r->windows, event, hint, r->watermark_ms)) {
    case CM_VERDICT_COUNTED:
        r->summary->counted++;
        break;
    case CM_VERDICT_REVISED:
        r->summary->revised++;
        break;
    case CM_VERDICT_DUPLICATE:
        r->summary->duplicates++;
        break;
    case CM_VERDICT_LATE:
        dead_letter(r, CM_REASON_LATE, block, decoded);
        break;
    }
    r->least_ms = event->ts_ms < r->least_ms ? event->ts_ms : r->least_ms;
    if (event->ts_ms > r->clock_ms) {
        r->clock_ms = event->ts_ms;
        advance_to(r, event->ts_ms - r->config->allowed_lateness_ms);
    }
}

/* The records from there on, as many as are announced at once. */
static void apply_group(struct replay *r, const struct cm_decoded_block *block, uint32_t begin)
{
    struct cm_hint hints[CM_WINDOWS_EXPECT];
    const struct cm_hint *hint = hints;
    uint32_t left = block->count - begin;
    uint32_t count = left < CM_WINDOWS_EXPECT ? left : CM_WINDOWS_EXPECT;
    cm_group_expect(r->windows, &block->at[begin], count, hints);
    for (uint32_t i = 0; i < count; i++) {
        const struct cm_decoded *decoded = &block->at[begin + i];
        if (CM_UNLIKELY(decoded->reason != CM_REASON_NONE)) {
            dead_letter(r, decoded->reason, block, decoded);
        } else {
            apply(r, block, decoded, hint++);
        }
    }
}

static void apply_blocks(struct replay *r, bool all)
{
    while (all || !cm_decode_pool_has_room(r->pool)) {
        const struct cm_decoded_block *block = cm_decode_pool_next(r->pool);
        if (block == NULL) {
            return;
        }
        r->summary->records += block->count;
        for (uint32_t i = 0; i < block->count; i += CM_WINDOWS_EXPECT) {
            apply_group(r, block, i);
        }
        if (r->dead != NULL) {
            cm_file_writer_poll(r->dead, cm_clock_mono_ns());
        }
    }
}

static void show_progress(struct replay *r, const char *file)
{
    int64_t now_ns = cm_clock_mono_ns();
    if (!r->options->progress || now_ns - r->progress_ns < CM_NS_PER_S) {
        return;
    }
    r->progress_ns = now_ns;
    if (r->bytes_all > 0) {
        fprintf(stderr, "\rcallmill replay: %3d %%, %llu records, %s ",
                (int)(100 * r->bytes_read / r->bytes_all), (unsigned long long)r->summary->records,
                file);
    } else {
        fprintf(stderr, "\rcallmill replay: %llu records, %s ",
                (unsigned long long)r->summary->records, file);
    }
}

/* *line: 1 at the beginning of a file; from then on 0, the pool counts them. */
static void submit(struct replay *r, const char *file, const char *bytes, size_t len,
                   uint64_t *line)
{
    apply_blocks(r, false);
    cm_decode_pool_submit(r->pool, file, bytes, len, *line);
    *line = 0;
}

/* Cuts blocks into whole lines; what is left of a line waits in `rest` for the next block. */
static int read_file(struct replay *r, const char *file)
{
    struct cm_file_reader *reader = NULL;
    struct cm_text rest = {0};
    uint64_t line = 1;
    int rc = cm_file_reader_open(r->ring, file, BLOCK_BYTES, &reader);
    if (rc < 0) {
        return rc;
    }
    r->bytes_all = cm_file_reader_size(reader);
    r->bytes_read = 0;
    for (;;) {
        const char *bytes = NULL;
        size_t len = 0;
        rc = cm_file_reader_next(reader, &bytes, &len);
        if (rc < 0 || len == 0) {
            break;
        }
        r->bytes_read += (int64_t)len;
        const char *last = memrchr(bytes, '\n', len);
        if (last == NULL) {
            /* A line longer than any record stays one line; what is past the limit cannot change
             * the verdict. */
            size_t room = rest.len < LINE_BYTES_MOST ? LINE_BYTES_MOST - rest.len : 0;
            cm_text_add(&rest, bytes, len < room ? len : room);
            continue;
        }
        size_t whole = (size_t)(last - bytes) + 1;
        if (rest.len > 0) {
            const char *first = memchr(bytes, '\n', whole);
            size_t head = (size_t)(first - bytes) + 1;
            cm_text_add(&rest, bytes, head);
            submit(r, file, rest.data, rest.len, &line);
            rest.len = 0;
            bytes += head;
            whole -= head;
            len -= head;
        }
        if (whole > 0) {
            submit(r, file, bytes, whole, &line);
        }
        cm_text_add(&rest, bytes + whole, len - whole);
        show_progress(r, file);
    }
    if (rc == 0 && rest.len > 0) {
        submit(r, file, rest.data, rest.len, &line);
    }
    cm_text_free(&rest);
    cm_file_reader_close(reader);
    return rc;
}

static void finish(struct replay *r)
{
    apply_blocks(r, true);
    if (r->clock_ms == INT64_MIN) {
        return; /* no event, no row */
    }
    int64_t end_ms = INT64_MIN;
    if (r->breaches != NULL) {
        uint32_t windows = cm_rule_windows(r->config);
        for (uint32_t i = 0; i < r->config->all_count; i++) {
            int64_t next_ms = cm_window_next_asof(&r->config->all[i], r->clock_ms);
            r->rule_feed.end_ms[i] = next_ms; /* its own, whatever other rules look at */
            end_ms = (windows >> i & 1u) != 0 && next_ms > end_ms ? next_ms : end_ms;
        }
    }
    settle(r, INT64_MAX);
    walk_rules(r, end_ms);
    if (r->options->mode == CM_REPLAY_EVERY) {
        pass_every(r, round_down(r->clock_ms, r->options->every_ms) + r->options->every_ms);
    } else if (r->options->mode == CM_REPLAY_AT) {
        pass_at(r, INT64_MAX);
    } else {
        for (uint32_t i = 0; i < r->config->all_count; i++) {
            keep_rows(r, i, cm_window_next_asof(&r->config->all[i], r->clock_ms));
        }
    }
    write_kept(r);
}

static void emit_breach(void *context, const struct cm_breach *breach)
{
    struct replay *r = context;
    r->summary->breaches++;
    if (r->breaches_out != NULL) {
        fwrite(breach->json.p, 1, breach->json.len, r->breaches_out);
        fputc('\n', r->breaches_out);
    }
}

static int open_all(struct replay *r)
{
    const struct cm_replay_options *o = r->options;
    int rc = cm_ring_open(64, CM_RING_AUTO, &r->ring);
    if (rc == 0 && r->config->dead_letters_file[0] != '\0') {
        rc =
            cm_file_writer_open(r->ring, r->config->dead_letters_file, DEAD_BUFFER_BYTES, &r->dead);
    }
    if (rc < 0) {
        return rc;
    }
    if (o->breaches_file != NULL) {
        r->breaches_out =
            strcmp(o->breaches_file, "-") == 0 ? stdout : fopen(o->breaches_file, "w");
        if (r->breaches_out == NULL) {
            return cm_fail(CM_ERR_IO, "cannot write %s: %s", o->breaches_file, strerror(errno));
        }
    }
    if (r->config->rules.count > 0) {
        r->breaches = cm_breaches_create(r->config, emit_breach, r);
        cm_rule_feed_init(&r->rule_feed);
    }
    for (uint32_t i = 0; i < r->config->all_count; i++) {
        int64_t half_ms = r->config->all[i].length_ms / 2;
        r->follow_ms = half_ms > r->follow_ms ? half_ms : r->follow_ms;
    }
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t threads = r->config->workers > 0 ? (uint32_t)r->config->workers
                       : cores > 0            ? (uint32_t)cores
                                              : 1;
    r->pool = cm_decode_pool_create(threads);
    r->windows = cm_windows_create(r->config, o->roster,
                                   r->breaches == NULL ? 0 : cm_rule_windows(r->config),
                                   cm_rule_kinds(r->config));
    return 0;
}

static int close_all(struct replay *r, int rc)
{
    write_out(r);
    if (rc == 0 && (r->out_failed || fflush(r->options->out) != 0)) {
        rc = cm_fail(CM_ERR_IO, "cannot write rows: %s", strerror(errno));
    }
    if (r->dead != NULL && !cm_file_writer_close(r->dead, 5 * CM_NS_PER_S) && rc == 0) {
        rc = cm_fail(CM_ERR_IO, "cannot write dead letters to %s", r->config->dead_letters_file);
    }
    if (r->breaches_out != NULL) {
        bool failed = ferror(r->breaches_out) != 0;
        failed =
            (r->breaches_out == stdout ? fflush(stdout) : fclose(r->breaches_out)) != 0 || failed;
        if (failed && rc == 0) {
            rc = cm_fail(CM_ERR_IO, "cannot write breach events to %s", r->options->breaches_file);
        }
    }
    if (r->windows != NULL) {
        r->summary->units = cm_units_count(cm_windows_units(r->windows));
    }
    cm_decode_pool_destroy(r->pool);
    cm_breaches_destroy(r->breaches);
    cm_rule_log_free(&r->rule_log);
    cm_windows_destroy(r->windows);
    if (r->ring != NULL) {
        cm_ring_destroy(r->ring);
    }
    free(r->sorted);
    free(r->kept);
    cm_text_free(&r->kept_text);
    cm_text_free(&r->out);
    cm_text_free(&r->dead_line);
    return rc;
}

int cm_replay_run(const struct cm_replay_options *options, struct cm_replay_summary *summary)
{
    struct replay r = {
        .options = options,
        .config = options->config,
        .summary = summary,
        .clock_ms = INT64_MIN,
        .watermark_ms = INT64_MIN,
        .least_ms = INT64_MAX,
        .next_every_ms = INT64_MIN,
        .passed_ms = INT64_MIN,
        .followed_ms = INT64_MIN / 2,
    };
    memset(summary, 0, sizeof(*summary));
    int rc = open_all(&r);
    for (uint32_t i = 0; rc == 0 && i < options->files_count; i++) {
        rc = read_file(&r, options->files[i]);
    }
    if (rc == 0) {
        finish(&r);
    }
    if (r.progress_ns != 0) {
        fprintf(stderr, "\r%78s\r", "");
    }
    return close_all(&r, rc);
}
