// SPDX-License-Identifier: Apache-2.0
#include "window/entry.h"

/* What fills whole vectors, and the few that are left over (see tally.c). */
#define COUNT_WHOLE (CM_TALLY_COUNT_N / 4 * 4)
#define SUM_WHOLE   (CM_TALLY_SUM_N / 4 * 4)

static void add_tally(const struct cm_entry *restrict entry, struct cm_tally *restrict into)
{
    for (unsigned i = 0; i < COUNT_WHOLE; i++) {
        into->count[i] += entry->count[i];
    }
    for (unsigned i = COUNT_WHOLE; i < CM_TALLY_COUNT_N; i++) {
        into->count[i] += entry->count[i];
    }
    for (unsigned i = 0; i < SUM_WHOLE; i++) {
        into->sum[i] += entry->sum[i];
    }
    for (unsigned i = SUM_WHOLE; i < CM_TALLY_SUM_N; i++) {
        into->sum[i] += entry->sum[i];
    }
    into->wait_max_ms =
        entry->wait_max_ms > into->wait_max_ms ? entry->wait_max_ms : into->wait_max_ms;
    into->handle_max_ms =
        entry->handle_max_ms > into->handle_max_ms ? entry->handle_max_ms : into->handle_max_ms;
}

static void subtract_tally(const struct cm_entry *restrict entry, struct cm_tally *restrict into)
{
    for (unsigned i = 0; i < COUNT_WHOLE; i++) {
        into->count[i] -= entry->count[i];
    }
    for (unsigned i = COUNT_WHOLE; i < CM_TALLY_COUNT_N; i++) {
        into->count[i] -= entry->count[i];
    }
    for (unsigned i = 0; i < SUM_WHOLE; i++) {
        into->sum[i] -= entry->sum[i];
    }
    for (unsigned i = SUM_WHOLE; i < CM_TALLY_SUM_N; i++) {
        into->sum[i] -= entry->sum[i];
    }
}

void cm_entry_add_to(const struct cm_entry *entry, struct cm_tally *into, struct cm_hist *hist,
                     struct cm_check_sums *checks)
{
    add_tally(entry, into);
    if (entry->bin_count > 0) {
        cm_hist_add(hist, entry->bin, entry->bin_count);
    }
    for (const struct cm_more *more = entry->more; more != NULL; more = more->next) {
        if (more->count == 0) {
            continue; /* taken back */
        }
        if (more->key >= CM_MORE_CHECKS) {
            cm_check_sums_add(checks, more->key - CM_MORE_CHECKS, more->count, more->passed);
        } else {
            cm_hist_add(hist, more->key, more->count);
        }
    }
}

void cm_entry_add_to_sum(const struct cm_entry *entry, struct cm_tally *into,
                         struct cm_hist_sum *hist, struct cm_check_sums *checks)
{
    add_tally(entry, into);
    cm_hist_sum_add(hist, entry->bin, entry->bin_count);
    for (const struct cm_more *more = entry->more; more != NULL; more = more->next) {
        if (more->key < CM_MORE_CHECKS) {
            cm_hist_sum_add(hist, more->key, more->count);
        } else if (more->count > 0) {
            cm_check_sums_add(checks, more->key - CM_MORE_CHECKS, more->count, more->passed);
        }
    }
}

void cm_entry_subtract_from(const struct cm_entry *entry, struct cm_tally *into,
                            struct cm_hist *hist, struct cm_check_sums *checks)
{
    subtract_tally(entry, into);
    if (entry->bin_count > 0) {
        cm_hist_sub(hist, entry->bin, entry->bin_count);
    }
    for (const struct cm_more *more = entry->more; more != NULL; more = more->next) {
        if (more->count == 0) {
            continue;
        }
        if (more->key >= CM_MORE_CHECKS) {
            cm_check_sums_subtract(checks, more->key - CM_MORE_CHECKS, more->count, more->passed);
        } else {
            cm_hist_sub(hist, more->key, more->count);
        }
    }
}
