#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""model.py: what `callmill replay` must print, worked out the slow and obvious way.

This is the oracle of the property tests. It is written from the contract alone and shares nothing with
the C sources: no panes, no running sums, no subtraction. It works in two steps:

  1. walk()   reads the records in the order of arrival, keeps the clock and the memory of ids, and notes
              for each leg that counts: when it arrived, and when (if ever) a revision took it away.
  2. rows()   for each window and each T asked for, picks the legs that count in it and adds them up afresh.

A row set as of T is frozen right after the first record that brings the watermark to T or beyond. So with
freeze(T) = the number of that record, a leg counts as of T exactly when

    arrived <= freeze(T) < taken_away   and   start(T) <= ts < T.

Command line: model.py [replay] [-c cfg.json] [-o key=value]... [--every DUR | --at TS] [FILE...|-]
The configuration is JSON, which is YAML as well, so that the program reads the same file.

So does the span of a seat's state, whose end is the ts of the seat's next change that had arrived by then, and
a judgement (`check`), which arrives anew when the watermark passes its ts and stands where its leg stands.
docs/decisions/0009 says what they mean. `queue_enter`, `queue_exit` and `case` are checked, move the clock, and
take part in dedupe.
"""

import argparse
import bisect
import csv
import functools
import io
import json
import math
import re
import sys
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

FOREVER = math.inf
RECORD_BYTES_MAX = 65536
TS_MAX = 4_102_444_800_000
PART_MAX = 604_800_000

# ---------------------------------------------------------------------------------------------------------
# Times and durations

UNIT_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MS = timedelta(milliseconds=1)


def duration_ms(text):
    """'5s' -> 5000. The unit is not optional."""
    m = re.fullmatch(r"([0-9]+)(ms|s|m|h|d)", text)
    if not m:
        raise ValueError(f"not a duration: {text!r}")
    return int(m[1]) * UNIT_MS[m[2]]


def rfc3339_ms(text):
    """An RFC 3339 time as ms since the epoch; digits below the ms are cut off."""
    m = RFC3339.fullmatch(text)
    if not m:
        raise ValueError(f"not an RFC 3339 time: {text!r}")
    year, month, day, hour, minute, second = (int(m[i]) for i in range(1, 7))
    at = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
    ms = (at - EPOCH) // MS + int(((m[7] or "") + "000")[:3])
    if m[8]:
        if int(m[9]) > 23 or int(m[10]) > 59:
            raise ValueError(f"no such offset: {text!r}")
        offset = (int(m[9]) * 60 + int(m[10])) * 60_000
        ms += -offset if m[8] == "+" else offset
    return ms


def utc(ms):
    return EPOCH + ms * MS


def first_after(ms, step):
    """The first multiple of step that is greater than ms."""
    return (ms // step + 1) * step


@functools.lru_cache(maxsize=100_000)
def day_start_ms(day, zone):
    """The first instant whose local date is `day`."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)  # fold=0: the earlier of two
    start = (midnight - EPOCH) // MS
    if utc(start).astimezone(zone).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return start
    # Midnight falls into a gap: the day begins at the transition, somewhere around here.
    low, high = start - 3 * 3_600_000, start + 3 * 3_600_000
    while high - low > 1:
        middle = (low + high) // 2
        if utc(middle).astimezone(zone).date() >= day:
            high = middle
        else:
            low = middle
    return high


def local_day(ms, zone):
    """The day that holds an instant. Where midnight comes twice, what comes back of the old date is of the new day."""
    day = utc(ms).astimezone(zone).date()
    if day_start_ms(day + timedelta(days=1), zone) <= ms:
        return day + timedelta(days=1)
    return day


def period_start_ms(name, as_of, zone):
    """Where the calendar period begins that contains as_of - 1 ms."""
    day = local_day(as_of - 1, zone)
    if name == "day":
        first = day
    elif name == "week":
        first = day - timedelta(days=day.weekday())
    elif name == "month":
        first = day.replace(day=1)
    elif name == "quarter":
        first = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    else:
        raise ValueError(f"no such period: {name!r}")
    return day_start_ms(first, zone)


# ---------------------------------------------------------------------------------------------------------
# Records

TYPES = ("cdr", "queue_enter", "queue_exit", "seat_state", "check", "case")
OUTCOMES = ("answered", "abandoned", "no_answer", "rejected", "overflow", "timeout", "callback")
ENDS = ("caller", "agent", "system", "transfer")
STATES = ("offline", "available", "ringing", "talking", "hold", "acw", "break", "training", "meeting")
SOURCES = ("self", "spot", "third_party")
STEPS = ("opened", "contacted", "planned", "onsite", "resolved")


class BadRecord(Exception):
    """The record does not count; the text says why."""


