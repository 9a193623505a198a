#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py: runs seeded streams through `callmill replay` and through the model and compares every row.

  compare.py --program build/release/callmill --seeds 0..149

For each seed: the rows and breach events of the program against those of the model; the program against itself with another
number of workers (the same bytes); and, for a calm stream, against itself with the records sorted (the same
rows). Integers, rates and means must be equal, percentiles within 2 % or 1 ms. A stream that differs is made
as small as it gets (fewer records, plainer records, a plainer configuration), written to a folder, and
printed with the commands that repeat it. Exit status: 0 all equal, 1 some differ, 2 wrong usage.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from decimal import Decimal
from pathlib import Path

import breaches
import model
import streams

RUN_SECONDS = 30
SHRINK_SECONDS = 60


# ---------------------------------------------------------------------------------------------------------
# Running both

class Program:
    """`callmill replay` as a function from a folder's arguments to its output."""

    def __init__(self, path):
        self.path = str(path)

    def command(self, arguments):
        return [self.path, "replay", *arguments]

    def run(self, arguments):
        """(bytes of standard output, None), or (None, what went wrong)."""
        plain = {key: value for key, value in os.environ.items() if not key.startswith("CALLMILL_")}
        try:
            done = subprocess.run(self.command(arguments), capture_output=True, timeout=RUN_SECONDS, env=plain)
        except subprocess.TimeoutExpired:
            return None, f"no end after {RUN_SECONDS} s"
        if done.returncode != 0:
            tail = done.stderr.decode("utf-8", "replace")[-1500:]
            return None, f"exit status {done.returncode}: {tail}"
        return done.stdout, None


def expected(stream, folder):
    """The rows and the breach events that the model gives for a stream written to that folder."""
    every = model.duration_ms(stream.every) if stream.every else None
    at = stream.at
    if at is not None:
        at = int(at) if at.isdigit() else model.rfc3339_ms(at)
    config = model.Config(stream.settings(), folder)
    seen = model.walk([line for data in stream.datas() for line in model.split_lines(data)], config)
    return model.rows(seen, config, every, at), breaches.breaches(seen, config)


def events_of(folder):
    """The bytes of the breach events that the program wrote there; none without rules."""
    path = Path(folder) / streams.BREACHES_NAME
    return path.read_bytes() if path.exists() else b""


# ---------------------------------------------------------------------------------------------------------
# Comparing

def parse(output):
    rows = []
    for number, line in enumerate(model.split_lines(output), 1):
        try:
            row = json.loads(line.decode("utf-8"), parse_float=Decimal)
        except ValueError as error:
            raise ValueError(f"row {number} is not JSON: {error}: {line[:200]!r}") from None
        if not isinstance(row, dict):
            raise ValueError(f"row {number} is not an object: {line[:200]!r}")
        rows.append(row)
    return rows


def name_of(row):
    return f"asof {row.get('asof')} {row.get('kind')}:{row.get('id')} {row.get('window')}"


def key_of(row):
    return row.get("asof"), row.get("kind"), row.get("id"), row.get("window")


def same(name, got, want):
    """Whether a field is what it must be."""
    if got is None or want is None or isinstance(got, (str, bool)):
        return got == want and type(got) is type(want)
    if name in model.QUANTILES:
        return isinstance(got, int) and (abs(got - want) <= 1 or 50 * abs(got - want) <= want)
    if isinstance(want, int) and not isinstance(got, int):
        return False
    return got == want


