// SPDX-License-Identifier: Apache-2.0
/* decoder_test.c — records and what they are: the event in words, or `!reason`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "decode/decoder.h"

#define HEAD "\"type\":\"cdr\",\"id\":\"i\",\"ts\":5"
#define CDR  HEAD ",\"outcome\":\"answered\""
#define OK   "cdr id=i ts=5 outcome=0"

static const char *const reason_names[] = {
    [CM_REASON_NONE] = "!none",           [CM_REASON_TOO_LARGE] = "!too_large",
    [CM_REASON_MALFORMED] = "!malformed", [CM_REASON_UTF8] = "!utf8",
    [CM_REASON_DEPTH] = "!depth",         [CM_REASON_MISSING] = "!missing",
    [CM_REASON_TYPE] = "!type",           [CM_REASON_RANGE] = "!range",
};

static const char *const type_names[] = {"cdr",        "queue_enter", "queue_exit",
                                         "seat_state", "check",       "case"};

static void add_string(struct cm_text *out, const char *name, struct cm_str value)
{
    if (value.len > 0) {
        cm_text_addf(out, " %s=%.*s", name, (int)value.len, value.p);
    }
}

static void add_number(struct cm_text *out, const char *name, long long value, long long without)
{
    if (value != without) {
        cm_text_addf(out, " %s=%lld", name, value);
    }
}

/* All that differs from the defaults of the contract. */
static void describe(struct cm_text *out, const struct cm_event *e)
{
    cm_text_adds(out, type_names[e->type]);
    add_string(out, "id", e->id);
    cm_text_addf(out, " ts=%lld", (long long)e->ts_ms);
    add_number(out, "outcome", e->outcome, e->type == CM_EVENT_CDR ? -1 : 0);
    add_string(out, "call", e->call);
    add_string(out, "seat", e->seat);
    add_string(out, "agent", e->agent);
    add_string(out, "queue", e->queue);
    add_string(out, "centre", e->centre);
    add_string(out, "ch", e->channel);
    add_number(out, "wait", e->wait_ms, 0);
    add_number(out, "ring", e->ring_ms, 0);
    add_number(out, "talk", e->talk_ms, 0);
    add_number(out, "hold", e->hold_ms, 0);
    add_number(out, "acw", e->acw_ms, 0);
    add_number(out, "hold_n", e->hold_n, 0);
    add_number(out, "transfers", e->transfers, 0);
    add_number(out, "end", e->end, 0);
    add_number(out, "on_hold", e->on_hold, 0);
    add_number(out, "rating", e->rating, -1);
    add_number(out, "rev", e->rev, 0);
    add_number(out, "state", e->state, e->type == CM_EVENT_SEAT_STATE ? -1 : 0);
    add_number(out, "source", e->source, e->type == CM_EVENT_CHECK ? -1 : 0);
    add_string(out, "case", e->case_id);
    add_string(out, "kind", e->kind);
    add_number(out, "step", e->step, e->type == CM_EVENT_CASE ? -1 : 0);
    add_string(out, "reason", e->reason);
    for (uint32_t i = 0; i < e->checks_count; i++) {
        cm_text_addf(out, " %.*s:%d", (int)e->checks[i].name.len, e->checks[i].name.p,
                     (int)e->checks[i].result);
    }
}

/* Decodes a copy that ends where the record ends, so that the address sanitizer sees a read behind
 * it. */
static void expect(const char *bytes, size_t len, const char *expected)
{
    struct cm_decoder *decoder = cm_decoder_create();
    struct cm_text text = {0};
    struct cm_event event;
    char *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    enum cm_reason reason = cm_decode(decoder, copy, len, &event);
    if (reason == CM_REASON_NONE) {
        describe(&text, &event);
    } else {
        cm_text_adds(&text, reason_names[reason]);
    }
    if (strcmp(cm_text_cstr(&text), expected) != 0) {
        print_error("record: %.*s\n", len > 300 ? 300 : (int)len, bytes);
    }
    assert_string_equal(cm_text_cstr(&text), expected);
    cm_text_free(&text);
    free(copy);
    cm_decoder_destroy(decoder);
}

struct sample {
    const char *record, *expected;
};

static void expect_all(const struct sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        expect(samples[i].record, strlen(samples[i].record), samples[i].expected);
    }
}

