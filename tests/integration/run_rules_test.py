# SPDX-License-Identifier: Apache-2.0
"""run_rules_test.py: breach rules give the same events, live and replayed, once each, across restarts; a
changed roster takes effect while `callmill run` runs."""

import json
import signal
import threading
import time

import harness

START_MS = 1_706_000_000_000
HOUR_MS = 3_600_000
RULES = [
    {"name": "slow", "kind": "queue", "window": "15m", "metric": "asa_ms", "warn": "> 18000",
     "critical": "> 30000", "clear": "< 15000", "for": "30s", "keep": "1m", "min_n": 3, "cooldown": "2m"},
    {"name": "busy", "kind": "seat", "window": "5m", "metric": "offered", "warn": ">= 3", "keep": "30s"},
    {"name": "lost", "kind": "team", "window": "1h", "metric": "abandon_rate", "warn": "> 0.2", "min_n": 5,
     "escalate": [{"after": "5m", "to": "room"}, {"after": "20m", "to": "centre"}]},
    {"name": "day", "kind": "centre", "window": "day", "metric": "offered", "warn": "> 600"},
]


class Subscriber(threading.Thread):
    def __init__(self, redis, channel):
        super().__init__(daemon=True)
        self.client = harness.Resp(redis.port, timeout=None)
        self.client.call("SUBSCRIBE", channel)
        self.messages = []
        self.start()

    def run(self):
        try:
            while True:
                self.messages.append(json.loads(self.client.read()[2]))
        except (OSError, ValueError):
            pass


