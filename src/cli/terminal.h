// SPDX-License-Identifier: Apache-2.0
/* terminal.h — the screen and the keyboard while a board is shown: the alternate screen, keys
 * without echo, the cursor hidden; everything put back at the end, also on a signal, an assertion
 * or Ctrl-Z.
 *
 * THREADS   One, the main thread; signal handlers only set flags, but for SIGABRT, which puts the
 *           terminal back. One terminal a process.
 */
#ifndef CM_CLI_TERMINAL_H
#define CM_CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SIGINT, SIGTERM and SIGHUP only set a flag from now on. */
void cm_terminal_catch_signals(void);
bool cm_terminal_is_stopped(void);

/* Takes the screen (standard output) and, if it is a terminal, standard input. */
void cm_terminal_enter(void);
/* Puts everything back; may be called at any time. */
void cm_terminal_leave(void);
/* Cells of standard output; COLUMNS and LINES, or 100 by 40, where it is no terminal. */
void cm_terminal_size(uint32_t *width, uint32_t *height);
/* Whether the size has changed, or the screen was somebody else's, since the last call. Stops the
 * process when Ctrl-Z was pressed, and goes on from there. */
bool cm_terminal_is_changed(void);
/* What was typed, without waiting; 0: nothing. *end: nothing will come any more. */
size_t cm_terminal_read(char *bytes, size_t len, bool *end);
/* Whether standard input is one that keys come from. */
bool cm_terminal_has_keys(void);
/* The whole frame; false when it cannot be written. */
bool cm_terminal_write(const char *bytes, size_t len);

#endif