static void test_event_types(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {"{" CDR "}", OK},
        {"{\"type\":\"cdr\",\"id\":\"c1-1\",\"ts\":917820000000,\"call\":\"c1\",\"seat\":\"s1\","
         "\"agent\":\"a1\","
         "\"queue\":\"q1\",\"centre\":\"m\",\"ch\":\"chat\",\"outcome\":\"callback\",\"wait_ms\":1,"
         "\"ring_ms\":22,"
         "\"talk_ms\":333,\"hold_ms\":4444,\"acw_ms\":55555,\"hold_n\":6,\"transfers\":7,\"end\":"
         "\"transfer\","
         "\"on_hold\":true,\"rating\":100,\"checks\":{\"greeting\":true,\"identity\":false,"
         "\"offer\":null},"
         "\"rev\":8}",
         "cdr id=c1-1 ts=917820000000 outcome=6 call=c1 seat=s1 agent=a1 queue=q1 centre=m ch=chat "
         "wait=1 ring=22"
         " talk=333 hold=4444 acw=55555 hold_n=6 transfers=7 end=4 on_hold=1 rating=100 rev=8"
         " greeting:1 identity:0 offer:-1"},
        {"{\"type\":\"queue_enter\",\"id\":\"i\",\"ts\":1,\"call\":\"c\",\"queue\":\"q\"}",
         "queue_enter id=i ts=1 call=c queue=q"},
        {"{\"type\":\"queue_exit\",\"id\":\"i\",\"ts\":1,\"call\":\"c\",\"queue\":\"q\",\"reason\":"
         "\"x y\"}",
         "queue_exit id=i ts=1 call=c queue=q reason=x y"},
        {"{\"type\":\"seat_state\",\"id\":\"i\",\"ts\":1,\"seat\":\"s\",\"state\":\"meeting\","
         "\"reason\":\"\"}",
         "seat_state id=i ts=1 seat=s state=8"},
        {"{\"type\":\"check\",\"id\":\"i\",\"ts\":1,\"seat\":\"s\",\"call\":\"c\",\"source\":"
         "\"third_party\","
         "\"checks\":{\"a\":false},\"score\":99.5}",
         "check id=i ts=1 call=c seat=s source=2 a:0"},
        {"{\"type\":\"check\",\"id\":\"i\",\"ts\":1,\"seat\":\"s\",\"call\":\"c\",\"source\":"
         "\"self\",\"checks\":{}}",
         "check id=i ts=1 call=c seat=s source=0"},
        {"{\"type\":\"case\",\"id\":\"i\",\"ts\":1,\"case\":\"k1\",\"seat\":\"s\",\"kind\":"
         "\"urgent\","
         "\"step\":\"resolved\"}",
         "case id=i ts=1 seat=s case=k1 kind=urgent step=4"},
    };
    expect_all(samples, CM_ARRAY_LEN(samples));
}

static void test_words(void **state)
{
    (void)state;
    static const struct {
        const char *format, *words[10], *expected;
    } lists[] = {
        {"{" HEAD ",\"outcome\":\"%s\"}",
         {"answered", "abandoned", "no_answer", "rejected", "overflow", "timeout", "callback"},
         "cdr id=i ts=5 outcome=%zu"},
        {"{\"type\":\"seat_state\",\"id\":\"i\",\"ts\":5,\"seat\":\"s\",\"state\":\"%s\"}",
         {"offline", "available", "ringing", "talking", "hold", "acw", "break", "training",
          "meeting"},
         "seat_state id=i ts=5 seat=s state=%zu"},
        {"{\"type\":\"check\",\"id\":\"i\",\"ts\":5,\"seat\":\"s\",\"call\":\"c\",\"source\":\"%"
         "s\",\"checks\":{}}",
         {"self", "spot", "third_party"},
         "check id=i ts=5 call=c seat=s source=%zu"},
        {"{\"type\":\"case\",\"id\":\"i\",\"ts\":5,\"case\":\"c\",\"seat\":\"s\",\"kind\":\"k\","
         "\"step\":\"%s\"}",
         {"opened", "contacted", "planned", "onsite", "resolved"},
         "case id=i ts=5 seat=s case=c kind=k step=%zu"},
    };
    char record[256];
    char expected[128];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    for (size_t l = 0; l < CM_ARRAY_LEN(lists); l++) {
        for (size_t w = 0; lists[l].words[w] != NULL; w++) {
            (void)snprintf(record, sizeof record, lists[l].format, lists[l].words[w]);
            (void)snprintf(expected, sizeof expected, lists[l].expected, w);
            expect(record, strlen(record), expected);
        }
        static const char *const wrong[] = {"",      "x",   "Answered", "answered ",
                                            "self2", "hol", "holds"};
        for (size_t w = 0; w < CM_ARRAY_LEN(wrong); w++) {
            (void)snprintf(record, sizeof record, lists[l].format, wrong[w]);
            expect(record, strlen(record), "!range");
        }
    }
#pragma GCC diagnostic pop
    static const struct sample ends[] = {
        {"{" CDR ",\"end\":\"caller\"}", OK " end=1"},
        {"{" CDR ",\"end\":\"agent\"}", OK " end=2"},
        {"{" CDR ",\"end\":\"system\"}", OK " end=3"},
        {"{" CDR ",\"end\":\"transfer\"}", OK " end=4"},
        {"{" CDR ",\"end\":\"\"}", "!range"},
        {"{" CDR ",\"end\":\"none\"}", "!range"},
        {"{\"type\":\"CDR\",\"id\":\"i\",\"ts\":5}", "!range"},
        {"{\"type\":\"\",\"id\":\"i\",\"ts\":5}", "!range"},
    };
    expect_all(ends, CM_ARRAY_LEN(ends));
}

