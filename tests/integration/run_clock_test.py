# SPDX-License-Identifier: Apache-2.0
"""run_clock_test.py: somebody sets the wall clock while `callmill run` runs (tests/support/step_clock.c): no record is
lost, windows go on as before, also when the process is killed and starts again before the clock is right."""

import os
import re
import struct
import time

import harness

HOUR_S, DAY_S = 3600, 86_400


class Clock(harness.Case):
    def setUp(self):
        super().setUp()
        self.topic_name = self.topic(4)
        self.sent = self.steps = self.off_s = 0
        self.step_file = self.folder / "step"
        self.step_file.write_bytes(bytes(8))
        self.run_ = harness.Run(self, self.config(self.topic_name, workers=2))
        self.run_.environment = os.environ | {"LD_PRELOAD": os.environ["CM_STEP_CLOCK"],
                                              "CM_STEP_FILE": str(self.step_file)}
        self.run_.start()
        self.send_and_check()

    def set_clock(self, off_s):
        """In place: the program looks at these bytes. Returns when it has seen it."""
        with self.step_file.open("r+b") as file:
            file.write(struct.pack("=q", off_s * 1_000_000_000))
        self.steps += off_s != self.off_s
        self.off_s = off_s
        harness.wait_for("the step is seen", 20,
                         lambda: self.run_.log_text().count("event=clock.stepped") == self.steps)

    def check_asof(self, meta):
        self.assertLess(abs(int(meta["asof"]) / 1000 - time.time()), 60)

    def send_and_check(self):
        """Calls of just now, by a right clock, are counted, in windows as of now."""
        lines = [harness.dump({"type": "cdr", "id": f"e{n}", "ts": int(time.time() * 1000), "call": f"c{n}", "queue": "q",
                               "seat": f"s{n}", "outcome": "answered", "wait_ms": 1, "talk_ms": 1000})
                 for n in range(self.sent, self.sent + 20)]
        self.kafka.produce(self.topic_name, lines, key=harness.key_of)
        self.sent += len(lines)
        meta = self.run_.wait_read(self.sent)
        self.assertEqual((meta["counted"], meta["bad"], meta["late"]), (str(self.sent), "0", "0"))
        self.check_asof(meta)
        harness.wait_for("they are in a window", 20, lambda: self.published(self.run_).get(
            ("queue", "q"), {}).get("5m", {}).get("offered", 0) >= 20)

    def test_set_forward_and_back(self):
        for off_s in (HOUR_S, 0, -HOUR_S, -DAY_S, 0, DAY_S, -HOUR_S, 0):
            self.set_clock(off_s)
            self.send_and_check()
        self.run_.stop()
        self.assertNotIn("SESSTMOUT", self.run_.log_text())

    def test_set_while_nothing_comes(self):
        """The group's session is 2 s: librdkafka has to be woken, or it sends no heartbeat for an hour."""
        for off_s in (-HOUR_S, 0, -DAY_S):
            self.set_clock(off_s)
            before = int(self.run_.meta()["asof"])
            harness.wait_for("windows go on", 30, lambda: int(self.run_.meta()["asof"]) > before + 5000)
            self.check_asof(self.run_.meta())
        self.assertNotIn("SESSTMOUT", self.run_.log_text())
        self.assertNotIn("group.revoked", self.run_.log_text())
        self.send_and_check()

    def test_killed_before_the_clock_is_right(self):
        """Commits name what event time was ahead of the clock by, also when nothing came since the step."""
        for off_s, committed in ((5000, rb"clock=-500[0-9]\d{3}"), (-7000, rb"clock=699[0-9]\d{3}")):
            self.set_clock(off_s)
            harness.wait_for("it is committed", 30, lambda: re.search(committed, b"\n".join(
                self.kafka.consume("__consumer_offsets"))))
            self.run_.kill()
            self.run_.start()
            meta = self.run_.wait_read(self.sent)
            self.assertEqual((meta["counted"], meta["bad"]), (str(self.sent), "0"))
            self.check_asof(meta)
            self.send_and_check()
            self.set_clock(0)
            self.send_and_check()


harness.main()
