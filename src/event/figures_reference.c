// SPDX-License-Identifier: Apache-2.0
/* figures_reference.c — writes docs/figures.md and docs/dead-letters.md from CM_FIGURES and
 * CM_REASON_MAP, with the prose that the tables do not hold.
 *
 * THREADS   No state. COST  Runs when the docs are made, never in the engine.
 */
#include "event/figures_reference.h"

#include "event/figures.h"
#include "event/figures_vendors.h"
#include "event/reason.h"

struct figure_text {
    const char *kind;
    const char *unit;
    const char *formula;
    const char *meaning;
};

static const struct figure_text figures[CM_FIGURE_COUNT] = {
#define X(name, kind, unit, formula, meaning) [CM_FIGURE_##name] = {#kind, unit, formula, meaning},
    CM_FIGURES(X)
#undef X
};

/* Null when this is 0; the others are never null. */
static const char *const null_when_zero[CM_FIGURE_COUNT] = {
    [CM_FIGURE_aht_ms] = "answered",
    [CM_FIGURE_asa_ms] = "answered",
    [CM_FIGURE_handle_p50_ms] = "answered",
    [CM_FIGURE_handle_p90_ms] = "answered",
    [CM_FIGURE_handle_p99_ms] = "answered",
    [CM_FIGURE_abandon_rate] = "the denominator of the formula in force",
    [CM_FIGURE_service_level] = "the denominator of the formula in force",
    [CM_FIGURE_compliance_rate] = "check_weight",
    [CM_FIGURE_compliant_rate] = "checked",
    [CM_FIGURE_rating_avg] = "ratings",
    [CM_FIGURE_occupancy] = "busy + available time",
};

/* The records behind a figure; those of a leg's own record unless said here. */
static const char *const counted_from[CM_FIGURE_COUNT] = {
    [CM_FIGURE_short_abandoned] = "`cdr`, outcome `abandoned`",
    [CM_FIGURE_sl_abandoned] = "`cdr`, outcome `abandoned`",
    [CM_FIGURE_abandoned] = "`cdr`, outcome `abandoned`",
    [CM_FIGURE_abandon_wait_ms] = "`cdr`, outcome `abandoned`",
    [CM_FIGURE_wait_max_ms] = "`cdr`, outcomes `answered`, `abandoned`",
    [CM_FIGURE_service_level] = "`cdr`, outcomes `answered`, `abandoned`",
    [CM_FIGURE_answered] = "`cdr`, outcome `answered`",
    [CM_FIGURE_hold_abandoned] = "`cdr`, outcome `answered`",
    [CM_FIGURE_sl_met] = "`cdr`, outcome `answered`",
    [CM_FIGURE_wait_ms] = "`cdr`, outcome `answered`",
    [CM_FIGURE_talk_ms] = "`cdr`, outcome `answered`",
    [CM_FIGURE_hold_ms] = "`cdr`, outcome `answered`",
    [CM_FIGURE_acw_ms] = "`cdr`, outcome `answered`",
    [CM_FIGURE_handle_ms] = "`cdr`, outcome `answered`",
    [CM_FIGURE_handle_max_ms] = "`cdr`, outcome `answered`",
    [CM_FIGURE_aht_ms] = "`cdr`, outcome `answered`",
    [CM_FIGURE_asa_ms] = "`cdr`, outcome `answered`",
    [CM_FIGURE_handle_p50_ms] = "`cdr`, outcome `answered`",
    [CM_FIGURE_handle_p90_ms] = "`cdr`, outcome `answered`",
    [CM_FIGURE_handle_p99_ms] = "`cdr`, outcome `answered`",
    [CM_FIGURE_no_answer] = "`cdr`, outcome `no_answer`",
    [CM_FIGURE_rejected] = "`cdr`, outcome `rejected`",
    [CM_FIGURE_flow_out] = "`cdr`, outcomes `overflow`, `timeout`, `callback`",
    [CM_FIGURE_ratings] = "`cdr` with `rating`",
    [CM_FIGURE_rating_sum] = "`cdr` with `rating`",
    [CM_FIGURE_rating_avg] = "`cdr` with `rating`",
    [CM_FIGURE_checked] = "`cdr` with `checks` or rules, `check`",
    [CM_FIGURE_compliant] = "`cdr` with `checks` or rules, `check`",
    [CM_FIGURE_check_weight] = "`cdr` with `checks` or rules, `check`",
    [CM_FIGURE_check_weight_passed] = "`cdr` with `checks` or rules, `check`",
    [CM_FIGURE_vetoes] = "`cdr` with `checks` or rules, `check`",
    [CM_FIGURE_compliance_rate] = "`cdr` with `checks` or rules, `check`",
    [CM_FIGURE_compliant_rate] = "`cdr` with `checks` or rules, `check`",
    [CM_FIGURE_occupancy] = "`seat_state`, as the time passes",
};

