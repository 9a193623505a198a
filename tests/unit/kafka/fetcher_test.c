// SPDX-License-Identifier: Apache-2.0
/* fetcher_test.c — the own data plane against brokers that do what real ones seldom do: refuse a
 * password and take it later, end an authentication, hold messages of the old format, cut a log,
 * fence an epoch, send us to another replica. */
#include "kafka/fetcher.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/memory.h"
#include "kafka/crc32c.h"
#include "kafka/lane.h"
#include "kafka/record_fields.h"
#include "kafka/sasl.h"
#include "support/fake_broker.h"

#define PATIENCE_MS 60000

/* What a broker says of partition 0. */
struct script {
    int64_t end;                  /* of its log; one record an offset */
    int16_t error;                /* of the partition, while the request is one of `error_below` */
    int64_t error_below;          /* offsets from there on are served; -1: none is */
    int32_t replica;              /* sends everybody there; -1 */
    bool old;                     /* messages of magic 1 */
    int32_t epoch;                /* written into batches */
    int32_t leader_epoch, leader; /* what Metadata says */
    int64_t diverging_to;         /* told once; -1 */
    int32_t asked_epoch, asked_last_epoch;
    int64_t asked_offset;
    bool asked_rack;
    bool refuses; /* SASL */
    bool forgets; /* knows no epoch of a record */
    int64_t lifetime_ms;
};

static struct cm_ring *ring;
static struct cm_lane lane;
static struct cm_batch batch;
static struct cm_fetcher *fetcher;
static struct fake_broker brokers[2];
static struct script scripts[2];
static uint32_t records;
static int64_t next_offset; /* that has not come yet */
static char password[] = "hunter2", user[] = "me";
static struct cm_sasl_terms sasl = {CM_SASL_PLAIN, user, password};
static struct cm_fetch_terms terms;

/* ---- the brokers' side */

/* A batch of one record without key, value "v". */
static void put_batch(struct cm_text *out, int64_t offset, int32_t epoch)
{
    static const char record[] = {14, 0, 0, 0, 1, 2, 'v', 0};
    struct cm_text rest = {0};
    fake_put(&rest, 0, 2); /* attributes */
    fake_put(&rest, 0, 4);
    fake_put(&rest, 1000, 8);
    fake_put(&rest, 1000, 8);
    fake_put(&rest, -1, 8);
    fake_put(&rest, -1, 2);
    fake_put(&rest, -1, 4);
    fake_put(&rest, 1, 4);
    cm_text_add(&rest, record, sizeof record);
    fake_put(out, offset, 8);
    fake_put(out, (int64_t)rest.len + 9, 4);
    fake_put(out, epoch, 4);
    fake_put(out, 2, 1);
    fake_put(out, cm_crc32c(rest.data, rest.len), 4);
    cm_text_add(out, rest.data, rest.len);
    cm_text_free(&rest);
}

/* A message of magic 1, whose length is right; its checksum does not matter. */
static void put_message(struct cm_text *out, int64_t offset)
{
    fake_put(out, offset, 8);
    fake_put(out, 23, 4);
    fake_put(out, 0, 4);
    fake_put(out, 1, 1);
    fake_put(out, 0, 1);
    fake_put(out, 1000, 8);
    fake_put(out, -1, 4);
    fake_put(out, 1, 4);
    cm_text_addc(out, 'v');
}

static void put_records(struct script *s, struct cm_text *out)
{
    struct cm_text set = {0};
    if (s->asked_offset < s->end) {
        if (s->old) {
            put_message(&set, s->asked_offset);
        } else {
            put_batch(&set, s->asked_offset, s->epoch);
        }
    }
    fake_put(out, (int64_t)set.len, 4);
    cm_text_add(out, set.data, set.len);
    cm_text_free(&set);
}

