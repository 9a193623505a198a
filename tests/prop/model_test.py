#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""model_test.py: the oracle against figures worked out by hand, and the comparison against planted mistakes.

The second half breaks the model in one place at a time, lets the broken one stand for the program, and
demands that the seeded streams notice: what they do not notice here, they would not notice in the program.
"""

import contextlib
import json
import tempfile
import unittest
from decimal import Decimal
from pathlib import Path
from unittest import mock

import breaches
import compare
import model
import streams

PLAIN = {"timezone": "UTC", "windows": ["10s/1s"], "periods": [], "allowed_lateness": "0s", "dedupe": "0s"}


def cdr(ts, identity=None, **fields):
    return {"type": "cdr", "id": identity or f"e{ts}", "ts": ts, "seat": "s1", "outcome": "answered"} | fields


def lines(*records):
    return b"".join(r + b"\n" if isinstance(r, bytes) else json.dumps(r).encode() + b"\n" for r in records)


def replay(*records, every=None, at=None, roster=None, **settings):
    settings = PLAIN | settings
    with tempfile.TemporaryDirectory() as folder:
        if roster is not None:
            (Path(folder) / "r.csv").write_text(roster, "utf-8")
            settings["roster"] = "r.csv"
        return model.replay(settings, [lines(*records)], every, at, folder)


def offered(rows, kind="centre"):
    """{asof: offered} of one kind."""
    return {row["asof"]: row["offered"] for row in rows if row["kind"] == kind}


def units(rows):
    return [f"{row['kind']}:{row['id']}" for row in rows]


def ms(text):
    return model.rfc3339_ms(text)


class Windows(unittest.TestCase):
    def test_edges(self):
        # T - L <= ts < T: ts 5000 is in T = 6000 .. 15000.
        rows = replay(cdr(5000), cdr(30_000), every=1000)
        self.assertEqual([t for t in offered(rows) if t < 20_000], list(range(6000, 15_001, 1000)))
        rows = replay(cdr(5001), cdr(4999), cdr(30_000), every=1000, allowed_lateness="1s")
        self.assertEqual([offered(rows).get(t) for t in (5000, 6000, 14_000, 15_000, 16_000)], [1, 2, 2, 1, None])

    def test_default_is_the_end_of_the_step_of_the_last_event(self):
        rows = replay(cdr(1000), cdr(7000), windows=["10s/1s", "10m/1m"])
        self.assertEqual([(r["asof"], r["window"], r["offered"]) for r in rows if r["kind"] == "seat"],
                         [(8000, "10s", 2), (60_000, "10m", 2)])

    def test_at_is_rounded_down_and_stops_reading(self):
        events = [cdr(1000), cdr(2500), cdr(9000), cdr(2600)]
        rows = replay(*events, at=3999, periods=["day"])
        self.assertEqual([(r["window"], r["asof"], r["offered"]) for r in rows if r["kind"] == "seat"],
                         [("10s", 3000, 2), ("day", 3000, 2)])
        rows = replay(*events, at=3999, allowed_lateness="6001ms")
        self.assertEqual(offered(rows), {3000: 3})

    def test_order_of_rows(self):
        rows = replay(cdr(1000, seat="b"), cdr(1000, "x", seat="é"), cdr(1000, "y", seat="Z", queue="q"),
                      windows=["2s/1s", "1s/1s"])
        self.assertEqual([(r["kind"], r["id"], r["window"]) for r in rows][:5],
                         [("centre", "main", "2s"), ("centre", "main", "1s"), ("queue", "q", "2s"), ("queue", "q", "1s"),
                          ("seat", "Z", "2s")])
        self.assertEqual(units(rows)[4::2], ["seat:Z", "seat:b", "seat:é"])

    def test_nothing(self):
        self.assertEqual(replay(), [])
        self.assertEqual(replay(b"", b"garbage", {"type": "case", "id": "c", "ts": 1, "case": "k", "seat": "s",
                                                 "kind": "normal", "step": "opened"}, every=1000), [])


class Lateness(unittest.TestCase):
    def test_frozen_rows_stay(self):
        # With 2 s allowed, ts 12000 freezes T = 10000 but not T = 11000; 9500 comes after that.
        rows = replay(cdr(9000), cdr(12_000), cdr(9500), every=1000, allowed_lateness="2s")
        self.assertEqual([offered(rows).get(t) for t in (10_000, 11_000, 12_000, 13_000)], [1, 2, 2, 3])

    def test_too_late_for_everything(self):
        rows = replay(cdr(1000), cdr(30_000), cdr(20_999), cdr(21_000), every=1000)
        # 30000 froze all rows up to T = 30000; what is left reaches back to 21000.
        self.assertEqual(offered(rows), {t: 1 for t in range(2000, 11_001, 1000)} | {31_000: 2})

    def test_a_period_still_covers_it(self):
        rows = replay(cdr(1000), cdr(30_000), cdr(2000), periods=["day"])
        self.assertEqual({r["window"]: r["offered"] for r in rows if r["kind"] == "seat"}, {"10s": 1, "day": 3})


class Repeats(unittest.TestCase):
    def test_duplicate(self):
        self.assertEqual(offered(replay(cdr(1000, "a"), cdr(1000, "a"), dedupe="5s")), {2000: 1})
        self.assertEqual(offered(replay(cdr(1000, "a"), cdr(1000, "a"))), {2000: 2})

    def test_horizon(self):
        # Remembered while the watermark before the repeat is <= 1000 + 5000.
        rows = replay(cdr(1000, "a"), cdr(6000, "b"), cdr(6000, "a"), dedupe="5s")
        self.assertEqual(offered(rows), {7000: 2})
        rows = replay(cdr(1000, "a"), cdr(6001, "b"), cdr(6000, "a"), dedupe="5s")
        self.assertEqual(offered(rows), {7000: 3})

    def test_a_duplicate_moves_the_clock(self):
        rows = replay(cdr(1000, "a"), cdr(20_000, "a"), dedupe="1h")
        self.assertEqual(rows, [])  # as of 21000 nothing is left

    def test_revision(self):
        rows = replay(cdr(1000, "a"), cdr(2000, "b"), cdr(1500, "a", rev=1, seat="s2", outcome="abandoned", wait_ms=9000),
                      allowed_lateness="5s", dedupe="1h")
        self.assertEqual(units(rows), ["centre:main", "seat:s1", "seat:s2"])
        self.assertEqual([(r["offered"], r["answered"], r["abandoned"]) for r in rows], [(2, 1, 1), (1, 1, 0), (1, 0, 1)])

    def test_revision_leaves_frozen_rows_alone(self):
        rows = replay(cdr(1000, "a"), cdr(3000, "b"), cdr(3000, "a", rev=1), every=1000, dedupe="1h")
        # T = 2000 and 3000 were frozen by b; in T = 4000 a stands at 3000 only.
        self.assertEqual(offered(rows), {2000: 1, 3000: 1, 4000: 2})

    def test_revision_that_moves_the_clock_is_in_what_it_freezes(self):
        rows = replay(cdr(1000, "a"), cdr(3000, "a", rev=1), every=1000, dedupe="1h")
        self.assertEqual(offered(rows), {4000: 1})

    def test_lower_revision_and_other_types(self):
        case = {"type": "case", "id": "a", "ts": 1000, "case": "k", "seat": "s", "kind": "normal", "step": "opened"}
        self.assertEqual(replay(case, cdr(1000, "a", rev=3), dedupe="1h"), [])
        rows = replay(cdr(1000, "a", rev=2, wait_ms=1), cdr(1000, "a", rev=1, wait_ms=2), cdr(1000, "a", rev=2, wait_ms=3),
                      dedupe="1h")
        self.assertEqual(rows[0]["wait_ms"], 1)

    def test_revision_to_a_time_gone_by(self):
        rows = replay(cdr(30_000, "a"), cdr(30_000, "b"), cdr(1000, "a", rev=1), dedupe="1h")
        self.assertEqual(offered(rows), {31_000: 1})


ROSTER = """seat,team,room,centre,from
s1,t1,r1,c1,
s1,t2,r2,,1970-01-01T00:00:05Z
s2,t1,r3,c2,1970-01-01T00:00:09Z
s3,,,,
"""


class Attribution(unittest.TestCase):
    def units(self, record, **settings):
        return units(replay(record, roster=ROSTER, centre="hq", **settings))

    def test_seats(self):
        self.assertEqual(self.units(cdr(4999)), ["centre:c1", "room:r1", "seat:s1", "team:t1"])
        self.assertEqual(self.units(cdr(5000, centre="z")), ["centre:hq", "room:r2", "seat:s1", "team:t2"])
        self.assertEqual(self.units(cdr(8999, seat="s2", queue="q")), ["centre:hq", "queue:q", "seat:s2"])
        self.assertEqual(self.units(cdr(8999, seat="s2", centre="z")), ["centre:z", "seat:s2"])
        self.assertEqual(self.units(cdr(1, seat="s3")), ["centre:hq", "seat:s3"])
        self.assertEqual(self.units(cdr(1, seat="")), ["centre:hq"])

    def test_queues(self):
        def owned(owner, **fields):
            queues = {"q": {"owner": owner}} if owner else {"q": {}}
            return self.units(cdr(1, seat="", queue="q", **fields), queues=queues)

        self.assertEqual(owned("team:t1"), ["centre:c2", "queue:q", "room:r3", "team:t1"])
        self.assertEqual(owned("team:t2", centre="z"), ["centre:hq", "queue:q", "room:r2", "team:t2"])
        self.assertEqual(owned("team:none", centre="z"), ["centre:hq", "queue:q", "team:none"])
        self.assertEqual(owned("room:r1"), ["centre:c1", "queue:q", "room:r1"])
        self.assertEqual(owned("centre:c9", centre="z"), ["centre:c9", "queue:q"])
        self.assertEqual(owned(None, centre="z"), ["centre:z", "queue:q"])
        self.assertEqual(self.units(cdr(1, queue="q"), queues={"q": {"owner": "team:t2"}}),
                         ["centre:c1", "queue:q", "room:r1", "seat:s1", "team:t1"])


class Figures(unittest.TestCase):
    LEGS = (
        cdr(1, wait_ms=20_000, talk_ms=100, hold_ms=20, acw_ms=3, rating=80, transfers=2, on_hold=True, end="caller"),
        cdr(2, wait_ms=20_001, talk_ms=1000, rating=91, on_hold=True, end="agent"),
        cdr(3, wait_ms=0, acw_ms=10, rating=0),
        cdr(4, outcome="abandoned", wait_ms=5000, talk_ms=7, rating=10, transfers=1, on_hold=True, end="caller"),
        cdr(5, outcome="abandoned", wait_ms=5001),
        cdr(6, outcome="abandoned", wait_ms=30_000),
        cdr(7, outcome="no_answer", wait_ms=99_000), cdr(8, outcome="rejected"), cdr(9, outcome="overflow"),
        cdr(10, outcome="timeout"), cdr(11, outcome="callback"),
    )

    def row(self, *legs, **settings):
        return replay(*legs, **settings)[0]

    def test_all(self):
        row = self.row(*self.LEGS)
        want = {
            "offered": 11, "answered": 3, "abandoned": 3, "no_answer": 1, "rejected": 1, "flow_out": 3,
            "short_abandoned": 1, "hold_abandoned": 1, "sl_met": 2, "sl_abandoned": 2, "wait_ms": 40_001, "talk_ms": 1100,
            "hold_ms": 20, "acw_ms": 13, "abandon_wait_ms": 40_001, "wait_max_ms": 30_000, "handle_ms": 1133,
            "handle_max_ms": 1000, "transfers": 3, "ratings": 4, "rating_sum": 181, "checked": 0, "compliant": 0,
            "check_weight": 0, "check_weight_passed": 0, "vetoes": 0, "aht_ms": 378, "asa_ms": 13_334,
            "handle_p50_ms": 123, "handle_p90_ms": 1000, "handle_p99_ms": 1000, "abandon_rate": Decimal("0.2000"),
            "service_level": Decimal("0.4000"), "compliance_rate": None, "compliant_rate": None,
            "rating_avg": Decimal("45.25"), "occupancy": None,
        }
        self.assertEqual({name: row[name] for name in want}, want)
        self.assertEqual(list(row), ["asof", "kind", "id", "window", *want])

    def test_formulas(self):
        for formula, want in (("answered", "0.6667"), ("ignore", "0.5000"), ("positive", "0.6667"), ("negative", "0.4000")):
            row = self.row(*self.LEGS, service_level={"formula": formula})
            self.assertEqual(row["service_level"], Decimal(want), formula)
        self.assertEqual(self.row(*self.LEGS, abandonment={"formula": "gross"})["abandon_rate"], Decimal("0.2727"))

    def test_denominators(self):
        row = self.row(cdr(1, outcome="abandoned"))
        self.assertIsNone(row["abandon_rate"])  # the only leg is a short one
        for name in ("service_level", "aht_ms", "asa_ms", "handle_p50_ms", "rating_avg"):
            self.assertIsNone(row[name], name)
        self.assertEqual((row["wait_max_ms"], row["handle_max_ms"]), (0, 0))

    def test_half_up(self):
        self.assertEqual([model.ratio(n, 2) for n in (0, 1, 2, 3)], [0, 1, 1, 2])
        self.assertEqual(model.ratio(1, 20_000, 4), Decimal("0.0001"))
        self.assertEqual(model.ratio(1, 20_001, 4), Decimal("0.0000"))
        self.assertEqual(str(model.ratio(1, 1, 4)), "1.0000")

    def test_nearest_rank(self):
        hundred = list(range(1, 101))
        self.assertEqual([model.nearest_rank(hundred, p) for p in (50, 90, 99)], [50, 90, 99])
        self.assertEqual([model.nearest_rank([7, 8], p) for p in (50, 90)], [7, 8])
        self.assertEqual(model.nearest_rank([5], 1), 5)

    def test_compliance(self):
        compliance = {
            "checks": {"a": {"weight": 3}, "b": {"weight": 2, "veto": True}},
            "rules": {"hold": {"when": "hold_ms <= 1000", "weight": 5}, "score": {"when": "rating >= 60", "veto": True}},
        }
        row = self.row(
            cdr(1, checks={"a": True, "b": False, "c": None, "d": True}, hold_ms=1000),  # 3+5+1 of 11, a veto
            cdr(2, checks={"hold": False, "a": True}, rating=60),  # the rule decides: 5+3+1 of 9
            cdr(3, hold_ms=1001, rating=59),  # 0 of 6, the rule's veto
            compliance=compliance,
        )
        self.assertEqual([row[n] for n in ("checked", "compliant", "check_weight", "check_weight_passed", "vetoes")],
                         [3, 1, 26, 18, 2])
        self.assertEqual((row["compliance_rate"], row["compliant_rate"]), (Decimal("0.6923"), Decimal("0.3333")))
        self.assertEqual(self.row(cdr(1, checks={"x": None}))["checked"], 0)

    def test_rules_with_null(self):
        def judge(when, **fields):
            return model.Rule(when).judge(model.decode(json.dumps(cdr(1, **fields)).encode()))

        self.assertIsNone(judge("rating >= 1"))
        self.assertIs(judge("rating >= 1 and transfers > 0"), False)
        self.assertIsNone(judge("rating >= 1 and transfers == 0"))
        self.assertIs(judge("rating >= 1 or transfers == 0"), True)
        self.assertIs(judge("transfers == 0 or wait_ms == 0 and hold_ms > 0"), True)
        self.assertIs(judge("handle_ms == 6", talk_ms=1, hold_ms=2, acw_ms=3), True)


class Periods(unittest.TestCase):
    def start(self, name, as_of, zone):
        return model.utc(model.period_start_ms(name, ms(as_of), model.ZoneInfo(zone))).strftime("%Y-%m-%dT%H:%M:%SZ")

    def test_plain(self):
        for name, want in (("day", "2024-05-15"), ("week", "2024-05-13"), ("month", "2024-05-01"), ("quarter", "2024-04-01")):
            self.assertEqual(self.start(name, "2024-05-15T12:00:00Z", "UTC"), want + "T00:00:00Z")
        self.assertEqual(self.start("day", "2024-05-15T16:00:00Z", "Asia/Shanghai"), "2024-05-14T16:00:00Z")
        self.assertEqual(self.start("day", "2024-05-15T16:00:01Z", "Asia/Shanghai"), "2024-05-15T16:00:00Z")
        self.assertEqual(self.start("week", "2025-01-01T00:00:01Z", "UTC"), "2024-12-30T00:00:00Z")
        self.assertEqual(self.start("month", "2024-03-01T00:00:00Z", "UTC"), "2024-02-01T00:00:00Z")

    def test_daylight_saving(self):
        self.assertEqual(self.start("day", "2024-03-31T12:00:00Z", "Europe/Berlin"), "2024-03-30T23:00:00Z")
        self.assertEqual(self.start("day", "2024-10-27T22:00:00Z", "Europe/Berlin"), "2024-10-26T22:00:00Z")
        self.assertEqual(self.start("month", "2024-04-07T00:00:00Z", "Australia/Lord_Howe"), "2024-03-31T13:00:00Z")
        self.assertEqual(self.start("month", "2024-04-30T13:30:00Z", "Australia/Lord_Howe"), "2024-03-31T13:00:00Z")
        self.assertEqual(self.start("month", "2024-04-30T13:30:01Z", "Australia/Lord_Howe"), "2024-04-30T13:30:00Z")

    def test_no_midnight(self):
        # Cairo 2024-04-26 and Sao Paulo 2018-11-04 begin at 01:00.
        self.assertEqual(self.start("day", "2024-04-26T10:00:00Z", "Africa/Cairo"), "2024-04-25T22:00:00Z")
        self.assertEqual(self.start("day", "2018-11-04T10:00:00Z", "America/Sao_Paulo"), "2018-11-04T03:00:00Z")
        # Toronto 1919-03-30: 23:30 became 00:30, so the day began half an hour before its midnight.
        zone = model.ZoneInfo("America/Toronto")
        self.assertEqual(model.utc(model.day_start_ms(model.date(1919, 3, 31), zone)).isoformat(), "1919-03-31T04:30:00+00:00")

    def test_two_midnights_near(self):
        # Sao Paulo 2018-02-17 lasted 25 h: at its end 23:00 came again.
        self.assertEqual(self.start("day", "2018-02-18T03:00:00Z", "America/Sao_Paulo"), "2018-02-17T02:00:00Z")
        self.assertEqual(self.start("day", "2018-02-18T03:00:01Z", "America/Sao_Paulo"), "2018-02-18T03:00:00Z")


def state(ts, name, identity=None, **fields):
    return {"type": "seat_state", "id": identity or f"s{ts}", "ts": ts, "seat": "s1", "state": name} | fields


def check(ts, identity=None, source="spot", call="c", **marks):
    return {"type": "check", "id": identity or f"k{ts}", "ts": ts, "seat": "s1", "call": call, "source": source,
            "checks": marks}


class States(unittest.TestCase):
    def seat(self, *records, **settings):
        """{asof: state_ms} of the seat."""
        rows = replay(*records, cdr(60_000, seat="far"), every=1000, **settings)
        return {row["asof"]: (row["state_ms"], row["occupancy"]) for row in rows
                if (row["id"], row["window"]) == ("s1", "10s")}

    def test_accrues_and_slides_out(self):
        rows = self.seat(state(5000, "talking"), state(7500, "offline"))
        self.assertEqual(rows[6000], ({"talking": 1000}, 1))
        self.assertEqual(rows[9000], ({"offline": 1500, "talking": 2500}, 1))
        self.assertEqual(rows[17_000], ({"offline": 9500, "talking": 500}, 1))
        self.assertNotIn(18_000, rows)  # nothing but offline
        self.assertNotIn(5000, rows)  # nothing is known before the first

    def test_goes_on_for_ever(self):
        rows = self.seat(state(5000, "available"))
        self.assertEqual(rows[50_000], ({"available": 10_000}, 0))

    def test_occupancy(self):
        rows = self.seat(state(0, "ringing"), state(1000, "available"), state(4000, "break"))
        self.assertEqual(rows[10_000], ({"available": 3000, "ringing": 1000, "break": 6000}, Decimal("0.25")))

    def test_of_one_instant_the_greater_id_is_the_later(self):
        for order in (("a", "b"), ("b", "a")):
            names = {"a": "talking", "b": "break"}
            rows = self.seat(*(state(1000, names[identity], identity) for identity in order))
            self.assertEqual(rows[2000][0], {"break": 1000})

    def test_disorder_and_lateness(self):
        late = dict(allowed_lateness="1s")
        self.assertEqual(self.seat(state(2000, "break"), state(1000, "talking"), **late)[3000][0],
                         {"talking": 1000, "break": 1000})
        # 10 s window and 1 s lateness: from 11001 ms before the newest nobody is put in his place any more.
        for ts, want in ((9000, {"talking": 10_000}), (8999, None)):
            rows = self.seat(cdr(20_000, seat="x"), state(ts, "talking"), periods=["day"], **late)
            self.assertEqual(rows.get(30_000, (None,))[0], want)

    def test_moves_with_the_seat(self):
        rows = replay(state(1000, "talking"), state(2000, "available"), cdr(3000, seat="x"), every=1000,
                      roster="seat,team,room,centre,from\ns1,t1,,,\ns1,t2,,,1970-01-01T00:00:02Z\n")
        teams = {(row["asof"], row["id"]): row["state_ms"] for row in rows if row["kind"] == "team"}
        self.assertEqual(teams, {(2000, "t1"): {"talking": 1000}, (3000, "t1"): {"talking": 1000},
                                 (3000, "t2"): {"available": 1000}, (4000, "t1"): {"talking": 1000},
                                 (4000, "t2"): {"available": 2000}})


class Judgements(unittest.TestCase):
    def seat(self, *records, windows=("10s/1s",), **settings):
        rows = replay(*records, cdr(60_000, seat="far"), every=1000, windows=list(windows), **settings)
        return {row["asof"]: row for row in rows if row["id"] == "s1"}

    def test_stands_where_the_call_stands(self):
        rows = self.seat(cdr(1000, call="c"), check(5500, a=True, b=False))
        self.assertEqual([rows[t]["checked"] for t in (2000, 5000, 6000, 11_000)], [0, 0, 1, 1])
        self.assertEqual((rows[6000]["compliant"], rows[6000]["check_weight"], rows[6000]["check_weight_passed"]), (0, 2, 1))
        self.assertEqual(rows[6000]["checks"], {"a": {"evaluated": 1, "passed": 1}, "b": {"evaluated": 1, "passed": 0}})
        self.assertEqual(rows[6000]["check_sources"], {"spot": {"evaluated": 2, "passed": 1}})
        self.assertNotIn(12_000, rows)  # the call has slid out, and the judgement with it

    def test_which_leg(self):
        legs = [cdr(1000, call="c"), cdr(2000, call="c"), cdr(3500, call="c"), cdr(2500, call="d"), cdr(2600, call="c", seat="x")]
        rows = self.seat(*legs, check(3000, a=True), windows=["1s/1s"], allowed_lateness="5s")
        self.assertEqual({t: row["checked"] for t, row in rows.items() if row["checked"]}, {})  # as of 3000: not known yet
        rows = self.seat(*legs, check(3000, a=True), windows=["2s/1s"], allowed_lateness="5s")
        self.assertEqual({t: row["checked"] for t, row in rows.items() if row["checked"]}, {4000: 1})

    def test_without_a_leg_it_is_one(self):
        rows = self.seat(check(3000, a=True))
        self.assertEqual((rows[4000]["offered"], rows[4000]["checked"], rows[4000]["compliant"]), (0, 1, 1))
        self.assertEqual(self.seat(check(3000, a=None)), {})
        rows = self.seat(cdr(1000, call="c"), check(3000, a=True), compliance={"judge_within": "1999ms"})
        self.assertEqual((rows[4000]["checked"], rows[12_000]["offered"]), (1, 0))

    def test_a_leg_is_checked_once(self):
        rows = self.seat(cdr(1000, call="c", checks={"a": True}), check(2000, b=True), check(3000, a=False), check(4000, b=True))
        self.assertEqual([(rows[t]["checked"], rows[t]["compliant"]) for t in (2000, 3000, 4000, 5000)], [(1, 1), (1, 1), (1, 0), (1, 0)])
        self.assertEqual(rows[5000]["check_sources"], {"record": {"evaluated": 1, "passed": 1}, "spot": {"evaluated": 3, "passed": 2}})

    def test_a_revision_stays_judged(self):
        rows = self.seat(cdr(1000, "i", call="c"), check(2000, a=False), cdr(3000, seat="x"),
                         cdr(4000, "i", call="c", rev=1, checks={"b": True}), check(5000, a=True), dedupe="1h")
        self.assertEqual([(rows[t]["offered"], rows[t]["checked"], rows[t]["compliant"]) for t in (3000, 5000, 6000)],
                         [(1, 1, 0), (1, 1, 0), (1, 1, 0)])

    def test_names_of_rules_are_passed_over(self):
        rules = {"checks": {}, "rules": {"quick": {"when": "wait_ms < 1000"}}}
        rows = self.seat(cdr(1000, call="c"), check(2000, quick=False), compliance=rules)
        self.assertEqual((rows[3000]["checks"], rows[3000]["compliant"]), ({"quick": {"evaluated": 1, "passed": 1}}, 1))


class Records(unittest.TestCase):
    def bad(self, line):
        with self.assertRaises(model.BadRecord, msg=repr(line)):
            model.decode(line if isinstance(line, bytes) else json.dumps(line).encode())

    def test_times(self):
        for text, want in (("1970-01-01T00:00:00Z", 0), ("1970-01-01t08:00:00.5+08:00", 500), ("2024-02-29T00:00:00.0019Z", 1709164800001),
                           ("1969-12-31T18:00:00-06:00", 0), ("2100-01-01T00:00:00Z", model.TS_MAX)):
            self.assertEqual(model.decode(json.dumps(cdr(text)).encode()).ts, want, text)
        for text in ("2023-02-29T00:00:00Z", "2024-01-01T00:00:00", "2024-01-01T24:00:00Z", "1969-12-31T23:59:59.999Z",
                     "2100-01-01T00:00:00.001Z", "2024-01-01T00:00:00+24:00", "", "5"):
            self.bad(cdr(text, "x"))

    def test_good(self):
        self.assertIsNone(model.decode(b" \t\r"))
        event = model.decode(b'{"ts":null,"\\u0074ype":"cdr","id":"a","outcome":"lost","ts":5,"outcome":"answered","x":[{}]}\r')
        self.assertEqual((event.ts, event.outcome), (5, "answered"))
        self.assertEqual(model.decode(json.dumps(cdr(1, "é" * 32)).encode()).id, "é" * 32)

    def test_bad(self):
        for fields in ({"outcome": "lost"}, {"ts": 1.0}, {"ts": True}, {"ts": -1}, {"ts": model.TS_MAX + 1}, {"seat": None},
                       {"seat": "é" * 17}, {"rating": 101}, {"rating": None}, {"on_hold": 1}, {"checks": {"a": 1}}, {"end": ""},
                       {"wait_ms": model.PART_MAX + 1}, {"rev": -1}, {"id": "é" * 33}, {"type": "CDR"}, {"call": 5}):
            self.bad(cdr(1, "x") | fields)
        for name in ("type", "id", "ts", "outcome"):
            self.bad({key: value for key, value in cdr(1).items() if key != name})
        good = json.dumps(cdr(1)).encode()
        for line in (good + b"x", good[:-1], b"[" + good + b"]", good[:-1] + b',"x":NaN}', good[:-1] + b',"seat":"\\ud800"}',
                     good[:-1] + b',"x":"\xed\xa0\x80"}', good[:-1] + b',"x":"\t"}', b"\xef\xbb\xbf" + good, b"null",
                     good[:-1] + b',"wait_ms":1e3}', good + b" " * model.RECORD_BYTES_MAX):
            self.bad(line)


class Generator(unittest.TestCase):
    def test_seeded(self):
        a, b = streams.stream(7), streams.stream(7)
        self.assertEqual((a.config, a.roster, a.lines, a.when()), (b.config, b.roster, b.lines, b.when()))
        self.assertNotEqual(a.lines, streams.stream(8).lines)

    def test_has_everything(self):
        counters = dict.fromkeys(("bad", "duplicate", "revised", "late", "accepted", "states", "judged", "judged_legs"), 0)
        modes, far = set(), 0
        for seed in range(120):
            stream = streams.stream(seed)
            with tempfile.TemporaryDirectory() as folder:
                stream.write(folder)
                config = model.Config(stream.settings(), folder)
            seen = model.walk([line for data in stream.datas() for line in model.split_lines(data)], config)
            for name, count in seen.counters.items():
                counters[name] += count
            modes.add((stream.every is not None, stream.at is not None))
            far += "far" in stream.tags
        self.assertEqual(len(modes), 3)
        for name, count in counters.items():
            self.assertGreater(count, 20, name)
        self.assertGreater(far, 0)

    def test_calm_streams_do_not_depend_on_order(self):
        for seed in range(40):
            calm = streams.calm_stream(seed)
            with tempfile.TemporaryDirectory() as folder:
                calm.write(folder)
                self.assertEqual(compare.expected(calm, folder), compare.expected(streams.in_order(calm), folder), seed)


class Broken:
    """Stands for a program: the model, with something replaced in it while it runs."""

    path = "broken"

    def __init__(self, *patches):
        self.patches = patches

    def command(self, arguments):
        return ["broken", "replay", *arguments]

    def run(self, arguments):
        options = list(arguments)
        config = Path(options[options.index("-c") + 1])
        every = model.duration_ms(options[options.index("--every") + 1]) if "--every" in options else None
        at = options[options.index("--at") + 1] if "--at" in options else None
        at = None if at is None else int(at) if at.isdigit() else model.rfc3339_ms(at)
        events = Path(options.pop(options.index("--breaches") + 1)) if "--breaches" in options else None
        datas = [Path(name).read_bytes() for name in options if name.endswith(".ndjson")]
        with contextlib.ExitStack() as stack:
            for target, name, new in self.patches:
                stack.enter_context(mock.patch.object(target, name, new))
            settings = model.Config(json.loads(config.read_text("utf-8")), config.parent)
            seen = model.walk([line for data in datas for line in model.split_lines(data)], settings)
            rows = model.rows(seen, settings, every, at)
            if events:
                events.write_bytes(b"".join(_cloud_event(event) for event in breaches.breaches(seen, settings)))
        return b"".join(model.render(row).encode("utf-8") + b"\n" for row in rows), None


def _cloud_event(event):
    data = {key: value for key, value in event.items() if key != "type"}
    place = f"{data['dedup_key']} {data['asof']} {event['type']} {data['level']} {data.get('escalated_to')}"
    around = {"id": place, "type": event["type"], "time": streams.rfc3339_z(data["asof"]),
              "subject": f"{data['kind']}/{data['id']}"}
    text = json.dumps(around, ensure_ascii=False)[:-1] + ', "data": ' + model.render(data | {"episode": "e"}) + "}"
    return text.encode("utf-8") + b"\n"


def _units_without(kind):
    original = model.units_of
    return lambda event, config: {unit for unit in original(event, config) if unit[0] != kind or event.seat}


def _in_force_exclusive(self, seat, ts):
    best = None
    for row in self.rows:
        if row.seat == seat and row.start < ts and (best is None or row.start >= best.start):
            best = row
    return best


def _ratio_down(numerator, denominator, decimals=0):
    if denominator == 0:
        return None
    scaled = numerator * 10**decimals // denominator
    return scaled if decimals == 0 else Decimal(scaled).scaleb(-decimals)


def _period_in_utc(name, as_of, zone, original=model.period_start_ms):
    return original(name, as_of, model.ZoneInfo("UTC"))


def _day_of_the_end(name, as_of, zone, original=model.period_start_ms):
    return original(name, as_of + 1, zone)


def _same_offset_all_day(day, zone):
    noon = model.datetime(day.year, day.month, day.day, 12, tzinfo=zone)
    return (noon - model.EPOCH) // model.MS - 12 * 3_600_000


def _marks(event, config, original=model.marks_of):
    return [(name, passed, weight, False) for name, passed, weight, _ in original(event, config)]


def _marks_with_rules(event, config, original=model.marks_of):
    marks = original(event, config)
    if event.type == "check":
        marks += [(name, passed, 1, False) for name, passed in event.checks.items() if passed is not None and name in config.rules]
    return marks


def _settle_at_once(out, number, watermark, config, original=model._settle):
    original(out, number, model.FOREVER, config)


def _settle_at_the_watermark(out, number, watermark, config, original=model._settle):
    original(out, number, watermark + 1, config)


def _settle_alone(out, number, watermark, config, original=model._settle):
    legs, out.legs = out.legs, []
    original(out, number, watermark, config)
    out.legs = legs


def _forgets_judgements(leg, config, original=model.can_be_judged):
    return not leg.event.rev and original(leg, config)


def _occupancy_with_breaks(what):
    busy = sum(what.state_ms.get(state, 0) for state in model.BUSY)
    return model.ratio(busy, sum(ms for state, ms in what.state_ms.items() if state != "offline"), 4)


def _is_empty_without_legs(self):
    return not self.legs and not self.judgements


def _is_never_empty(self):
    return not self.legs and not self.judgements and not self.state_ms


def _nested_plain(what, original=model.nested):
    return {key: value for key, value in original(what).items() if key != "check_sources"}


def _end_late(name, ts, zone, original=breaches.period_end_ms):
    return original(name, ts, zone) + 1000


def _zone_optional(text, original=model.rfc3339_ms):
    return original(text + "Z" if len(text) == 19 else text)


MISTAKES = {
    "freezes one record too late": (model.Walk, "freeze", lambda self, t: model.bisect.bisect_right(self.clocks, t + self.lateness)),
    "freezes at the clock": (model.Walk, "freeze", lambda self, t: model.bisect.bisect_left(self.clocks, t)),
    "forgets an id one ms early": (model, "forgotten", lambda k, w, c: w >= k.event.ts + c.dedupe),
    "never forgets": (model, "forgotten", lambda k, w, c: False),
    "forgets by the clock": (model, "forgotten", lambda k, w, c: w + c.lateness > k.event.ts + c.dedupe),
    "ignores revisions": (model, "replaces", lambda e, k: False),
    "takes equal revisions": (model, "replaces", lambda e, k: e.type == k.event.type == "cdr" and e.rev >= k.event.rev),
    "remembers what was too late": (model, "covered", lambda ts, w, c: True),
    "drops whatever is late": (model, "covered", lambda ts, w, c: ts >= w),
    "forgets the queue's owner's room": (model, "units_of", _units_without("room")),
    "has `from` exclusive": (model.Roster, "in_force", _in_force_exclusive),
    "rounds down": (model, "ratio", _ratio_down),
    "has all days in UTC": (model, "period_start_ms", _period_in_utc),
    "starts a period one ms early": (model, "period_start_ms", _day_of_the_end),
    "has no DST within a day": (model, "day_start_ms", _same_offset_all_day),
    "has no vetoes": (model, "marks_of", _marks),
    "takes the next rank": (model, "nearest_rank", lambda o, p: o[min(len(o) - 1, p * len(o) // 100)] if o else None),
    "allows larger records": (model, "RECORD_BYTES_MAX", 70_000),
    "accepts NaN": (model, "_no_constant", lambda word: 0),
    "has timers that are a step late": (breaches, "first_from", lambda ms, step: model.first_after(ms, step)),
    "never goes up the tree": (breaches.Watch, "climb", lambda self, at, value, n: None),
    "has min_n of offered": (breaches, "N_OF", {}),
    "counts an empty window as nothing seen": (breaches, "NOTHING", dict.fromkeys(model.FIGURES) | {"offered": 0}),
    "clears when no level holds": (breaches.BreachRule, "is_clear", lambda self, v, n: self.level(v, n) == 0),
    "keeps a period one ms longer": (breaches, "period_end_ms", _end_late),
    "lets a check say what a rule says": (model, "marks_of", _marks_with_rules),
    "counts judgements when they come": (model, "_settle", _settle_at_once),
    "counts judgements when the watermark reaches them": (model, "_settle", _settle_at_the_watermark),
    "finds no leg for a judgement": (model, "_settle", _settle_alone),
    "forgets what was said of a revised leg": (model, "can_be_judged", _forgets_judgements),
    "takes a change of state however late": (model, "out_of_reach", lambda e, clock, c: False),
    "counts breaks as signed on": (model, "occupancy", _occupancy_with_breaks),
    "has no rows of states alone": (model.What, "is_empty", _is_empty_without_legs),
    "has rows of nothing but offline": (model.What, "is_empty", _is_never_empty),
    "leaves the sources of checks out": (model, "nested", _nested_plain),
    "takes a time without a zone": (model, "rfc3339_ms", _zone_optional),
}


class PlantedMistakes(unittest.TestCase):
    SEEDS = 400
    RARE = ("allows larger records", "takes a time without a zone")

    def test_each_is_noticed(self):
        for name, patch in MISTAKES.items():
            with self.subTest(name):
                seeds = range(2500) if name in self.RARE else range(self.SEEDS)
                self.assertTrue(any(self.noticed(seed, patch) for seed in seeds), f"nobody noticed that it {name}")

    @staticmethod
    def noticed(seed, patch):
        stream = streams.stream(seed)
        if patch[1] == "RECORD_BYTES_MAX" and not any(len(line) > 60_000 for _, line in stream.lines):
            return False
        return compare.check(stream, Broken(patch))[0] is not None

    def test_the_sound_one_passes(self):
        for seed in range(25):
            self.assertIsNone(compare.check(streams.stream(seed), Broken())[0], seed)

    def test_shrinks(self):
        program = Broken(MISTAKES["ignores revisions"])
        seed = next(s for s in range(100) if compare.check(streams.stream(s), program)[0] is not None)
        small = compare.Shrinker(streams.stream(seed), lambda s: compare.check(s, program)[0] is not None, 20).run()
        self.assertIsNotNone(compare.check(small, program)[0])
        self.assertLessEqual(len(small.lines), 3)  # a leg, its revision, at most one more
        self.assertEqual(len(small.config["windows"]) + len(small.config["periods"]), 1)
        with tempfile.TemporaryDirectory() as keep:
            text = compare.report("model", seed, small, "differs", program, keep)
        self.assertIn(f"--seeds {seed}..{seed}", text)

    def test_fields_are_compared(self):
        want = {"asof": 1, "kind": "seat", "id": "a", "window": "1m", "offered": 5, "handle_p50_ms": 1000,
                "abandon_rate": Decimal("0.5"), "aht_ms": None}
        self.assertIsNone(compare.difference([want | {"handle_p50_ms": 1020}], [want]))
        for wrong in ({"handle_p50_ms": 1021}, {"offered": 4}, {"offered": Decimal("5.0")}, {"abandon_rate": Decimal("0.5001")},
                      {"aht_ms": 0}, {"kind": "team"}, {"handle_p50_ms": None}, {"more": 1}):
            self.assertIsNotNone(compare.difference([want | wrong], [want]), wrong)
        self.assertIsNotNone(compare.difference([], [want]))
        self.assertIsNotNone(compare.difference([want, want], [want]))


if __name__ == "__main__":
    unittest.main()
