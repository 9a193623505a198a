# SPDX-License-Identifier: Apache-2.0
"""run_now_test.py: seat states, judgements and waiting calls through `callmill run`: the field `now`, time in
states, checks by name and source, occupancy and a breach rule on it that fires because time passes."""

import json
import random
import urllib.request

import harness

START_MS = 1_706_000_000_000
HOUR_MS = 3_600_000


class Now(harness.Case):
    ids = 0

    def event(self, kind, ts_ms, **fields):
        Now.ids += 1
        return harness.dump({"type": kind, "id": f"e{Now.ids}", "ts": ts_ms} | fields)

    def state(self, seat, ts_ms, state):
        return self.event("seat_state", ts_ms, seat=seat, state=state)

    def enter(self, call, queue, ts_ms):
        return self.event("queue_enter", ts_ms, call=call, queue=queue)

    def published(self, run):
        """Windows only: `now` is not a window."""
        found = super().published(run)
        return {unit: {name: row for name, row in fields.items() if name != "now"}
                for unit, fields in found.items()}

    def now(self, run, kind, unit):
        text = self.redis.client.call("HGET", f"{run.prefix}{kind}:{unit}", "now")
        return json.loads(text) if text else {}

    def wait_now(self, run, kind, unit, **wanted):
        """Until `now` says so; returns all of it."""
        def look():
            run.check_alive()
            found = self.now(run, kind, unit)
            return found if {name: found.get(name) for name in wanted} == wanted else None
        try:
            return harness.wait_for(f"now of {kind} {unit}", 20, look)
        except AssertionError as error:
            raise AssertionError(f"{error}: wanted {wanted}, found {self.now(run, kind, unit)}") from None

    def three_seats(self):
        return self.roster([("s1", "t1", "r1", "", ""), ("s2", "t1", "r1", "", ""), ("s3", "t2", "r1", "", "")])

    def counter(self, port, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(f"callmill_{name} "):
                    return int(line.split()[1])
        return None

    def test_seats_and_their_states(self):
        topic = self.topic(2)
        run = harness.Run(self, self.config(topic, workers=2, roster=self.three_seats())).start()
        self.kafka.produce(topic, [
            self.state("s1", START_MS - 20_000, "available"), self.state("s3", START_MS - 30_000, "offline"),
            self.state("s2", START_MS - 15_000, "break"), self.state("s1", START_MS - 10_000, "talking"),
            self.state("stranger", START_MS, "available")], key=harness.key_of)
        self.wait_now(run, "seat", "s1", state="talking", since=START_MS - 10_000)
        self.wait_now(run, "seat", "s3", state="offline", since=START_MS - 30_000)
        self.wait_now(run, "team", "t1", seats={"talking": 1, "break": 1})
        self.wait_now(run, "room", "r1", seats={"offline": 1, "talking": 1, "break": 1})
        found = self.wait_now(run, "centre", "main",
                              seats={"offline": 1, "available": 1, "talking": 1, "break": 1})
        self.assertEqual(set(found), {"asof", "seats"})
        self.kafka.produce(topic, [self.state("s1", START_MS - 12_000, "hold")], key=harness.key_of)
        self.kafka.produce(topic, [self.state("s1", START_MS + 1, "acw")], key=harness.key_of)
        found = self.wait_now(run, "seat", "s1", state="acw", since=START_MS + 1)
        self.assertEqual(set(found), {"asof", "state", "since"})
        self.wait_now(run, "team", "t1", seats={"acw": 1, "break": 1})
        run.stop()

    def test_waits_grow_while_nothing_comes(self):
        topic = self.topic(1)
        run = harness.Run(self, self.config(topic, roster=self.three_seats(),
                                            queues={"q0": {"owner": "team:t1"}})).start()
        self.kafka.produce(topic, [self.enter("c1", "q0", START_MS - 5_000), self.enter("c3", "free", START_MS - 2_000),
                                   self.enter("c2", "q0", START_MS - 1_000)])
        for kind, unit, calls in (("queue", "q0", 2), ("team", "t1", 2), ("room", "r1", 2), ("centre", "main", 3)):
            first = self.wait_now(run, kind, unit, calls_waiting=calls)
            self.assertEqual(first["longest_wait_ms"], first["asof"] - (START_MS - 5_000))
            later = harness.wait_for("a longer wait", 20, lambda kind=kind, unit=unit, first=first: next(
                (now for now in [self.now(run, kind, unit)] if now["asof"] > first["asof"]), None))
            self.assertEqual(later["longest_wait_ms"], later["asof"] - (START_MS - 5_000))
        self.kafka.produce(topic, [self.event("queue_exit", START_MS, call="c1", queue="q0")])
        found = self.wait_now(run, "queue", "q0", calls_waiting=1)
        self.assertEqual(found["longest_wait_ms"], found["asof"] - (START_MS - 1_000))
        cdr = {"call": "c2", "queue": "q0", "seat": "s1"}
        self.kafka.produce(topic, [self.event("cdr", START_MS, outcome="no_answer", **cdr)])
        self.kafka.produce(topic, [self.enter("c4", "q0", START_MS + 500)])
        self.wait_now(run, "queue", "q0", calls_waiting=2)  # who was not answered waits on
        self.kafka.produce(topic, [self.event("cdr", START_MS + 600, outcome="answered", **cdr),
                                   self.event("queue_exit", START_MS + 600, call="c4", queue="q0")])
        self.wait_now(run, "queue", "q0", calls_waiting=0, longest_wait_ms=0)
        self.wait_now(run, "team", "t1", calls_waiting=0, longest_wait_ms=0)
        found = self.wait_now(run, "centre", "main", calls_waiting=1)
        self.assertEqual(found["longest_wait_ms"], found["asof"] - (START_MS - 2_000))
        run.stop()

    def test_who_never_leaves_is_counted(self):
        topic = self.topic(1)
        port = harness.free_port()
        run = harness.Run(self, self.config(topic, orphan_after="2s", metrics={"listen": f"127.0.0.1:{port}"})).start()
        self.kafka.produce(topic, [self.enter("c1", "q0", START_MS), self.enter("c2", "q0", START_MS + 500),
                                   self.event("queue_exit", START_MS + 500, call="c2", queue="q0")])
        run.wait_read(3)
        self.wait_now(run, "queue", "q0", calls_waiting=0)
        harness.wait_for("an orphan", 20, lambda: self.counter(port, "orphans_total") == 1)
        run.stop()

    def shift(self):
        """Some hours of seats that change their state, calls, and judgements that come after them."""
        rng = random.Random(3)
        events = []
        for number in range(12):
            seat, at_ms = f"s{number}", START_MS + rng.randrange(60_000)
            while at_ms < START_MS + 3 * HOUR_MS:
                call = f"k{number}-{at_ms}"
                for state, most_ms in (("available", 240_000), ("ringing", 9_000), ("talking", 400_000),
                                       ("hold", 30_000), ("talking", 90_000), ("acw", 60_000)):
                    events.append((at_ms, self.state(seat, at_ms, state)))
                    at_ms += rng.randrange(most_ms)
                leg = self.event("cdr", at_ms, call=call, seat=seat, queue=f"q{number % 3}", outcome="answered",
                                 talk_ms=rng.randrange(490_000), hold_ms=rng.randrange(40_000),
                                 checks={"greeting": rng.random() < 0.8})
                events.append((at_ms, leg))
                if rng.random() < 0.5:
                    judged_ms = at_ms + rng.randrange(1_200_000)
                    events.append((judged_ms, self.event(
                        "check", judged_ms, call=call, seat=seat, source=rng.choice(["self", "spot", "third_party"]),
                        checks={name: rng.choice([True, True, False, None]) for name in ("greeting", "identity")})))
                if rng.random() < 0.2:
                    events.append((at_ms, self.state(seat, at_ms, rng.choice(["break", "offline", "training"]))))
                    at_ms += rng.randrange(600_000)
        return [line for _, line in sorted(events, key=lambda item: item[0])]

    def figures(self, workers):
        """state_ms, checks, check_sources and occupancy, in every window and period, as of its own instant."""
        lines = self.shift()
        topic = self.topic(4)
        self.kafka.produce(topic, lines, key=harness.key_of)
        compliance = {"checks": {"identity": {"weight": 2, "veto": True}},
                      "rules": {"short_hold": {"when": "hold_ms <= 20000", "weight": 3}}}
        config = self.config(topic, workers=workers, compliance=compliance, queues={"q0": {"owner": "team:t1"}},
                             roster=self.roster([(f"s{i}", f"t{i % 3}", "r0", "", "") for i in range(10)]))
        run = harness.Run(self, config).start()
        run.wait_read(len(lines))
        last_ms = json.loads(lines[-1])["ts"]
        settled_ms = last_ms + 10_000  # the lateness
        harness.wait_for("the watermark has passed all judgements", 30,
                         lambda: int(run.meta().get("watermark", 0)) > last_ms)
        # Time that only runs on is written every 5 s.
        harness.wait_for("a row of after that", 30, lambda: json.loads(self.redis.client.call(
            "HGET", run.prefix + "centre:main", "15m"))["asof"] > settled_ms + 1_000)
        run.stop()
        files = [self.file(lines)]
        found = self.published(run)
        compared = self.check_own_asof(run, files, since_ms=settled_ms)
        self.assertGreater(compared, 20)
        day = found["centre", "main"]["day"]
        self.assertEqual(set(day["check_sources"]), {"record", "self", "spot", "third_party"})
        self.assertEqual(set(day["checks"]), {"greeting", "identity", "short_hold"})
        spent = day["state_ms"]
        busy = sum(spent[name] for name in ("ringing", "talking", "hold", "acw"))
        self.assertAlmostEqual(day["occupancy"], busy / (busy + spent["available"]), delta=0.00005001)
        for name in ("evaluated", "passed"):
            self.assertEqual(sum(check[name] for check in day["checks"].values()),
                             sum(source[name] for source in day["check_sources"].values()))

    def test_figures_equal_the_replay(self):
        self.figures(1)

    def test_figures_of_two_workers(self):
        self.figures(2)

    def test_occupancy_breaks_a_rule_because_time_passes(self):
        """After the last event the share of busy time goes on rising."""
        rule = {"name": "full", "kind": "team", "window": "4s", "metric": "occupancy", "warn": "> 0.9"}
        topic = self.topic(1)
        run = harness.Run(self, self.config(topic, roster=self.three_seats(), windows=["4s/1s"], periods=["day"],
                                            allowed_lateness="1s", rules=[rule])).start()
        lines = [self.state("s1", START_MS - 10_000, "available"), self.state("s1", START_MS, "talking")]
        self.kafka.produce(topic, lines)

        def raised():
            run.check_alive()
            return self.redis.client.call("XRANGE", run.prefix + "breaches", "-", "+")
        entries = harness.wait_for("the breach", 30, raised)
        event = json.loads(harness.pairs(entries[0][1])["event"])
        self.assertEqual(event["type"], "callmill.breach.raised")
        data = event["data"]
        self.assertEqual((data["rule"], data["kind"], data["id"], data["metric"]), ("full", "team", "t1", "occupancy"))
        # As of +3 s three of four seconds are busy, as of +4 s all of them.
        self.assertEqual((data["asof"], data["value"]), (START_MS + 4_000, 1))
        run.stop()
        tail = self.state("s3", START_MS + 7_000, "offline")
        out = self.folder / "replayed.ndjson"
        self.replay(run, [self.file(lines + [tail])], "--breaches", str(out))
        self.assertEqual([json.loads(line) for line in out.read_bytes().splitlines()], [event])


if __name__ == "__main__":
    harness.main()
