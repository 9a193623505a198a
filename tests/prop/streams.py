# SPDX-License-Identifier: Apache-2.0
"""streams.py: seeded streams of records for the property tests, with everything that may go wrong in them.

stream(seed) is a pure function of the seed (of Python 3.11's random, to be exact). A Stream is a complete
case: configuration, roster, files, command line. It can be written to a folder, from which both the program
and the model read it.

Left out on purpose, because the contract leaves them open: an empty `id`, second 60 in RFC 3339, a space
for the `T`, more than 3 digits of a fraction that are not 0, lone surrogates in fields that are ignored,
nesting deeper than 6, counts above 10^6, a rule named like a listed check, two windows of one length.
"""

import copy
import csv
import io
import json
import math
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import model

# Zones with local moments at which their calendars do something unusual.
ZONES = {
    "Asia/Shanghai": ["2024-03-01T00:00", "2026-11-01T00:00", "1991-09-15T00:00", "2024-12-31T23:59"],
    "Europe/Berlin": ["2024-03-31T02:00", "2024-10-27T02:30", "2025-01-01T00:00", "2024-04-01T00:00"],
    "Australia/Lord_Howe": ["2024-04-07T02:00", "2024-10-06T02:00", "2024-07-01T00:00"],
    "Africa/Cairo": ["2024-04-26T00:00", "2024-11-01T00:00", "2010-09-09T23:59", "2023-04-28T00:00"],
    "America/Sao_Paulo": ["2018-11-04T00:00", "2018-02-18T00:00", "2017-10-15T00:00", "2019-02-17T00:00"],
    "UTC": ["1970-01-01T00:00", "2024-02-29T00:00", "2000-02-29T23:59", "2100-01-01T00:00"],
}
HARD_ZONES = {
    # A day that never was; a day that came twice; quarters of an hour; a change of half an hour; midnight and a minute;
    # summer time below the standard one; twice a year around Ramadan.
    "Pacific/Apia": ["2011-12-29T23:00", "2011-12-31T00:00", "2010-09-26T00:00", "2012-01-01T00:00"],
    "Pacific/Kwajalein": ["1993-08-20T23:00", "1993-08-22T00:00", "1969-09-30T23:30"],
    "Asia/Kathmandu": ["1985-12-31T23:50", "2024-07-01T00:00", "2025-01-01T00:00"],
    "America/Caracas": ["2007-12-09T02:30", "2016-05-01T02:00", "2016-04-01T00:00"],
    "America/St_Johns": ["2011-03-13T00:00", "2010-11-07T00:00", "1988-04-03T00:00"],
    "Europe/Dublin": ["2024-03-31T01:00", "2024-10-27T01:30", "1971-10-31T02:00"],
    "Africa/Casablanca": ["2024-03-10T02:30", "2024-04-14T02:00", "2018-10-28T02:00"],
}
WINDOW_SETS = [
    ["10s/1s", "1m/5s"],
    ["1m/1s", "5m/5s"],
    ["1s/250ms", "5s/500ms"],
    ["10s/10s"],
    ["500ms/100ms", "2s/1s"],
    ["1m/5s", "10s/1s", "15m/15s", "1h/1m"],
    ["1h/1m"],
    ["3s/1s", "7s/7s"],
    ["1d/1h", "2h/30m"],
]
PERIOD_SETS = [["day"], ["day", "week", "month", "quarter"], ["quarter", "day"], ["week", "month"], []]
LATENESS = ["0s", "1ms", "2s", "2s", "10s", "10s", "1m"]
DEDUPE = ["0s", "5s", "5s", "10m", "10m", "1h"]
SPANS_MS = [1500, 20_000, 20_000, 180_000, 180_000, 1_800_000, 7_200_000, 90_000_000, 700_000_000]
SEATS = ["s1", "s2", "s3", "s4", "s5", "S1", "1", "席位7", 'q"u\\o', "x" * 32, "tab\tbed", "é" * 16]
QUEUES = ["q1", "q2", "q3", "q4", "q5", "q6", "热线"]
CENTRES = ["main", "c1", "c2", "厦门"]
CHECKS = ["greeting", "identity", "closing", "offer", "unlisted", "ключ"]
OUTCOMES = ["answered"] * 8 + ["abandoned"] * 4 + ["no_answer", "rejected", "overflow", "timeout", "callback"]
RULES = [
    "hold_ms <= 120000", "transfers == 0", "wait_ms < 20000", "rating >= 60", "rating >= 60 and answered == 1",
    "hold_n > 1 or rating < 50", "handle_ms != 0", "transfers == 0 and hold_ms <= 60000 or wait_ms == 0",
]