/* Version 11. */
static void serve_fetch(struct script *s, const uint8_t *body, uint32_t len, struct cm_text *out)
{
    const uint8_t *part = body + 25 + 4 + 2 + 5 + 4; /* head, one topic "calls", one partition */
    s->asked_epoch = (int32_t)cm_be32(part + 4);
    s->asked_offset = cm_be64(part + 8);
    s->asked_rack = body[len - 1] != 0;
    bool fails = s->error != 0 && (s->error_below < 0 || s->asked_offset < s->error_below);
    bool sends = !fails && s->replica >= 0 && s->asked_rack;
    fake_put(out, 0, 4);
    fake_put(out, 0, 2);
    fake_put(out, 0, 4);
    fake_put(out, 1, 4);
    fake_put_string(out, "calls");
    fake_put(out, 1, 4);
    fake_put(out, 0, 4);
    fake_put(out, fails ? s->error : 0, 2);
    fake_put(out, s->end, 8);
    fake_put(out, s->end, 8);
    fake_put(out, 0, 8);
    fake_put(out, 0, 4);
    fake_put(out, sends ? s->replica : -1, 4);
    if (fails || sends) {
        fake_put(out, 0, 4);
    } else {
        put_records(s, out);
    }
}

/* Version 12, for logs that diverge: compact lengths, tags. */
static void serve_compact(struct script *s, const uint8_t *body, struct cm_text *out)
{
    const uint8_t *part = body + 25 + 1 + 6 + 1;
    s->asked_epoch = (int32_t)cm_be32(part + 4);
    s->asked_offset = cm_be64(part + 8);
    s->asked_last_epoch = (int32_t)cm_be32(part + 16);
    struct cm_text set = {0};
    bool cut = s->diverging_to >= 0 && s->asked_offset > s->diverging_to &&
               s->asked_last_epoch >= 0 && s->asked_last_epoch < s->epoch;
    bool forgot = s->forgets && s->asked_last_epoch >= 0;
    fake_put(out, 0, 4);
    fake_put(out, 0, 6);
    cm_text_add(out, "\2\6calls\2", 8);
    fake_put(out, 0, 4);
    fake_put(out, forgot ? CM_KAFKA_OFFSET_OUT_OF_RANGE : 0, 2);
    fake_put(out, s->end, 8);
    fake_put(out, s->end, 8);
    fake_put(out, 0, 8);
    fake_put(out, 1, 1);
    fake_put(out, -1, 4);
    if (!cut && !forgot && s->asked_offset < s->end) {
        put_batch(&set, s->asked_offset, s->epoch);
    }
    fake_put(out, (int64_t)set.len + 1, 1);
    cm_text_add(out, set.data, set.len);
    cm_text_free(&set);
    if (cut) {
        cm_text_add(out, "\1\0\x0d", 3);
        fake_put(out, s->epoch, 4);
        fake_put(out, s->diverging_to, 8);
    }
    fake_put(out, 0, 1);
    fake_put(out, 0, 2); /* the tags of partition (its last), topic and all */
}

static void serve_metadata(const struct script *s, struct cm_text *out)
{
    fake_put(out, 0, 4);
    fake_put(out, 1, 4);
    fake_put(out, 0, 4);
    fake_put_string(out, "localhost");
    fake_put(out, 9092, 4);
    fake_put(out, -1, 2);
    fake_put_string(out, "cluster");
    fake_put(out, 0, 4);
    fake_put(out, 1, 4);
    fake_put(out, 0, 2);
    fake_put_string(out, "calls");
    fake_put(out, 0, 1);
    fake_put(out, 1, 4);
    fake_put(out, 0, 2);
    fake_put(out, 0, 4);
    fake_put(out, s->leader, 4);
    fake_put(out, s->leader_epoch, 4);
    for (int i = 0; i < 3; i++) {
        fake_put(out, 1, 4);
        fake_put(out, 0, 4);
    }
}

static void serve_token(const struct script *s, struct cm_text *out)
{
    fake_put(out, s->refuses ? 58 : 0, 2);
    if (s->refuses) {
        fake_put_string(out, "Authentication failed: \"no\"");
    } else {
        fake_put(out, -1, 2);
    }
    fake_put(out, 0, 4);
    fake_put(out, s->lifetime_ms, 8);
}

