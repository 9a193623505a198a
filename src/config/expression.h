// SPDX-License-Identifier: Apache-2.0
/* expression.h — the small language of compliance.rules, compiled once to a postfix program.
 *
 *   or := and { "or" and } · and := not { "and" not } · not := "not" not | compare
 *   compare := sum [ ("==" | "!=" | "<" | "<=" | ">" | ">=") sum ]
 *   sum := product { ("+" | "-") product } · product := unary { ("*" | "/" | "%") unary }
 *   unary := "-" unary | number | name | "true" | "false" | "(" or ")"
 *
 * Names: wait_ms ring_ms talk_ms hold_ms acw_ms handle_ms (talk + hold + acw) hold_n transfers
 * rating on_hold rev answered abandoned (1 or 0). Numbers are 64-bit integers, durations may be
 * written 20s. Arithmetic saturates; division by zero, and any operation on an absent rating, give
 * null, and a rule whose result is null is not applicable (Kleene: false and null = false, true or
 * null = true).
 *
 * THREADS   A compiled expression is immutable.
 * COST      No allocation at evaluation, depth at most 64.
 */
#ifndef CM_CONFIG_EXPRESSION_H
#define CM_CONFIG_EXPRESSION_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "event/event.h"

struct cm_expression;

/* 0, or -CM_ERR_CONFIG; then *column is the 1-based column of the mistake within the text. */
CM_NODISCARD int cm_expression_compile(const char *text, size_t len, struct cm_expression **out,
                                       uint32_t *column);
void cm_expression_free(struct cm_expression *expression);
/* 1 true (or non-zero), 0 false, -1 null: not applicable. */
int cm_expression_eval(const struct cm_expression *expression, const struct cm_event *event);

#endif
