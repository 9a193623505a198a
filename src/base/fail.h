// SPDX-License-Identifier: Apache-2.0
/* fail.h — the four kinds of failure, and what each looks like in code.
 *
 *   bug              CM_ASSERT: prints file, line and condition, aborts. In every build.
 *   operating error  a function returns 0 or a negative code of CM_ERROR_MAP and has said why with
 *                    cm_fail(); the text is this thread's, see cm_fail_text().
 *   bad data         counted by reason and kept (event/reason.h), never a code of this file.
 *   back-pressure    an ordinary return value (a count, or bool from a try_ function).
 *
 * THREADS   The text of an error belongs to the thread that failed.
 */
#ifndef CM_BASE_FAIL_H
#define CM_BASE_FAIL_H

#include "base/compiler.h"

/* X(code, number, summary). Exit status: USAGE, CONFIG, ROSTER and ZONE (what the user wrote is
 * wrong) give 2, all others 1. */
// clang-format off
#define CM_ERROR_MAP(X) \
    X(USAGE,    1, "wrong use of the command line") \
    X(CONFIG,   2, "mistake in the configuration") \
    X(IO,       3, "file or socket failed") \
    X(MEMORY,   4, "out of memory") \
    X(KAFKA,    5, "Kafka refused or failed for good") \
    X(REDIS,    6, "Redis refused or failed for good") \
    X(ROSTER,   7, "mistake in the roster") \
    X(ZONE,     8, "unknown or unreadable time zone") \
    X(INPUT,    9, "input cannot be read") \
    X(URING,   10, "io_uring is not to be had") \
    X(CORRUPT, 11, "record batch is damaged") \
    X(UNSUPPORTED, 12, "format of a record batch that is not read here")
// clang-format on

enum cm_error {
#define X(code, number, summary) CM_ERR_##code = (number),
    CM_ERROR_MAP(X)
#undef X
};

/* Replaces this thread's error text (at most 64 KiB of it are kept) and returns -code, so that
 * `return cm_fail(CM_ERR_IO, ...)` reads well. cm_fail_text() may be an argument: context can be
 * added. */
int cm_fail(enum cm_error code, const char *format, ...) CM_PRINTF(2, 3);

/* The last text given to cm_fail() by this thread; "" before the first. Valid until the next
 * cm_fail(). */
const char *cm_fail_text(void);

/* "USAGE", "wrong use of the command line"; "?" for a number outside the map. `code` may be
 * negative. */
const char *cm_error_name(int code);
const char *cm_error_summary(int code);

/* Exit status of the process for a return code of ours (0, or negative). */
int cm_exit_status(int rc);

_Noreturn void cm_assert_failed(const char *condition, const char *file, int line);
#define CM_ASSERT(condition)                                                                       \
    (CM_LIKELY(condition) ? (void)0 : cm_assert_failed(#condition, __FILE__, __LINE__))

#endif
