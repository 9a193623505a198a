// SPDX-License-Identifier: Apache-2.0
#include "event/figures_vendors.h"

#include "base/fail.h"

/* When a figure counts. */
#define LEG    "`ts` of the `cdr`"
#define JUDGED "`ts` of the `cdr`; a judgement's at that of its leg"
#define TIME   "as the time passes"

#define NOT_KNOWN "not known"

struct definition {
    const char *moment, *source;
    const char *amazon, *genesys, *cisco, *avaya, *asterisk; /* NULL: not known */
};

static const struct definition definitions[CM_FIGURE_COUNT] = {
    [CM_FIGURE_offered] =
        {.moment = LEG,
         .source = "callmill: the sum of the outcomes, so that it adds up with them",
         .amazon = "contacts queued; when finished, other variants when queued or connected",
         .genesys = "answered + abandoned + flow-out",
         .cisco = "counted at arrival; short calls are not offered",
         .avaya = "of a split: ACD calls + abandons + outflows + dequeued",
         .asterisk = "completed + abandoned, in SL2 only"},
    [CM_FIGURE_answered] = {.moment = LEG,
                            .source = "callmill: one leg for each agent",
                            .amazon = "a contact with a connection to an agent",
                            .genesys = "when an agent is first to connect",
                            .cisco = "handled: counted when wrap-up ends",
                            .avaya = "ACD calls",
                            .asterisk = "completed: counted at the end of the call"},
    [CM_FIGURE_abandoned] =
        {.moment = LEG,
         .source = "callmill: the caller hung up; who asked for a callback did not",
         .amazon = "disconnected by the customer while queued; not who asked for a callback",
         .genesys = "counted in offered",
         .cisco = "not the short ones; at its end",
         .avaya = "counted in the denominator of the service level",
         .asterisk = "a counter, until a reset"},
    [CM_FIGURE_no_answer] = {.moment = LEG,
                             .source = "callmill: a leg of the seat that rang",
                             .amazon = "agent non-response: once an offer, abandons while it rang "
                                       "included; a newer twin leaves them out",
                             .cisco = "an event of the service level, with abandons"},
    [CM_FIGURE_rejected] = {.moment = LEG,
                            .source = "callmill: a leg of the seat that turned it down"},
    [CM_FIGURE_flow_out] =
        {.moment = LEG,
         .source = "Genesys Cloud, as a word; callmill: overflow, timeout, callback",
         .amazon = "callbacks are removed from the queue, and so successes",
         .genesys = "flow-out; a switch puts it into the service level",
         .cisco = "the newer schema subtracts dequeued calls",
         .avaya = "outflows and dequeued calls, in the denominator of the service level",
         .asterisk = "queue exits without a record are known"},
    [CM_FIGURE_short_abandoned] =
        {.moment = LEG,
         .source = "Cisco, short calls; the default of 5 s is callmill's",
         .amazon = "abandoned in X, a count beside the others, X from 15 s or of one's own",
         .genesys = "the seconds are configured; a switch leaves them out of the service level",
         .cisco = "before the abandon-wait threshold: neither offered nor abandoned"},
    [CM_FIGURE_hold_abandoned] = {.moment = LEG,
                                  .source = "Amazon Connect, hold disconnect by the customer",
                                  .amazon = "hold disconnect, by agent and by customer"},
    [CM_FIGURE_sl_met] =
        {.moment = LEG,
         .source = "Asterisk's test, wait <= target; when the leg is finished",
         .amazon = "removed from the queue within X: answered, abandoned or callback",
         .genesys = "answered - answered over target",
         .cisco =
             "at the first of answer, abandonment, threshold; the clock starts at script entry",
         .avaya = "acceptable calls; the clock starts at queue entry or at the VDN",
         .asterisk = "wait <= servicelevel (default 0), at the end of the call"},
    [CM_FIGURE_sl_abandoned] = {.moment = LEG,
                                .source = "Cisco, abandoned within the level",
                                .amazon = "within those removed in X",
                                .genesys = "a switch leaves abandons out",
                                .cisco = "subtracted (ignored) or a success (positive)",
                                .asterisk = "a success in SL2"},
    [CM_FIGURE_wait_ms] =
        {.moment = LEG,
         .source = "Amazon Connect, of answered contacts",
         .amazon =
             "dequeue - enqueue of answered contacts, whisper included, flow time before it not",
         .cisco = "the clock of ASA starts at queueing",
         .avaya = "starts at queue entry or at the VDN",
         .asterisk = "holdtime: running average of weight 1/4, whole seconds"},
    [CM_FIGURE_talk_ms] = {.moment = LEG,
                           .source = "Amazon Connect, agent interaction time",
                           .amazon = "agent interaction time: without hold and after-call work",
                           .cisco = "a part of handle time",
                           .avaya = "without personal call tracking hold is in it",
                           .asterisk = "hold music is in it; running average of weight 1/4"},
    [CM_FIGURE_hold_ms] =
        {.moment = LEG,
         .source = "Amazon Connect, Cisco: a part of handle time",
         .amazon = "customer hold; the mean is over contacts that were held, a variant over all",
         .genesys = "hold ratio = hold / handle",
         .cisco = "a part of handle time",
         .avaya = "listed apart",
         .asterisk = "hidden in talk"},
    [CM_FIGURE_acw_ms] = {.moment = LEG,
                          .source = "Amazon Connect, Cisco: a part of handle time",
                          .amazon = "from its start to its end",
                          .cisco = "wrap-up, a part of handle time",
                          .avaya = "only work tied to an ACD call",
                          .asterisk = "there is none"},
    [CM_FIGURE_abandon_wait_ms] = {.moment = LEG,
                                   .source = "Amazon Connect, average abandon time",
                                   .amazon = "dequeue - enqueue of abandoned contacts; the mean"},
    [CM_FIGURE_wait_max_ms] = {.moment = LEG,
                               .source = "Amazon Connect, max queued; callmill: of finished legs",
                               .amazon = "longest time in queue of all contacts, abandoned ones "
                                         "included; Oldest is that of who still waits"},
    [CM_FIGURE_handle_ms] =
        {.moment = LEG,
         .source = "Cisco: talk + hold + wrap-up",
         .amazon = "talk + hold + after-call work, also of contacts in a custom status",
         .genesys = "handle time; AHT divides it by interactions",
         .cisco = "hold + talk + wrap-up, counted when wrap-up ends",
         .avaya = "ACD + hold + after-call work, listed apart",
         .asterisk = "no such figure"},
    [CM_FIGURE_handle_max_ms] = {.moment = LEG, .source = "callmill"},
    [CM_FIGURE_transfers] =
        {.moment = LEG,
         .source = "Amazon Connect, transfers out",
         .amazon = "in and out, by agent and by queue flow; each opens a new contact record",
         .asterisk = "not always in the queue log: a call then looks longer than it was"},
    [CM_FIGURE_ratings] = {.moment = LEG, .source = "callmill"},
    [CM_FIGURE_rating_sum] = {.moment = LEG, .source = "callmill"},
    [CM_FIGURE_checked] = {.moment = JUDGED, .source = "callmill"},
    [CM_FIGURE_compliant] = {.moment = JUDGED, .source = "callmill"},
    [CM_FIGURE_check_weight] = {.moment = JUDGED,
                                .source = "Amazon Connect, weights over the questions that apply",
                                .amazon = "weights by section or question, normalised to 100 %; "
                                          "what does not apply is left out"},
    [CM_FIGURE_check_weight_passed] = {.moment = JUDGED,
                                       .source = "as check_weight",
                                       .amazon = "as check_weight"},
    [CM_FIGURE_vetoes] = {.moment = JUDGED,
                          .source = "callmill: counted apart, the other checks keep their weight",
                          .amazon = "automatic fail: the evaluation, or one section, becomes 0",
                          .genesys = "fatal: the evaluation becomes 0",
                          .cisco = "a KPI question: 0, the other answers are kept"},
    [CM_FIGURE_aht_ms] =
        {.moment = LEG,
         .source = "Cisco, Amazon Connect",
         .amazon =
             "from the agent's answer to the end of the work; time in a custom status is left out",
         .genesys = "handle / interactions",
         .cisco = "handle time over handled calls, when wrap-up ends",
         .asterisk = "no such figure; talk alone"},
    [CM_FIGURE_asa_ms] = {.moment = LEG,
                          .source = "Amazon Connect, average queue answer time",
                          .amazon = "mean of dequeue - enqueue of answered contacts",
                          .cisco = "its clock starts at queueing",
                          .asterisk = "holdtime, as wait_ms"},
    [CM_FIGURE_handle_p50_ms] = {.moment = LEG, .source = "callmill: nearest rank"},
    [CM_FIGURE_handle_p90_ms] = {.moment = LEG, .source = "callmill: nearest rank"},
    [CM_FIGURE_handle_p99_ms] = {.moment = LEG, .source = "callmill: nearest rank"},
    [CM_FIGURE_abandon_rate] = {.moment = LEG,
                                .source = "`net`: Cisco; `gross`: Amazon Connect, Genesys Cloud",
                                .amazon = "abandoned / queued",
                                .genesys = "abandoned / offered",
                                .cisco = "short calls in neither number",
                                .asterisk = "no rate"},
    [CM_FIGURE_service_level] =
        {.moment = LEG,
         .source = "`answered`: Cisco UCCX, only handled; the other three: Cisco UCCE",
         .amazon = "removed within X / queued",
         .genesys = "answered within target / (answered + abandoned), with switches that change "
                    "past views",
         .cisco = "ignored, negative or positive",
         .avaya = "split: acceptable / (ACD calls + abandons + outflows + dequeued); VDN: "
                  "acceptable / offered",
         .asterisk =
             "SL: within / completed; SL2: abandons within as well, / (completed + abandoned)"},
    [CM_FIGURE_compliance_rate] = {.moment = JUDGED,
                                   .source = "Amazon Connect, evaluation score",
                                   .amazon = "100 x weighted scores / weights, of what applies"},
    [CM_FIGURE_compliant_rate] = {.moment = JUDGED, .source = "callmill"},
    [CM_FIGURE_rating_avg] = {.moment = LEG, .source = "callmill"},
    [CM_FIGURE_occupancy] = {.moment = TIME,
                             .source =
                                 "callmill: ringing is busy; time of the clock, not of contacts",
                             .amazon = "on contact / (on contact + idle); ringing is in neither"},
};