static void test_grammar(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {"", "!malformed"},
        {" ", "!malformed"},
        {"\n", "!malformed"},
        {"{", "!malformed"},
        {"}", "!malformed"},
        {"{}", "!missing"},
        {" { } ", "!missing"},
        {"{}       ", "!missing"},
        {"{\"a\":1}\n\n\n", "!missing"},
        {"{\"abc}  ", "!malformed"},
        {"{ } x", "!malformed"},
        {"{}{}", "!malformed"},
        {"{},", "!malformed"},
        {"[]", "!malformed"},
        {"null", "!malformed"},
        {"\"x\"", "!malformed"},
        {"12345678901", "!malformed"},
        {"[{" CDR "}]", "!malformed"},
        {"\xef\xbb\xbf{" CDR "}", "!malformed"},
        {" \t\r\n{" CDR "} \t\r\n", OK},
        {"\v{" CDR "}", "!malformed"},
        {"{" CDR "}\f", "!malformed"},
        {"{" CDR ",}", "!malformed"},
        {"{," CDR "}", "!malformed"},
        {"{" CDR, "!malformed"},
        {"{" CDR ",", "!malformed"},
        {"{" CDR ",\"", "!malformed"},
        {"{" CDR ",\"a", "!malformed"},
        {"{" CDR ",\"a\"", "!malformed"},
        {"{" CDR ",\"a\":", "!malformed"},
        {"{" CDR ",\"a\":}", "!malformed"},
        {"{" CDR ",\"a\":1", "!malformed"},
        {"{" CDR ",\"wait_ms\":1", "!malformed"},
        {"{" CDR ",\"a\" 1}", "!malformed"},
        {"{" CDR ",a:1}", "!malformed"},
        {"{" CDR ",'a':1}", "!malformed"},
        {"{" CDR ",\"a\":01}", "!malformed"},
        {"{" CDR ",\"wait_ms\":01}", "!malformed"},
        {"{" CDR ",\"wait_ms\":+1}", "!malformed"},
        {"{" CDR ",\"wait_ms\":.5}", "!malformed"},
        {"{" CDR ",\"wait_ms\":1.}", "!malformed"},
        {"{" CDR ",\"wait_ms\":NaN}", "!malformed"},
        {"{" CDR ",\"a\":tru}", "!malformed"},
        {"{" CDR ",\"a\":\"\\x\"}", "!malformed"},
        {"{" CDR ",\"a\":\"\t\"}", "!malformed"},
        {"{" CDR ",\"\t\":1}", "!malformed"},
        {"{" CDR " /* no */}", "!malformed"},
        {"{" CDR ",\"checks\":{\"a\":true,}}", "!malformed"},
        {"{" CDR ",\"checks\":{\"a\" true}}", "!malformed"},
        {"{" CDR ",\"checks\":{\"a\":true", "!malformed"},
        {"{" CDR ",\"checks\":{\"a\":true]}", "!malformed"},
        {"{" CDR ",\"checks\":{", "!malformed"},
        {"{ \"type\" : \"cdr\" ,\n\"id\"\t:\r\"i\" , \"ts\" : 5 , \"outcome\" : \"answered\" , "
         "\"checks\" : { \"a\" : true , \"b\" : null } }",
         OK " a:1 b:-1"},
        {"{" CDR ",\"\":1,\"x\":{\"type\":\"case\",\"id\":[1,{\"ts\":9}]},\"transferss\":-1,"
         "\"transfer\":[]}",
         OK},
    };
    expect_all(samples, CM_ARRAY_LEN(samples));
    expect("{" CDR "}\0", sizeof("{" CDR "}\0") - 1, "!malformed");
    expect("{" CDR ",\"a\":\"\0\"}", sizeof("{" CDR ",\"a\":\"\0\"}") - 1, "!malformed");
    expect("\0{" CDR "}", sizeof("\0{" CDR "}") - 1, "!malformed");
    expect("\0", 1, "!malformed");
    struct cm_decoder *decoder = cm_decoder_create();
    struct cm_event event;
    assert_int_equal(cm_decode(decoder, NULL, 0, &event), CM_REASON_MALFORMED);
    cm_decoder_destroy(decoder);
}

static void test_characters(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {"{" CDR ",\"seat\":\"\xe5\xba\xa7\xe5\xb8\xad\xf0\x9f\x98\x80\"}",
         OK " seat=\xe5\xba\xa7\xe5\xb8\xad\xf0\x9f\x98\x80"},
        {"{" CDR ",\"seat\":\"\\u5ea7\\ud83d\\ude00\\n\\\"\\\\\\/\"}",
         OK " seat=\xe5\xba\xa7\xf0\x9f\x98\x80\n\"\\/"},
        {"{" CDR ",\"a\":\"\xc3\"}", "!utf8"},
        {"{" CDR ",\"a\":\"\xc0\x80\"}", "!utf8"},
        {"{" CDR ",\"a\":\"\xe0\x80\x80\"}", "!utf8"},
        {"{" CDR ",\"a\":\"\xed\xa0\x80\"}", "!utf8"},
        {"{" CDR ",\"a\":\"\xf4\x90\x80\x80\"}", "!utf8"},
        {"{" CDR ",\"a\":\"\xf5\x80\x80\x80\"}", "!utf8"},
        {"{" CDR ",\"a\":\"\xff\"}", "!utf8"},
        {"{" CDR ",\"\x80\":1}", "!utf8"},
        {"{" CDR "}\xbf", "!utf8"},
        {"\xff", "!utf8"},
        {"\xe4\xb8\xad", "!malformed"},
        {"{\"\xff\" oops", "!utf8"},
        {"{" CDR ",\"a\":\"\\ud800\"}", "!utf8"},
        {"{" CDR ",\"a\":\"\\udc00\\ud800\"}", "!utf8"},
        {"{" CDR ",\"\\udfff\":1}", "!utf8"},
        {"{" CDR ",\"checks\":{\"\\ud83d\":true}}", "!utf8"},
        {"{" CDR ",\"x\":[{\"y\":\"\\ud83dx\"}]}", "!utf8"},
        {"{\"a\":\"\\ud800\"}", "!utf8"},
        {"{\"a\":\"\\ud800\",}", "!malformed"},
        {"{" CDR ",\"seat\":\"\\ud800\",\"seat\":\"s\"}", "!utf8"},
    };
    expect_all(samples, CM_ARRAY_LEN(samples));
    struct cm_decoder *decoder = cm_decoder_create();
    struct cm_event event;
    const char record[] =
        "{" CDR ",\"seat\":\"a\\u0000b\",\"checks\":{\"\\u0000\":true,\"\":false}}";
    assert_int_equal(cm_decode(decoder, record, sizeof record - 1, &event), CM_REASON_NONE);
    assert_int_equal(event.seat.len, 3);
    assert_memory_equal(event.seat.p, "a\0b", 3);
    assert_int_equal(event.checks_count, 2);
    assert_int_equal(event.checks[0].name.len, 1);
    assert_int_equal(event.checks[1].name.len, 0);
    cm_decoder_destroy(decoder);
}