@dataclass
class Event:
    type: str
    id: str
    ts: int
    seat: str = ""
    queue: str = ""
    centre: str = ""
    outcome: str = ""
    parts: dict = field(default_factory=dict)  # wait_ms, ring_ms, talk_ms, hold_ms, acw_ms
    hold_n: int = 0
    transfers: int = 0
    end: str = ""
    on_hold: bool = False
    rating: int | None = None
    checks: dict = field(default_factory=dict)
    rev: int = 0
    call: str = ""
    state: str = ""
    source: str = ""

    def value(self, name):
        """The value that a compliance rule sees; None: absent."""
        if name in self.parts:
            return self.parts[name]
        if name == "handle_ms":
            return self.parts["talk_ms"] + self.parts["hold_ms"] + self.parts["acw_ms"]
        if name in ("answered", "abandoned"):
            return int(self.outcome == name)
        if name in ("hold_n", "transfers", "rating", "on_hold", "rev"):
            value = getattr(self, name)
            return None if value is None else int(value)
        raise ValueError(f"no such field: {name!r}")


def _no_constant(word):
    raise BadRecord(f"{word} is not JSON")


def _integer(digits):
    return int(digits) if len(digits) <= 20 else 10**20  # out of every range, and quick


class _Fraction(float):
    """A number written with a fraction or an exponent: no integer, whatever its value."""