static const char vendors[] =
    "\n## How others define the same words\n"
    "\n"
    "Numbers of two systems can be compared only when their definitions are the same. The table\n"
    "restates what the documents named below it say.\n"
    "\n"
    "| system | handle time (`aht_ms`) | abandonment | service level | when a call counts |\n"
    "|---|---|---|---|---|\n"
    "| callmill | (talk + hold + after-call work) / answered legs | `net`: short ones are neither "
    "offered nor abandoned; or `gross` | four formulas, default `negative` | when the leg is "
    "finished, all parts at once |\n"
    "| Amazon Connect | talk + hold + after-call work, from the agent's answer on; time in a "
    "custom "
    "status is left out | abandoned / queued; one who asked for a callback has not abandoned | "
    "removed from the queue within X / queued, so quick abandons and callbacks are successes | "
    "about a minute after the contact ends, again when its record is re-sent; variants count at "
    "queueing or at connection |\n"
    "| Genesys Cloud | handle time / interactions | abandoned / offered, where offered comes to "
    "answered + abandoned + flow-out | answered within target / (answered + abandoned), with "
    "switches for flow-outs, short abandons and abandons that also change past views | answered: "
    "when an agent is first to connect |\n"
    "| Cisco UCCE | talk + hold + wrap-up | short calls are neither offered nor abandoned | three "
    "types: ignored, negative, positive | offered at arrival; service level at the first of "
    "answer, abandonment, threshold; handled when wrap-up ends |\n"
    "| Avaya BCMS, CMS | talk + hold + after-call work, listed apart; only work tied to an ACD "
    "call; "
    "without personal call tracking hold was talk | no rate in these documents; abandons are in "
    "the "
    "denominator of the service level | split: acceptable / (ACD calls + abandons + outflows + "
    "dequeued); VDN: acceptable / offered | the clock starts at queue entry, or at the VDN |\n"
    "| Asterisk app_queue | talk with hold music in it; no after-call work; a running average of "
    "weight 1/4 in whole seconds, not a window | a counter, no rate | SL: completed within / "
    "completed; SL2: (completed + abandoned within) / (completed + abandoned) | at the end of the "
    "call, by the wait measured at connection; until a reset |\n"
    "\n"
    "Nearest settings: Amazon Connect `gross`, `positive`; Genesys Cloud `gross`, `negative`;\n"
    "Cisco `net` with `ignore`, `negative` or `positive`; Avaya `negative`; Asterisk `answered`\n"
    "for SL, `positive` for SL2. Flow-out is in no denominator of callmill's service level, where\n"
    "Amazon Connect, Avaya and, by a switch, Genesys Cloud have it.\n";