def difference(got_rows, want_rows):
    """What is wrong with the rows, as text; None: nothing."""
    got_keys, want_keys = [key_of(row) for row in got_rows], [key_of(row) for row in want_rows]
    if got_keys != want_keys:
        missing = [row for row in want_rows if key_of(row) not in set(got_keys)]
        surplus = [row for row in got_rows if key_of(row) not in set(want_keys)]
        if len(set(got_keys)) != len(got_keys):
            return "a row comes twice"
        if not missing and not surplus:
            return "the rows are in another order"
        parts = [f"{len(missing)} rows are missing, {len(surplus)} are too many"]
        parts += [f"  missing: {name_of(row)} offered {row['offered']}" for row in missing[:3]]
        parts += [f"  too many: {name_of(row)} offered {row.get('offered')}" for row in surplus[:3]]
        return "\n".join(parts)
    for got, want in zip(got_rows, want_rows):
        if list(got) != list(want):
            lost = [name for name in want if name not in got]
            new = [name for name in got if name not in want]
            return f"{name_of(want)}: other fields or order: missing {lost}, unknown {new}"
        wrong = [name for name in want if not same(name, got[name], want[name])]
        if wrong:
            return f"{name_of(want)}:\n" + "\n".join(
                f"  {name}: program {got[name]}, model {want[name]}" for name in wrong
            )
    return None


def breach_difference(got_events, want):
    """What is wrong with the breach events, as text; None: nothing."""
    got = [{"type": event["type"], **event["data"]} for event in got_events]
    for one, event in zip(got, got_events):
        del one["episode"]
        if event["time"] != streams.rfc3339_z(one["asof"]) or event["subject"] != f"{one['kind']}/{one['id']}":
            return f"time or subject of {event}"
    for number, (one, other) in enumerate(zip(got, want)):
        if list(one) != list(other) or any(not same(name, one[name], other[name]) for name in other):
            return f"breach event {number}:\n  program {one}\n  model   {other}"
    if len(got) != len(want):
        first = max(got, want, key=len)[min(len(got), len(want))]
        return f"{len(got)} breach events, the model has {len(want)}; the first beyond: {first}"
    # Two rungs to one level that fall due in one step say the same thing twice, under one id.
    by_id = {}
    if any(by_id.setdefault(event["id"], event) != event for event in got_events):
        return "two breach events have the same id"
    return None


def check(stream, program):
    """The program against the model. (difference or None, number of rows)."""
    with tempfile.TemporaryDirectory(prefix="callmill-prop-") as folder:
        arguments = stream.write(folder)
        output, trouble = program.run(arguments)
        if trouble:
            return trouble, 0
        want, want_events = expected(stream, folder)
        try:
            wrong = difference(parse(output), want) or breach_difference(parse(events_of(folder)), want_events)
            return wrong, len(want) + len(want_events)
        except ValueError as error:
            return str(error), 0


def check_workers(stream, program):
    """Any number of workers gives the same bytes."""
    outputs = []
    for workers in (1, 2 + stream.seed % 2):
        with tempfile.TemporaryDirectory(prefix="callmill-prop-") as folder:
            output, trouble = program.run(["-o", f"workers={workers}", *stream.write(folder)])
            if trouble:
                return f"with {workers} workers: {trouble}", 0
            outputs.append((output, events_of(folder)))
    return (None, 0) if outputs[0] == outputs[1] else ("another number of workers gives other bytes", 0)


def check_order(stream, program):
    """Any order within the allowed lateness gives the same rows."""
    if not streams.is_calm(stream):
        return None, 0  # only while it is made small
    outputs = []
    for variant in (stream, streams.in_order(stream)):
        with tempfile.TemporaryDirectory(prefix="callmill-prop-") as folder:
            output, trouble = program.run(variant.write(folder))
            if trouble:
                return trouble, 0
            outputs.append((output, events_of(folder)))
    return (None, 0) if outputs[0] == outputs[1] else ("sorted records give other rows or breach events", 0)


CHECKS = {
    "model": (streams.stream, check),
    "workers": (streams.stream, check_workers),
    "order": (streams.calm_stream, check_order),
    "calm": (streams.calm_stream, check),
}


# ---------------------------------------------------------------------------------------------------------
# Making a failing stream small

