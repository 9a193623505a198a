# SPDX-License-Identifier: Apache-2.0
"""run_broker_test.py: a broker that is not there yet, that dies while `callmill run` reads, and comes back
with the same data: no record is lost or counted twice."""

import time

import harness

START_MS = 1_706_000_000_000
HOUR_MS = 3_600_000


class Broker(harness.Case):
    def test_comes_late(self):
        lines = list(harness.calls(11, 4_000, START_MS, 20 * HOUR_MS, seats=12))
        topic = self.topic(4)
        self.kafka.produce(topic, lines, key=harness.key_of)
        self.kafka.stop()
        run = harness.Run(self, self.config(topic, workers=2)).start()
        time.sleep(2)
        run.check_alive()
        self.kafka.start()
        meta = run.wait_read(len(lines))
        self.assertEqual(meta["records"], str(len(lines)))
        run.stop()
        self.check_current(run, [self.file(lines)])

    def test_dies_while_it_is_read(self):
        """Half of the topic comes while the broker dies twice, the rest after it."""
        lines = harness.shifted(list(harness.calls(12, 2_500, START_MS, 20 * HOUR_MS, seats=12)), 30,
                                20 * HOUR_MS)
        half = len(lines) // 2
        topic = self.topic(4)
        config = self.config(topic, workers=2, tick="50ms")
        config["source"]["kafka"]["properties"] |= {"max.partition.fetch.bytes": "10000",
                                                    "fetch.wait.max.ms": "5"}
        self.kafka.produce(topic, lines[:half], key=harness.key_of, codec="lz4")
        run = harness.Run(self, config).start()
        harness.wait_for("partitions", 30, lambda: "group.assigned" in run.log_text())
        ends = []
        for wait in (0.3, 0.6):
            time.sleep(wait)
            self.kafka.kill()
            ends.append(run.meta().get("records", "none"))
            time.sleep(0.5)
            run.check_alive()
            self.kafka.start()
        harness.say(f"broker killed at {ends} of {half} records")
        run.wait_read(half)
        self.kafka.produce(topic, lines[half:], key=harness.key_of, codec="zstd")
        meta = run.wait_read(len(lines))
        self.assertEqual((meta["records"], meta["duplicates"]), (str(len(lines)), "0"))
        run.stop()
        self.check_current(run, [self.file(lines)])

    def test_dies_while_it_is_quiet(self):
        lines = list(harness.calls(13, 4_000, START_MS, 20 * HOUR_MS, seats=12))
        half = len(lines) // 2
        topic = self.topic(2)
        run = harness.Run(self, self.config(topic)).start()
        self.kafka.produce(topic, lines[:half], key=harness.key_of)
        run.wait_read(half)
        self.kafka.kill()
        time.sleep(4)  # longer than the session of a member
        run.check_alive()
        self.kafka.start()
        self.kafka.produce(topic, lines[half:], key=harness.key_of)
        meta = run.wait_read(len(lines))
        self.assertEqual(meta["duplicates"], "0")
        run.stop()
        events = self.file(lines)
        self.check_current(run, [events])
        # A restart goes on from what was committed since.
        run.start()
        run.wait_read(1)
        run.stop()
        self.check_current(run, [events])


if __name__ == "__main__":
    harness.main()