BREACHES_NAME = "breaches.ndjson"
# Metrics for breach rules, with thresholds in their reach.
METRICS = {
    "offered": ["1", "2", "4"], "answered": ["0", "1", "3"], "abandoned": ["0", "1"], "short_abandoned": ["0", "1"],
    "aht_ms": ["1000", "30000", "250000"], "asa_ms": ["999.5", "5000", "20000"], "handle_max_ms": ["60000", "600000"],
    "wait_max_ms": ["0", "20000", "60000"], "abandon_rate": ["0.05", "0.3333", "0.5", "0.333333"],
    "service_level": ["0.8", "0.5", "0"], "compliance_rate": ["0.6667", "0.9"], "compliant_rate": ["0.5", "1"],
    "rating_avg": ["33", "60.5", "66.67"], "vetoes": ["0", "1"], "rating_sum": ["100"], "occupancy": ["0.5", "0.9", "0", "0.333333"],
    "handle_ms": ["100000"], "transfers": ["0", "2"],
}
OCCUPANCY_STEPS_MAX = 1500  # time runs on at every step: longer streams have no rule on it
FLAPS_STEPS_MAX = 20_000  # warn and clear may hold at once: longer streams have no rule that does this at every step
LADDERS = {"seat": ["team", "room", "centre"], "queue": ["team", "room", "centre"], "team": ["room", "centre"],
           "room": ["centre"], "centre": []}


@dataclass
class Stream:
    seed: int
    config: dict
    roster: list  # of (seat, team, room, centre, from)
    lines: list  # of (file number, bytes)
    every: str | None = None
    at: str | None = None
    roster_yaml: bool = False
    crlf: bool = False
    last_feed: bool = True
    tags: set = field(default_factory=set)

    def copy(self, **changes):
        other = copy.copy(self)
        other.config = copy.deepcopy(self.config)
        other.roster = list(self.roster)
        other.lines = list(self.lines)
        for name, value in changes.items():
            setattr(other, name, value)
        return other

    def roster_name(self):
        return "roster.yaml" if self.roster_yaml else "roster.csv"

    def settings(self):
        return {**self.config, "roster": self.roster_name()} if self.roster else dict(self.config)

    def roster_text(self):
        columns = ("seat", "team", "room", "centre", "from")
        if self.roster_yaml:
            rows = [{key: value for key, value in zip(columns, row) if value or key != "from"} for row in self.roster]
            return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(self.roster)
        return out.getvalue()

    def datas(self):
        """The bytes of each file."""
        feed = b"\r\n" if self.crlf else b"\n"
        count = max((number for number, _ in self.lines), default=0) + 1
        datas = [b"".join(line + feed for number, line in self.lines if number == n) for n in range(count)]
        if not self.last_feed:
            datas = [data[: -len(feed)] for data in datas]
        return datas

    def write(self, folder):
        """Writes the case and returns the arguments that follow `replay`."""
        folder = Path(folder)
        (folder / "cfg.json").write_text(json.dumps(self.settings(), ensure_ascii=False, indent=1) + "\n", "utf-8")
        if self.roster:
            (folder / self.roster_name()).write_text(self.roster_text(), "utf-8")
        arguments = ["-c", str(folder / "cfg.json")] + self.when()
        if self.config.get("rules"):
            arguments += ["--breaches", str(folder / BREACHES_NAME)]
        for number, data in enumerate(self.datas()):
            path = folder / f"events-{number + 1}.ndjson"
            path.write_bytes(data)
            arguments.append(str(path))
        return arguments

    def when(self):
        if self.every is not None:
            return ["--every", self.every]
        return ["--at", self.at] if self.at is not None else []


def duration(ms):
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if ms % size == 0:
            return f"{ms // size}{unit}"
    return f"{ms}ms"


def rfc3339(rng, ms):
    """One of the many ways to write that time."""
    offset = rng.choice([0, 0, 480, 330, -180, 765, -720])
    local = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=ms, minutes=offset)
    text = local.strftime("%Y-%m-%dT%H:%M:%S")
    rest = ms % 1000
    if rest or rng.random() < 0.5:
        digits = f"{rest:03d}" + rng.choice(["", "", "000", "000000"])
        if rest % 100 == 0 and rng.random() < 0.5:
            digits = digits[:1]
        text += "." + digits
    if offset == 0:
        return text + rng.choice(["Z", "Z", "z", "+00:00", "-00:00"])
    sign = "+" if offset > 0 else "-"
    return text + f"{sign}{abs(offset) // 60:02d}:{abs(offset) % 60:02d}"