static const char intro[] =
    "# Figures\n"
    "\n"
    "Made from the table in `src/event/figures.h`; change that, not this page.\n"
    "\n"
    "Counts and sums are integers and add up over seats and over time. Ratios are computed from\n"
    "the sums at the moment of publishing; a mean of means is never taken. A ratio whose\n"
    "denominator is 0 is `null`, which says \"nothing to judge\", where 0 says \"judged, and "
    "none\".\n"
    "\n"
    "| kind | printed as |\n"
    "|---|---|\n"
    "| COUNT, SUM | integer |\n"
    "| MEAN | whole ms, rounded half up |\n"
    "| QUANTILE | whole ms; nearest rank, at most 2 % off, never above `handle_max_ms` |\n"
    "| RATE | fraction with 4 decimals, rounded half up |\n"
    "| SCORE | 2 decimals, rounded half up |\n";

static const char counting[] =
    "\n## When a leg counts\n"
    "\n"
    "All of a leg counts at one moment: the `ts` of its `cdr` record, when the leg is finished "
    "and\n"
    "its outcome known. So numerator and denominator of every ratio hold the same legs, and\n"
    "`offered` is always the sum of the outcomes. A call that still waits is in no window; it "
    "shows\n"
    "in the live gauges. A record with a higher `rev` takes the place of the earlier one with all\n"
    "its parts, at its own `ts`. A transferred call has a leg for each agent, and each counts.\n"
    "What is judged later (`check`) counts at the moment of the leg that was judged; time in a "
    "state\ncounts while it passes.\n"
    "\n"
    "An abandoned leg with a seat was given up while that seat rang, and counts for the seat; one\n"
    "without counts for the queue and for the queue's owner. No seat is blamed for the queue.\n";

static const char formulas[] =
    "\n## Formulas to choose from\n"
    "\n"
    "| setting | value | formula |\n"
    "|---|---|---|\n"
    "| `abandonment.formula` | `gross` | abandoned / offered |\n"
    "| | `net` (default) | (abandoned - short_abandoned) / (offered - short_abandoned) |\n"
    "| `service_level.formula` | `answered` | sl_met / answered |\n"
    "| | `ignore` | sl_met / (answered + abandoned - sl_abandoned) |\n"
    "| | `positive` | (sl_met + sl_abandoned) / (answered + abandoned) |\n"
    "| | `negative` (default) | sl_met / (answered + abandoned - short_abandoned) |\n"
    "\n"
    "The choice matters more than most of what it measures. Over one month of a bank's calls\n"
    "(31,125 calls, February 1999, the public Anonymous Bank data) the service level at 20 s is\n"
    "59.7 % by `answered`, 54.3 % by `ignore`, 56.1 % by `positive` and 52.1 % by `negative` "
    "before\n"
    "short calls are taken out; abandonment is 12.7 % `gross` and 12.0 % `net` of 5 s. That is "
    "why\n"
    "the formula in force is published with the figures.\n"
    "\n"
    "`occupancy`: busy is ringing, talking, hold and after-call work; the rest of the signed-on\n"
    "time that counts is `available`. Breaks, training and meetings are in neither.\n";