static void test_escaped_keys_and_words(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {"{\"\\u0074ype\":\"c\\u0064r\",\"\\u0069\\u0064\":\"\\u0069\",\"\\u0074\\u0073\":5,"
         "\"\\u006f\\u0075\\u0074\\u0063\\u006f\\u006d\\u0065\":\"answere\\u0064\"}",
         OK},
        {"{" CDR ",\"\\u0074\\u0072\\u0061\\u006e\\u0073\\u0066\\u0065\\u0072\\u0073\":3}",
         OK " transfers=3"},
        {"{" CDR ",\"transfer\\u0073\":3,\"wait\\u005fms\":4}", OK " wait=4 transfers=3"},
        {"{" CDR ",\"\\u0074\\u0072\\u0061\\u006e\\u0073\\u0066\\u0065\\u0072\\u0073\\u0073\\u0073"
         "\\u0073\":-3}",
         OK},
        {"{" CDR ",\"wait_ms\\u0000\":-1,\"rev\\u0000\":\"x\",\"\\u0000\":1}", OK},
        {"{" CDR ",\"checks\":{\"\\u0061\":true,\"a\":false}}", OK " a:0"},
        {"{\"type\":\"cdr\",\"id\":\"i\",\"ts\":\"1970-01-01T00:00:00\\u002e005\\u005a\","
         "\"outcome\":\"answered\"}",
         OK},
    };
    expect_all(samples, CM_ARRAY_LEN(samples));
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {"{" CDR
         ",\"wait_ms\":604800000,\"ring_ms\":604800000,\"talk_ms\":604800000,\"hold_ms\":604800000,"
         "\"acw_ms\":604800000}",
         OK " wait=604800000 ring=604800000 talk=604800000 hold=604800000 acw=604800000"},
        {"{" CDR ",\"wait_ms\":604800001}", "!range"},
        {"{" CDR ",\"ring_ms\":604800001}", "!range"},
        {"{" CDR ",\"talk_ms\":604800001}", "!range"},
        {"{" CDR ",\"hold_ms\":604800001}", "!range"},
        {"{" CDR ",\"acw_ms\":604800001}", "!range"},
        {"{" CDR ",\"acw_ms\":-1}", "!range"},
        {"{" CDR ",\"wait_ms\":-0}", OK},
        {"{" CDR ",\"wait_ms\":0}", OK},
        {"{" CDR ",\"wait_ms\":1.0}", "!type"},
        {"{" CDR ",\"wait_ms\":1e3}", "!type"},
        {"{" CDR ",\"wait_ms\":-1.5}", "!type"},
        {"{" CDR ",\"wait_ms\":\"1\"}", "!type"},
        {"{" CDR ",\"wait_ms\":null}", "!type"},
        {"{" CDR ",\"wait_ms\":[1]}", "!type"},
        {"{" CDR ",\"wait_ms\":18446744073709551616}", "!range"},
        {"{" CDR ",\"wait_ms\":18446744073709551617}", "!range"},
        {"{" CDR ",\"wait_ms\":4294967296}", "!range"},
        {"{" CDR ",\"hold_n\":4294967295,\"transfers\":4294967295,\"rev\":4294967295}",
         OK " hold_n=4294967295 transfers=4294967295 rev=4294967295"},
        {"{" CDR ",\"hold_n\":4294967296}", "!range"},
        {"{" CDR ",\"transfers\":4294967296}", "!range"},
        {"{" CDR ",\"rev\":4294967296}", "!range"},
        {"{" CDR ",\"rev\":-1}", "!range"},
        {"{" CDR ",\"rating\":0}", OK " rating=0"},
        {"{" CDR ",\"rating\":-0}", OK " rating=0"},
        {"{" CDR ",\"rating\":100}", OK " rating=100"},
        {"{" CDR ",\"rating\":101}", "!range"},
        {"{" CDR ",\"rating\":-1}", "!range"},
        {"{" CDR ",\"rating\":256}", "!range"},
        {"{" CDR ",\"rating\":50.0}", "!type"},
        {"{" CDR ",\"rating\":null}", "!type"},
        {"{" CDR ",\"on_hold\":true}", OK " on_hold=1"},
        {"{" CDR ",\"on_hold\":false}", OK},
        {"{" CDR ",\"on_hold\":1}", "!type"},
        {"{" CDR ",\"on_hold\":null}", "!type"},
        {"{" CDR ",\"on_hold\":\"true\"}", "!type"},
    };
    expect_all(samples, CM_ARRAY_LEN(samples));
}

