// SPDX-License-Identifier: Apache-2.0
/* replay_test.c — files in, rows out: lines across blocks, endings, dead letters, numbers of
 * threads. What the rows hold is the business of tests/prop. */
#include "engine/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fail.h"
#include "base/text.h"

#define T0 INT64_C(1793491200000)

struct bench {
    char folder[32];
    struct cm_text rows, breaches;
    struct cm_replay_summary summary;
};

static void write_file(const struct bench *b, const char *name, const char *bytes, size_t len)
{
    char path[64];
    snprintf(path, sizeof(path), "%s/%s", b->folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void read_file(const struct bench *b, const char *name, struct cm_text *into)
{
    char path[64];
    char bytes[4096];
    size_t len;
    snprintf(path, sizeof(path), "%s/%s", b->folder, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    into->len = 0;
    while ((len = fread(bytes, 1, sizeof(bytes), file)) > 0) {
        cm_text_add(into, bytes, len);
    }
    fclose(file);
    (void)cm_text_cstr(into);
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    *state = b;
    if (b == NULL) {
        return -1;
    }
    strcpy(b->folder, "/tmp/replay-test-XXXXXX");
    return mkdtemp(b->folder) == NULL;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    static const char *const names[] = {"a", "b", "rows", "breaches", "dead"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[64];
        snprintf(path, sizeof(path), "%s/%s", b->folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(b->folder);
    cm_text_free(&b->rows);
    cm_text_free(&b->breaches);
    free(b);
    return 0;
}

static int run(struct bench *b, const char *yaml, enum cm_replay_mode mode, int64_t ms,
               uint32_t files_count)
{
    struct cm_config *config = NULL;
    struct cm_roster *roster = cm_roster_empty();
    char paths[4][64];
    snprintf(paths[0], sizeof(paths[0]), "%s/a", b->folder);
    snprintf(paths[1], sizeof(paths[1]), "%s/b", b->folder);
    snprintf(paths[2], sizeof(paths[2]), "%s/rows", b->folder);
    snprintf(paths[3], sizeof(paths[3]), "%s/breaches", b->folder);
    const char *const files[] = {paths[0], paths[1]};
    assert_int_equal(cm_config_parse("t.yaml", yaml, strlen(yaml), NULL, 0, &config), 0);
    FILE *out = fopen(paths[2], "w");
    assert_non_null(out);
    struct cm_replay_options options = {.config = config,
                                        .roster = roster,
                                        .files = files,
                                        .files_count = files_count,
                                        .mode = mode,
                                        .every_ms = ms,
                                        .at_ms = ms,
                                        .out = out,
                                        .breaches_file = paths[3]};
    int rc = cm_replay_run(&options, &b->summary);
    fclose(out);
    read_file(b, "rows", &b->rows);
    if (rc == 0) {
        read_file(b, "breaches", &b->breaches);
    }
    cm_roster_free(roster);
    cm_config_free(config);
    return rc;
}

static void add_leg(struct cm_text *text, unsigned number, int64_t ts_ms, size_t pad)
{
    cm_text_addf(text,
                 "{\"type\":\"cdr\",\"id\":\"e%u\",\"ts\":%lld,\"outcome\":\"answered\","
                 "\"seat\":\"s%u\",\"talk_ms\":%u,\"pad\":\"",
                 number, (long long)ts_ms, number % 7, number % 1000);
    for (size_t i = 0; i < pad; i++) {
        cm_text_addc(text, 'x');
    }
    cm_text_adds(text, "\"}\n");
}

/* Twice over: lines that lie across blocks of 256 KiB, and one that is longer than a block. */
static void fill_files(const struct bench *b, bool last_feed)
{
    struct cm_text text = {0};
    for (unsigned i = 0; i < 4000; i++) {
        add_leg(&text, i, T0 + 10 * (int64_t)i, i % 371);
        if (i == 2000) {
            add_leg(&text, 99999, T0, 700000);
            cm_text_adds(&text, "  \t\n\nnonsense\n");
        }
    }
    write_file(b, "a", text.data, text.len - (last_feed ? 0 : 1));
    text.len = 0;
    for (unsigned i = 4000; i < 4100; i++) {
        add_leg(&text, i, T0 + 10 * (int64_t)i, 3);
    }
    write_file(b, "b", text.data, text.len);
    cm_text_free(&text);
}

static void lines_across_blocks_are_whole(void **state)
{
    struct bench *b = *state;
    for (int last_feed = 0; last_feed < 2; last_feed++) {
        fill_files(b, last_feed != 0);
        assert_int_equal(run(b, "windows: [1h/1m]\nperiods: []\n", CM_REPLAY_LAST, 0, 2), 0);
        assert_int_equal(b->summary.records, 4102);
        assert_int_equal(b->summary.counted, 4100);
        assert_int_equal(b->summary.bad[CM_REASON_TOO_LARGE], 1);
        assert_int_equal(b->summary.bad[CM_REASON_MALFORMED], 1);
        assert_int_equal(b->summary.rows, 8);
        assert_non_null(strstr(b->rows.data,
                               "\"kind\":\"centre\",\"id\":\"main\",\"window\":\"1h\","
                               "\"offered\":4100,"));
    }
}

static void the_same_bytes_for_any_number_of_threads(void **state)
{
    struct bench *b = *state;
    static const char rules[] = "windows: [10s/1s, 1m/5s]\nperiods: [day]\n"
                                "rules:\n  - {name: r, kind: seat, window: 10s, metric: offered,"
                                " warn: \"> 10\", clear: \"< 5\", keep: 2s}\n";
    struct cm_text rows = {0}, breaches = {0}, yaml = {0};
    fill_files(b, true);
    for (int workers = 1; workers <= 4; workers++) {
        yaml.len = 0;
        cm_text_addf(&yaml, "%sworkers: %d\n", rules, workers);
        assert_int_equal(run(b, cm_text_cstr(&yaml), CM_REPLAY_EVERY, 5000, 2), 0);
        assert_true(b->rows.len > 0 && b->breaches.len > 0);
        assert_true(b->summary.breaches > 0);
        if (workers == 1) {
            cm_text_add(&rows, b->rows.data, b->rows.len);
            cm_text_add(&breaches, b->breaches.data, b->breaches.len);
        }
        assert_string_equal(b->rows.data, cm_text_cstr(&rows));
        assert_string_equal(b->breaches.data, cm_text_cstr(&breaches));
    }
    cm_text_free(&rows);
    cm_text_free(&breaches);
    cm_text_free(&yaml);
}

static void dead_letters_tell_file_and_line(void **state)
{
    struct bench *b = *state;
    struct cm_text yaml = {0}, dead = {0}, input = {0};
    cm_text_adds(&input, "\nnonsense\n");
    add_leg(&input, 1, T0 + 100000, 0);
    add_leg(&input, 2, T0, 0); /* late for the only window */
    write_file(b, "a", input.data, input.len);
    cm_text_addf(&yaml, "windows: [5s/1s]\nperiods: []\ndead_letters: {file: \"%s/dead\"}\n",
                 b->folder);
    assert_int_equal(run(b, cm_text_cstr(&yaml), CM_REPLAY_LAST, 0, 1), 0);
    read_file(b, "dead", &dead);
    assert_non_null(strstr(dead.data, "\"reason\":\"late\""));
    assert_non_null(strstr(dead.data, "\"offset\":2"));
    assert_non_null(strstr(dead.data, "\"offset\":4"));
    assert_int_equal(b->summary.bad[CM_REASON_LATE], 1);
    assert_int_equal(b->summary.dead_letters_lost, 0);
    cm_text_free(&yaml);
    cm_text_free(&dead);
    cm_text_free(&input);
}

/* Lines are counted on from block to block, and anew in the next file. */
static void dead_letters_number_lines_across_blocks(void **state)
{
    struct bench *b = *state;
    struct cm_text yaml = {0}, dead = {0}, input = {0};
    char wanted[32];
    for (unsigned line = 1; line <= 3000; line++) {
        if (line % 1000 == 0) {
            cm_text_adds(&input, line % 2000 == 0 ? "nonsense\n\n" : "nonsense\n");
        }
        add_leg(&input, line, T0 + line, 100);
    }
    write_file(b, "a", input.data, input.len);
    write_file(b, "b", "\nrubbish", 8);
    cm_text_addf(&yaml, "windows: [5s/1s]\nperiods: []\ndead_letters: {file: \"%s/dead\"}\n",
                 b->folder);
    assert_int_equal(run(b, cm_text_cstr(&yaml), CM_REPLAY_LAST, 0, 2), 0);
    read_file(b, "dead", &dead);
    assert_int_equal(b->summary.records, 3000 + 3 + 1);
    static const unsigned lines[] = {1000, 2001, 3003, 2};
    const char *at = dead.data;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        (void)snprintf(wanted, sizeof(wanted), "\"offset\":%u,", lines[i]);
        assert_non_null(at = strstr(at, wanted));
    }
    cm_text_free(&yaml);
    cm_text_free(&dead);
    cm_text_free(&input);
}

static void nothing_in_nothing_out(void **state)
{
    struct bench *b = *state;
    write_file(b, "a", "", 0);
    assert_int_equal(run(b, "windows: [5s/1s]\n", CM_REPLAY_LAST, 0, 1), 0);
    assert_int_equal(b->rows.len, 0);
    assert_int_equal(b->summary.records, 0);
}

/* What comes after the instant asked for changes no row, and does not pile up either. */
static void rows_as_of_an_instant_are_frozen(void **state)
{
    struct bench *b = *state;
    struct cm_text input = {0};
    for (unsigned i = 0; i < 3000; i++) {
        add_leg(&input, i, T0 + 1000 * (int64_t)i, 0);
    }
    write_file(b, "a", input.data, input.len);
    assert_int_equal(
        run(b, "windows: [10s/1s, 1m/5s]\nperiods: [day]\n", CM_REPLAY_AT, T0 + 20000, 1), 0);
    assert_non_null(strstr(b->rows.data, "\"kind\":\"centre\",\"id\":\"main\",\"window\":\"10s\","
                                         "\"offered\":10,"));
    assert_non_null(strstr(b->rows.data, "\"window\":\"1m\",\"offered\":20,"));
    cm_text_free(&input);
}

static void a_file_that_is_not_there_is_an_error(void **state)
{
    struct bench *b = *state;
    assert_true(run(b, "windows: [5s/1s]\n", CM_REPLAY_LAST, 0, 1) < 0);
    assert_non_null(strstr(cm_fail_text(), "/a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_across_blocks_are_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(the_same_bytes_for_any_number_of_threads, setup, teardown),
        cmocka_unit_test_setup_teardown(dead_letters_tell_file_and_line, setup, teardown),
        cmocka_unit_test_setup_teardown(dead_letters_number_lines_across_blocks, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_in_nothing_out, setup, teardown),
        cmocka_unit_test_setup_teardown(rows_as_of_an_instant_are_frozen, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_is_not_there_is_an_error, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