static void serve(struct fake_broker *broker, const struct fake_request *request,
                  struct cm_text *out)
{
    struct script *s = broker->context;
    if (request->key == FAKE_FETCH && request->version == 12) {
        serve_compact(s, request->body, out);
    } else if (request->key == FAKE_FETCH) {
        serve_fetch(s, request->body, request->len, out);
    } else if (request->key == FAKE_METADATA) {
        serve_metadata(s, out);
    } else if (request->key == FAKE_AUTHENTICATE) {
        serve_token(s, out);
    } else {
        fake_put(out, 0, 2);
        fake_put(out, 1, 4);
        fake_put_string(out, "PLAIN");
    }
}

/* ---- our side */

static void turn(void)
{
    (void)cm_fetcher_fetch(fetcher, &lane, &batch);
    for (uint32_t i = 0; i < batch.count; i++) {
        assert_int_equal(batch.at[i].offset, next_offset);
        assert_memory_equal(batch.at[i].value, "v", 1);
        next_offset++;
    }
    records += batch.count;
    batch.count = batch.ends_count = 0;
    (void)cm_ring_wait(ring, CM_NS_PER_MS);
    fake_broker_turn(&brokers[0]);
    fake_broker_turn(&brokers[1]);
}

#define TURN_UNTIL(condition)                                                                      \
    do {                                                                                           \
        int64_t end_ns_ = cm_clock_mono_ns() + PATIENCE_MS * CM_NS_PER_MS;                         \
        while (!(condition)) {                                                                     \
            assert_true(cm_clock_mono_ns() < end_ns_);                                             \
            turn();                                                                                \
        }                                                                                          \
    } while (0)

static void tell_leaders(int32_t leader)
{
    struct cm_broker_address addresses[2];
    struct cm_leaders leaders = {addresses, 2, &leader, 1};
    fake_broker_address(&brokers[0], &addresses[0]);
    fake_broker_address(&brokers[1], &addresses[1]);
    cm_fetcher_set_leaders(fetcher, &leaders);
}

static void begin_from(int64_t offset)
{
    cm_lane_begin(&lane, 0, offset);
    next_offset = offset;
}

static int setup(void **state)
{
    (void)state;
    memset(&batch, 0, sizeof batch);
    memset(&lane, 0, sizeof lane);
    lane.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    records = 0;
    terms = (struct cm_fetch_terms){.client_id = "me",
                                    .topic = "calls",
                                    .rack = "",
                                    .read_committed = true,
                                    .wait_ms = 1,
                                    .least_bytes = 1,
                                    .most_bytes = 1 << 20,
                                    .part_bytes = 1 << 20};
    for (int i = 0; i < 2; i++) {
        fake_broker_open(&brokers[i], i);
        scripts[i] = (struct script){.replica = -1, .end = 5, .diverging_to = -1};
        brokers[i].serve = serve;
        brokers[i].context = &scripts[i];
    }
    fetcher = cm_fetcher_create(&terms, true);
    CM_ASSERT(cm_ring_open(64, CM_RING_AUTO, &ring) == 0);
    cm_fetcher_attach(fetcher, ring);
    begin_from(0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cm_ring_destroy(ring);
    cm_fetcher_destroy(fetcher);
    fake_broker_close(&brokers[0]);
    fake_broker_close(&brokers[1]);
    free(lane.slots);
    (void)close(lane.fd);
    return 0;
}

/* ---- what goes to the log: standard error, in a file meanwhile */

static int kept_fd;
static FILE *log_file;

static void catch_log(void)
{
    log_file = tmpfile();
    assert_non_null(log_file);
    kept_fd = dup(STDERR_FILENO);
    (void)dup2(fileno(log_file), STDERR_FILENO);
}

static void log_text(char *out, size_t out_bytes)
{
    (void)dup2(kept_fd, STDERR_FILENO);
    (void)close(kept_fd);
    rewind(log_file);
    size_t n = fread(out, 1, out_bytes - 1, log_file);
    out[n] = '\0';
    (void)fclose(log_file);
}

static uint32_t count_words(const char *text, const char *word)
{
    uint32_t count = 0;
    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word)) {
        count++;
    }
    return count;
}