def rfc3339_z(ms):
    """The way in which callmill writes a time."""
    text = (datetime(1970, 1, 1) + timedelta(milliseconds=ms)).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{ms % 1000:03d}Z" if ms % 1000 else f"{text}Z"


def string(rng, text):
    """A JSON string, with or without escapes that are not needed."""
    roll = rng.random()
    if roll < 0.8:
        return json.dumps(text, ensure_ascii=False)
    if roll < 0.9:
        return json.dumps(text)
    return '"' + "".join("".join(f"\\u{u:04x}" for u in units16(c)) for c in text) + '"'


def units16(char):
    data = char.encode("utf-16-be")
    return [int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2)]


def dump(rng, record, plain=False):
    """A record as bytes: shuffled, spaced, escaped, with keys that nobody knows."""
    if plain:
        return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
    items = list(record.items())
    if rng.random() < 0.5:
        rng.shuffle(items)
    space = rng.choice(["", "", "", " ", "\t", " \r "])
    parts = []
    for key, value in items:
        if key == "checks" and isinstance(value, dict):
            inner = [f"{string(rng, name)}:{space}{json.dumps(mark)}" for name, mark in value.items()]
            if inner and rng.random() < 0.1:  # repeated inside: the last counts
                inner.insert(0, f"{json.dumps(next(iter(value)))}:{rng.choice(['true', 'false', 'null'])}")
            text = "{" + ",".join(inner) + "}"
        elif isinstance(value, str):
            text = string(rng, value)
        else:
            text = json.dumps(value, ensure_ascii=False)
        parts.append(f"{string(rng, key)}{space}:{space}{text}")
    if rng.random() < 0.15:
        parts.insert(rng.randrange(len(parts) + 1), unknown(rng))
    if rng.random() < 0.04:  # the same key earlier, with another value: the last counts
        key, wrong = rng.choice([("seat", '"s5"'), ("ts", "1"), ("outcome", '"abandoned"'), ("rev", "9"), ("id", '"e0"'),
                                 ("ts", "null"), ("wait_ms", "-1"), ("outcome", '"none"'), ("checks", '{"closing":false}')])
        if key in record:
            parts.insert(0, f'"{key}":{wrong}')
    return ("{" + space + f",{space}".join(parts) + space + "}").encode()


def unknown(rng):
    return rng.choice([
        '"note":"x"', '"x":1.5e-3', '"x":-0.0', '"nested":{"ts":1,"type":["cdr",{"id":null}]}', '"deep":[[[[[1]]]]]',
        '"empty":{}', '"e":[]', '"big":123456789012345678901234567890', '"TS":5', '"s":"\\"}\\\\"', '"u":"\\ud83d\\ude00"',
        '"":0', '"tru":true', '"ts ":7', '"exp":1E+400',
    ])


