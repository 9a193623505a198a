// SPDX-License-Identifier: Apache-2.0
/* config_reference.c — docs/settings.md and configs/callmill.yaml, made from the table of settings.
 *
 * Only what the table does not hold is written out here: the grammar of the composite values.
 */
#include <string.h>

#include "base/fail.h"
#include "config/config_loader.h"

#define COMMENT_COLUMNS 92

static const char introduction[] =
    "# Settings\n"
    "\n"
    "This page is generated from the table of settings; edit the table, not the page.\n"
    "\n"
    "A setting is given by the first of these that has it:\n"
    "\n"
    "1. `-o key=value` on the command line, where a later one replaces an earlier one;\n"
    "2. the environment: `CALLMILL_` and the path in capitals, with `_` for each dot;\n"
    "3. the configuration file, YAML: the parts of a path are nested maps;\n"
    "4. the default.\n"
    "\n"
    "In `-o` and in the environment a value that begins with a quote, `[` or `{` is YAML flow "
    "text;\n"
    "anything else is taken as it stands. Lists and maps are given as a whole:\n"
    "`-o 'windows=[5m/5s]'`, `-o 'queues={broadband: {owner: \"team:t7\"}}'`. `-o` also takes a "
    "section:\n"
    "`-o 'service_level={target: 30s, formula: ignore}'`.\n"
    "\n"
    "Reading is strict. An unknown or repeated key, a duration without its unit, a value out of "
    "range, an\n"
    "unknown word, figure or window, an anchor, alias or tag: each is a mistake, and all mistakes "
    "are\n"
    "reported at once, with file, line and column. A variable that begins with `CALLMILL_` and "
    "names no\n"
    "setting is a mistake too. `callmill check -c FILE` prints the effective configuration with "
    "the origin\n"
    "of each line.\n"
    "\n"
    "A duration is digits and a unit: `250ms`, `20s`, `5m`, `1h`, `30d`. A relative `roster`, and "
    "the `PATH`\n"
    "of a `file:PATH` property, stand below the folder of the configuration file.\n"
    "\n"
    "## All settings\n";

static const char grammar[] =
    "\n"
    "## Properties of librdkafka\n"
    "\n"
    "`source.kafka.properties` is a map of librdkafka's own names and values. A secret (a name "
    "that ends in\n"
    "`password` or `secret`, and `ssl.key.pem`) is never written in a configuration: its value is\n"
    "`file:PATH`, for the first line of that file (all of it for `ssl.key.pem`), or `env:NAME`. "
    "Secrets are\n"
    "printed as `***`.\n"
    "\n"
    "```yaml\n"
    "source:\n"
    "  kafka:\n"
    "    properties:\n"
    "      security.protocol: SASL_SSL\n"
    "      sasl.username: callmill\n"
    "      sasl.password: file:/run/secrets/kafka\n"
    "```\n"
    "\n"
    "With `security.protocol` `plaintext`, or `sasl_plaintext` and one of the mechanisms `PLAIN`, "
    "`SCRAM-SHA-256`,\n"
    "`SCRAM-SHA-512`, callmill carries the records itself (`source.kafka.plane`); names and "
    "passwords of SCRAM are\n"
    "printable ASCII then. TLS (`ssl`, `sasl_ssl`), `GSSAPI`, `OAUTHBEARER` and other SCRAM "
    "passwords are\n"
    "librdkafka's: `auto` takes its plane, the log says why, and `io_uring` or `epoll` are an "
    "error "
    "there.\n"
    "\n"
    "## Queues\n"
    "\n"
    "`queues` is a map of queue ids. `owner` is `team:ID`, `room:ID` or `centre:ID`; without it "
    "the centre\n"
    "owns the queue. What the queue counts without a seat counts for its owner and the owner's "
    "ancestors.\n"
    "\n"
    "## Windows and periods\n"
    "\n"
    "A window is `length/step`, the step dividing the length. The length as written is its name: "
    "`5m/5s`\n"
    "is named `5m` in Redis, rows, rules and rankings. At most 12 windows, length at most 31d, "
    "step at least\n"
    "10ms, at most 100000 steps in a length. Periods are `day`, `week`, `month` and `quarter`. One "
    "of the\n"
    "two lists may be empty, not both.\n"
    "\n"
    "## Compliance\n"
    "\n"
    "`compliance.checks` gives the checks that records carry a `weight` (0 to 1000, default 1) and "
    "a `veto`\n"
    "(default false). `compliance.rules` adds checks that judge the record itself, with `when` "
    "(required),\n"
    "`weight` and `veto`. A name stands in one of the two only.\n"
    "\n"
    "`when` is an expression over the fields of a leg: `wait_ms`, `ring_ms`, `talk_ms`, "
    "`hold_ms`,\n"
    "`acw_ms`, `handle_ms` (talk + hold + acw), `hold_n`, `transfers`, `rating`, `on_hold`, "
    "`rev`,\n"
    "`answered`, `abandoned`. Numbers are integers; durations such as `20s` are milliseconds. "
    "Operators, the\n"
    "tightest first: `-x`; `* / %`; `+ -`; `== != < <= > >=`, which do not chain; `not`; `and`; "
    "`or`.\n"
    "Arithmetic saturates at 64 bits. An absent rating and a division by zero are null, an "
    "operation on null\n"
    "is null (but `false and null` is false, `true or null` is true), and a check whose result is "
    "null is\n"
    "not applicable.\n"
    "\n"
    "## Rankings\n"
    "\n"
    "A ranking has `kind` (`seat`, `team`, `room`, `centre`, `queue`), `window` (the name of a "
    "configured\n"
    "window or period) and `metric` (any figure).\n"
    "\n"
    "## Rules\n"
    "\n"
    "| key | default | meaning |\n"
    "|---|---|---|\n"
    "| `name` | required | 1 to 64 letters, digits, `_`, `.`, `-`; each name once |\n"
    "| `kind` | required | `seat`, `team`, `room`, `centre` or `queue` |\n"
    "| `ids` | all | a list of ids |\n"
    "| `window` | required | the name of a configured window or period |\n"
    "| `metric` | required | any figure |\n"
    "| `warn`, `critical` | one of them | conditions: `<`, `<=`, `>`, `>=`, `==` or `!=` and a "
    "number of at"
    " most 6 decimals, in quotes |\n"
    "| `clear` | neither holds | condition |\n"
    "| `for`, `keep`, `cooldown` | 0s | durations, at most 31d |\n"
    "| `min_n` | 1 | 0 to 1000000000 |\n"
    "| `escalate` | none | a list of `{after: 5m, to: room}`, in rising order of `after`; `to` is "
    "a level above"
    " `kind`, for a queue `team`, `room` or `centre` |\n"
    "\n"
    "```yaml\n"
    "rules:\n"
    "  - {name: long-handle, kind: team, window: 15m, metric: aht_ms,\n"
    "     warn: \"> 360000\", critical: \"> 480000\", clear: \"< 330000\",\n"
    "     for: 60s, keep: 2m, min_n: 10, cooldown: 5m,\n"
    "     escalate: [{after: 5m, to: room}, {after: 15m, to: centre}]}\n"
    "```\n";