def _check_text(value):
    """Lone surrogates, which \\u escapes can smuggle in, have no UTF-8."""
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise BadRecord("lone surrogate") from None
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_text(key)
            _check_text(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_text(inner)


class _Fields:
    """Typed access to the members of a record; every breach of a rule is a BadRecord."""

    def __init__(self, members):
        self.members = members

    def string(self, name, limit=None, required=False):
        if name not in self.members:
            if required:
                raise BadRecord(f"{name} is missing")
            return ""
        value = self.members[name]
        if not isinstance(value, str):
            raise BadRecord(f"{name} is no string")
        if limit is not None and len(value.encode("utf-8")) > limit:
            raise BadRecord(f"{name} is too long")
        return value

    def word(self, name, words, required=False):
        value = self.string(name, required=required)
        if name in self.members and value not in words:
            raise BadRecord(f"{name}: unknown word")
        return value

    def integer(self, name, low, high, default):
        if name not in self.members:
            return default
        value = self.members[name]
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadRecord(f"{name} is no integer")
        if value < low or (high is not None and value > high):
            raise BadRecord(f"{name} is out of range")
        return value

    def boolean(self, name):
        value = self.members.get(name, False)
        if not isinstance(value, bool):
            raise BadRecord(f"{name} is neither true nor false")
        return value

    def checks(self, required=False):
        if "checks" not in self.members:
            if required:
                raise BadRecord("checks is missing")
            return {}
        value = self.members["checks"]
        if not isinstance(value, dict):
            raise BadRecord("checks is no object")
        for mark in value.values():
            if mark is not None and not isinstance(mark, bool):
                raise BadRecord("a check is neither true, false nor null")
        return value

    def time(self):
        if "ts" not in self.members:
            raise BadRecord("ts is missing")
        value = self.members["ts"]
        if isinstance(value, str):
            try:
                ts = rfc3339_ms(value)
            except ValueError:
                raise BadRecord("ts is no time") from None
            if not 0 <= ts <= TS_MAX:
                raise BadRecord("ts is out of range")
            return ts
        return self.integer("ts", 0, TS_MAX, None)


def decode(line):
    """One record (bytes, without the line feed) to an Event, or BadRecord. None: a blank line."""
    if len(line) > RECORD_BYTES_MAX:
        raise BadRecord("too large")
    if not line.strip(b" \t\r"):
        return None
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRecord("not UTF-8") from None
    try:
        members = json.loads(text, parse_int=_integer, parse_float=_Fraction, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise BadRecord("not JSON") from None
    if not isinstance(members, dict):
        raise BadRecord("not an object")
    _check_text(members)
    return _event(_Fields(members))


def _event(f):
    event = Event(
        type=f.word("type", TYPES, required=True),
        id=f.string("id", 64, required=True),
        ts=f.time(),
        seat=f.string("seat", 32),
        queue=f.string("queue", 32),
        centre=f.string("centre", 32),
    )
    event.call = call = f.string("call", 64)
    f.string("agent", 32)
    f.string("ch", 16)
    if event.type == "cdr":
        _cdr(event, f)
    elif event.type in ("queue_enter", "queue_exit"):
        _need(call=call, queue=event.queue)
        f.string("reason")
    elif event.type == "seat_state":
        _need(seat=event.seat)
        event.state = f.word("state", STATES, required=True)
        f.string("reason")
    elif event.type == "check":
        _need(seat=event.seat, call=call)
        event.source = f.word("source", SOURCES, required=True)
        event.checks = f.checks(required=True)
    elif event.type == "case":
        _need(seat=event.seat)
        f.string("case", 64, required=True)
        f.string("kind", required=True)
        f.word("step", STEPS, required=True)
    return event


def _need(**texts):
    for name, text in texts.items():
        if not text:
            raise BadRecord(f"{name} is missing")


def _cdr(event, f):
    event.outcome = f.word("outcome", OUTCOMES, required=True)
    event.parts = {
        name: f.integer(name, 0, PART_MAX, 0) for name in ("wait_ms", "ring_ms", "talk_ms", "hold_ms", "acw_ms")
    }
    event.hold_n = f.integer("hold_n", 0, None, 0)
    event.transfers = f.integer("transfers", 0, None, 0)
    event.end = f.word("end", ENDS)
    event.on_hold = f.boolean("on_hold")
    event.rating = f.integer("rating", 0, 100, None)
    event.checks = f.checks()
    event.rev = f.integer("rev", 0, None, 0)


# ---------------------------------------------------------------------------------------------------------
# Configuration

DEFAULTS = {
    "timezone": "Asia/Shanghai",
    "centre": "main",
    "roster": "",
    "queues": {},
    "windows": ["1m/1s", "5m/5s", "15m/15s", "1h/1m"],
    "periods": ["day", "week", "month", "quarter"],
    "allowed_lateness": "10s",
    "dedupe": "10m",
    "short_abandon": "5s",
    "abandonment": {"formula": "net"},
    "service_level": {"target": "20s", "formula": "negative"},
    "compliance": {"checks": {}, "rules": {}, "judge_within": "7d"},
    "workers": 0,
    "rules": [],
}


@dataclass
class Window:
    name: str
    step: int
    length: int = 0  # 0: a calendar period

    def start(self, as_of, zone):
        return as_of - self.length if self.length else period_start_ms(self.name, as_of, zone)


def _merge(base, over):
    out = dict(base)
    for key, value in over.items():
        inner = base.get(key)
        out[key] = _merge(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return out


def override(settings, text):
    """-o key=value, with JSON or bare words as the value."""
    path, _, value = text.partition("=")
    try:
        value = json.loads(value)
    except ValueError:
        if value.startswith("[") and value.endswith("]"):
            value = [word.strip() for word in value[1:-1].split(",") if word.strip()]
    for key in reversed(path.split(".")):
        value = {key: value}
    return _merge(settings, value)


class Config:
    def __init__(self, settings, folder="."):
        s = _merge(DEFAULTS, settings)
        if unknown := set(s) - set(DEFAULTS):
            raise ValueError(f"settings that the model lacks: {sorted(unknown)}")
        self.zone = ZoneInfo(s["timezone"])
        self.centre = s["centre"]
        self.roster = Roster.load(Path(folder) / s["roster"]) if s["roster"] else Roster([])
        self.owners = {queue: spec["owner"] for queue, spec in s["queues"].items() if "owner" in spec}
        self.windows = []
        for text in s["windows"]:
            length, step = text.split("/")
            window = Window(length, duration_ms(step), duration_ms(length))
            if window.length % window.step:
                raise ValueError(f"the step does not divide the length: {text}")
            self.windows.append(window)
        self.windows += [Window(name, 1000) for name in s["periods"]]
        self.lateness = duration_ms(s["allowed_lateness"])
        self.dedupe = duration_ms(s["dedupe"])
        self.short_abandon = duration_ms(s["short_abandon"])
        self.target = duration_ms(s["service_level"]["target"])
        self.abandonment = s["abandonment"]["formula"]
        self.service_level = s["service_level"]["formula"]
        self.checks = s["compliance"]["checks"]
        self.judge_within = duration_ms(s["compliance"]["judge_within"])
        self.breach_rules = s["rules"]
        self.longest = max((window.length for window in self.windows), default=0)
        self.rules = {name: (Rule(spec["when"]), spec) for name, spec in s["compliance"]["rules"].items()}


class Rule:
    """FIELD OP NUMBER, joined by `and` and `or` (`and` first); null spreads as Kleene has it."""

    OPS = {
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b,
        ">=": lambda a, b: a >= b,
        "==": lambda a, b: a == b,
        "!=": lambda a, b: a != b,
    }

    def __init__(self, when):
        self.alternatives = []
        for alternative in re.split(r"\s+or\s+", when.strip()):
            terms = []
            for term in re.split(r"\s+and\s+", alternative):
                name, op, number = term.split()
                terms.append((name, self.OPS[op], int(number)))
            self.alternatives.append(terms)

    def judge(self, event):
        """True, False, or None: not applicable."""
        return kleene_or([kleene_and([self.compare(event, *term) for term in terms]) for terms in self.alternatives])

    @staticmethod
    def compare(event, name, op, number):
        value = event.value(name)
        return None if value is None else op(value, number)


def kleene_and(values):
    return False if False in values else None if None in values else True


def kleene_or(values):
    return True if True in values else None if None in values else False


# ---------------------------------------------------------------------------------------------------------
# The tree of units

@dataclass
class Place:
    seat: str
    team: str
    room: str
    centre: str
    start: float  # ms; -inf: from the beginning


class Roster:
    def __init__(self, rows):
        self.rows = rows

    @classmethod
    def load(cls, path):
        text = path.read_text(encoding="utf-8")
        raw = list(csv.DictReader(io.StringIO(text, newline=""))) if path.suffix == ".csv" else json.loads(text)
        rows = []
        for row in raw:
            start = rfc3339_ms(row["from"]) if row.get("from") else -FOREVER
            rows.append(Place(row["seat"], row.get("team") or "", row.get("room") or "", row.get("centre") or "", start))
        return cls(rows)

    def in_force(self, seat, ts):
        """The row of the seat with the latest start that is not after ts, or None."""
        best = None
        for row in self.rows:
            if row.seat == seat and row.start <= ts and (best is None or row.start >= best.start):
                best = row
        return best

    def newest(self, level, name):
        """The newest row whose team (or room) has that name, or None."""
        best = None
        for row in self.rows:
            if getattr(row, level) == name and (best is None or row.start >= best.start):
                best = row
        return best


def units_of(event, config):
    """Every (kind, id) that the event counts for."""
    units = set()
    named_centre = event.centre or config.centre
    if event.queue:
        units.add(("queue", event.queue))
    if event.seat:
        units.add(("seat", event.seat))
        place = config.roster.in_force(event.seat, event.ts)
        if place is None:
            units.add(("centre", named_centre))
        else:
            units |= {(kind, name) for kind, name in (("team", place.team), ("room", place.room)) if name}
            units.add(("centre", place.centre or config.centre))
        return units
    owner = config.owners.get(event.queue) if event.queue else None
    if owner is None:
        units.add(("centre", named_centre))
        return units
    kind, _, name = owner.partition(":")
    units.add((kind, name))
    if kind != "centre":
        place = config.roster.newest(kind, name)
        if kind == "team" and place is not None and place.room:
            units.add(("room", place.room))
        units.add(("centre", (place.centre if place is not None else "") or config.centre))
    return units


# ---------------------------------------------------------------------------------------------------------
# Figures

# Per leg, added up over the legs of a unit. The order is that of sums(), not that of the rows.
SUMS = (
    "offered", "answered", "abandoned", "no_answer", "rejected", "flow_out", "short_abandoned", "hold_abandoned",
    "sl_met", "sl_abandoned", "wait_ms", "talk_ms", "hold_ms", "acw_ms", "abandon_wait_ms", "handle_ms", "transfers",
    "ratings", "rating_sum", "checked", "compliant", "check_weight", "check_weight_passed", "vetoes",
)
# The figures of a row, in their order.
FIGURES = (
    "offered", "answered", "abandoned", "no_answer", "rejected", "flow_out", "short_abandoned", "hold_abandoned",
    "sl_met", "sl_abandoned", "wait_ms", "talk_ms", "hold_ms", "acw_ms", "abandon_wait_ms", "wait_max_ms", "handle_ms",
    "handle_max_ms", "transfers", "ratings", "rating_sum", "checked", "compliant", "check_weight",
    "check_weight_passed", "vetoes", "aht_ms", "asa_ms", "handle_p50_ms", "handle_p90_ms", "handle_p99_ms",
    "abandon_rate", "service_level", "compliance_rate", "compliant_rate", "rating_avg", "occupancy",
)
QUANTILES = {"handle_p50_ms": 50, "handle_p90_ms": 90, "handle_p99_ms": 99}


# What stands behind the figures of a row, each where there is something to say.
NESTED = ("state_ms", "checks", "check_sources")
BUSY = ("ringing", "talking", "hold", "acw")


def marks_of(event, config):
    """The applicable marks of a leg or a judgement: (name, passed, weight, veto)."""
    marks = []
    for name, passed in event.checks.items():
        if passed is not None and name not in config.rules:
            marks.append((name, passed, config.checks.get(name, {})))
    for name, (rule, spec) in config.rules.items() if event.type == "cdr" else ():
        passed = rule.judge(event)
        if passed is not None:
            marks.append((name, passed, spec))
    return [(name, passed, spec.get("weight", 1), spec.get("veto", False)) for name, passed, spec in marks]


def sums_of(event, marks, config):
    """What one leg adds to each of SUMS, by its own record."""
    p = event.parts
    answered = event.outcome == "answered"
    abandoned = event.outcome == "abandoned"
    leg = {
        "offered": 1,
        "answered": answered,
        "abandoned": abandoned,
        "no_answer": event.outcome == "no_answer",
        "rejected": event.outcome == "rejected",
        "flow_out": event.outcome in ("overflow", "timeout", "callback"),
        "short_abandoned": abandoned and p["wait_ms"] <= config.short_abandon,
        "hold_abandoned": answered and event.on_hold and event.end == "caller",
        "sl_met": answered and p["wait_ms"] <= config.target,
        "sl_abandoned": abandoned and p["wait_ms"] <= config.target,
        "wait_ms": p["wait_ms"] if answered else 0,
        "talk_ms": p["talk_ms"] if answered else 0,
        "hold_ms": p["hold_ms"] if answered else 0,
        "acw_ms": p["acw_ms"] if answered else 0,
        "abandon_wait_ms": p["wait_ms"] if abandoned else 0,
        "handle_ms": event.value("handle_ms") if answered else 0,
        "transfers": event.transfers,
        "ratings": event.rating is not None,
        "rating_sum": event.rating or 0,
        "checked": bool(marks),
        "compliant": bool(marks) and all(passed for _, passed, _, _ in marks),
        "check_weight": sum(weight for _, _, weight, _ in marks),
        "check_weight_passed": sum(weight for _, passed, weight, _ in marks if passed),
        "vetoes": sum(veto and not passed for _, passed, _, veto in marks),
    }
    return [int(leg[name]) for name in SUMS]


def ratio(numerator, denominator, decimals=0):
    """Rounded half up to so many decimals; None when the denominator is 0."""
    if denominator == 0:
        return None
    scaled = (2 * numerator * 10**decimals + denominator) // (2 * denominator)
    return scaled if decimals == 0 else Decimal(scaled).scaleb(-decimals)


def nearest_rank(ordered, percent):
    """The smallest value such that at least `percent` % of all are not above it."""
    return ordered[-(-percent * len(ordered) // 100) - 1] if ordered else None


def figures_of(what, config):
    """The figures of a unit with exactly that, in the order of FIGURES, then what is nested."""
    legs = [leg for leg, _ in what.legs]
    f = dict(zip(SUMS, (sum(column) for column in zip(*(leg.sums for leg in legs))))) or dict.fromkeys(SUMS, 0)
    answered = [leg.event for leg in legs if leg.event.outcome == "answered"]
    abandoned = [leg.event for leg in legs if leg.event.outcome == "abandoned"]
    handles = sorted(event.value("handle_ms") for event in answered)
    f["wait_max_ms"] = max((event.parts["wait_ms"] for event in answered + abandoned), default=0)
    f["handle_max_ms"] = handles[-1] if handles else 0
    judge(f, what)
    f["aht_ms"] = ratio(f["handle_ms"], f["answered"])
    f["asa_ms"] = ratio(f["wait_ms"], f["answered"])
    for name, percent in QUANTILES.items():
        f[name] = nearest_rank(handles, percent)
    f["abandon_rate"] = abandon_rate(f, config.abandonment)
    f["service_level"] = service_level(f, config.service_level)
    f["compliance_rate"] = ratio(f["check_weight_passed"], f["check_weight"], 4)
    f["compliant_rate"] = ratio(f["compliant"], f["checked"], 4)
    f["rating_avg"] = ratio(f["rating_sum"], f["ratings"], 2)
    f["occupancy"] = occupancy(what)
    return {name: f[name] for name in FIGURES} | nested(what)


def signed_on_ms(what):
    return sum(what.state_ms.get(state, 0) for state in (*BUSY, "available"))


def occupancy(what):
    return ratio(sum(what.state_ms.get(state, 0) for state in BUSY), signed_on_ms(what), 4)


def judge(f, what):
    """Adds what judgements say to the sums over the records. `checked` and `compliant` count legs."""
    for leg, judged in what.legs:
        if judged:
            own_checked, own_compliant = leg.sums[SUMS.index("checked")], leg.sums[SUMS.index("compliant")]
            f["checked"] += 1 - own_checked
            passed = all(judgement.passed for judgement in judged) and (own_compliant or not own_checked)
            f["compliant"] += passed - own_compliant
    for judgement in what.judgements:
        if judgement.leg is None:
            f["checked"] += 1
            f["compliant"] += judgement.passed
        for _, passed, weight, veto in judgement.marks:
            f["check_weight"] += weight
            f["check_weight_passed"] += weight * passed
            f["vetoes"] += veto and not passed


def nested(what):
    """The objects that follow the figures; what is empty is left out."""
    marks = [(mark[0], mark[1], "record") for leg, _ in what.legs for mark in leg.marks]
    marks += [(mark[0], mark[1], judgement.source) for judgement in what.judgements for mark in judgement.marks]
    out = {}
    if states := {state: what.state_ms[state] for state in STATES if what.state_ms.get(state)}:
        out["state_ms"] = states
    for key, column, names in (("checks", 0, sorted({mark[0] for mark in marks}, key=str.encode)),
                               ("check_sources", 2, ("record", *SOURCES))):
        found = {}
        for name in names:
            verdicts = [mark[1] for mark in marks if mark[column] == name]
            if verdicts:
                found[name] = {"evaluated": len(verdicts), "passed": sum(verdicts)}
        if found:
            out[key] = found
    return out


def abandon_rate(f, formula):
    if formula == "gross":
        return ratio(f["abandoned"], f["offered"], 4)
    if formula == "net":
        return ratio(f["abandoned"] - f["short_abandoned"], f["offered"] - f["short_abandoned"], 4)
    raise ValueError(f"no such formula: {formula!r}")


def service_level(f, formula):
    if formula == "answered":
        return ratio(f["sl_met"], f["answered"], 4)
    if formula == "ignore":
        return ratio(f["sl_met"], f["answered"] + f["abandoned"] - f["sl_abandoned"], 4)
    if formula == "positive":
        return ratio(f["sl_met"] + f["sl_abandoned"], f["answered"] + f["abandoned"], 4)
    if formula == "negative":
        return ratio(f["sl_met"], f["answered"] + f["abandoned"] - f["short_abandoned"], 4)
    raise ValueError(f"no such formula: {formula!r}")


# ---------------------------------------------------------------------------------------------------------
# Step 1: the records in the order of arrival

@dataclass(eq=False)
class Leg:
    event: Event
    arrived: int  # number of the record
    number: int = 0  # position among all legs by ts
    taken_away: float = FOREVER  # number of the record that revised it
    units: tuple = ()
    sums: tuple = ()
    marks: tuple = ()
    judgements: list = field(default_factory=list)  # of it, and of the revision before it


@dataclass(eq=False)
class Change:
    """A seat's change of state."""

    event: Event
    arrived: int
    units: tuple


@dataclass(eq=False)
class Judgement:
    event: Event
    order: int  # of arrival
    units: tuple  # its own, for want of a leg
    marks: tuple
    since: float  # its leg is not older
    leg: Leg | None = None
    ts: int = 0  # where it counts
    arrived: float = FOREVER  # number of the record at which it counts
    number: int = 0

    @property
    def source(self):
        return self.event.source

    @property
    def passed(self):
        return all(passed for _, passed, _, _ in self.marks)


@dataclass(eq=False)
class What:
    """What counts for a unit in one window."""

    legs: list = field(default_factory=list)  # (leg, the judgements of it that count)
    judgements: list = field(default_factory=list)
    state_ms: dict = field(default_factory=dict)

    def is_empty(self):
        return not self.legs and not self.judgements and not any(
            ms for state, ms in self.state_ms.items() if state != "offline")

    def key(self):
        return (tuple((leg.number, tuple(j.number for j in judged)) for leg, judged in self.legs),
                tuple(j.number for j in self.judgements), tuple(sorted(self.state_ms.items())))


@dataclass
class Memory:
    """What is known of an id."""

    event: Event
    leg: Leg | None
    seen: int  # the newest event time when it came, its own included


@dataclass
class Walk:
    legs: list
    clocks: list  # the greatest ts after each record, -inf before the first
    lateness: int
    counters: dict
    least_ts: float = FOREVER
    changes: dict = field(default_factory=dict)  # by seat, in the order of (ts, id)
    judgements: list = field(default_factory=list)
    waiting: list = field(default_factory=list)

    def freeze(self, as_of):
        """The number of the record after which the row set as of that time is frozen."""
        return bisect.bisect_left(self.clocks, as_of + self.lateness)


def forgotten(known, clock, config):
    """An id is remembered until the newest event time is more than the horizon past what it was when the id came."""
    return clock > known.seen + config.dedupe


def covered(ts, watermark, config):
    """Whether some window or period that is not frozen yet holds that ts."""
    for window in config.windows:
        as_of = first_after(max(ts, watermark), window.step)  # the earliest one left reaches back furthest
        if window.start(as_of, config.zone) <= ts:
            return True
    return False


def replaces(event, known):
    return event.type == "cdr" and known.event.type == "cdr" and event.rev > known.event.rev


def out_of_reach(event, clock, config):
    """Whether a change of state comes too late to be put in its place."""
    return event.type == "seat_state" and event.ts < clock - config.longest - config.lateness


def walk(lines, config):
    """lines: an iterable of bytes without line feeds, all files one after the other."""
    out = Walk([], [], config.lateness, {"bad": 0, "duplicate": 0, "revised": 0, "late": 0, "accepted": 0,
                                         "states": 0, "judged": 0, "judged_legs": 0})
    clock = -FOREVER
    memory = {}
    for number, line in enumerate(lines):
        try:
            event = decode(line)
        except BadRecord:
            out.counters["bad"] += 1
            event = None
        if event is not None:
            _take(out, memory, event, number, clock, config)
            clock = max(clock, event.ts)
            out.least_ts = min(out.least_ts, event.ts)
            _settle(out, number, clock - config.lateness, config)
        out.clocks.append(clock)
    _settle(out, len(out.clocks), FOREVER, config)
    out.legs.sort(key=lambda leg: leg.event.ts)
    out.judgements.sort(key=lambda judgement: judgement.ts)
    for items in (out.legs, out.judgements):
        for number, item in enumerate(items):
            item.number = number
    for changes in out.changes.values():
        changes.sort(key=lambda change: (change.event.ts, change.event.id.encode("utf-8")))
    return out


def _take(out, memory, event, number, clock, config):
    watermark = clock - config.lateness
    known = memory.get(event.id)
    if known is not None and forgotten(known, clock, config):
        known = None
    if known is not None and not replaces(event, known):
        out.counters["duplicate"] += 1
        return
    if known is not None:
        out.counters["revised"] += 1
        if known.leg is not None:
            known.leg.taken_away = number
    leg = None
    counts = covered(event.ts, watermark, config) and not out_of_reach(event, max(clock, event.ts), config)
    if not counts:
        out.counters["late"] += 1
    elif event.type in ("cdr", "seat_state", "check"):
        out.counters["accepted"] += event.type == "cdr"
        units = tuple((kind.encode(), name.encode("utf-8"), kind, name) for kind, name in units_of(event, config))
        marks = tuple(marks_of(event, config))
        if event.type == "cdr":
            leg = Leg(event, number, units=units, sums=tuple(sums_of(event, marks, config)), marks=marks)
            out.legs.append(leg)
            if known is not None and known.leg is not None and can_be_judged(leg, config):
                leg.judgements = list(known.leg.judgements)
        elif event.type == "seat_state":
            out.counters["states"] += 1
            out.changes.setdefault(event.seat, []).append(Change(event, number, units))
        elif marks:
            seen = max(clock, event.ts) if event.ts < watermark else event.ts
            out.waiting.append(Judgement(event, number, units, marks, seen - config.judge_within))
    if config.dedupe > 0 and (counts or known is not None):
        memory[event.id] = Memory(event, leg, max(clock, event.ts))


def can_be_judged(leg, config):
    return leg.event.call != "" and leg.event.seat != "" and config.judge_within > 0


def _settle(out, number, watermark, config):
    """Counts the judgements that the watermark has passed."""
    due = sorted((j for j in out.waiting if j.event.ts < watermark), key=lambda j: (j.event.ts, j.order))
    out.waiting = [j for j in out.waiting if j.event.ts >= watermark]
    for judgement in due:
        event = judgement.event
        judgement.ts, judgement.arrived = event.ts, number
        for leg in out.legs:  # in the order of arrival
            if (
                can_be_judged(leg, config) and (leg.event.call, leg.event.seat) == (event.call, event.seat)
                and leg.taken_away == FOREVER and judgement.since <= leg.event.ts <= event.ts
                and (judgement.leg is None or leg.event.ts >= judgement.leg.event.ts)
            ):
                judgement.leg = leg
        if judgement.leg is not None:
            judgement.leg.judgements.append(judgement)
            judgement.ts, judgement.units = judgement.leg.event.ts, judgement.leg.units
            out.counters["judged_legs"] += 1
        out.counters["judged"] += 1
        out.judgements.append(judgement)


# ---------------------------------------------------------------------------------------------------------
# Step 2: the rows

def moments(seen, config, every=None, at=None):
    """(window index, T) for every row set asked for."""
    last = seen.clocks[-1] if seen.clocks else -FOREVER
    if last == -FOREVER:
        return
    for index, window in enumerate(config.windows):
        if every is not None:
            if every % window.step:
                raise ValueError(f"--every is no multiple of the step of {window.name}")
            for as_of in range(first_after(seen.least_ts, every), first_after(last, every) + 1, every):
                yield index, as_of
        elif at is not None:
            yield index, at // window.step * window.step
        else:
            yield index, first_after(last, window.step)


class Unit:
    """All that ever counts for one unit, by time."""

    def __init__(self):
        self.legs, self.judgements, self.seats, self.spans = [], [], {}, {}

    def close(self):
        self.leg_times = [leg.event.ts for leg in self.legs]
        self.judgement_times = [judgement.ts for judgement in self.judgements]

    def spans_at(self, unit, freeze):
        """(from, to, state) of the changes that had arrived by then."""
        key = tuple(bisect.bisect_right(arrivals, freeze) for arrivals, _ in self.seats.values())
        if key not in self.spans:
            self.spans[key] = found = []
            for _, changes in self.seats.values():
                known = [change for change in changes if change.arrived <= freeze]
                ends = [change.event.ts for change in known[1:]] + [FOREVER]
                found += [(c.event.ts, end, c.event.state) for c, end in zip(known, ends) if unit in c.units]
        return self.spans[key]

    def content(self, unit, start, as_of, freeze):
        """What counts in [start, as_of) at that record."""
        what = What()
        for leg in self.legs[bisect.bisect_left(self.leg_times, start) : bisect.bisect_left(self.leg_times, as_of)]:
            if leg.arrived <= freeze < leg.taken_away:
                what.legs.append((leg, [j for j in leg.judgements if j.arrived <= freeze and j.event.ts < as_of]))
        times = self.judgement_times
        for judgement in self.judgements[bisect.bisect_left(times, start) : bisect.bisect_left(times, as_of)]:
            if judgement.arrived <= freeze and judgement.event.ts < as_of:
                what.judgements.append(judgement)
        for since, end, state in self.spans_at(unit, freeze) if self.seats else ():
            ms = min(end, as_of) - max(since, start)
            if ms > 0:
                what.state_ms[state] = what.state_ms.get(state, 0) + ms
        return what


def units_in(seen):
    """Unit by name."""
    found = {}
    for leg in seen.legs:
        for unit in leg.units:
            found.setdefault(unit, Unit()).legs.append(leg)
    for judgement in seen.judgements:
        for unit in judgement.units:
            found.setdefault(unit, Unit()).judgements.append(judgement)
    for seat, changes in seen.changes.items():
        for unit in {unit for change in changes for unit in change.units}:
            found.setdefault(unit, Unit()).seats[seat] = (sorted(change.arrived for change in changes), changes)
    for unit in found.values():
        unit.close()
    return found


def rows(seen, config, every=None, at=None):
    """The rows in their order, each a dict."""
    cache = {}  # the same content has the same figures
    found = []
    units = units_in(seen)
    for index, as_of in moments(seen, config, every, at):
        window = config.windows[index]
        start, freeze = window.start(as_of, config.zone), seen.freeze(as_of)
        for unit, all_of_it in units.items():
            what = all_of_it.content(unit, start, as_of, freeze)
            if what.is_empty():
                continue
            key = what.key()
            if key not in cache:
                cache[key] = figures_of(what, config)
            found.append(((as_of, unit[0], unit[1], index), cache[key]))
    found.sort(key=lambda item: item[0])
    return [
        {"asof": as_of, "kind": kind.decode(), "id": name.decode("utf-8"), "window": config.windows[index].name, **figures}
        for (as_of, kind, name, index), figures in found
    ]


def render(row):
    """A row as one line of JSON."""
    parts = []
    for key, value in row.items():
        text = str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
        parts.append(f"{json.dumps(key)}:{text}")
    return "{" + ",".join(parts) + "}"


def split_lines(data):
    """The records of a file; what stands after the last line feed is a record too, unless it is nothing."""
    lines = data.split(b"\n")
    return lines[:-1] if lines[-1] == b"" else lines


def replay(settings, datas, every=None, at=None, folder="."):
    """settings: dict; datas: the bytes of each file; every: ms; at: ms. Returns the rows."""
    config = Config(settings, folder)
    return rows(walk([line for data in datas for line in split_lines(data)], config), config, every, at)


def main(arguments):
    if arguments[:1] == ["replay"]:
        arguments = arguments[1:]
    parser = argparse.ArgumentParser(description="The oracle of `callmill replay`.")
    parser.add_argument("-c", dest="config")
    parser.add_argument("-o", dest="overrides", action="append", default=[])
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--every")
    when.add_argument("--at")
    parser.add_argument("--breaches", metavar="FILE", help="write the breach events, without their ids")
    parser.add_argument("--counters", action="store_true", help="print the counters to standard error")
    parser.add_argument("files", nargs="*", default=["-"])
    options = parser.parse_args(arguments)
    settings, folder = {}, "."
    if options.config:
        settings = json.loads(Path(options.config).read_text(encoding="utf-8"))
        folder = Path(options.config).parent
    for text in options.overrides:
        settings = override(settings, text)
    config = Config(settings, folder)
    every = duration_ms(options.every) if options.every else None
    at = None
    if options.at:
        at = int(options.at) if options.at.isdigit() else rfc3339_ms(options.at)
    datas = [sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes() for name in options.files]
    seen = walk([line for data in datas for line in split_lines(data)], config)
    for row in rows(seen, config, every, at):
        sys.stdout.write(render(row) + "\n")
    if options.breaches:
        import breaches  # needs this module

        found = "".join(render(event) + "\n" for event in breaches.breaches(seen, config))
        Path(options.breaches).write_text(found, encoding="utf-8")
    if options.counters:
        print(json.dumps(seen.counters), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
