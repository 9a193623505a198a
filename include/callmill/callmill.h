// SPDX-License-Identifier: Apache-2.0
/* callmill.h — the engine within your own program: call events in, rows of figures out.
 *
 *   struct cm_engine *engine = NULL;
 *   if (cm_engine_create("windows: [5m/5s]\n", &engine) < 0) {
 *       fputs(cm_engine_error(), stderr);
 *   }
 *   cm_engine_push(engine, record, record_len);
 *   cm_engine_rows(engine, CM_ENGINE_LATEST, print_row, NULL);
 *   cm_engine_destroy(engine);
 *
 * The rows are those of `callmill replay`: the same windows, attribution and figures. What needs a
 * server (Kafka, Redis) or a clock is not in it: no breach rules, no `future_limit`, no dead
 * letters; a record that does not count is told to the caller of cm_engine_push() instead.
 *
 * THREADS   An engine belongs to one thread at a time; engines share nothing.
 * TIME      Event time, ms since the Unix epoch. The watermark is the newest event time seen less
 *           `allowed_lateness`; how far the windows reach back decides how much memory is held.
 * ERRORS    A negative number, and cm_engine_error() says why. Running out of memory ends the
 * process.
 *
 * Link with what `pkg-config --libs callmill` says. C11, C++ as well.
 */
#ifndef CALLMILL_CALLMILL_H
#define CALLMILL_CALLMILL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct cm_engine;

/* "0.1.0" */
const char *cm_engine_version(void);

/* The last error of this thread, with file:line:column for each mistake in a configuration or
 * roster;
 * "" before the first. Valid until the next call that fails. */
const char *cm_engine_error(void);

/* yaml: a configuration as in docs/settings.md, terminated; "" or NULL: defaults. Settings from the
 * environment (CALLMILL_TIMEZONE, ...) stand above it. A `roster` file that it names is loaded, its
 * path taken from the current folder. 0 or a negative number; then *out is not changed. */
int cm_engine_create(const char *yaml, struct cm_engine **out);
/* NULL is allowed. */
void cm_engine_destroy(struct cm_engine *engine);

/* Takes another roster from now on. name stands in messages and tells the format by its ending:
 * .csv, .yaml. 0, or a negative number, and the old roster holds on. */
int cm_engine_set_roster(struct cm_engine *engine, const char *name, const char *bytes, size_t len);

enum cm_push {
    CM_PUSH_COUNTED,   /* taken; types that no window counts are among these */
    CM_PUSH_REVISED,   /* a higher `rev`: it replaced the earlier leg */
    CM_PUSH_DUPLICATE, /* the id is known: dropped */
    CM_PUSH_BAD        /* does not count; *reason says why */
};

/* Takes one record, a JSON object as in docs/events.md; the bytes are not needed afterwards. reason
 * may be NULL; for CM_PUSH_BAD it is set to a name of docs/dead-letters.md ("malformed", "late",
 * ...), else to "none". */
enum cm_push cm_engine_push(struct cm_engine *engine, const char *bytes, size_t len,
                            const char **reason);

/* INT64_MIN before the first event. */
int64_t cm_engine_watermark_ms(const struct cm_engine *engine);

/* One row: a JSON object {"asof":..,"kind":..,"id":..,"window":..,figures}, not terminated, valid
 * during the call, which must not call the engine. Anything but 0 ends the walk. */
typedef int cm_engine_row_fn(void *context, const char *json, size_t len);

/* Each window as of the end of its own step that holds the newest event, or where it stands
 * already. */
#define CM_ENGINE_LATEST INT64_MIN

/* The figures of every unit whose window is not empty, each window as of asof_ms rounded down to
 * its step: by asof, kind, id (bytes), window as configured. Windows only move forward: asof_ms
 * that lies behind the watermark, or rounds to before an instant given earlier, is an error. 0, a
 * negative number, or what the callback returned. Takes time for every unit known. */
int cm_engine_rows(struct cm_engine *engine, int64_t asof_ms, cm_engine_row_fn *row, void *context);

#ifdef __cplusplus
}
#endif

#endif