/* "auto, io_uring, epoll", or "100ms to 1h", or nothing. */
static void add_bounds(struct cm_text *out, const struct cm_setting *s)
{
    if (s->type != CM_SETTING_TYPE_WORD) {
        if (s->low[0] != '\0') {
            cm_text_addf(out, "%s to %s", s->low, s->high);
        }
        return;
    }
    for (const char *c = s->low; *c != '\0'; c++) {
        if (*c == '|') {
            cm_text_adds(out, ", ");
        } else {
            cm_text_addc(out, *c);
        }
    }
}

void cm_config_reference(struct cm_text *out)
{
    cm_text_adds(out, introduction);
    for (unsigned i = 0; i < CM_SETTING_COUNT; i++) {
        const struct cm_setting *s = cm_setting_get((enum cm_setting_id)i);
        char variable[CM_VARIABLE_BYTES];
        struct cm_text bounds = {0};
        add_bounds(&bounds, s);
        cm_text_addf(out, "\n### `%s`\n\n%s\n\n- type: %s", s->path, s->doc,
                     cm_setting_type_text(s->type));
        if (bounds.len > 0) {
            cm_text_addf(out, ", %s%s", s->type == CM_SETTING_TYPE_WORD ? "one of " : "",
                         cm_text_cstr(&bounds));
        }
        cm_text_addf(out, "\n- default: %s%s%s\n- environment: `%s`\n", s->text[0] ? "`" : "",
                     s->text[0] ? s->text : "none", s->text[0] ? "`" : "",
                     cm_setting_variable(s, variable));
        cm_text_free(&bounds);
    }
    cm_text_adds(out, grammar);
}

/* Comment lines of at most COMMENT_COLUMNS, broken at spaces. */
static void add_comment_lines(struct cm_text *out, const char *text, unsigned indent)
{
    size_t column = 0; /* before the first line */
    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        if (column == 0 || column + 1 + len > COMMENT_COLUMNS) {
            cm_text_addf(out, "%s%*s#", column == 0 ? "" : "\n", (int)indent, "");
            column = indent + 1;
        }
        cm_text_addc(out, ' ');
        cm_text_add(out, text, len);
        column += 1 + len;
        text += len;
        text += *text == ' ';
    }
    cm_text_addc(out, '\n');
}

void cm_config_example(struct cm_text *out)
{
    cm_text_adds(
        out,
        "# Every setting of callmill with its default. Generated from the table of settings;\n"
        "# docs/settings.md says what the values may be. Keep only the lines that you change.\n");
    const char *before = NULL;
    for (unsigned i = 0; i < CM_SETTING_COUNT; i++) {
        const struct cm_setting *s = cm_setting_get((enum cm_setting_id)i);
        struct cm_text comment = {0};
        struct cm_text bounds = {0};
        const char *dot = strrchr(s->path, '.');
        add_bounds(&bounds, s);
        cm_text_adds(&comment, s->doc);
        if (bounds.len > 0) {
            cm_text_addf(&comment, " (%s)", cm_text_cstr(&bounds));
        }
        cm_text_addc(out, '\n');
        unsigned indent = 2 * cm_config_print_sections(before, s->path, out);
        add_comment_lines(out, cm_text_cstr(&comment), indent);
        cm_text_addf(out, "%*s%s: ", (int)indent, "", dot == NULL ? s->path : dot + 1);
        if (s->type == CM_SETTING_TYPE_STRING) {
            cm_text_add_json(out, s->text, strlen(s->text));
        } else {
            cm_text_adds(out, s->text);
        }
        cm_text_addc(out, '\n');
        cm_text_free(&comment);
        cm_text_free(&bounds);
        before = s->path;
    }
}
