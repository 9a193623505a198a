// SPDX-License-Identifier: Apache-2.0
/* board_json.h — reads the JSON that callmill itself writes into Redis: compact rows and breach
 * events. Takes an object apart, member by member; nested values come as text and can be taken
 * apart in turn. No tree, no allocation, no recursion; text that is cut or odd gives fewer members,
 * never a fault.
 *
 * THREADS   Stateless but for the walk, which is the caller's.
 * OWNERSHIP Names and values are borrowed from the text.
 */
#ifndef CM_CLI_BOARD_JSON_H
#define CM_CLI_BOARD_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "event/figures.h"

struct cm_json_walk {
    const char *at, *end;
};

/* An object's members are next; false when the text is none. */
bool cm_json_open(struct cm_json_walk *walk, struct cm_str text);
/* The next member: its name without quotes (escapes as they are) and the text of its value, quotes
 * and braces included. false at the end, or where the text is not JSON. */
bool cm_json_next(struct cm_json_walk *walk, struct cm_str *name, struct cm_str *value);
/* The value of a member of that object. */
bool cm_json_member(struct cm_str object, const char *name, struct cm_str *value);
/* A string's text, escapes resolved, cut to `bytes` with its terminator at the end of a character;
 * false, and "", when the value is no string. */
bool cm_json_string(struct cm_str value, char *out, size_t bytes);
/* A number from 0 on as fixed point: (12.3456, 4) gives 123456; more decimals than asked for are
 * cut. `null`: *out is null. false when it is neither, or too large; then *out is null, too. */
bool cm_json_fixed(struct cm_str value, unsigned decimals, struct cm_value *out);
/* An integer; false when it is none, or out of range. */
bool cm_json_integer(struct cm_str value, int64_t *out);

#endif