static const char by_figure[] =
    "\n### Figure by figure\n"
    "\n"
    "When each figure counts here, whose definition it follows, and what the others say of the\n"
    "same thing. \"not known\": the documents below say nothing of it that was found.\n"
    "\n"
    "| figure | counts | definition | Amazon Connect | Genesys Cloud | Cisco | Avaya | Asterisk |\n"
    "|---|---|---|---|---|---|---|---|\n";

static const char sources[] =
    "\n"
    "Sources: Amazon Connect administrator guide, historical and real-time metrics definitions,\n"
    "\"Metric definitions in Amazon Connect\" and the pages on evaluation forms; Genesys Cloud\n"
    "\"Metric definitions\", \"Configure the service level calculation\", community \"Critical vs\n"
    "Fatal question\"; Cisco \"Report Template Reference Guide for "
    "Cisco\n"
    "Unified Intelligence Center\", ICM / UCCE \"Database Schema Handbook\", \"WebView Template\n"
    "Reference Guide\", \"Reporting Concepts for UCCE\", \"Unified CCX Historical Reports User\n"
    "Guide\", \"Cisco WFO Quality Management User Guide\"; Avaya \"BCMS Operations\" and "
    "\"CentreVu "
    "CMS\n"
    "R3V8 Database Items and Calculations\"; Asterisk `apps/app_queue.c` and\n"
    "`configs/samples/queues.conf.sample`, issue 759.\n";

const char *cm_figure_moment(enum cm_figure figure)
{
    CM_ASSERT((unsigned)figure < CM_FIGURE_COUNT);
    return definitions[figure].moment;
}

const char *cm_figure_source(enum cm_figure figure)
{
    CM_ASSERT((unsigned)figure < CM_FIGURE_COUNT);
    return definitions[figure].source;
}

static void add_figure(struct cm_text *out, enum cm_figure figure)
{
    const struct definition *d = &definitions[figure];
    const char *const cells[] = {d->moment, d->source, d->amazon,  d->genesys,
                                 d->cisco,  d->avaya,  d->asterisk};
    cm_text_addf(out, "| `%s` |", cm_figure_name(figure));
    for (size_t i = 0; i < CM_ARRAY_LEN(cells); i++) {
        cm_text_addf(out, " %s |", cells[i] == NULL ? NOT_KNOWN : cells[i]);
    }
    cm_text_addc(out, '\n');
}

void cm_figures_vendors(struct cm_text *out)
{
    cm_text_adds(out, vendors);
    cm_text_adds(out, by_figure);
    for (uint32_t i = 0; i < CM_FIGURE_COUNT; i++) {
        add_figure(out, (enum cm_figure)i);
    }
    cm_text_adds(out, sources);
}