class Maker:
    def __init__(self, seed, calm=False):
        self.rng = random.Random(seed)
        self.seed = seed
        self.calm = calm  # no bad records, repeats or revisions, and all disorder within the lateness
        self.tags = set()

    # -- configuration ----------------------------------------------------------------------------------

    def config(self):
        rng = self.rng
        zone = rng.choice(list(ZONES))
        moment = rng.choice(ZONES[zone])
        own = random.Random(f"zone of {self.seed}")
        if own.random() < 0.35:
            zone = own.choice(list(HARD_ZONES))
            moment = own.choice(HARD_ZONES[zone])
        anchor = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone))
        self.anchor = int(anchor.timestamp()) * 1000
        windows = list(rng.choice(WINDOW_SETS))
        periods = list(rng.choice(PERIOD_SETS))
        if periods and rng.random() < 0.15:
            windows = []
        queues = {}
        owners = ["team:t1", "team:t2", "team:lost", "room:r1", "room:lost", "centre:c1", "centre:main", "team:t3"]
        for queue in QUEUES[:6]:
            roll = rng.random()
            if roll < 0.6:
                queues[queue] = {"owner": rng.choice(owners)}
            elif roll < 0.7:
                queues[queue] = {}
        checks = {name: {} for name in CHECKS[:4] if rng.random() < 0.6}
        for spec in checks.values():
            if rng.random() < 0.8:
                spec["weight"] = rng.choice([0, 1, 2, 3, 10, 1000])
            if rng.random() < 0.4:
                spec["veto"] = rng.random() < 0.8
        rules = {}
        for number in range(rng.choice([0, 0, 1, 2, 3])):
            rules[rng.choice([f"rule{number}", "unlisted"])] = {"when": rng.choice(RULES), "weight": rng.choice([1, 2, 5])}
        config = {
            "timezone": zone,
            "centre": rng.choice(["main", "main", "c1"]),
            "queues": queues,
            "windows": windows,
            "periods": periods,
            "allowed_lateness": rng.choice(LATENESS),
            "dedupe": rng.choice(DEDUPE),
            "short_abandon": rng.choice(["5s", "0s", "2500ms"]),
            "abandonment": {"formula": rng.choice(["gross", "net"])},
            "service_level": {
                "target": rng.choice(["20s", "5s", "1s"]),
                "formula": rng.choice(["answered", "ignore", "positive", "negative"]),
            },
            "compliance": {"checks": checks, "rules": rules, "judge_within": rng.choice(["7d", "7d", "1h", "20s", "0s"])},
            "workers": rng.choice([1, 2, 3]),
        }
        self.steps = [model.duration_ms(text.split("/")[1]) for text in windows] + ([1000] if periods else [])
        self.lengths = [model.duration_ms(text.split("/")[0]) for text in windows] or [60_000]
        self.lateness = model.duration_ms(config["allowed_lateness"])
        self.dedupe = model.duration_ms(config["dedupe"])
        self.marks = list(dict.fromkeys(list(checks) + CHECKS[3:] + list(rules)))
        return config

    def roster(self):
        rng = self.rng
        if rng.random() < 0.15:
            return []
        rows = []
        for seat in self.seats:
            if rng.random() < 0.25:
                continue  # the roster lacks it
            starts = [""] if rng.random() < 0.75 else []
            moves = rng.choice([0, 0, 1, 2]) if starts else rng.choice([1, 2])
            starts += sorted({self.moment() for _ in range(moves)})
            for start in starts:
                team = rng.choice(["t1", "t1", "t2", "t3", ""])
                room = rng.choice(["r1", "r1", "r2", ""])
                start = rfc3339(rng, start) if start != "" else ""
                rows.append((seat, team, room, rng.choice(["", "", "main", "c1", "c2"]), start))
        rng.shuffle(rows)
        return rows

    def breach_rules(self, config):
        """Up to three, from numbers of their own: the rest of the stream is the same with and without them."""
        rng = random.Random(f"breach rules {self.seed}")
        windows = [text.split("/")[0] for text in config["windows"]] + config["periods"]
        steps = [model.duration_ms(text.split("/")[1]) for text in config["windows"]] + [1000] * len(config["periods"])
        rules = []
        for number in range(rng.choice([0, 1, 2, 3])):
            at = rng.randrange(len(windows))
            kind = rng.choice(["seat", "seat", "team", "room", "centre", "queue"])
            metric = rng.choice(list(METRICS))
            timers = [0, 0, 1, steps[at], 2 * steps[at] + 1, 5 * steps[at], 60_000]
            numbers = rng.sample(METRICS[metric] * 2, 2)
            sign = rng.choice([">", ">", ">=", "<", "<=", "==", "!="])
            rule = {"name": rng.choice([f"rule{number}", f"R.{number}-x"]), "kind": kind,
                    "window": windows[at], "metric": metric}
            which = rng.choice(["warn", "critical", "both", "both"])
            if which != "critical":
                rule["warn"] = f"{sign} {numbers[0]}"
            if which != "warn":
                rule["critical"] = f"{sign} {numbers[1]}"
            if rng.random() < 0.5:
                rule["clear"] = f"{rng.choice(['<', '<=', '>', '!=', '=='])} {rng.choice(METRICS[metric])}"
            for key in ("for", "keep", "cooldown"):
                if rng.random() < 0.6:
                    rule[key] = duration(rng.choice(timers))
            if rng.random() < 0.6:
                rule["min_n"] = rng.choice([0, 1, 1, 2, 3])
            if LADDERS[kind] and rng.random() < 0.5:
                afters = sorted(rng.sample(sorted(set(timers)), rng.choice([1, 2, 3])))
                rule["escalate"] = [{"after": duration(after), "to": rng.choice(LADDERS[kind])} for after in afters]
            if rng.random() < 0.15:
                pool = {"seat": SEATS[:5], "queue": QUEUES, "centre": CENTRES}.get(kind, [kind[0] + "1", kind[0] + "2"])
                rule["ids"] = rng.sample(pool, 2)
            rules.append(rule)
        return rules

    # -- times ------------------------------------------------------------------------------------------

    def moment(self):
        """A time in the span of the stream, more often than not somewhere delicate."""
        rng = self.rng
        ts = rng.randrange(self.first, self.first + self.span + 1)
        roll = rng.random()
        if roll < 0.35 and self.steps:
            step = rng.choice(self.steps)
            ts = ts // step * step + rng.choice([0, 0, 0, -1, 1])
        elif roll < 0.45:
            ts = self.anchor + rng.choice([0, -1, 1, 1000, -1000, 3_600_000, -3_600_000])
        elif roll < 0.55 and self.recent:
            ts = rng.choice(self.recent)
        elif roll < 0.65 and self.recent:
            ts = rng.choice(self.recent) + rng.choice([-1, 1]) * rng.choice(self.lengths) + rng.choice([0, 0, 1, -1])
        ts = min(max(ts, max(self.first, 0)), self.first + self.span, model.TS_MAX)
        self.recent.append(ts)
        return ts

    def delay(self):
        """How much later than its neighbours a record arrives."""
        rng = self.rng
        roll = rng.random()
        if self.calm:
            return rng.randrange(self.lateness + 1)
        if roll < 0.4:
            return 0
        if roll < 0.75:
            return rng.randrange(self.lateness + 1)
        if roll < 0.85:
            return self.lateness + rng.choice([0, 1, -1, 1000])
        return rng.choice([rng.choice(self.lengths), 2 * self.lateness, rng.randrange(self.span + 1)]) + rng.choice([0, 1, -1])

    # -- records ----------------------------------------------------------------------------------------

    def part(self, edges=(0, 1, 999, 1000, 5000, 20_000)):
        rng = self.rng
        roll = rng.random()
        if roll < 0.4:
            return rng.choice(edges) + rng.choice([0, 0, 1])
        if roll < 0.97:
            return int(math.exp(rng.uniform(0, math.log(900_000))))
        return rng.choice([model.PART_MAX, model.PART_MAX - 1, 86_400_000])

    def cdr(self, identity, ts):
        rng = self.rng
        record = {"type": "cdr", "id": identity, "ts": ts, "outcome": rng.choice(OUTCOMES)}
        if rng.random() < 0.8:
            record["seat"] = rng.choice(self.seats)
        if rng.random() < 0.6:
            record["queue"] = rng.choice(QUEUES)
        if rng.random() < 0.2:
            record["centre"] = rng.choice(CENTRES)
        for name in ("wait_ms", "talk_ms", "hold_ms", "acw_ms", "ring_ms"):
            if rng.random() < 0.7:
                record[name] = self.part()
        for name, values in (("hold_n", (0, 1, 2, 7)), ("transfers", (0, 1, 1, 2, 1_000_000))):
            if rng.random() < 0.4:
                record[name] = rng.choice(values)
        if rng.random() < 0.6:
            record["end"] = rng.choice(["caller", "caller", "agent", "system", "transfer"])
        if rng.random() < 0.3:
            record["on_hold"] = rng.random() < 0.7
        if rng.random() < 0.4:
            record["rating"] = rng.choice([0, 1, 33, 60, 66, 99, 100])
        if rng.random() < 0.4:
            names = rng.sample(self.marks, rng.randrange(min(5, len(self.marks)) + 1))
            record["checks"] = {name: rng.choice([True, True, False, None]) for name in names}
        if rng.random() < 0.1:
            record["rev"] = rng.choice([0, 1, 5])
        for name in ("agent", "ch"):
            if rng.random() < 0.15:
                record[name] = rng.choice(["", "a", "voice"])
        if rng.random() < self.judged:
            record["call"] = rng.choice(["", "c1", "c1", "c2", "c3", "звонок"])
        for name in ("seat", "queue", "centre"):
            if name not in record and rng.random() < 0.05:
                record[name] = ""
        return record

    def other(self, identity, ts):
        """A record of another type than cdr; states and judgements more often than the rest."""
        rng = self.rng
        seat, queue, call = rng.choice(self.seats), rng.choice(QUEUES), rng.choice(["c1", "c1", "c2", "c3", "звонок"])
        roll = rng.random()
        if roll < 0.45:
            record = {"type": "seat_state", "seat": seat, "state": rng.choice(model.STATES)}
        elif roll < 0.8:
            names = rng.sample(self.marks, rng.randrange(min(4, len(self.marks)) + 1))
            record = {"type": "check", "seat": seat, "call": call, "source": rng.choice(model.SOURCES),
                      "checks": {name: rng.choice([True, True, False, None]) for name in names}}
        else:
            record = rng.choice([
                {"type": "queue_enter", "call": call, "queue": queue},
                {"type": "queue_exit", "call": call, "queue": queue, "reason": "left"},
                {"type": "case", "case": "k1", "seat": seat, "kind": "urgent", "step": rng.choice(model.STEPS)},
            ])
        if record["type"] in ("seat_state", "check") and rng.random() < 0.2:
            record |= {"queue": queue} if rng.random() < 0.5 else {"centre": rng.choice(CENTRES)}
        return {"id": identity, "ts": ts} | record

    def spoil(self, record):
        """Bytes that are no valid record, made of one that is."""
        rng = self.rng
        bad = dict(record)
        roll = rng.randrange(4)
        if roll == 0:
            key, value = rng.choice([
                ("ts", None), ("ts", -1), ("ts", model.TS_MAX + 1), ("ts", 1.0), ("ts", "yesterday"), ("ts", True),
                ("ts", "2024-02-30T00:00:00Z"), ("ts", "2024-01-01T24:00:00Z"), ("ts", "2024-01-01T00:00:00"),
                ("ts", "2024-01-01"), ("ts", ""), ("ts", "1969-12-31T23:59:59Z"), ("ts", str(record["ts"])), ("ts", [1]),
                ("ts", "2023-02-29T00:00:00Z"), ("ts", "2024-01-01T00:00:00+24:00"), ("ts", "2024-1-01T00:00:00Z"),
                ("ts", "2024-01-01T00:00:00.Z"), ("ts", "2024-01-01T00:00:00Z "), ("ts", "2100-01-01T00:00:00.001Z"),
                ("outcome", "lost"), ("outcome", None), ("outcome", ""), ("outcome", "Answered"), ("outcome", 1),
                ("type", "CDR"), ("type", ""), ("type", None), ("type", "unknown"), ("id", 7), ("id", None),
                ("id", "x" * 65), ("id", "é" * 33), ("seat", "x" * 33), ("seat", 5), ("seat", None), ("seat", "é" * 17),
                ("queue", ["q1"]), ("centre", False), ("call", "y" * 65), ("ch", "z" * 17), ("agent", "a" * 33),
                ("wait_ms", -1), ("wait_ms", model.PART_MAX + 1), ("talk_ms", 1.5), ("hold_ms", "5"), ("acw_ms", None),
                ("ring_ms", model.PART_MAX + 1), ("hold_n", -1), ("transfers", -2), ("transfers", 0.0), ("rating", 101),
                ("rating", -1), ("rating", None), ("rating", "5"), ("on_hold", 1), ("on_hold", "true"), ("on_hold", None),
                ("end", "nobody"), ("end", None), ("checks", None), ("checks", []), ("checks", {"greeting": 1}),
                ("checks", {"a": "true"}), ("checks", {"a": {}}), ("rev", -1), ("rev", 1.0), ("rev", None),
            ])
            bad[key] = value
            return dump(rng, bad, plain=True)
        if roll == 1:
            del bad[rng.choice([key for key in ("type", "id", "ts", "outcome") if key in bad])]
            return dump(rng, bad, plain=True)
        text = dump(rng, record, plain=True)
        if roll == 2:
            return rng.choice([
                text[:-1], text[1:], text + b"x", text + b",", text + text, b"[" + text + b"]", b"\xef\xbb\xbf" + text,
                text[:-1] + b",}", text.replace(b'"', b"'"), text.replace(b":", b"=", 1), text[: len(text) // 2],
                text[:-1] + b',"x":NaN}', text[:-1] + b',"x":01}', text[:-1] + b',"x":+1}', text[:-1] + b',"x":.5}',
                text[:-1] + b',"x":1.}', text[:-1] + b',"x":Infinity}', text[:-1] + b',"x":tru}', text[:-1] + b',"x":"\t"}',
                text[:-1] + b',"x":"\\x41"}', text[:-1] + b',"x":"\\u12g4"}', text[:-1] + b',"x":"\xff"}',
                text[:-1] + b',"x":"\xc0\x80"}', text[:-1] + b',"x":"\xed\xa0\x80"}', text[:-1] + b',"x":"\xf4\x90\x80\x80"}',
                text[:-1] + b',"seat":"\\ud800"}', text[:-1] + b',"seat":"\\udc00x"}', text[:-1] + b',"x":[1,]}',
                text[:-1] + b',"x":{"a"}}', text[:-1] + b',x:1}', text[:-1] + b',"x":1e}', text[:-1] + b"/**/}",
                text[:-1] + b',"x":"\x00"}', text[:-1] + b',"x":-}', text[:-1] + b',"wait_ms":1e3}', text[:-1] + b',"ts":1.7e12}',
                b"null", b"true", b'""', b"{}", b"[]", b"1", b"\x00", b"\xff\xfe", b"{", b"garbage", b"\\",
            ])
        return b"" if rng.random() < 0.3 else rng.choice([b" ", b"\t", b" \r", b"   "])  # blank: skipped

    def repeat(self, record):
        """The same id once more: a copy, a contradiction, or a revision."""
        rng = self.rng
        again = dict(record)
        roll = rng.random()
        if roll < 0.35 or again["type"] != "cdr":
            return self.other(record["id"], record["ts"]) if roll < 0.03 else again
        if roll < 0.9:
            self.tags.add("revision")
            again["rev"] = record.get("rev", 0) + rng.choice([1, 1, 2, -1, 0])
            again["rev"] = max(again["rev"], 0)
        fresh = self.cdr(record["id"], record["ts"])
        for key in rng.sample(["seat", "queue", "outcome", "wait_ms", "talk_ms", "checks", "rating", "centre"], 4):
            again.pop(key, None)
            if key in fresh:
                again[key] = fresh[key]
        again.setdefault("outcome", "answered")
        if rng.random() < 0.4:
            again["ts"] = self.moment()
        return again

    def records(self, count):
        """(order of arrival, record) of the stream, repeats included."""
        rng = self.rng
        out = []
        prefix = rng.choice(["e", "e", "长", "x" * 55])
        for number in range(count):
            ts = self.moment()
            make = self.cdr if rng.random() < self.cdrs else self.other
            record = make(f"{prefix}{number}", ts)
            if self.calm and not self.is_only_leg(record):
                del record["call"]
            arrival = ts + self.delay()
            out.append((arrival, record))
            while not self.calm and rng.random() < 0.15:
                near = rng.choice([0, 1, self.lateness, self.dedupe, self.dedupe + self.lateness, self.span // 3])
                again = self.repeat(record)
                arrival = max(arrival, again["ts"]) + near + rng.choice([0, 0, 1, -1])
                out.append((arrival, again))
                if again["type"] == record["type"] and rng.random() < 0.7:
                    record = again
            if not self.calm and rng.random() < 0.08:
                out += self.at_the_horizon(f"{prefix}h{number}", record)
            if not self.calm and rng.random() < 0.04:
                out += self.late_first(f"{prefix}l{number}", ts)
        out.sort(key=lambda item: item[0])
        return out

    def is_only_leg(self, record):
        """Of two legs of a call and seat at one ms the last that came is judged: not in a calm stream."""
        key = record.get("call"), record.get("seat"), record["ts"]
        if record["type"] != "cdr" or "call" not in record:
            return True
        self.legs.add(key) if (new := key not in self.legs) else None
        return new

    def at_the_horizon(self, identity, record):
        """A repeat right when its id is about to be forgotten, by the ms."""
        rng = self.rng
        edge = min(record["ts"] + self.dedupe + self.lateness + rng.choice([-1, 0, 0, 1, 1]), model.TS_MAX)
        if edge > self.first + self.span:
            return []
        again = dict(record)
        if rng.random() < 0.5 and record["type"] == "cdr":
            again["rev"] = record.get("rev", 0) + 1
        if rng.random() < 0.5:
            again["ts"] = edge
        return [(edge, self.cdr(identity, edge)), (edge, again)]

    def late_first(self, identity, ts):
        """An id that comes too late for all windows, maybe, and then in time."""
        now = min(ts + self.lateness + max(self.lengths) + self.rng.choice([0, 1, 5000, self.span // 4]), model.TS_MAX)
        if now > self.first + self.span:
            return []
        return [(now, self.cdr(f"{identity}'", now)), (now, self.cdr(identity, ts)), (now, self.cdr(identity, now))]

    def write(self, record):
        """A valid record as a line."""
        rng = self.rng
        record = dict(record)
        if rng.random() < 0.15:
            record["ts"] = rfc3339(rng, record["ts"])
        if self.calm:
            return dump(rng, record)
        line = dump(rng, record)
        if rng.random() < 0.002 and not self.crlf:  # the largest record that is allowed, or one byte more
            size = model.RECORD_BYTES_MAX + rng.choice([0, 1])
            line = line[:-1].rstrip() + b',"pad":"' + b"p" * (size - len(line[:-1].rstrip()) - 10) + b'"}'
        return line

    # -- the whole ----------------------------------------------------------------------------------------

    def make(self):
        rng = self.rng
        config = self.config()
        config["rules"] = self.breach_rules(config)
        self.seats = rng.sample(SEATS, rng.randrange(1, 6))
        self.span = rng.choice(SPANS_MS)
        self.first = max(0, self.anchor - rng.choice([0, self.span // 2, self.span // 2, self.span, 3600_000]))
        self.first = min(self.first, model.TS_MAX - self.span)
        self.recent = []
        self.legs = set()
        self.cdrs = rng.choice([0.9, 0.9, 0.7, 0.4])  # their share of the records
        self.judged = rng.choice([0.15, 0.9])  # share of the legs that a judgement can find
        roster = self.roster()
        self.crlf = not self.calm and rng.random() < 0.03
        count = rng.choice([0, 1, 2, 3, 5, 8, 15, 15, 30, 30, 60, 60, 120, 200])
        lines = []
        for _, record in self.records(count):
            while not self.calm and rng.random() < 0.05:
                lines.append(self.spoil(self.cdr(f"b{len(lines)}", self.moment())))
            lines.append(self.write(record))
        stream = Stream(self.seed, config, roster, [], tags=self.tags)
        self.when(stream)
        if not self.calm and stream.every is None and lines and rng.random() < 0.03:
            far = self.cdr("far", rng.choice([0, model.TS_MAX, model.TS_MAX - 1, self.first + 40_000_000_000]))
            far["ts"] = min(far["ts"], model.TS_MAX)
            lines.insert(rng.randrange(len(lines) + 1), self.write(far))
            stream.tags.add("far")
        self.drop_long_watches(stream)
        files = rng.choice([1, 1, 1, 2, 3])
        cuts = sorted(rng.randrange(len(lines) + 1) for _ in range(files - 1))
        stream.lines = [(sum(n >= cut for cut in cuts), line) for n, line in enumerate(lines)]
        stream.roster_yaml = rng.random() < 0.1
        stream.crlf = self.crlf
        stream.last_feed = rng.random() < 0.8
        return stream

    def drop_long_watches(self, stream):
        """Rules on what runs on with the time, where that is too many steps to look at each."""
        def steps(rule):
            texts = [text for text in stream.config["windows"] if text.split("/")[0] == rule["window"]]
            return self.span // (model.duration_ms(texts[0].split("/")[1]) if texts else 1000)

        for rule in stream.config["rules"]:
            if "far" in stream.tags or steps(rule) > FLAPS_STEPS_MAX:
                rule.pop("clear", None)
        stream.config["rules"] = [
            rule for rule in stream.config["rules"]
            if rule["metric"] != "occupancy" or ("far" not in stream.tags and steps(rule) <= OCCUPANCY_STEPS_MAX)
        ]

    def when(self, stream):
        rng = self.rng
        roll = rng.random()
        if roll < 0.5:
            step = math.lcm(*self.steps)
            least = max(1, self.span // step // rng.choice([4, 12, 25]))
            stream.every = duration(step * (least + rng.choice([0, 0, 1])))
        elif roll < 0.75:
            at = self.moment() + rng.choice([0, 0, 1, -1, self.lateness, 60_000, 3_600_000])
            at = min(max(1_000, at), model.TS_MAX)
            stream.at = str(at) if rng.random() < 0.5 else rfc3339(rng, at)


def stream(seed):
    return Maker(seed).make()


def calm_stream(seed):
    """A stream whose rows must not depend on the order of its records: no repeats, nothing late."""
    return Maker(seed, calm=True).make()


def in_order(calm):
    """The same records, sorted by event time, in one file."""
    lines = sorted((line for _, line in calm.lines), key=lambda line: model.decode(line).ts)
    return calm.copy(lines=[(0, line) for line in lines])


def is_calm(stream):
    """Whether the rows must not depend on the order: all in time, no repeats, one leg of a call and seat at a time."""
    clock, seen, lateness = -math.inf, set(), model.duration_ms(stream.config["allowed_lateness"])
    for _, line in stream.lines:
        event = model.decode(line)
        keys = {event.id} | ({(event.call, event.seat, event.ts)} if event.type == "cdr" and event.call else set())
        if event.ts < clock - lateness or keys & seen:
            return False
        seen |= keys
        clock = max(clock, event.ts)
    return True