class Shrinker:
    """Keeps a stream that fails and tries plainer ones, as long as they fail too."""

    def __init__(self, stream, fails, seconds):
        self.best = stream
        self.fails = fails
        self.until = time.monotonic() + seconds

    def attempt(self, **changes):
        if time.monotonic() > self.until:
            return False
        candidate = self.best.copy(**changes)
        names = [text.split("/")[0] for text in candidate.config["windows"]] + candidate.config["periods"]
        if any(rule["window"] not in names for rule in candidate.config.get("rules", [])):
            return False
        try:
            failed = self.fails(candidate)
        except (ValueError, KeyError, model.BadRecord):  # a configuration or a calm stream that is none
            return False
        if failed:
            self.best = candidate
        return failed

    def run(self):
        while True:
            before = self.best
            self.thin("lines")
            self.thin("roster")
            self.plain_switches()
            self.plain_config()
            self.plain_lines()
            if self.best is before or time.monotonic() > self.until:
                return self.best

    def thin(self, name):
        """Delta debugging: leaves out ever smaller pieces of a list."""
        size = len(getattr(self.best, name))
        while size > 0:
            at = 0
            while at < len(items := getattr(self.best, name)):
                if not self.attempt(**{name: items[:at] + items[at + size :]}):
                    at += size
            size //= 2

    def plain_switches(self):
        for name, plain in (("roster_yaml", False), ("crlf", False), ("last_feed", True), ("every", None), ("at", None)):
            if getattr(self.best, name) != plain:
                self.attempt(**{name: plain})
        if any(number for number, _ in self.best.lines):
            self.attempt(lines=[(0, line) for _, line in self.best.lines])

    def plain_config(self):
        for path, value in list(self.plainer()):
            config = self.best.copy().config
            target = config
            try:
                for key in path[:-1]:
                    target = target[key]
                if value is REMOVE:
                    del target[path[-1]]
                else:
                    target[path[-1]] = value
            except (KeyError, IndexError):
                continue
            if config != self.best.config and (config["periods"] or config["windows"]):
                self.attempt(config=config)

    def plainer(self):
        config = self.best.config
        for index in reversed(range(len(config.get("rules", [])))):
            yield ("rules", index), REMOVE
            for key in ("escalate", "ids", "min_n", "clear", "cooldown", "keep", "for"):
                yield ("rules", index, key), REMOVE
        for name in ("periods", "windows"):
            for index in reversed(range(len(config[name]))):
                if len(config["periods"]) + len(config["windows"]) > 1:
                    yield (name, index), REMOVE
        for name in ("queues",):
            for key in config[name]:
                yield (name, key), REMOVE
        for name in ("checks", "rules"):
            for key in config["compliance"][name]:
                yield ("compliance", name, key), REMOVE
        yield ("allowed_lateness",), "0s"
        yield ("dedupe",), "0s"
        yield ("workers",), 1
        yield ("timezone",), "UTC"
        yield ("centre",), "main"
        yield ("short_abandon",), "5s"
        yield ("abandonment", "formula"), "net"
        yield ("service_level",), {"target": "20s", "formula": "negative"}

    def plain_lines(self):
        for index in range(len(self.best.lines)):
            number, line = self.best.lines[index]
            try:
                record = json.loads(line)
                event = model.decode(line)
            except (ValueError, model.BadRecord, RecursionError):
                continue
            if event is None or not isinstance(record, dict):
                continue
            record["ts"] = event.ts
            self.replace(index, number, record)
            for key in [key for key in record if key not in ("type", "id", "ts", "outcome")]:
                self.replace(index, number, {k: v for k, v in record.items() if k != key})
                record = json.loads(self.best.lines[index][1])
            for key in ("wait_ms", "talk_ms", "hold_ms", "acw_ms"):
                if record.get(key) not in (None, 1000):
                    self.replace(index, number, record | {key: 1000})
                    record = json.loads(self.best.lines[index][1])

    def replace(self, index, number, record):
        line = json.dumps(record, ensure_ascii=False).encode()
        if line != self.best.lines[index][1]:
            lines = list(self.best.lines)
            lines[index] = (number, line)
            self.attempt(lines=lines)


class _Remove:
    pass


REMOVE = _Remove()


# ---------------------------------------------------------------------------------------------------------
# Reporting