static void test_time(void **state)
{
    (void)state;
    static const struct {
        const char *ts, *expected;
    } times[] = {
        {"0", "0"},
        {"4102444800000", "4102444800000"},
        {"4102444800001", "!range"},
        {"-1", "!range"},
        {"99999999999999999999", "!range"},
        {"1.5", "!type"},
        {"1e12", "!type"},
        {"true", "!type"},
        {"null", "!type"},
        {"{}", "!type"},
        {"\"1999-02-01T00:00:00Z\"", "917827200000"},
        {"\"1999-02-01T08:00:00.25+08:00\"", "917827200250"},
        {"\"2099-12-31T23:59:59.999Z\"", "4102444799999"},
        {"\"1970-01-01T00:00:00Z\"", "0"},
        {"\"1970-01-01T00:00:00+08:00\"", "!range"},
        {"\"1999-02-29T00:00:00Z\"", "!range"},
        {"\"1999-02-01\"", "!range"},
        {"\"917827200000\"", "!range"},
        {"\"\"", "!range"},
    };
    char record[256];
    char expected[128];
    for (size_t i = 0; i < CM_ARRAY_LEN(times); i++) {
        (void)snprintf(record, sizeof record,
                       "{\"type\":\"cdr\",\"id\":\"i\",\"ts\":%s,\"outcome\":\"answered\"}",
                       times[i].ts);
        (void)snprintf(expected, sizeof expected, "cdr id=i ts=%s outcome=0", times[i].expected);
        expect(record, strlen(record), times[i].expected[0] == '!' ? times[i].expected : expected);
    }
}

/* The field at its greatest length, one byte more, empty, not a string. `base` lacks the field. */
static void text_field(const char *base, const char *field, size_t most, const char *empty)
{
    char text[80];
    char record[512];
    struct cm_decoder *decoder = cm_decoder_create();
    struct cm_event event;
    memset(text, 'x', sizeof text);
    int len = snprintf(record, sizeof record, "{%s,\"%s\":\"%.*s\"}", base, field, (int)most, text);
    assert_int_equal(cm_decode(decoder, record, (size_t)len, &event), CM_REASON_NONE);
    len = snprintf(record, sizeof record, "{%s,\"%s\":\"%.*s\\u0041\"}", base, field, (int)most - 1,
                   text);
    assert_int_equal(cm_decode(decoder, record, (size_t)len, &event), CM_REASON_NONE);
    len = snprintf(record, sizeof record, "{%s,\"%s\":\"%.*s\"}", base, field, (int)most + 1, text);
    expect(record, (size_t)len, "!range");
    len = snprintf(record, sizeof record, "{%s,\"%s\":\"%.*s\\u00e9\"}", base, field, (int)most - 1,
                   text);
    expect(record, (size_t)len, "!range");
    len = snprintf(record, sizeof record, "{%s,\"%s\":\"\"}", base, field);
    enum cm_reason reason = cm_decode(decoder, record, (size_t)len, &event);
    assert_string_equal(reason_names[reason], empty);
    static const char *const wrong[] = {"1", "null", "true", "[]", "{}", "1.5"};
    for (size_t i = 0; i < CM_ARRAY_LEN(wrong); i++) {
        len = snprintf(record, sizeof record, "{%s,\"%s\":%s}", base, field, wrong[i]);
        expect(record, (size_t)len, "!type");
    }
    cm_decoder_destroy(decoder);
}

static void test_texts(void **state)
{
    (void)state;
    text_field("\"type\":\"cdr\",\"ts\":5,\"outcome\":\"answered\"", "id", 64, "!missing");
    text_field(CDR, "call", 64, "!none");
    text_field(CDR, "seat", 32, "!none");
    text_field(CDR, "agent", 32, "!none");
    text_field(CDR, "queue", 32, "!none");
    text_field(CDR, "centre", 32, "!none");
    text_field(CDR, "ch", 16, "!none");
    static const char enter[] = "\"type\":\"queue_enter\",\"id\":\"i\",\"ts\":5";
    char base[128];
    (void)snprintf(base, sizeof base, "%s,\"queue\":\"q\"", enter);
    text_field(base, "call", 64, "!missing");
    (void)snprintf(base, sizeof base, "%s,\"call\":\"q\"", enter);
    text_field(base, "queue", 32, "!missing");
    static const char check[] = "\"type\":\"case\",\"id\":\"i\",\"ts\":5,\"step\":\"opened\"";
    (void)snprintf(base, sizeof base, "%s,\"seat\":\"s\",\"kind\":\"k\"", check);
    text_field(base, "case", 64, "!missing");
    (void)snprintf(base, sizeof base, "%s,\"seat\":\"s\",\"case\":\"k\"", check);
    text_field(base, "kind", 32, "!missing");
    (void)snprintf(base, sizeof base, "%s,\"case\":\"c\",\"kind\":\"k\"", check);
    text_field(base, "seat", 32, "!missing");
}

