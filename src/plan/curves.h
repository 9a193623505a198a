// SPDX-License-Identifier: Apache-2.0
/* curves.h — the measured numbers behind `callmill plan`: built in from curves_table.h, or read
 * from a file that bench/curves wrote on the planner's own machine.
 *
 *   # comment
 *   apply_1k_ns: 1822      # a line a number: a name of the table, in the unit that ends the name
 *
 * A name that the file does not have keeps the built-in number; from_file[] says which are which.
 *
 * THREADS   Any: plain values. OWNERSHIP None.
 * ERRORS    -CM_ERR_CONFIG; cm_fail_text() holds all mistakes, a line each, with file:line.
 */
#ifndef CM_PLAN_CURVES_H
#define CM_PLAN_CURVES_H

#include "base/text.h"
#include "plan/curves_table.h"

enum cm_curve {
#define X(name, value, unit, what, command) CM_CURVE_##name,
    CM_CURVES(X)
#undef X
        CM_CURVE_COUNT
};

struct cm_curves {
    double value[CM_CURVE_COUNT];
    bool from_file[CM_CURVE_COUNT];
    uint32_t read; /* how many are from the file */
};

void cm_curves_builtin(struct cm_curves *out);
/* Over what *curves holds. */
CM_NODISCARD int cm_curves_parse(const char *name, const char *bytes, size_t len,
                                 struct cm_curves *curves);
CM_NODISCARD int cm_curves_load(const char *path, struct cm_curves *curves);
/* All of them, in the form that loads again, each with what it is and the command that gave it. */
void cm_curves_print(const struct cm_curves *curves, struct cm_text *out);

/* A point of a curve over seats: `first` is its number at 1,000, three more follow for 10,000,
 * 100,000 and 1,000,000. Between points straight over the logarithm of seats; beyond the ends, the
 * ends. */
double cm_curve_at(const struct cm_curves *curves, enum cm_curve first, double seats);

/* A whole file into *out. */
CM_NODISCARD int cm_plan_read_file(const char *path, struct cm_text *out);

#endif
