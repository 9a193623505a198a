# SPDX-License-Identifier: Apache-2.0
"""run_faults_test.py: what may go wrong around `callmill run`: bad records, a Redis that is away, comes back
empty or hangs, SIGTERM and kill -9 at any moment. In the end the figures equal the replay of the good
records, and no figure in Redis ever goes back in time."""

import base64
import json
import os
import signal
import time

import harness

START_MS = 1_706_000_000_000  # all of it in the past
HOUR_MS = 3_600_000


def leg(identity, ts, **changes):
    return {"type": "cdr", "id": identity, "ts": ts, "seat": "s1", "queue": "q1", "outcome": "answered",
            "wait_ms": 1000, "talk_ms": 60_000} | changes


def bad_records(ts):
    """(bytes, reason), one a kind of rubbish."""
    plain = harness.dump(leg("bad", ts))
    head = plain[:-1]
    return [
        (head + b',"pad":"' + b"x" * 70_000 + b'"}', "too_large"),
        (head + b',"pad":"' + b"x" * (65_537 - len(head) - 10) + b'"}', "too_large"),
        (b"\x00" * 20, "malformed"),
        (head + b',"pad":"\x00"}', "malformed"),
        (b"not json", "malformed"),
        (plain[:40], "malformed"),
        (plain + plain, "malformed"),
        (b"[" + plain + b"]", "malformed"),
        (head + b',"pad":01}', "malformed"),
        (head + b',"pad":"\xff\xfe"}', "utf8"),
        (head + b',"pad":"\xc0\x80"}', "utf8"),
        (head + b',"pad":' + b"[" * 400 + b"]" * 400 + b"}", "depth"),
        (harness.dump({key: value for key, value in leg("bad", ts).items() if key != "outcome"}), "missing"),
        (b"{}", "missing"),
        (harness.dump(leg("bad", ts, wait_ms="5")), "type"),
        (harness.dump(leg("bad", ts, on_hold=1)), "type"),
        (harness.dump(leg("bad", ts, checks=[])), "type"),
        (harness.dump(leg("bad", ts, outcome="lost")), "range"),
        (harness.dump(leg("bad", ts, rating=101)), "range"),
        (harness.dump(leg("bad", ts, seat="x" * 33)), "range"),
        (head + b',"ts":null}', "type"),
        (harness.dump(leg("bad", int(time.time() * 1000) + 2 * HOUR_MS)), "future"),
        (harness.dump(leg("bad", 1000)), "late"),
    ]