static void test_required(void **state)
{
    (void)state;
    static const struct {
        const char *type, *members[6];
    } types[] = {
        {"cdr", {"\"outcome\":\"timeout\""}},
        {"queue_enter", {"\"call\":\"c\"", "\"queue\":\"q\""}},
        {"queue_exit", {"\"call\":\"c\"", "\"queue\":\"q\""}},
        {"seat_state", {"\"seat\":\"s\"", "\"state\":\"acw\""}},
        {"check", {"\"seat\":\"s\"", "\"call\":\"c\"", "\"source\":\"spot\"", "\"checks\":{}"}},
        {"case", {"\"case\":\"c\"", "\"seat\":\"s\"", "\"kind\":\"k\"", "\"step\":\"onsite\""}},
    };
    struct cm_decoder *decoder = cm_decoder_create();
    struct cm_event event;
    for (size_t t = 0; t < CM_ARRAY_LEN(types); t++) {
        char type[32];
        (void)snprintf(type, sizeof type, "\"type\":\"%s\"", types[t].type);
        const char *members[8] = {type, "\"id\":\"i\"", "\"ts\":5"};
        size_t count = 3;
        for (size_t i = 0; types[t].members[i] != NULL; i++) {
            members[count++] = types[t].members[i];
        }
        /* without == count: all are there. */
        for (size_t without = 0; without <= count; without++) {
            struct cm_text record = {0};
            for (size_t i = 0; i < count; i++) {
                if (i != without) {
                    cm_text_addc(&record, record.len == 0 ? '{' : ',');
                    cm_text_adds(&record, members[i]);
                }
            }
            cm_text_addc(&record, '}');
            assert_int_equal(cm_decode(decoder, record.data, record.len, &event),
                             without == count ? CM_REASON_NONE : CM_REASON_MISSING);
            cm_text_free(&record);
        }
    }
    cm_decoder_destroy(decoder);
}

static void test_relevance(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        /* what belongs to other types is not looked at */
        {"{" CDR ",\"state\":1,\"source\":null,\"score\":\"x\",\"case\":[],\"kind\":{},\"step\":0,"
         "\"reason\":5}",
         OK},
        {"{\"type\":\"seat_state\",\"id\":\"i\",\"ts\":1,\"seat\":\"s\",\"state\":\"hold\","
         "\"outcome\":1,"
         "\"wait_ms\":-1,\"checks\":[{\"a\":1}],\"rating\":\"x\",\"end\":5,\"on_hold\":0,\"rev\":1."
         "5}",
         "seat_state id=i ts=1 seat=s state=4"},
        {"{\"type\":\"seat_state\",\"id\":\"i\",\"ts\":1,\"seat\":\"s\",\"state\":\"hold\","
         "\"checks\":{\"a\":true}}",
         "seat_state id=i ts=1 seat=s state=4"},
        {"{\"type\":\"queue_enter\",\"id\":\"i\",\"ts\":1,\"call\":\"c\",\"queue\":\"q\","
         "\"reason\":1}",
         "!type"},
        {"{\"type\":\"seat_state\",\"id\":\"i\",\"ts\":1,\"seat\":\"s\",\"state\":\"hold\","
         "\"reason\":null}",
         "!type"},
        {"{\"type\":\"case\",\"id\":\"i\",\"ts\":1,\"case\":\"k\",\"seat\":\"s\",\"kind\":\"k\","
         "\"step\":\"opened\","
         "\"reason\":1,\"score\":500}",
         "case id=i ts=1 seat=s case=k kind=k step=0"},
        /* the common ones always are */
        {"{\"type\":\"case\",\"id\":\"i\",\"ts\":1,\"case\":\"k\",\"seat\":\"s\",\"kind\":\"k\","
         "\"step\":\"opened\","
         "\"ch\":1}",
         "!type"},
        {"{\"type\":\"check\",\"id\":\"i\",\"ts\":1,\"seat\":\"s\",\"call\":\"c\",\"source\":"
         "\"self\",\"checks\":{},"
         "\"score\":100.1}",
         "!range"},
        {"{\"type\":\"check\",\"id\":\"i\",\"ts\":1,\"seat\":\"s\",\"call\":\"c\",\"source\":"
         "\"self\",\"checks\":{},"
         "\"score\":-0.1}",
         "!range"},
        {"{\"type\":\"check\",\"id\":\"i\",\"ts\":1,\"seat\":\"s\",\"call\":\"c\",\"source\":"
         "\"self\",\"checks\":{},"
         "\"score\":1e2}",
         "check id=i ts=1 call=c seat=s source=0"},
        {"{\"type\":\"check\",\"id\":\"i\",\"ts\":1,\"seat\":\"s\",\"call\":\"c\",\"source\":"
         "\"self\",\"checks\":{},"
         "\"score\":null}",
         "!type"},
    };
    expect_all(samples, CM_ARRAY_LEN(samples));
}

