# SPDX-License-Identifier: Apache-2.0
"""run_figures_test.py: `callmill run` and `callmill replay` give the same figures, from a real broker into a
real Redis: every codec, keyed and keyless records, one worker and two, short and long ticks; boards, sets,
closed periods."""

import json

import harness

CODECS = ["none", "lz4", "zstd", "gzip", "snappy"]


class Figures(harness.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bank, what = harness.bank_file()
        cls.lines = cls.bank.read_bytes().splitlines()
        harness.say(f"calls: {what}, {len(cls.lines)} records")

    def bank_config(self, topic, suffix="", **changes):
        """Seats in teams and rooms, but for every fifth; queues with and without owners."""
        records = [json.loads(line) for line in self.lines]
        seats = sorted({record["seat"] for record in records if "seat" in record})
        queues = sorted({record["queue"] for record in records if "queue" in record})
        rows = [(seat, f"t{i % 4}", f"r{i % 4 // 2}", "", "") for i, seat in enumerate(seats) if i % 5]
        owners = {queue: {"owner": f"team:t{i}"} for i, queue in enumerate(queues[:4])}
        defaults = {"timezone": "Asia/Jerusalem", "centre": "bank", "queues": owners,
                    "roster": self.roster(rows)}
        return self.config(topic, suffix, **(defaults | changes))

    def parents(self, found):
        """The tree of bank_config()'s roster."""
        parents = {}
        rows = (self.folder / "roster.csv").read_text().splitlines()[1:]
        for row in rows:
            seat, team, room = row.split(",")[:3]
            parents |= {("seat", seat): ("team", team), ("team", team): ("room", room),
                        ("room", room): ("centre", "bank")}
        for kind, unit in found:
            if kind == "seat":
                parents.setdefault((kind, unit), ("centre", "bank"))
        return {child: parent for child, parent in parents.items() if child in found}

    def check_sets(self, run, found):
        client = self.redis.client
        for kind in harness.KINDS:
            wanted = {unit for other, unit in found if other == kind}
            self.assertEqual(set(client.call("SMEMBERS", f"{run.prefix}units:{kind}")), wanted)
        members = {}
        for child, parent in self.parents(found).items():
            members.setdefault(parent, set()).add(child[1])
        for (kind, unit), wanted in members.items():
            here = set(client.call("SMEMBERS", f"{run.prefix}members:{kind}:{unit}"))
            self.assertLessEqual(wanted, here)

    def bank_month(self, workers, codec, keyed, whole):
        topic = self.topic(4)
        self.kafka.produce(topic, self.lines, key=harness.key_of if keyed else None, codec=codec)
        run = harness.Run(self, self.bank_config(topic, workers=workers)).start()
        meta = run.wait_read(len(self.lines))
        self.assertEqual(meta["records"], str(len(self.lines)))
        self.assertEqual(meta["counted"], str(len(self.lines)))
        self.assertEqual((meta["bad"], meta["late"], meta["duplicates"]), ("0", "0", "0"))
        last_ms = json.loads(self.lines[-1])["ts"]
        self.check_own_asof(run, [self.bank], since_ms=last_ms + 60_001)
        run.stop()
        found = self.check_current(run, [self.bank])
        self.assertIn(("centre", "bank"), found)
        self.assertEqual(self.redis.client.hash(run.prefix + "meta")["timezone"], "Asia/Jerusalem")
        if whole:
            self.check_sets(run, found)
            self.check_boards(run, found, self.parents(found))
            periods = self.check_history(run, [self.bank])
            self.assertGreater(periods, 100)
            day = self.redis.client.hash(run.prefix + "history:centre:bank:day")
            self.assertGreater(len(day), 20)

    def test_bank_month_keyed_one_worker(self):
        self.bank_month(1, "none", keyed=True, whole=True)

    def test_bank_month_keyed_two_workers(self):
        self.bank_month(2, "lz4", keyed=True, whole=True)

    def test_bank_month_keyless_two_workers(self):
        """No event is late: the watermark waits for the slowest partition."""
        self.bank_month(2, "zstd", keyed=False, whole=True)

    def test_bank_month_gzip(self):
        self.bank_month(1, "gzip", keyed=False, whole=False)

    def test_bank_month_snappy(self):
        self.bank_month(2, "snappy", keyed=True, whole=False)

    def test_one_partition_in_order(self):
        """Then each row is right as of its own instant, also those that were not written again."""
        topic = self.topic(1)
        self.kafka.produce(topic, self.lines)
        run = harness.Run(self, self.bank_config(topic)).start()
        run.wait_read(len(self.lines))
        run.stop()
        self.assertGreater(self.check_own_asof(run, [self.bank]), 100)
        self.check_current(run, [self.bank])

    def test_leg_that_comes_when_it_has_left(self):
        """The last leg of a queue comes when the clock has carried the window past it: the row that was written
        last names an instant at which it was in, so it has to be written again."""
        topic = self.topic(2)
        begin = 1_706_000_000_000
        lines = [harness.dump({"type": "cdr", "id": f"i{n}", "ts": begin + after_ms, "call": f"c{n}", "queue": queue,
                               "seat": f"s{n}", "outcome": "answered", "wait_ms": 1, "talk_ms": 1000})
                 for n, (queue, after_ms) in enumerate([("q0", 0), ("q1", 55_500), ("q0", 115_500), ("q1", 59_500)])]

        def send(some):
            self.kafka.produce(topic, some, key=lambda line: json.loads(line)["queue"].encode())
        send(lines[:2])
        run = harness.Run(self, self.config(topic)).start()
        run.wait_read(2)
        send(lines[2:3])
        run.wait_read(3)
        harness.wait_for("clock", 30, lambda: int(run.meta()["asof"]) >= begin + 121_000)
        before = self.published(run)["queue", "q1"]["1m"]
        self.assertLess(before["asof"], begin + 119_500)
        send(lines[3:])
        run.wait_read(4)
        run.stop()
        found = self.check_current(run, [self.file(lines)])["queue", "q1"]["1m"]
        self.assertEqual((before["offered"], found["offered"]), (0, 0))
        self.assertGreater(found["asof"], before["asof"])

    def test_how_it_is_read_does_not_matter(self):
        """Revisions, checks, ratings, states, judgements, disorder within the lateness; the same closed periods and the same
        figures whatever the number of partitions and workers, the tick, and how much comes in one fetch."""
        lines = harness.with_states(7, list(harness.calls(7, 20_000, 1_706_000_000_000, 3 * 86_400_000)))
        for i in range(0, len(lines) - 1, 3):  # neighbours change places
            lines[i], lines[i + 1] = lines[i + 1], lines[i]
        checks = {"checks": {"identity": {"weight": 2, "veto": True}},
                  "rules": {"hold_limit": {"when": "hold_ms <= 30000", "weight": 3}}}
        events = self.file(lines)
        histories = []
        for partitions, workers, tick, codec, fetch in ((1, 1, "50ms", "zstd", {}), (8, 2, "50ms", "none", {"fetch.message.max.bytes": "20000"}),
                                                        (3, 2, "1s", "snappy", {})):
            suffix = f"-{partitions}-{workers}-{tick}"
            topic = self.topic(partitions, suffix)
            self.kafka.produce(topic, lines, key=harness.key_of, codec=codec)
            config = self.config(topic, suffix, workers=workers, tick=tick, compliance=checks,
                                 allowed_lateness="10m", timezone="Europe/Berlin",
                                 service_level={"target": "15s", "formula": "ignore"},
                                 abandonment={"formula": "gross"})
            config["source"]["kafka"]["properties"] |= fetch
            run = harness.Run(self, config, f"run{suffix}").start()
            meta = run.wait_read(len(lines))
            self.assertGreater(int(meta["revised"]), 0)
            run.stop()
            self.check_current(run, [events])
            self.assertGreater(self.check_history(run, [events]), 50)
            keys = self.redis.client.call("KEYS", run.prefix + "history:*")
            histories.append({key[len(run.prefix):]: fields for key, fields
                              in self.redis.client.hashes(keys).items()})
        for other in histories[1:]:
            self.assertEqual(histories[0], other)

    def test_only_boards(self):
        lines = list(harness.calls(3, 2_000, 1_706_000_000_000, 7_200_000, seats=10))
        topic = self.topic(2)
        self.kafka.produce(topic, lines, key=harness.key_of)
        rows = [(f"s{i}", f"t{i % 3}", "r0", "", "") for i in range(8)]
        common = {"roster": self.roster(rows), "centre": "c"}
        run = harness.Run(self, self.config(topic, publish=["boards"], **common)).start()
        run.wait_read(len(lines))
        run.stop()
        self.assertEqual(self.published(run), {}, "units were written, though only boards are wanted")
        boards = self.redis.client.call("KEYS", run.prefix + "board:*")
        self.assertIn(run.prefix + "board:team:t1:5m", boards)
        events = self.file(lines)
        shown = set()
        for board, fields in self.redis.client.hashes(boards).items():
            kind, rest = board[len(run.prefix + "board:"):].split(":", 1)
            unit, window = rest.rsplit(":", 1)
            for child, value in fields.items():
                found = json.loads(value)
                if window == "day":  # its asof is the newest one for all that have not ended
                    rows = self.replay_at(run, [events], found["asof"])
                    child_kind = {"team": "seat", "room": "team"}.get(kind)
                    if kind == "centre":
                        child_kind = "room" if child == "r0" else "seat"
                    who = (kind, unit) if child == "." else (child_kind, child)
                    self.assert_figures(f"{board} {child}", found, rows.get((*who, window)))
                    shown.add(who)
        self.assertLessEqual({("team", "t2"), ("seat", "s7"), ("seat", "s9"), ("room", "r0"),
                              ("centre", "c"), ("queue", "q1")}, shown)


if __name__ == "__main__":
    harness.main()