class Faults(harness.Case):
    def calls(self, seed=5, count=6_000, hours=30):
        return list(harness.calls(seed, count, START_MS, hours * HOUR_MS, seats=12))

    def common(self, **changes):
        rows = [(f"s{i}", f"t{i % 3}", f"r{i % 3 // 2}", "", "") for i in range(10)]
        return {"roster": self.roster(rows), "timezone": "Europe/London"} | changes

    # -- bad days -------------------------------------------------------------------------------------

    def test_bad_records(self):
        lines = self.calls(count=3_000)
        half = len(lines) // 2
        ts = json.loads(lines[half])["ts"]
        bad = bad_records(ts)
        # Strange, but good: the last of repeated keys counts, the largest record there may be.
        odd = harness.dump(leg("odd", ts))
        odd = b'{"seat":7,"ts":"nonsense",' + odd[1:-1] + b',"wait_ms":2000}'
        large = harness.dump(leg("large", ts))[:-1] + b',"pad":"'
        large += b"x" * (65_536 - len(large) - 2) + b'"}'
        self.assertEqual(len(large), 65_536)
        again = lines[half - 1]
        topic = self.topic(1)
        dead = self.folder / "dead.ndjson"
        run = harness.Run(self, self.config(topic, dead_letters={"file": str(dead)}, periods=["day"],
                                            **self.common())).start()
        self.kafka.produce(topic, lines[:half], partition=0)
        run.wait_read(half)
        time.sleep(0.5)  # lateness is judged by the watermark of the last tick
        self.kafka.produce_blobs(topic, [blob for blob, _ in bad] + [odd, large, again], 0)
        self.kafka.produce(topic, lines[half:], partition=0)
        records = len(lines) + len(bad) + 3
        meta = run.wait_read(records)
        late = [reason for _, reason in bad].count("late")
        revised = sum('"rev":1' in line.decode() for line in lines)
        self.assertEqual(
            {name: int(meta[name]) for name in ("records", "bad", "late", "duplicates", "revised", "counted")},
            {"records": records, "bad": len(bad) - late, "late": late, "duplicates": 1, "revised": revised,
             "counted": len(lines) + 2 - revised})
        run.stop()
        self.check_current(run, [self.file(lines + [odd, large])])
        self.check_dead_letters(dead, topic, bad, half)

        # A restart reads them once more, to rebuild; they are not written down twice.
        run.start()
        run.wait_read(1)
        run.stop()
        self.check_dead_letters(dead, topic, bad, half)

    def check_dead_letters(self, dead, topic, bad, first_offset):
        letters = [json.loads(line) for line in dead.read_bytes().splitlines()]
        self.assertEqual([(letter["topic"], letter["partition"], letter["offset"], letter["reason"])
                          for letter in letters],
                         [(topic, 0, first_offset + i, reason) for i, (_, reason) in enumerate(bad)])
        for letter, (blob, _) in zip(letters, bad):
            if "record" in letter:
                self.assertEqual(letter["record"].encode(), blob)
            else:
                self.assertEqual(base64.b64decode(letter["record_base64"]), blob)

    def test_rubbish_goes_to_a_topic(self):
        topic, letters = self.topic(2), self.topic(1, "-dead")
        run = harness.Run(self, self.config(topic, workers=2, dead_letters={"topic": letters})).start()
        lines = self.calls(count=500)
        self.kafka.produce(topic, [b"rubbish-%d" % i for i in range(300)])
        self.kafka.produce(topic, lines, key=harness.key_of)
        meta = run.wait_read(300 + len(lines))
        self.assertEqual(meta["bad"], "300")
        run.stop()
        found = self.kafka.consume(letters)
        self.assertEqual({json.loads(line)["record"] for line in found},
                         {f"rubbish-{i}" for i in range(300)})
        self.check_current(run, [self.file(lines)])

    # -- Redis ----------------------------------------------------------------------------------------

    def test_redis_comes_late(self):
        lines = self.calls()
        topic = self.topic(2)
        self.kafka.produce(topic, lines, key=harness.key_of)
        self.redis.kill()
        run = harness.Run(self, self.config(topic, workers=2, **self.common())).start()
        time.sleep(2)
        run.check_alive()
        self.redis.start()
        run.wait_read(len(lines), 20)
        run.stop()
        events = self.file(lines)
        self.check_current(run, [events])
        self.assertGreater(self.check_history(run, [events]), 10, "days that closed while Redis was away")

    def test_redis_dies_and_comes_back_empty(self):
        lines = self.calls()
        half = len(lines) // 2
        topic = self.topic(2)
        run = harness.Run(self, self.config(topic, **self.common())).start()
        self.kafka.produce(topic, lines[:half], key=harness.key_of)
        run.wait_read(half)
        self.redis.kill()
        self.kafka.produce(topic, lines[half:], key=harness.key_of)
        time.sleep(0.5)
        self.redis.start()
        begin = time.monotonic()
        run.wait_read(len(lines), 20)
        self.assertLess(time.monotonic() - begin, 5 * harness.SLOW, "until all figures are back")
        found = self.published(run)
        for kind in ("seat", "team", "room", "centre", "queue"):
            for unit in self.redis.client.call("SMEMBERS", f"{run.prefix}units:{kind}"):
                self.assertIn((kind, unit), found)
        run.stop()
        self.check_current(run, [self.file(lines)])

    def test_redis_hangs(self):
        lines = self.calls()
        third = len(lines) // 3
        topic = self.topic(2)
        run = harness.Run(self, self.config(topic, **self.common())).start()
        self.kafka.produce(topic, lines[:third], key=harness.key_of)
        run.wait_read(third)
        self.redis.signal(signal.SIGSTOP)
        try:
            self.kafka.produce(topic, lines[third:], key=harness.key_of)
            time.sleep(3)
            run.check_alive()
        finally:
            self.redis.signal(signal.SIGCONT)
        run.wait_read(len(lines), 20)
        run.stop()
        self.check_current(run, [self.file(lines)])

    def test_redis_hangs_while_it_ends(self):
        """The last figures are waited for: all rows of the last tick are there, not the part that found
        room in a socket."""
        lines = self.calls()
        third = len(lines) // 3
        topic = self.topic(2)
        run = harness.Run(self, self.config(topic, **self.common())).start()
        self.kafka.produce(topic, lines[:third], key=harness.key_of)
        run.wait_read(third)
        self.redis.signal(signal.SIGSTOP)
        try:
            self.kafka.produce(topic, lines[third:], key=harness.key_of)
            time.sleep(1 * harness.SLOW)  # it reads them
            run.process.terminate()
            time.sleep(4)
            run.check_alive()
        finally:
            self.redis.signal(signal.SIGCONT)
        self.assertEqual(run.process.wait(8 * harness.SLOW), 0)
        self.assertIn(f"run.stopped records={len(lines)}", run.log_text())
        self.check_current(run, [self.file(lines)])

    # -- ends and beginnings --------------------------------------------------------------------------

    def test_restart_after_sigterm(self):
        """Figures, dead or alive, are those of a run that never ended; nothing is read again that no
        window needs."""
        lines = self.calls(count=8_000, hours=100)
        part = len(lines) * 3 // 4
        topic = self.topic(3)
        config = self.config(topic, workers=2, windows=["5m/5s", "1h/1m"], periods=["day"],
                             compliance={"judge_within": "0s"}, **self.common())
        run = harness.Run(self, config).start()
        self.kafka.produce(topic, lines[:part], key=harness.key_of)
        run.wait_read(part)
        took = run.stop()
        self.assertLess(took, 5 * harness.SLOW)
        self.check_current(run, [self.file(lines[:part], "before.ndjson")])
        monitor = self.monitor(run)
        self.kafka.produce(topic, lines[part:], key=harness.key_of)
        run.start()
        rest = len(lines) - part
        meta = run.wait_read(rest)
        self.assertLess(int(meta["records"]), len(lines) // 2, "the whole log was read again")
        run.stop()
        events = self.file(lines)
        self.check_current(run, [events])
        self.check_history(run, [events])
        monitor.end()
        self.assertEqual(monitor.regress, [])
        self.assertGreater(monitor.looks, 5)

    def test_restart_without_news(self):
        """The figures go on at once, though no event comes: event time goes on while nobody runs."""
        lines = self.calls(count=2_000, hours=5)
        topic = self.topic(2)
        run = harness.Run(self, self.config(topic, periods=["day"], **self.common())).start()
        self.kafka.produce(topic, lines, key=harness.key_of)
        run.wait_read(len(lines))
        time.sleep(4)
        for end in (run.stop, run.kill):
            end()
            before = int(self.redis.client.hash(run.prefix + "meta")["asof"])
            run.start()
            harness.wait_for("new figures", 6, lambda: run.meta().get("asof") != str(before)
                             and run.meta().get("lag") == "0")
            self.assertGreater(int(run.meta()["asof"]), before)
        run.stop()
        self.check_current(run, [self.file(lines)])

    def kill_in_the_middle(self, workers):
        """kill -9 again and again while a topic is read that takes a while."""
        lines = harness.shifted(harness.with_states(5, self.calls(count=2_500, hours=20)), 30, 20 * HOUR_MS)
        topic = self.topic(4)
        self.kafka.produce(topic, lines, key=harness.key_of, codec="lz4")
        config = self.config(topic, workers=workers, tick="50ms", periods=["day", "quarter"], **self.common())
        config["source"]["kafka"]["properties"] |= {"max.partition.fetch.bytes": "10000",
                                                    "fetch.wait.max.ms": "5"}
        run = harness.Run(self, config)
        monitor = self.monitor(run)
        ends = []
        for number, wait in enumerate((0.2, 0.6, 1.4, 0.4)):
            run.start()
            harness.wait_for("partitions", 30, lambda: run.log_text().count("group.assigned") > number)
            time.sleep(wait)
            run.check_alive()
            ends.append(run.meta().get("records", "none"))
            run.kill()
        harness.say(f"killed at {ends} of {len(lines)} records")
        run.start()
        meta = run.wait_read(len(lines), 90)
        harness.say({name: meta[name] for name in ("records", "counted", "revised", "duplicates")})
        run.stop()
        monitor.end()
        self.check_current(run, [self.file(lines)])
        self.assertEqual(monitor.regress, [])

    def test_killed_while_reading(self):
        self.kill_in_the_middle(1)

    def test_killed_while_reading_with_two_workers(self):
        self.kill_in_the_middle(2)

    def test_figures_do_not_sink_while_rebuilding(self):
        """What a quarter has counted can only grow: nobody may see it while it is half read again."""
        lines = harness.shifted(self.calls(count=2_500, hours=20), 30, 20 * HOUR_MS)
        topic = self.topic(4)
        self.kafka.produce(topic, lines, key=harness.key_of)
        run = harness.Run(self, self.config(topic, tick="20ms", periods=["quarter"], workers=2,
                                            **self.common())).start()
        run.wait_read(len(lines))
        client = self.redis.client
        for end in (run.stop, run.kill, run.kill):
            time.sleep(0.5)
            end()
            run.start()
            until = time.monotonic() + 3 * harness.SLOW
            counts = []
            while time.monotonic() < until and (not counts or run.meta().get("lag") != "0"):
                counts.append(json.loads(client.call("HGET", f"{run.prefix}centre:main", "quarter"))["offered"])
                time.sleep(0.005)
            self.assertEqual(counts, sorted(counts))
            run.wait_read(len(lines))
        run.stop()
        self.check_current(run, [self.file(lines)])

    def test_two_processes_then_one(self):
        """A second member takes half of the partitions and leaves again: the first rebuilds, and all is
        right once more; rules live through it."""
        lines = self.calls(count=9_000)
        third = len(lines) // 3
        rules = [{"name": "many", "kind": "team", "window": "5m", "metric": "offered", "warn": "> 3"}]
        topic = self.topic(4)
        config = self.config(topic, workers=2, rules=rules, **self.common())
        run = harness.Run(self, config).start()
        self.kafka.produce(topic, lines[:third], key=harness.key_of)
        run.wait_read(third)
        other = harness.Run(self, config | {"redis": config["redis"] | {"prefix": "elsewhere:"}}, "other")
        other.start()
        harness.wait_for("two members", 20, lambda: "partitions=2" in run.log_text())
        self.kafka.produce(topic, lines[third:2 * third], key=harness.key_of)
        harness.wait_for("the other begins", 40, lambda: "group.assigned" in other.log_text())
        time.sleep(1)
        run.check_alive()
        self.assertIn("kafka.waits_for_the_rest", other.log_text())
        other.stop()
        harness.wait_for("one member", 20, lambda: run.log_text().count("group.assigned") >= 3)
        self.kafka.produce(topic, lines[2 * third:], key=harness.key_of)
        run.wait_read(len(lines), 30)
        time.sleep(0.3)
        run.stop()
        self.check_current(run, [self.file(lines)])

    def test_sigint_and_no_servers(self):
        """SIGINT ends like SIGTERM; without broker and Redis too, in time."""
        config = self.config("nowhere")
        config["source"]["kafka"]["brokers"] = f"127.0.0.1:{harness.free_port()}"
        config["redis"]["address"] = f"127.0.0.1:{harness.free_port()}"
        run = harness.Run(self, config).start()
        time.sleep(1.5)
        run.check_alive()
        begin = time.monotonic()
        os.kill(run.process.pid, signal.SIGINT)
        self.assertEqual(run.process.wait(5 * harness.SLOW), 0)
        self.assertLess(time.monotonic() - begin, 5 * harness.SLOW)


if __name__ == "__main__":
    harness.main()