static void test_checks(void **state)
{
    (void)state;
#define NAME_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    static const struct sample samples[] = {
        {"{" CDR ",\"checks\":{}}", OK},
        {"{" CDR ",\"checks\":{\"b\":true,\"a\":false,\"c\":null}}", OK " b:1 a:0 c:-1"},
        {"{" CDR ",\"checks\":{\"b\":true,\"a\":false,\"b\":null}}", OK " b:-1 a:0"},
        {"{" CDR ",\"checks\":{\"b\":1,\"b\":true}}", OK " b:1"},
        {"{" CDR ",\"checks\":{\"b\":true,\"b\":1}}", "!type"},
        {"{" CDR ",\"checks\":{\"b\":{\"c\":[true]}}}", "!type"},
        {"{" CDR ",\"checks\":{\"b\":\"true\"}}", "!type"},
        {"{" CDR ",\"checks\":null}", "!type"},
        {"{" CDR ",\"checks\":[]}", "!type"},
        {"{" CDR ",\"checks\":true}", "!type"},
        {"{" CDR ",\"checks\":{\"a\":true},\"checks\":{\"b\":false}}", OK " b:0"},
        {"{" CDR ",\"checks\":[],\"checks\":{\"b\":false}}", OK " b:0"},
        {"{" CDR ",\"checks\":{\"b\":false},\"checks\":[]}", "!type"},
        {"{" CDR ",\"checks\":{\"" NAME_64 "\":true}}", OK " " NAME_64 ":1"},
        {"{" CDR ",\"checks\":{\"" NAME_64 "x\":true}}", "!range"},
        {"{" CDR ",\"checks\":{\"" NAME_64 "x\":1}}", "!type"},
        {"{" CDR ",\"checks\":{\"\\u0030123456789abcdef"
         "0123456789abcdef0123456789abcdef0123456789abcde\\u0066\":true}}",
         OK " " NAME_64 ":1"},
    };
    expect_all(samples, CM_ARRAY_LEN(samples));
}

static void test_repeats_and_precedence(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {"{" CDR ",\"wait_ms\":\"x\",\"wait_ms\":-5,\"wait_ms\":7}", OK " wait=7"},
        {"{" CDR ",\"wait_ms\":7,\"wait_ms\":-5}", "!range"},
        {"{" CDR ",\"wait_ms\":7,\"wait_ms\":\"x\"}", "!type"},
        {"{\"type\":5,\"type\":\"nope\"," CDR "}", OK},
        {"{" CDR ",\"type\":\"nope\"}", "!range"},
        {"{" CDR ",\"seat\":\"s\",\"seat\":\"\"}", OK},
        {"{" CDR ",\"id\":\"\"}", "!missing"},
        {"{" CDR ",\"\\u0074s\":9}", "cdr id=i ts=9 outcome=0"},
        /* missing before type before range, in whatever order they stand */
        {"{\"type\":\"cdr\",\"id\":5,\"outcome\":\"x\"}", "!missing"},
        {"{\"outcome\":\"x\",\"id\":5,\"type\":\"cdr\"}", "!missing"},
        {"{\"wait_ms\":-1,\"ring_ms\":\"x\"," CDR "}", "!type"},
        {"{" CDR ",\"ring_ms\":\"x\",\"wait_ms\":-1}", "!type"},
        {"{\"type\":7,\"id\":\"i\",\"ts\":-1}", "!type"},
        {"{\"type\":7,\"id\":\"i\"}", "!missing"},
        {"{\"type\":\"nope\",\"id\":\"i\"}", "!missing"},
        {"{\"type\":\"nope\",\"id\":1,\"ts\":1}", "!type"},
        {"{\"type\":null,\"id\":\"i\",\"ts\":1}", "!type"},
        {"{\"type\":\"cdr\",\"id\":\"i\",\"ts\":1,\"outcome\":null}", "!type"},
    };
    expect_all(samples, CM_ARRAY_LEN(samples));
}

/* {"x":[[…]]} with the array on levels 2 to `levels`, and something behind it. */
static void nested(struct cm_text *record, size_t levels, const char *tail)
{
    cm_text_adds(record, "{" CDR ",\"x\":");
    for (size_t i = 1; i < levels; i++) {
        cm_text_adds(record, i % 2 == 0 ? "{\"y\":" : "[");
    }
    cm_text_adds(record, "1");
    for (size_t i = levels - 1; i > 0; i--) {
        cm_text_addc(record, i % 2 == 0 ? '}' : ']');
    }
    cm_text_adds(record, tail);
}