class Rules(harness.Case):
    def stream(self, run):
        """Events of the stream, in order."""
        entries = self.redis.client.call("XRANGE", run.prefix + "breaches", "-", "+")
        return [json.loads(harness.pairs(fields)["event"]) for _, fields in entries]

    def replayed_events(self, run, lines, watermark_ms):
        """Breach events of the same records up to a watermark. An event that counts nothing lets event
        time go on, as the clock does it live."""
        tail = {"type": "queue_enter", "id": "tail", "call": "tail", "queue": "q0",
                "ts": watermark_ms + 10_000}
        out = self.folder / "replayed.ndjson"
        self.replay(run, [self.file(lines + [harness.dump(tail)], "with-tail.ndjson")], "--breaches", str(out))
        events = [json.loads(line) for line in out.read_bytes().splitlines()]
        return [event for event in events if event["data"]["asof"] <= watermark_ms]

    def check_events(self, run, lines):
        """After the run has ended."""
        watermark_ms = int(self.redis.client.hash(run.prefix + "meta")["watermark"])
        wanted = self.replayed_events(run, lines, watermark_ms)
        found = self.stream(run)
        ids = [event["id"] for event in found]
        self.assertEqual(len(ids), len(set(ids)), "an id is in the stream twice")
        self.assertEqual(found, wanted)
        firing = {}
        for event in wanted:
            if event["type"].endswith(".cleared"):
                firing.pop(event["data"]["dedup_key"], None)
            else:
                firing[event["data"]["dedup_key"]] = event
        active = self.redis.client.hash(run.prefix + "breaches:active")
        self.assertEqual({key: json.loads(value) for key, value in active.items()}, firing)
        return wanted

    def common(self, **changes):
        rows = [(f"s{i}", f"t{i % 3}", f"r{i % 3 // 2}", "", "") for i in range(10)]
        return {"roster": self.roster(rows), "rules": RULES} | changes

    def breaches(self, workers):
        lines = list(harness.calls(21, 4_000, START_MS, 40 * HOUR_MS, seats=12))
        half = len(lines) // 2
        topic = self.topic(4)
        run = harness.Run(self, self.config(topic, workers=workers, **self.common()))
        listener = Subscriber(self.redis, run.prefix + "breaches")
        run.start()
        self.kafka.produce(topic, lines[:half], key=harness.key_of)
        run.wait_read(half)
        time.sleep(1.5)  # partitions become idle, the watermark goes on
        run.stop()
        first = self.check_events(run, lines[:half])
        self.assertGreater(len(first), 50)
        self.assertEqual({event["data"]["rule"] for event in first}, {"slow", "busy", "lost", "day"})
        self.assertEqual({event["type"].rsplit(".", 1)[1] for event in first},
                         {"raised", "escalated", "cleared"})
        harness.wait_for("the channel", 5, lambda: len(listener.messages) >= len(first))
        self.assertEqual(listener.messages, first)

        # A restart reads all once more and says nothing twice; then a death.
        run.start()
        run.wait_read(half)
        time.sleep(0.5)
        run.kill()
        ids = [event["id"] for event in self.stream(run)]
        self.assertEqual(len(ids), len(set(ids)))
        self.kafka.produce(topic, lines[half:], key=harness.key_of)
        run.start()
        run.wait_read(len(lines))
        time.sleep(1.5)
        run.stop()
        ids = [event["id"] for event in self.stream(run)]
        self.assertEqual(len(ids), len(set(ids)), "an id is in the stream twice")
        self.assertEqual(ids[:len(first)], [event["id"] for event in first])

        # The same records in one life.
        config = self.config(topic, "-whole", workers=workers, **self.common())
        whole = harness.Run(self, config, "whole").start()
        whole.wait_read(len(lines))
        time.sleep(1.5)
        whole.stop()
        self.check_events(whole, lines)

    def test_breaches_one_worker(self):
        self.breaches(1)

    def test_breaches_two_workers(self):
        self.breaches(2)

    def test_breaches_topic_and_redis_away(self):
        """Events wait for Redis; a topic gets them too."""
        lines = list(harness.calls(22, 2_000, START_MS, 20 * HOUR_MS, seats=12))
        topic, events_topic = self.topic(2), self.topic(1, "-breaches")
        self.kafka.produce(topic, lines, key=harness.key_of)
        self.redis.kill()
        run = harness.Run(self, self.config(topic, breaches={"topic": events_topic}, **self.common())).start()
        time.sleep(3)
        self.redis.start()
        run.wait_read(len(lines))
        time.sleep(1.5)
        run.stop()
        found = self.check_events(run, lines)
        produced = [json.loads(line) for line in self.kafka.consume(events_topic)]
        self.assertEqual(produced, found)

    def test_long_stream_is_not_said_twice(self):
        """More events than the newest thousand of the stream."""
        rules = [{"name": f"any{i}", "kind": "seat", "window": "5m", "metric": "offered", "warn": "> 0"}
                 for i in range(3)]
        lines = list(harness.calls(23, 3_000, START_MS, 60 * HOUR_MS, seats=12))
        topic = self.topic(2)
        run = harness.Run(self, self.config(topic, rules=rules)).start()
        self.kafka.produce(topic, lines, key=harness.key_of)
        run.wait_read(len(lines))
        time.sleep(1.5)
        run.stop()
        before = [event["id"] for event in self.stream(run)]
        self.assertGreater(len(before), 3_000)
        run.start()
        run.wait_read(len(lines))
        time.sleep(0.5)
        run.stop()
        after = [event["id"] for event in self.stream(run)]
        self.assertEqual(len(after), len(set(after)), "an id is in the stream twice")
        self.assertEqual(after[:len(before)], before)

    def test_roster_reload(self):
        """A move takes effect at its `from`, not when the file is read; a broken file changes nothing."""
        lines = list(harness.calls(24, 3_000, START_MS, 6 * HOUR_MS, seats=6))
        times = [json.loads(line)["ts"] for line in lines]
        third = len(lines) // 3
        move_ms = times[2 * third]
        move = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(move_ms // 1000)) + f".{move_ms % 1000:03d}Z"
        rows = [(f"s{i}", f"t{i % 2}", "r", "", "") for i in range(5)]
        config = self.config(self.topic(2), workers=2, roster=self.roster(rows))
        topic = config["source"]["kafka"]["topic"]
        run = harness.Run(self, config).start()
        self.kafka.produce(topic, lines[:third], key=harness.key_of)
        run.wait_read(third)

        rows += [("s0", "t7", "r7", "", move), ("s5", "t1", "r", "", "")]
        self.roster(rows)  # noticed without a signal
        harness.wait_for("the reload", 10, lambda: "roster.reloaded" in run.log_text())
        self.kafka.produce(topic, lines[third:2 * third], key=harness.key_of)
        run.wait_read(2 * third)

        (self.folder / "roster.csv").write_text("seat,team,room,centre,from\ns0,t1\n")
        run.process.send_signal(signal.SIGHUP)
        harness.wait_for("the refusal", 10, lambda: "roster.kept" in run.log_text())
        self.assertRegex(run.log_text(), r"roster\.csv:2")
        self.kafka.produce(topic, lines[2 * third:], key=harness.key_of)
        run.wait_read(len(lines))
        client = self.redis.client
        harness.wait_for("the new room's team", 5, lambda: client.call(
            "SMEMBERS", f"{run.prefix}members:room:r7") == ["t7"])
        run.stop()
        # s5 was not in the first roster: what came before the reload stays with the centre alone.
        self.roster([row if row[0] != "s5" else (*row[:4], "2024-01-01T00:00:00Z") for row in rows])
        early = [line for line in lines[:third] if json.loads(line).get("seat") == "s5"]
        self.assertTrue(early)
        found = self.published(run)
        self.assertIn(("team", "t7"), found)
        self.assertIn("s0", client.call("SMEMBERS", f"{run.prefix}members:team:t7"))
        self.assertNotIn("s0", client.call("SMEMBERS", f"{run.prefix}members:team:t0"))

        # A restart reads everything again with the roster as it is now.
        self.roster(rows)
        run.start()
        run.wait_read(len(lines))
        time.sleep(0.5)
        run.stop()
        self.check_current(run, [self.file(lines)])


if __name__ == "__main__":
    harness.main()
