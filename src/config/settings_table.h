// SPDX-License-Identifier: Apache-2.0
/* settings_table.h — every setting, once. struct, parser, bounds, --help, overrides, `check` and
 * docs/settings.md all come from these rows.
 *
 * X(path, field, TYPE, default, low, high, doc)
 *
 *   path     where it stands in the file; `-o path=value`; CALLMILL_ and the path with underscores
 *            in the environment
 *
 *   TYPE     STRING const char * · DURATION int64_t ms · COUNT int64_t · BOOL bool · WORD int
 *            (index in `low`, a list of words parted by |) · the composite ones: see config.h
 *
 *   default  text in the grammar of the file; "" for none
 *
 *   low/high bounds in the grammar of the type; for WORD `low` is the list of words
 */
// clang-format off
#define CM_SETTINGS(X) \
    X("source.kafka.brokers",    brokers,     STRING,     "",                "", "", "Kafka brokers as host:port, parted by commas. `run` needs it.") \
    X("source.kafka.topic",      topic,       STRING,     "call-events",     "", "", "Topic of the call events.") \
    X("source.kafka.group",      group,       STRING,     "callmill",        "", "", "Consumer group; instances with one group share the partitions.") \
    X("source.kafka.start",      start,       STRING,     "earliest",        "", "", "Where the group has no position: earliest, latest, a time (RFC 3339), or a duration back from now (2h).") \
    X("source.kafka.plane",      plane,       WORD,       "auto",            "auto|io_uring|epoll|librdkafka", "", "Who carries the records: callmill itself over io_uring or epoll, or librdkafka. auto: itself where connections are plain (with SASL PLAIN or SCRAM or without), over io_uring where it is allowed.") \
    X("source.kafka.properties", properties,  PROPERTIES, "{}",              "", "", "librdkafka's own settings, e.g. security.protocol. Names ending in password or secret take file:PATH or env:NAME only.") \
    X("source.kafka.idle",       idle_ms,     DURATION,   "5s",              "100ms", "1h", "A partition read to its end and silent for so long no longer holds the watermark back.") \
    X("workers",                 workers,     COUNT,      "0",               "0", "256", "Threads that decode and aggregate; 0 = as many as there are cores.") \
    X("redis.address",           redis_address, STRING,   "127.0.0.1:6379",  "", "", "host:port of Redis, or unix:PATH.") \
    X("redis.prefix",            redis_prefix,  STRING,   "cm:",             "", "", "What every key begins with.") \
    X("redis.database",          redis_database, COUNT,   "0",               "0", "65535", "Database number.") \
    X("redis.username",          redis_username, STRING,  "",                "", "", "ACL user; empty: the default user.") \
    X("redis.password_file",     redis_password_file, STRING, "",            "", "", "File whose first line is the password. Never the password itself.") \
    X("redis.answers",           redis_answers, WORD,     "auto",            "auto|each", "", "auto: rows of larger ticks are not answered one by one where Redis (6.2 and later) counts what it refuses; each: every write is answered.") \
    X("timezone",                timezone,    STRING,     "Asia/Shanghai",   "", "", "IANA zone of the centre; calendar periods follow it.") \
    X("centre",                  centre,      STRING,     "main",            "", "", "Centre of records and seats that name none.") \
    X("roster",                  roster,      STRING,     "",                "", "", "Roster file (.csv or .yaml), relative to the configuration file; empty: no roster.") \
    X("roster_watch",            roster_watch_ms, DURATION, "1s",            "0s", "1d", "How often `run` looks whether the roster file has changed, and loads it, all or nothing; 0s: on SIGHUP only.") \
    X("queues",                  queues,      QUEUES,     "{}",              "", "", "Queues and who owns them: {broadband: {owner: \"team:t7\"}}.") \
    X("windows",                 windows,     WINDOWS,    "[1m/1s, 5m/5s, 15m/15s, 1h/1m]", "", "", "Sliding windows as length/step; the step divides the length.") \
    X("periods",                 periods,     PERIODS,    "[day, week, month, quarter]", "", "", "Calendar periods in the centre's zone.") \
    X("tick",                    tick_ms,     DURATION,   "200ms",           "1ms", "1m", "How often changed figures are published.") \
    X("publish",                 publish,     LAYOUTS,    "[units, boards]", "", "", "Layouts written to Redis.") \
    X("history.keep",            history_keep_ms, DURATION, "400d",          "0s", "36500d", "How long closed periods stay in Redis; 0s: none are written.") \
    X("allowed_lateness",        allowed_lateness_ms, DURATION, "10s",       "0s", "1d", "How far event time may be out of order before an event counts as late.") \
    X("future_limit",            future_limit_ms, DURATION, "1m",            "0s", "1d", "Events further ahead of the wall clock are dead letters (`run` only).") \
    X("dedupe",                  dedupe_ms,   DURATION,   "10m",             "0s", "7d", "How long event ids are remembered, in event time.") \
    X("short_abandon",           short_abandon_ms, DURATION, "5s",           "0s", "1h", "An abandoned leg that waited no longer is a short one.") \
    X("abandonment.formula",     abandonment_formula, WORD, "net",           "gross|net", "", "Formula of abandon_rate.") \
    X("service_level.target",    service_target_ms, DURATION, "20s",         "0s", "1d", "Wait within which an answer meets the service level.") \
    X("service_level.formula",   service_formula, WORD,   "negative",        "answered|ignore|positive|negative", "", "Formula of service_level.") \
    X("compliance.checks",       checks,      CHECKS,     "{}",              "", "", "Weight and veto of named checks: {identity: {weight: 2, veto: true}}. An unlisted check weighs 1.") \
    X("compliance.rules",        check_rules, CHECK_RULES, "{}",             "", "", "Checks that judge the record itself: {hold_limit: {when: \"hold_ms <= 120000\", weight: 1}}.") \
    X("compliance.judge_within", judge_within_ms, DURATION, "7d",           "0s", "400d", "How long after a call a `check` event still finds it, in event time; 0s: never.") \
    X("orphan_after",            orphan_after_ms, DURATION, "4h",           "1s", "30d", "A waiting call that has not left its queue for so long is taken out of the gauges and counted.") \
    X("rankings",                rankings,    RANKINGS,   "[]",              "", "", "Sorted sets to keep: [{kind: seat, window: 1h, metric: aht_ms}].") \
    X("rules",                   rules,       RULES,      "[]",              "", "", "Breach rules; see docs/rules.md.") \
    X("snapshot.directory",      snapshot_directory, STRING, "",             "", "", "Where snapshots go. Not used in this version: state is rebuilt from the log.") \
    X("snapshot.every",          snapshot_every_ms, DURATION, "10s",         "100ms", "1d", "How often. Not used in this version.") \
    X("dead_letters.file",       dead_letters_file, STRING, "",              "", "", "File for records that did not count, JSON lines.") \
    X("dead_letters.topic",      dead_letters_topic, STRING, "",             "", "", "The same as a Kafka topic.") \
    X("breaches.topic",          breaches_topic, STRING,  "",                "", "", "Kafka topic for breach events, beside the Redis stream and channel.") \
    X("breaches.keep",           breaches_keep, COUNT,    "100000",          "1", "100000000", "Entries kept in the Redis stream.") \
    X("metrics.listen",          metrics_listen, STRING,  "",                "", "", "host:port of the Prometheus endpoint; empty: none.")
// clang-format on
