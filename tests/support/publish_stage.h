// SPDX-License-Identifier: Apache-2.0
/* publish_stage.h — a publisher, a real redis-server and a reader of it, for tests of the
 * publisher.
 *
 * Helpers fail the running cmocka test when something is not as it must be. One stage a process.
 */
#ifndef CM_TESTS_SUPPORT_PUBLISH_STAGE_H
#define CM_TESTS_SUPPORT_PUBLISH_STAGE_H

#include <hiredis/hiredis.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "publish/publisher.h"
#include "support/redis_server.h"

#define T0             INT64_C(1795000000000)
#define STAGE_LIMIT_NS (60 * CM_NS_PER_S) /* only when the test fails */

extern struct redis_server server;
extern struct cm_ring *ring;
extern struct cm_config *config;
extern struct cm_roster *roster;
extern struct cm_publisher *publisher;
extern uint32_t resyncs; /* calls of on_resync since open_publisher() */
/* Seats 1001, 1002 in t1 in r1; 2001 in t2 in r1; 3001 in none; 3002 in r2 only; 5001 in t5 only.
 */
extern const char stage_rows[];

/* For main(): 0 when a server can be started, else the status to end with, see redis_server.h. */
int stage_is_missing(void);
/* Around each test: server, reader, ring; teardown ends whatever there is. */
int setup(void **state);
int teardown(void **state);
#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
/* Configuration, roster, a publisher that is connected. */
void stage(const char *yaml);
void load_config(const char *yaml);
void open_publisher(void);
void close_publisher(void);
struct cm_roster *roster_of(const char *csv);
/* Kills the server; returns when the publisher has noticed. */
void lose_server(void);
/* It comes back, empty, and the reader connects to it. */
void restart_server(void);
/* Polls once and waits a little. */
void turn(void);

#define UNTIL(condition)                                                                           \
    for (int64_t until_ns = cm_clock_mono_ns() + STAGE_LIMIT_NS; !(condition);) {                  \
        assert_true(cm_clock_mono_ns() < until_ns);                                                \
        turn();                                                                                    \
    }

/* Answers are to be freed. */
redisReply *ask(const char *format, ...);
void tell(const char *command);
long long number(const char *command);
/* expected NULL: nothing is there. */
void assert_text(const char *command, const char *expected);
/* The words of the answer, sorted, parted by blanks. */
void assert_words(const char *command, const char *expected);
/* The figures of so many answered legs of 100 s. */
void assert_figures(const char *command, int64_t asof_ms, uint32_t answered);

struct cm_unit_key key_of(enum cm_kind kind, const char *id);
uint32_t window_of(const char *name);
/* Its histogram is to be freed. */
struct cm_measures legs(uint32_t answered);
void begin(int64_t asof_ms);
void row(enum cm_kind kind, const char *id, const char *window, int64_t asof_ms, uint32_t answered);
/* end: and until Redis has answered. */
void end(int64_t asof_ms);
void end_only(int64_t asof_ms);
void breach(const char *id, const char *dedup_key, bool firing);

#endif
