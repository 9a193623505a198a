// SPDX-License-Identifier: Apache-2.0
/* plain_windows.h — sliding windows as anybody would write them first: what our own are measured
 * against.
 *
 *   leg ──► seat ─► team ─► room ─► centre      a hash table of units, each with its parent
 *      └──► queue (without a seat: ─► its owner ─► ..)
 *
 *   unit  1m/1s │ 5m/5s │ 15m/15s │ 1h/1m       a ring of 60 steps each, and their running total
 *
 * Four figures a window: offered, answered, abandoned, handle_ms, as docs/figures.md has them. What
 * callmill does besides is not done here: no periods, no further figures, no ids remembered (a
 * record that comes twice counts twice), no revisions, no states, no judgements. A leg older than
 * all of a window is left out of it.
 *
 * THREADS   One. ERRORS    A file that cannot be read ends the program.
 */
#ifndef CM_BENCH_PLAIN_WINDOWS_H
#define CM_BENCH_PLAIN_WINDOWS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct plain_figures {
    uint32_t offered, answered, abandoned;
    uint64_t handle_ms;
};

struct plain_leg {
    const char *seat, *queue, *centre; /* NULL: none */
    int64_t ts_ms;
    struct plain_figures figures; /* of this leg alone */
};

struct plain_centre;

/* roster: CSV of seat,team,room,centre; queues: lines `NAME: {owner: "KIND:ID"}`, others are passed
 * over: what `callmill gen` writes with --roster and --queues. */
struct plain_centre *plain_open(const char *roster, const char *queues);
void plain_close(struct plain_centre *centre);
void plain_add(struct plain_centre *centre, const struct plain_leg *leg);

/* What the rows of all ticks came to; they are formatted as JSON and thrown away. */
struct plain_sink {
    uint64_t rows, bytes, checksum;
};
/* Moves all windows on to the newest leg, and writes the rows that changed since the last time. */
void plain_publish(struct plain_centre *centre, struct plain_sink *sink);
/* All windows that are not empty as of the end of the minute that holds the newest leg. */
void plain_dump(struct plain_centre *centre, FILE *to);
/* Units that have been seen. */
uint32_t plain_units(const struct plain_centre *centre);
/* How often a leg was too old for a window. */
uint64_t plain_late(const struct plain_centre *centre);

#endif