static const char nested[] =
    "\n## Nested objects\n"
    "\n"
    "After the figures, each only where there is something in it:\n"
    "\n"
    "| name | content | counts |\n"
    "|---|---|---|\n"
    "| `state_ms` | ms by state: `offline`, `available`, `ringing`, `talking`, `hold`, `acw`, "
    "`break`, `training`, `meeting`; over all seats of the unit; without states that take no time "
    "| as the time passes |\n"
    "| `checks` | by name of the check: `evaluated` (true or false), `passed` | `ts` of the `cdr`; "
    "a judgement's at that of its leg |\n"
    "| `check_sources` | the same by who judged: `record`, `self`, `spot`, `third_party` | as "
    "`checks` |\n"
    "\n"
    "`state_ms` adds up over seats: busy and available time of `occupancy` are sums of its parts.\n"
    "`evaluated` and `passed` are counts of verdicts, not of legs: a check that the record and a\n"
    "judgement name is evaluated twice, while `checked` and `compliant` count the leg once. A\n"
    "window with nothing but time in `offline` is empty, and has none of these.\n";

/* A cell of a table: a bar would end it. */
static void add_cell(struct cm_text *out, const char *text)
{
    cm_text_addc(out, ' ');
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '|') {
            cm_text_addc(out, '\\');
        }
        cm_text_addc(out, *at);
    }
    cm_text_adds(out, *text == '\0' ? "|" : " |");
}

static void add_figure(struct cm_text *out, uint32_t at)
{
    const struct figure_text *figure = &figures[at];
    cm_text_addf(out, "| `%s` |", cm_figure_name((enum cm_figure)at));
    add_cell(out, figure->kind);
    add_cell(out, figure->unit);
    add_cell(out, figure->meaning);
    add_cell(out, figure->formula);
    add_cell(out, counted_from[at] == NULL ? "`cdr`" : counted_from[at]);
    if (null_when_zero[at] == NULL) {
        add_cell(out, "never");
    } else {
        cm_text_addf(out, " when %s is 0 |", null_when_zero[at]);
    }
    cm_text_addc(out, '\n');
}

void cm_figures_reference(struct cm_text *out)
{
    cm_text_adds(out, intro);
    cm_text_adds(out, "\n## The table\n\nIn the order of rows.\n\n"
                      "| name | kind | unit | meaning | formula | counted from | null |\n"
                      "|---|---|---|---|---|---|---|\n");
    for (uint32_t i = 0; i < CM_FIGURE_COUNT; i++) {
        add_figure(out, i);
    }
    cm_text_adds(out, counting);
    cm_text_adds(out, formulas);
    cm_text_adds(out, nested);
    cm_figures_vendors(out);
}

void cm_reasons_reference(struct cm_text *out)
{
    cm_text_adds(out,
                 "# Dead letters\n"
                 "\n"
                 "Made from the table in `src/event/reason.h`; change that, not this page.\n"
                 "\n"
                 "A record that cannot count is never fatal. It is counted by reason and kept, "
                 "one JSON object a\nline, in the file or topic of `dead_letters`:\n"
                 "\n"
                 "| field | meaning |\n"
                 "|---|---|\n"
                 "| `reason` | a name of the table below |\n"
                 "| `topic`, `partition`, `offset` | where the record stands |\n"
                 "| `record` | the record itself |\n"
                 "\n"
                 "| reason | meaning | what to do |\n"
                 "|---|---|---|\n");
    for (uint32_t i = CM_REASON_NONE + 1; i < CM_REASON_COUNT; i++) {
        enum cm_reason reason = (enum cm_reason)i;
        cm_text_addf(out, "| `%s` |", cm_reason_name(reason));
        add_cell(out, cm_reason_meaning(reason));
        add_cell(out, cm_reason_advice(reason));
        cm_text_addc(out, '\n');
    }
    cm_text_adds(out, "\nA repeat of an `id` within the `dedupe` horizon is no dead letter: it is "
                      "dropped and counted.\n");
}