static void test_depth_and_size(void **state)
{
    (void)state;
    static const struct {
        size_t levels;
        const char *tail, *expected;
    } cases[] = {
        {256, "}", OK},
        {257, "}", "!depth"},
        {9000, "}", "!depth"},
        {9000, ",}", "!malformed"},
        {257, ",\"a\":\"\\ud800\"}", "!utf8"},
        {257, ",\"a\":\"\xff\"}", "!utf8"},
        {257, ",\"wait_ms\":-1}", "!depth"},
    };
    for (size_t i = 0; i < CM_ARRAY_LEN(cases); i++) {
        struct cm_text record = {0};
        nested(&record, cases[i].levels, cases[i].tail);
        expect(record.data, record.len, cases[i].expected);
        cm_text_free(&record);
    }
    static char big[CM_RECORD_BYTES_MAX + 1];
    memset(big, ' ', sizeof big);
    memcpy(big, "{" CDR "}", sizeof("{" CDR "}") - 1);
    expect(big, CM_RECORD_BYTES_MAX, OK);
    expect(big, CM_RECORD_BYTES_MAX + 1, "!too_large");
    memset(big, 0xff, sizeof big);
    expect(big, CM_RECORD_BYTES_MAX + 1, "!too_large");
    expect(big, CM_RECORD_BYTES_MAX, "!utf8");
    memset(big, '[', sizeof big);
    expect(big, CM_RECORD_BYTES_MAX, "!malformed");
    for (size_t i = 0; i < 5; i++) {
        big[i] = "{\"x\":"[i];
    }
    expect(big, CM_RECORD_BYTES_MAX, "!malformed");
}

/* Levels below `checks` count from the record's object on. */
static void test_depth_in_checks(void **state)
{
    (void)state;
    for (size_t inner = 254; inner <= 255; inner++) {
        struct cm_text record = {0};
        cm_text_adds(&record, "{" CDR ",\"checks\":{\"a\":");
        for (size_t i = 0; i < inner; i++) {
            cm_text_addc(&record, '[');
        }
        for (size_t i = 0; i < inner; i++) {
            cm_text_addc(&record, ']');
        }
        cm_text_adds(&record, ",\"a\":true}}");
        expect(record.data, record.len, inner == 254 ? OK " a:1" : "!depth");
        cm_text_free(&record);
    }
}

/* The longest reason, and as many checks as fit; both through the scratch, and twice in one batch.
 */
static void test_large_members(void **state)
{
    (void)state;
    struct cm_decoder *decoder = cm_decoder_create();
    struct cm_event events[8];
    struct cm_text record = {0};
    cm_text_adds(&record, "{\"type\":\"seat_state\",\"id\":\"i\",\"ts\":1,\"seat\":\"s\",\"state\":"
                          "\"hold\",\"reason\":\"");
    while (record.len + 9 < CM_RECORD_BYTES_MAX) {
        cm_text_adds(&record, "\\u4e2d");
    }
    cm_text_adds(&record, "\"}");
    struct cm_text many = {0};
    cm_text_adds(&many, "{" CDR ",\"checks\":{");
    uint32_t count = 0;
    while (many.len + 16 < CM_RECORD_BYTES_MAX) {
        cm_text_addf(&many, "%s\"%x\":true", count == 0 ? "" : ",", (unsigned)count);
        count++;
    }
    cm_text_adds(&many, "}}");
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < CM_ARRAY_LEN(events); i++) {
            const struct cm_text *text = i % 2 == 0 ? &record : &many;
            assert_int_equal(cm_decode(decoder, text->data, text->len, &events[i]), CM_REASON_NONE);
        }
        for (size_t i = 0; i < CM_ARRAY_LEN(events); i += 2) {
            assert_int_equal(events[i].reason.len % 3, 0);
            assert_true(events[i].reason.len > 32000);
            for (uint32_t k = 0; k < events[i].reason.len; k += 3) {
                assert_memory_equal(events[i].reason.p + k, "\xe4\xb8\xad", 3);
            }
            assert_int_equal(events[i + 1].checks_count, count);
            char name[16];
            int len = snprintf(name, sizeof name, "%x", (unsigned)count - 1);
            const struct cm_check *last = &events[i + 1].checks[count - 1];
            assert_int_equal(last->name.len, len);
            assert_memory_equal(last->name.p, name, (size_t)len);
        }
        cm_decoder_reset(decoder);
    }
    cm_text_free(&record);
    cm_text_free(&many);
    cm_decoder_destroy(decoder);
}

/* Every record cut anywhere is malformed, whatever stood in memory behind it. */
static void test_cut_anywhere(void **state)
{
    (void)state;
    static const char record[] = "{\"type\":\"cdr\",\"id\":\"c1-1\",\"ts\":917820000000,\"seat\":"
                                 "\"s\\u0031\",\"outcome\":\"answered\","
                                 "\"wait_ms\":12345678,\"on_hold\":false,\"checks\":{\"greeting\":"
                                 "true,\"x\":null},\"y\":[1.5e3,{}],\"rev\":0}";
    for (size_t len = 0; len < sizeof record - 1; len++) {
        expect(record, len, "!malformed");
    }
    expect(record, sizeof record - 1,
           "cdr id=c1-1 ts=917820000000 outcome=0 seat=s1 wait=12345678 greeting:1 x:-1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_event_types),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_grammar),
        cmocka_unit_test(test_characters),
        cmocka_unit_test(test_escaped_keys_and_words),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_required),
        cmocka_unit_test(test_relevance),
        cmocka_unit_test(test_checks),
        cmocka_unit_test(test_repeats_and_precedence),
        cmocka_unit_test(test_depth_and_size),
        cmocka_unit_test(test_depth_in_checks),
        cmocka_unit_test(test_large_members),
        cmocka_unit_test(test_cut_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
