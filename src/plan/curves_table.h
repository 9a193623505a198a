// SPDX-License-Identifier: Apache-2.0
/* curves_table.h — what was measured, once: the numbers that `callmill plan` reckons with, each
 * with the command that gave it. `bench/curves --table src/plan/curves_table.h` measures again and
 * puts the new values in; `bench/curves --out FILE` writes them for `callmill plan --curves FILE`.
 *
 * X(name, value, unit, what it is, command)
 *
 * A name ends in its unit. Names with 1k, 10k, 100k and 1m are points of one curve over the number
 * of seats. CPU times are user + system of the process in question, so other work on the machine
 * matters little to them; a shared core has cold caches, so they are rather high.
 */
#define CM_CURVES_MACHINE "AMD EPYC, 2 cores, gcc 12.2.0, 2026-11-28"

// clang-format off
#define CM_CURVES(X) \
    X(wake_cores,              0.0251, "cores", "Threads that wake up, a process; from about 1,000 records/s on it does not grow with them.", "freshness_probe --rate 10000 and 40000, ticks 1s: what no record accounts for") \
    X(consume_ns,                 442, "ns",    "A record from Kafka to the windows, live: what is left of a further one without decoding, windows and rows.", "freshness_probe --rate 10000 and 40000, ticks 1s; at least rdkafka_loop") \
    X(decode_ns,                 69.6, "ns",    "Decoding a record.", "replay_bench --records 400000") \
    X(apply_1k_ns,                927, "ns",    "A record in the windows with one sliding window; 1,000 seats.", "curves_bench") \
    X(apply_10k_ns,              1136, "ns",    "The same; 10,000 seats.", "curves_bench") \
    X(apply_100k_ns,             1764, "ns",    "The same; 100,000 seats.", "curves_bench") \
    X(apply_1m_ns,               3343, "ns",    "The same; 1,000,000 seats.", "curves_bench") \
    X(window_1k_ns,               434, "ns",    "Each further sliding window, a record; 1,000 seats.", "curves_bench") \
    X(window_10k_ns,              472, "ns",    "The same; 10,000 seats.", "curves_bench") \
    X(window_100k_ns,             709, "ns",    "The same; 100,000 seats.", "curves_bench") \
    X(window_1m_ns,               732, "ns",    "The same; 1,000,000 seats.", "curves_bench") \
    X(period_1k_ns,               111, "ns",    "Each calendar period, a record; 1,000 seats.", "curves_bench") \
    X(period_10k_ns,              126, "ns",    "The same; 10,000 seats.", "curves_bench") \
    X(period_100k_ns,              84, "ns",    "The same; 100,000 seats.", "curves_bench") \
    X(period_1m_ns,                 0, "ns",    "The same; 1,000,000 seats.", "curves_bench") \
    X(read_1k_ns,                83.4, "ns",    "Reading a changed row (a unit in a window) in a worker; 1,000 seats.", "curves_bench") \
    X(read_10k_ns,                121, "ns",    "The same; 10,000 seats.", "curves_bench") \
    X(read_100k_ns,               206, "ns",    "The same; 100,000 seats.", "curves_bench") \
    X(read_1m_ns,                 212, "ns",    "The same; 1,000,000 seats.", "curves_bench") \
    X(publish_units_ns,          1710, "ns",    "A row from the worker to Redis, layout units; callmill's CPU, without reading.", "freshness_probe --rate 10000, ticks 200ms, 1s") \
    X(publish_boards_ns,         1845, "ns",    "The same, layout boards.", "freshness_probe --rate 10000, ticks 200ms, 1s") \
    X(publish_both_ns,           1962, "ns",    "The same, both layouts.", "freshness_probe --rate 10000, ticks 200ms, 1s") \
    X(redis_units_ns,            1209, "ns",    "CPU of Redis a row, layout units.", "freshness_probe --rate 10000") \
    X(redis_boards_ns,           1668, "ns",    "The same, layout boards.", "freshness_probe --rate 10000") \
    X(redis_both_ns,             1992, "ns",    "The same, both layouts.", "freshness_probe --rate 10000") \
    X(redis_units_in_bytes,       860, "bytes", "Sent to Redis a row, layout units.", "freshness_probe --rate 10000, INFO total_net_input_bytes") \
    X(redis_boards_in_bytes,     1006, "bytes", "The same, layout boards.", "freshness_probe --rate 10000, INFO total_net_input_bytes") \
    X(redis_both_in_bytes,       1789, "bytes", "The same, both layouts.", "freshness_probe --rate 10000, INFO total_net_input_bytes") \
    X(redis_units_bytes,          913, "bytes", "Memory of Redis a unit and window, layout units.", "freshness_probe --rate 10000, INFO used_memory") \
    X(redis_boards_bytes,         974, "bytes", "The same, layout boards.", "freshness_probe --rate 10000, INFO used_memory") \
    X(redis_both_bytes,          1871, "bytes", "The same, both layouts.", "freshness_probe --rate 10000, INFO used_memory") \
    X(leg_1k_bytes,               168, "bytes", "A leg, its place in its pane, and the room there; 1,000 seats.", "memory_bench") \
    X(leg_10k_bytes,             94.8, "bytes", "The same; 10,000 seats.", "memory_bench") \
    X(leg_100k_bytes,            69.9, "bytes", "The same; 100,000 seats.", "memory_bench") \
    X(leg_1m_bytes,              69.9, "bytes", "The same; 1,000,000 seats: taken to be that of 100,000.", "memory_bench") \
    X(sum_bytes,                  291, "bytes", "The running sum of a unit in a window or period.", "memory_bench") \
    X(id_bytes,                    72, "bytes", "A remembered id.", "memory_bench") \
    X(judged_bytes,                24, "bytes", "A line of a leg that judgements may still find; its log has a chunk of room, 192 KiB at most.", "memory_bench") \
    X(unit_1k_bytes,             1070, "bytes", "Everything else that grew, a unit; 1,000 seats.", "memory_bench") \
    X(unit_10k_bytes,             414, "bytes", "The same; 10,000 seats.", "memory_bench") \
    X(unit_100k_bytes,            343, "bytes", "The same; 100,000 seats.", "memory_bench") \
    X(unit_1m_bytes,              343, "bytes", "The same; 1,000,000 seats: taken to be that of 100,000.", "memory_bench") \
    X(process_bytes,         15687680, "bytes", "A `callmill run` that has read one record.", "freshness_probe --rate 10000") \
    X(wire_none_share,           1.05, "share", "Bytes of the log a byte of records, no compression.", "callmill gen --codec none") \
    X(wire_lz4_share,           0.293, "share", "The same, lz4.", "callmill gen --codec lz4") \
    X(wire_zstd_share,          0.165, "share", "The same, zstd.", "callmill gen --codec zstd") \
    X(record_bytes,               348, "bytes", "A cdr record of `callmill gen`.", "callmill gen")
// clang-format on