static char text[65536];

static void reads_to_the_end(void **state)
{
    (void)state;
    tell_leaders(0);
    TURN_UNTIL(records == 5);
    scripts[0].end = 9;
    TURN_UNTIL(records == 9);
    assert_int_equal(brokers[0].connections, 1);
    assert_int_equal(brokers[1].connections, 0);
}

/* They are not read, and the log names the setting. Nobody asks again and again. */
static void old_messages_name_the_setting(void **state)
{
    (void)state;
    scripts[0].old = true;
    catch_log();
    tell_leaders(0);
    TURN_UNTIL(brokers[0].requests[FAKE_FETCH] >= 2); /* the second was on its way */
    for (int i = 0; i < 20; i++) {
        turn();
    }
    log_text(text, sizeof text);
    assert_int_equal(records, 0);
    assert_int_equal(brokers[0].requests[FAKE_FETCH], 2);
    uint32_t said = count_words(text, "event=kafka.unsupported partition=0 offset=0 "
                                      "text=\"messages of the old format, magic 1; set "
                                      "source.kafka.plane to librdkafka\"");
    assert_true(said >= 1 && said <= 2);
}

static void a_refused_password_is_tried_again(void **state)
{
    (void)state;
    terms.sasl = &sasl;
    scripts[0].refuses = true;
    catch_log();
    tell_leaders(0);
    TURN_UNTIL(brokers[0].connections >= 3);
    assert_int_equal(brokers[0].requests[FAKE_FETCH], 0);
    scripts[0].refuses = false;
    TURN_UNTIL(records == 5);
    log_text(text, sizeof text);
    assert_true(count_words(text, "event=kafka.authentication broker=127.0.0.1:") >= 2);
    assert_true(count_words(text, "mechanism=PLAIN text=\"SASL: Authentication failed: ?no? "
                                  "(error 58)\"") >= 2);
    assert_null(strstr(text, password));
}

static void an_authentication_that_ends_costs_nothing(void **state)
{
    (void)state;
    terms.sasl = &sasl;
    scripts[0].lifetime_ms = 20;
    catch_log();
    tell_leaders(0);
    TURN_UNTIL(records == 5);
    while (brokers[0].connections < 4) {
        scripts[0].end++;
        TURN_UNTIL(records == scripts[0].end);
    }
    log_text(text, sizeof text);
    assert_null(strstr(text, "kafka.disconnected"));
}

static void epochs_are_asked_and_told(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        brokers[i].metadata_version = 8;
        scripts[i].leader_epoch = 7;
    }
    tell_leaders(0);
    TURN_UNTIL(records == 5);
    assert_int_equal(scripts[0].asked_epoch, 7);
    assert_int_equal(brokers[0].requests[FAKE_METADATA], 1);
    /* Fenced: it is forgotten, and somebody shall look for the leader. */
    (void)cm_fetcher_wants_leaders(fetcher);
    scripts[0].error = CM_KAFKA_FENCED_LEADER_EPOCH;
    scripts[0].error_below = -1;
    TURN_UNTIL(cm_fetcher_wants_leaders(fetcher));
    TURN_UNTIL(scripts[0].asked_epoch == -1);
    /* The new list: the other one leads, with an epoch of its own. */
    scripts[1].end = 8;
    scripts[1].leader = 1;
    scripts[1].leader_epoch = 8;
    tell_leaders(1);
    TURN_UNTIL(records == 8);
    assert_int_equal(scripts[1].asked_epoch, 8);
    /* A broker that knows of another leader has the list looked for. */
    (void)cm_fetcher_wants_leaders(fetcher);
    scripts[1].leader = 0;
    tell_leaders(1);
    TURN_UNTIL(cm_fetcher_wants_leaders(fetcher));
}