def report(kind, seed, stream, text, program, keep):
    """Writes the small stream to a folder and says all there is to say."""
    folder = Path(keep) / f"{kind}-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    arguments = stream.write(folder)
    here = Path(__file__).resolve().parent
    lines = [f"==== seed {seed}, check `{kind}`: the program differs", text, "---- configuration (cfg.json)"]
    lines.append(json.dumps(stream.settings(), ensure_ascii=False))
    if stream.roster:
        lines += [f"---- {stream.roster_name()}", stream.roster_text().rstrip("\n")]
    for number, data in enumerate(stream.datas(), 1):
        shown = data.decode("utf-8", "backslashreplace")
        lines += [f"---- events-{number}.ndjson", shown[:6000].rstrip("\n")]
    lines += [
        "---- to repeat",
        f"  program: {shlex.join(program.command(arguments))}",
        f"  model:   {shlex.join([str(here / 'model.py'), *arguments])}",
        f"  whole:   {shlex.join([str(here / 'compare.py'), '--program', program.path, '--seeds', f'{seed}..{seed}'])}"
        f" --checks {kind}",
    ]
    return "\n".join(lines) + "\n"


def one_seed(seed, program, kinds, keep, shrink_seconds=SHRINK_SECONDS):
    """All checks of a seed. (number of rows, list of reports)."""
    rows, reports = 0, []
    for kind in kinds:
        make, judge = CHECKS[kind]
        stream = make(seed)
        text, count = judge(stream, program)
        rows += count
        if text is None:
            continue
        small = Shrinker(stream, lambda s: judge(s, program)[0] is not None, shrink_seconds).run()
        text = judge(small, program)[0] or f"(not every time) {text}"
        reports.append(report(kind, seed, small, text, program, keep))
    return rows, reports


def job(arguments):
    return arguments[0], *one_seed(*arguments)


def parse_seeds(text):
    first, _, last = text.partition("..")
    return range(int(first), int(last or first) + 1)


def main(arguments):
    parser = argparse.ArgumentParser(description="Compares `callmill replay` with the model on seeded streams.")
    parser.add_argument("--program", required=True)
    parser.add_argument("--seeds", type=parse_seeds, default=range(0, 150), metavar="A..B")
    parser.add_argument("--checks", default="model,workers,order,calm", help="some of " + ",".join(CHECKS))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--stop-after", type=int, default=3, help="stop after so many seeds that differ")
    parser.add_argument("--progress", action="store_true")
    parser.add_argument("--keep", default=os.path.join(tempfile.gettempdir(), "callmill-prop"),
                        help="folder for the streams that differ")
    options = parser.parse_args(arguments)
    kinds = options.checks.split(",")
    if unknown := [kind for kind in kinds if kind not in CHECKS]:
        parser.error(f"no such check: {unknown[0]}")
    if not os.access(options.program, os.X_OK):
        parser.error(f"no program at {options.program}")
    program = Program(os.path.abspath(options.program))
    begin, done, rows, bad = time.monotonic(), 0, 0, 0
    with ProcessPoolExecutor(options.jobs) as pool:
        for low in range(options.seeds.start, options.seeds.stop, 100):
            batch = range(low, min(low + 100, options.seeds.stop))
            for _, count, reports in pool.map(job, [(seed, program, kinds, options.keep) for seed in batch], chunksize=5):
                done, rows, bad = done + 1, rows + count, bad + bool(reports)
                for text in reports:
                    print(text, flush=True)
            if options.progress:
                seconds = time.monotonic() - begin
                print(f"{done}/{len(options.seeds)} streams, {rows} rows, {bad} differ, {seconds:.0f} s", flush=True)
            if bad >= options.stop_after:
                break
    seconds = time.monotonic() - begin
    verdict = "all equal" if bad == 0 else f"{bad} DIFFER (kept in {options.keep})"
    print(f"{done} streams, {rows} rows compared, checks {','.join(kinds)}: {verdict}, {seconds:.1f} s")
    if done and rows == 0 and not bad and {"model", "calm"} & set(kinds):
        print("not one row to compare: the run proves nothing", file=sys.stderr)
        return 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