/* The log was cut at 3 and grew again under another leader: what is new there is read. */
static void a_log_that_was_cut_and_grew_again_is_noticed(void **state)
{
    (void)state;
    brokers[0].fetch_version = 12;
    scripts[0].epoch = 4;
    catch_log();
    tell_leaders(0);
    TURN_UNTIL(records == 5);
    TURN_UNTIL(scripts[0].asked_last_epoch == 4);
    scripts[0].diverging_to = 3;
    scripts[0].epoch = 6;
    scripts[0].end = 9;
    TURN_UNTIL(lane.slots[0].oddity == CM_LANE_STRAY);
    log_text(text, sizeof text);
    assert_int_equal(lane.slots[0].odd_expected, 3);
    assert_int_equal(records, 5);
    assert_true(count_words(text, "event=kafka.offset_out_of_range partition=0 wanted=5 from=3") >=
                1);
    begin_from(3); /* as the coordinator does */
    TURN_UNTIL(records == 5 + 6);
}

/* It says that the offset is out of range; asked without the epoch, it serves. */
static void a_broker_that_knows_no_epochs_is_asked_without(void **state)
{
    (void)state;
    brokers[0].fetch_version = 12;
    scripts[0].forgets = true;
    scripts[0].epoch = 4;
    tell_leaders(0);
    TURN_UNTIL(records == 5);
    assert_int_equal(lane.slots[0].oddity, CM_LANE_EVEN);
}

static void a_near_replica_is_asked_until_it_fails(void **state)
{
    (void)state;
    terms.rack = "east";
    scripts[0].replica = 1;
    tell_leaders(0);
    TURN_UNTIL(records == 5);
    uint32_t asked = brokers[0].requests[FAKE_FETCH];
    assert_int_equal(asked, 1);
    scripts[1].end = 7;
    TURN_UNTIL(records == 7);
    assert_int_equal(brokers[0].requests[FAKE_FETCH], asked);
    /* What it says of offsets is not final: the leader is asked, without a rack. */
    scripts[0].end = 10;
    scripts[1].error = CM_KAFKA_OFFSET_OUT_OF_RANGE;
    scripts[1].error_below = -1;
    TURN_UNTIL(records == 10);
    assert_false(scripts[0].asked_rack);
    assert_int_equal(lane.slots[0].oddity, CM_LANE_EVEN);
}

static void a_near_replica_that_goes_away_is_left(void **state)
{
    (void)state;
    terms.rack = "east";
    scripts[0].replica = 1;
    tell_leaders(0);
    TURN_UNTIL(records == 5);
    fake_broker_hang_up(&brokers[1]);
    scripts[0].end = 10;
    TURN_UNTIL(records == 10);
    assert_false(scripts[0].asked_rack);
}

/* Sent to a broker that nobody knows: the leader is asked again, and a new list looked for. */
static void an_unknown_replica_has_the_list_looked_for(void **state)
{
    (void)state;
    terms.rack = "east";
    scripts[0].replica = 77;
    tell_leaders(0);
    (void)cm_fetcher_wants_leaders(fetcher);
    TURN_UNTIL(cm_fetcher_wants_leaders(fetcher));
    scripts[0].replica = -1;
    TURN_UNTIL(records == 5);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(reads_to_the_end),
        CASE(old_messages_name_the_setting),
        CASE(a_refused_password_is_tried_again),
        CASE(an_authentication_that_ends_costs_nothing),
        CASE(epochs_are_asked_and_told),
        CASE(a_log_that_was_cut_and_grew_again_is_noticed),
        CASE(a_broker_that_knows_no_epochs_is_asked_without),
        CASE(a_near_replica_is_asked_until_it_fails),
        CASE(a_near_replica_that_goes_away_is_left),
        CASE(an_unknown_replica_has_the_list_looked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
