# SPDX-License-Identifier: Apache-2.0
"""harness.py: the whole program against real servers: Kafka (scripts/kafka-broker) and redis-server.

A test file ends with `harness.main()`. It holds unittest cases that derive from Case; each has topics,
a group and a prefix of its own, so one broker and one Redis serve a whole file. What a case asserts
most often is check_current(): every figure of every unit in Redis equals what `callmill replay` says
about the same records.

Exit status: 0 all passed, 1 some failed, 77 something that is needed is not installed (with CI=true: 1).
Environment: CM_PROGRAM the binary; CM_BANK_DATA a month of calls (NDJSON), see bank_file(); CM_SLOW a
factor for time limits (sanitizers); CM_KEEP=1 keeps the folder of logs; CM_VERBOSE=1 talks.
"""

import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("CM_PROGRAM", str(ROOT / "build/release/callmill"))
SLOW = float(os.environ.get("CM_SLOW", "1"))


def oracle():
    """Who replays what `run` is held against. A sanitized program takes ten times as long over dozens of replays, and they
    are not what it is to be looked at for: the plain build does it, when it is there and younger than the source."""
    plain = ROOT / "build/release/callmill"
    if SLOW > 1 and plain.is_file() and plain.stat().st_mtime > max(
            path.stat().st_mtime for path in (ROOT / "src").rglob("*") if path.is_file()):
        return str(plain)
    return PROGRAM


ORACLE = oracle()
FOLDER = Path(tempfile.mkdtemp(prefix="callmill-it-"))
KINDS = ("seat", "team", "room", "centre", "queue")


class Missing(Exception):
    """Something that the tests need is not installed."""


def say(text):
    print(f"# {time.strftime('%H:%M:%S')} {text}", flush=True)


def wait_for(what, seconds, condition):
    """Returns the first true value of condition(); fails after `seconds`."""
    end = time.monotonic() + seconds * SLOW
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"timed out after {seconds * SLOW:.0f} s: {what}")
        time.sleep(0.02)


def free_port():
    """Below the range from which the system takes ports for outgoing connections."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


# -- Redis ------------------------------------------------------------------------------------------


class Resp:
    """A connection that speaks RESP 2."""

    def __init__(self, port, timeout=10):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.file = self.socket.makefile("rb")

    def close(self):
        self.file.close()
        self.socket.close()

    def send(self, *commands):
        out = bytearray()
        for words in commands:
            out += b"*%d\r\n" % len(words)
            for word in words:
                data = word if isinstance(word, bytes) else str(word).encode()
                out += b"$%d\r\n%s\r\n" % (len(data), data)
        self.socket.sendall(out)

    def read(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b":":
            return int(rest)
        count = int(rest)
        if kind == b"$":
            return None if count < 0 else self.file.read(count + 2)[:-2].decode()
        return None if count < 0 else [self.read() for _ in range(count)]

    def call(self, *words):
        self.send(words)
        return self.read()

    def many(self, commands):
        commands = list(commands)
        self.send(*commands)
        return [self.read() for _ in commands]

    def hash(self, key):
        return pairs(self.call("HGETALL", key))

    def hashes(self, keys):
        keys = list(keys)
        return dict(zip(keys, map(pairs, self.many(("HGETALL", key) for key in keys))))


def pairs(flat):
    return dict(zip(flat[::2], flat[1::2]))


class Redis:
    def __init__(self):
        if shutil.which("redis-server") is None:
            raise Missing("redis-server is not installed")
        self.port = free_port()
        self.process = None

    def start(self):
        """Empty."""
        folder = Path(tempfile.mkdtemp(prefix="redis-", dir=FOLDER))
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
             "--appendonly", "no", "--dir", str(folder), "--logfile", str(folder / "redis.log")])
        self.process.client = None

        def ready():
            try:
                client = Resp(self.port)
                return client if client.call("PING") == "PONG" else None
            except (OSError, RuntimeError):
                return None
        self.process.client = wait_for("redis-server answers", 20, ready)
        return self

    @property
    def client(self):
        return self.process.client

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        if self.process is not None:
            self.process.client.close()
            self.process.kill()
            self.process.wait()
            self.process = None


# -- Kafka ------------------------------------------------------------------------------------------


class Kafka:
    """sasl: "name:password:ms", a listener where that user authenticates, see scripts/kafka-broker."""

    def __init__(self, sasl=""):
        self.environment = os.environ | {"KAFKA_SASL": sasl}
        if shutil.which("kcat") is None:
            raise Missing("kcat is not installed")
        self.data = FOLDER / f"kafka-{random.SystemRandom().randrange(1 << 32):08x}"
        self.address = None

    def script(self, *words):
        """Its output goes to a file: a pipe would be held open by the broker that it leaves behind."""
        with tempfile.TemporaryFile() as out:
            done = subprocess.run([str(ROOT / "scripts/kafka-broker"), *words], stdout=out, env=self.environment,
                                  stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False)
            out.seek(0)
            text = out.read().decode(errors="replace").strip()
        if done.returncode == 77:
            raise Missing(text or "java or mvn is not installed")
        if done.returncode != 0:
            raise AssertionError(f"kafka-broker {words[0]}: {text}")
        return text

    def start(self):
        self.address = self.script("start", str(self.data), str(os.getpid())).splitlines()[-1]
        return self

    def sasl_address(self):
        return (self.data / "sasl").read_text().strip()

    def kill(self):
        pid = int((self.data / "pid").read_text())
        os.kill(pid, signal.SIGKILL)
        wait_for("the broker is gone", 10, lambda: not alive(pid))

    def stop(self):
        if self.data.exists():
            self.script("stop", str(self.data))

    def topic(self, name, partitions):
        """CreateTopics, version 2: a JVM for each topic would take seconds."""
        host, port = self.address.split(":")

        def text(value):
            return struct.pack(">h", len(value)) + value.encode()
        body = struct.pack(">i", 1) + text(name) + struct.pack(">ihii", partitions, 1, 0, 0)
        request = struct.pack(">hhi", 19, 2, 1) + text("harness") + body + struct.pack(">ib", 10_000, 0)
        with socket.create_connection((host, int(port)), 20) as link:
            link.sendall(struct.pack(">i", len(request)) + request)
            size = struct.unpack(">i", receive(link, 4))[0]
            answer = receive(link, size)
        error = struct.unpack(">h", answer[14 + len(name):16 + len(name)])[0]
        if error != 0:
            raise AssertionError(f"topic {name}: Kafka says error {error}")
        wait_for(f"{name} is known", 20, lambda: self.partitions(name) == partitions)

    def partitions(self, name):
        done = subprocess.run(["kcat", "-L", "-J", "-b", self.address, "-t", name], check=False,
                              capture_output=True, timeout=30)
        if done.returncode != 0:
            return 0
        return sum(len([p for p in t["partitions"] if p.get("leader", -1) >= 0 and "error" not in p])
                   for t in json.loads(done.stdout)["topics"])

    def produce(self, topic, lines, key=None, codec="none", partition=None):
        """Lines (bytes without newline) in order; key(line) gives the record's key."""
        words = ["kcat", "-P", "-b", self.address, "-t", topic, "-z", codec, "-X", "acks=all",
                 "-X", "message.timeout.ms=60000", "-X", "linger.ms=5",
                 "-X", "sticky.partitioning.linger.ms=0"]
        if partition is not None:
            words += ["-p", str(partition)]
        if key is not None:
            words += ["-K", "\t"]
            lines = [key(line) + b"\t" + line for line in lines]
        done = subprocess.run(words, input=b"\n".join(lines) + b"\n", capture_output=True, check=False,
                              timeout=120 * SLOW)
        if done.returncode != 0 or b"ERROR" in done.stderr:
            raise AssertionError(f"kcat: {done.stderr.decode(errors='replace')}")

    def consume(self, topic):
        """All records of a topic, in the order of each partition."""
        done = subprocess.run(["kcat", "-C", "-e", "-q", "-b", self.address, "-t", topic, "-o", "beginning"],
                              capture_output=True, check=True, timeout=60 * SLOW)
        return done.stdout.splitlines()

    def produce_blobs(self, topic, blobs, partition):
        """Any bytes, one record each, in order."""
        folder = Path(tempfile.mkdtemp(prefix="blobs-", dir=FOLDER))
        paths = []
        for number, blob in enumerate(blobs):
            paths.append(folder / f"{number:04d}")
            paths[-1].write_bytes(blob)
        done = subprocess.run(["kcat", "-P", "-b", self.address, "-t", topic, "-p", str(partition),
                               *map(str, paths)], capture_output=True, check=False, timeout=60 * SLOW)
        if done.returncode != 0:
            raise AssertionError(f"kcat: {done.stderr.decode(errors='replace')}")


def receive(link, count):
    out = b""
    while len(out) < count:
        piece = link.recv(count - len(out))
        if not piece:
            raise ConnectionError("Kafka closed the connection")
        out += piece
    return out


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


# -- records ----------------------------------------------------------------------------------------


def key_of(line):
    """Seat, or call where there is none: as producers should do it."""
    record = json.loads(line)
    return (record.get("seat") or record.get("call") or record["id"]).encode()


def bank_file():
    """A month of calls in file order, and what it is."""
    named = os.environ.get("CM_BANK_DATA", "")
    for path in ([Path(named)] if named else [ROOT.parent / "shared/data/bank-1999-02.ndjson"]):
        if path.is_file():
            return path, f"bank month, {path.name}"
    path = FOLDER / "generated-month.ndjson"
    if not path.exists():
        lines = calls(1, 31_125, 917_820_000_000, 28 * 86_400_000)
        # Without revisions: they would have to meet the first one, and so need a key.
        path.write_bytes(b"".join(line + b"\n" for line in lines if b'"rev":' not in line))
    return path, "generated month"


def calls(seed, count, start_ms, span_ms, seats=40, queues=6):
    """Seeded calls in order of time: busier by day, all outcomes, checks, ratings, some revised."""
    rng = random.Random(seed)
    times = sorted(start_ms + int(span_ms * rng.random()) for _ in range(count))
    again = []
    for number, ts in enumerate(times):
        while again and again[0][0] <= ts:
            yield dump(again.pop(0)[1])
        record = {"type": "cdr", "id": f"g{seed}-{number}", "ts": ts, "call": f"k{seed}-{number // 2}",
                  "queue": f"q{rng.randrange(queues)}"}
        outcome = rng.choices(["answered", "abandoned", "no_answer", "rejected", "overflow", "timeout",
                               "callback"], [80, 12, 3, 2, 1, 1, 1])[0]
        record |= {"outcome": outcome, "wait_ms": int(rng.expovariate(1 / 15_000))}
        if outcome not in ("overflow", "timeout", "callback") and rng.random() < 0.95:
            record["seat"] = f"s{rng.randrange(seats)}"
        if outcome == "answered":
            record |= {"talk_ms": int(rng.lognormvariate(11.5, 1)), "acw_ms": rng.randrange(30_000),
                       "hold_ms": rng.choice([0, 0, 0, rng.randrange(60_000)]),
                       "transfers": rng.choice([0] * 9 + [1]), "on_hold": rng.random() < 0.02,
                       "end": rng.choice(["caller", "agent", "transfer", "system"])}
            if rng.random() < 0.5:
                record["checks"] = {name: rng.choice([True, True, True, False, None])
                                    for name in ("greeting", "identity", "closing")}
            if rng.random() < 0.3:
                record["rating"] = rng.randrange(101)
            if rng.random() < 0.02:
                later = dict(record, rev=1, acw_ms=rng.randrange(60_000))
                again.append((ts + rng.randrange(60_000), later))
                again.sort(key=lambda item: item[0])
        yield dump(record)
    yield from (dump(record) for _, record in again)


def with_states(seed, lines, rest_ms=2 * 3_600_000):
    """The same calls, with changes of the seats' states and judgements of the calls among them; no judgement
    in the last rest_ms, so that none waits for the watermark at the end."""
    rng = random.Random(seed)
    records = [json.loads(line) for line in lines]
    end, more = max(record["ts"] for record in records), []
    for number, record in enumerate(list(records)):
        if "seat" not in record:
            continue
        if rng.random() < 0.3:
            more.append({"type": "seat_state", "id": f"t{seed}-{number}", "ts": record["ts"] + rng.randrange(600_000),
                         "seat": record["seat"], "state": rng.choice(
                             ["offline", "available", "available", "ringing", "talking", "hold", "acw", "break"])})
        judged_ms = record["ts"] + int(rng.expovariate(1 / 20_000_000))
        if rng.random() < 0.2 and judged_ms < end - rest_ms:
            more.append({"type": "check", "id": f"j{seed}-{number}", "ts": judged_ms, "seat": record["seat"],
                         "call": record["call"], "source": rng.choice(["self", "spot", "third_party"]),
                         "checks": {name: rng.choice([True, True, False, None]) for name in ("closing", "tone")}})
    more = [record for record in more if record["ts"] <= end]
    return [dump(record) for record in sorted(records + more, key=lambda record: record["ts"])]


def dump(record):
    return json.dumps(record, separators=(",", ":")).encode()


def shifted(lines, times, by_ms):
    """The same calls `times` over, each time later, with ids of their own."""
    out = []
    for number in range(times):
        for line in lines:
            record = json.loads(line)
            record["id"] += f"-{number}"
            record["ts"] += number * by_ms
            out.append(dump(record))
    return out


# -- the program ------------------------------------------------------------------------------------


class Run:
    """One `callmill run` after another with one configuration."""

    def __init__(self, case, config, name="run"):
        self.case = case
        self.config = config
        self.path = case.folder / f"{name}.json"
        self.path.write_text(json.dumps(config, indent=1))
        self.log = case.folder / f"{name}.log"
        self.process = self.environment = None
        self.prefix = config["redis"]["prefix"]
        case.runs.append(self)

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([PROGRAM, "run", "-c", str(self.path)], stderr=log,
                                            stdin=subprocess.DEVNULL, stdout=log, cwd=self.case.folder,
                                            env=self.environment)
        return self

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def check_alive(self):
        if self.process.poll() is not None:
            raise AssertionError(f"callmill run ended with {self.process.returncode}:\n"
                                 + self.log_text()[-3000:])

    def stop(self, seconds=5):
        self.check_alive()
        begin = time.monotonic()
        self.process.terminate()
        try:
            status = self.process.wait(seconds * SLOW)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running {seconds * SLOW} s after SIGTERM\n"
                                 + self.log_text()[-3000:]) from None
        took = time.monotonic() - begin
        self.case.assertEqual(status, 0, self.log_text()[-3000:])
        return took

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def meta(self):
        """cm:meta, with the entries of this process under their short names."""
        found = self.case.redis.client.hash(self.prefix + "meta")
        mine = f":{self.process.pid}:"
        return found | {name.rsplit(":", 1)[1]: value for name, value in found.items() if mine in name}

    def wait_read(self, records, seconds=60):
        """Everything is read and its figures are out."""
        seen = {}

        def done():
            self.check_alive()
            try:
                seen.update(self.meta())
            except (OSError, RuntimeError):
                return False
            return int(seen.get("records", 0)) >= records and seen.get("lag") == "0"
        try:
            wait_for("all read", seconds, done)
        except AssertionError as error:
            raise AssertionError(f"{error}: wanted {records} records, meta {seen}\n"
                                 + self.log_text()[-3000:]) from None
        return seen


class Monitor(threading.Thread):
    """Looks again and again at figures in Redis and writes down each asof that went back."""

    def __init__(self, redis, prefix):
        super().__init__(daemon=True)
        self.redis, self.prefix = redis, prefix
        self.newest, self.regress, self.looks = {}, [], 0
        self.ended = threading.Event()
        self.start()

    def run(self):
        try:
            self.look(Resp(self.redis.port))
        except (OSError, ValueError):
            pass  # the server has gone; `looks` tells

    def look(self, client):
        while not self.ended.wait(0.01):
            keys = [key for key in client.call("KEYS", self.prefix + "*")
                    if is_unit_key(self.prefix, key) or key.startswith(self.prefix + "board:")]
            for key, fields in client.hashes(keys).items():
                for field, value in fields.items():
                    asof = json.loads(value)["asof"]
                    before = self.newest.get((key, field), asof)
                    if asof < before:
                        self.regress.append((key, field, before, asof))
                    self.newest[key, field] = asof
            self.looks += 1
        client.close()

    def end(self):
        self.ended.set()
        self.join()
        return self


def is_unit_key(prefix, key):
    return key.startswith(tuple(f"{prefix}{kind}:" for kind in KINDS))


class Case(unittest.TestCase):
    """Servers are started once for all cases of a class."""

    kafka = redis = None
    sasl = ""  # see Kafka
    number = 0

    @classmethod
    def setUpClass(cls):
        cls.redis = Redis().start()
        cls.addClassCleanup(lambda: cls.redis.kill())
        cls.kafka = Kafka(cls.sasl)
        cls.addClassCleanup(cls.kafka.stop)
        cls.kafka.start()

    def setUp(self):
        Case.number += 1
        self.name = f"{self._testMethodName}-{Case.number}"
        self.folder = FOLDER / self.name
        self.folder.mkdir()
        self.runs = []
        self.replayed = {}
        say(self.id())

    def monitor(self, run):
        monitor = Monitor(self.redis, run.prefix)
        self.addCleanup(monitor.end)
        return monitor

    def tearDown(self):
        for run in self.runs:
            run.kill()

    # -- making ---------------------------------------------------------------------------------------

    def topic(self, partitions, suffix=""):
        name = f"calls-{self.name}{suffix}"
        self.kafka.topic(name, partitions)
        return name

    def config(self, topic, suffix="", **changes):
        config = {
            "source": {"kafka": {"brokers": self.kafka.address, "topic": topic, "idle": "1s",
                                 "group": f"group-{self.name}{suffix}"}},
            "redis": {"address": f"127.0.0.1:{self.redis.port}", "prefix": f"{self.name}{suffix}:"},
            "workers": 1, "tick": "100ms",
        }
        # A member that was killed leaves its partitions when its session has timed out.
        config["source"]["kafka"]["properties"] = {"session.timeout.ms": "2000",
                                                   "heartbeat.interval.ms": "400"}
        return config | changes

    def roster(self, rows, name="roster.csv"):
        path = self.folder / name
        path.write_text("seat,team,room,centre,from\n" + "".join(",".join(row) + "\n" for row in rows))
        return str(path)

    def file(self, lines, name="events.ndjson"):
        path = self.folder / name
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        return path

    # -- comparing ------------------------------------------------------------------------------------

    def replay(self, run, files, *words):
        done = subprocess.run(
            [ORACLE, "replay", "-q", "-c", str(run.path), "-o", "dead_letters.file=", *words,
             *map(str, files)], capture_output=True, check=False, timeout=120 * SLOW)
        self.assertEqual(done.returncode, 0, done.stderr.decode(errors="replace"))
        return [json.loads(line) for line in done.stdout.splitlines()]

    def replay_at(self, run, files, at_ms):
        """{(kind, id, window): figures with asof}"""
        known = (run.path, tuple(files), at_ms)
        if known not in self.replayed:
            self.replayed[known] = {
                (row.pop("kind"), row.pop("id"), row.pop("window")): row
                for row in self.replay(run, files, "--at", str(at_ms))}
        return self.replayed[known]

    def published(self, run):
        """{(kind, id): {window: figures with asof}}"""
        client = self.redis.client
        keys = [key for key in client.call("KEYS", run.prefix + "*") if is_unit_key(run.prefix, key)]
        found = {}
        for key, fields in client.hashes(keys).items():
            kind, unit = key[len(run.prefix):].split(":", 1)
            found[kind, unit] = {window: json.loads(value) for window, value in fields.items() if window != "now"}
        return {unit: fields for unit, fields in found.items() if fields}

    def assert_figures(self, where, found, wanted):
        """wanted None: an empty window, so zeros and nulls."""
        figures = {name: value for name, value in found.items() if name != "asof"}
        if wanted is None:
            rest = {name: value for name, value in figures.items() if value not in (0, None)}
            self.assertFalse(rest, f"{where} as of {found['asof']} should be empty")
            return
        wanted = {name: value for name, value in wanted.items() if name != "asof"}
        self.assertEqual(figures, wanted, f"{where} as of {found['asof']}")

    def check_current(self, run, files):
        """Every figure that stands in Redis is right as of the instant that it names itself, and no unit that has
        figures as of the newest one of a window lacks them: a row is written when it changes, so what
        is older holds still, but for the time in states, which runs on by itself. Returns what was found."""
        found = self.published(run)
        self.assertTrue(found, "no figures in Redis")
        self.check_own_asof(run, files)
        windows = sorted({window for fields in found.values() for window in fields})
        counted = 0
        for window in windows:
            asof = max(fields[window]["asof"] for fields in found.values() if window in fields)
            wanted = {key[:2]: row for key, row in self.replay_at(run, files, asof).items()
                      if key[2] == window}
            for unit, row in wanted.items():
                self.assertEqual(row["asof"], asof)
                self.assertIn(window, found.get(unit, {}), f"{unit} lacks {window} as of {asof}")
            for unit, fields in found.items():
                if window in fields and "state_ms" not in fields[window]:
                    self.assert_figures(f"{unit} {window} as of {asof}, written", fields[window], wanted.get(unit))
            counted += len(wanted)
        self.assertGreater(counted, 0, "nothing was compared")
        return found

    def check_own_asof(self, run, files, since_ms=0):
        """Every figure equals the replay as of the instant that it names itself."""
        compared = 0
        for (kind, unit), fields in self.published(run).items():
            for window, found in fields.items():
                if found["asof"] >= since_ms:
                    rows = self.replay_at(run, files, found["asof"])
                    self.assert_figures(f"{kind} {unit} {window}", found,
                                        rows.get((kind, unit, window)))
                    compared += 1
        return compared

    def check_history(self, run, files):
        """Closed periods equal the replay as of their ends. Returns how many."""
        client = self.redis.client
        keys = client.call("KEYS", run.prefix + "history:*")
        count = 0
        found = {}
        for key, fields in client.hashes(keys).items():
            kind, rest = key[len(run.prefix + "history:"):].split(":", 1)
            unit, period = rest.rsplit(":", 1)
            for label, value in fields.items():
                row = json.loads(value)
                found.setdefault((row["asof"], period), set()).add((kind, unit))
                rows = self.replay_at(run, files, row["asof"])
                self.assert_figures(f"history {kind} {unit} {period} {label}", row,
                                    rows.get((kind, unit, period)))
                count += 1
        for (asof, period), units in found.items():
            wanted = {key[:2] for key in self.replay_at(run, files, asof) if key[2] == period}
            self.assertEqual(units, wanted, f"units with a {period} as of {asof}")
        return count

    def check_boards(self, run, units, parents):
        """Boards hold just what the units hold. parents: {(kind, id): (kind, id)}. `units` may come
        from elsewhere, when only boards are written."""
        client = self.redis.client
        wanted = {}
        for (kind, unit), fields in units.items():
            for window, row in fields.items():
                if kind != "seat":
                    wanted.setdefault((kind, unit, window), {})["."] = row
                if (kind, unit) in parents:
                    wanted.setdefault((*parents[kind, unit], window), {})[unit] = row
        keys = client.call("KEYS", run.prefix + "board:*")
        found = {}
        for key, fields in client.hashes(keys).items():
            kind, rest = key[len(run.prefix + "board:"):].split(":", 1)
            unit, window = rest.rsplit(":", 1)
            found[kind, unit, window] = {name: json.loads(value) for name, value in fields.items()}
        self.assertEqual(found.keys(), wanted.keys())
        for board, fields in found.items():
            self.assertEqual(fields, wanted[board], f"board {board}")


def main():
    """Runs the cases of the file that calls it."""
    def ended(number, _frame):
        raise KeyboardInterrupt(f"signal {number}")
    signal.signal(signal.SIGTERM, ended)
    status = 1
    try:
        if not os.access(PROGRAM, os.X_OK):
            raise Missing(f"{PROGRAM} is not built")
        program = unittest.main(module="__main__", exit=False, verbosity=2, warnings="ignore")
        result = program.result
        lacking = [text for _, text in result.errors if "harness.Missing" in text]
        if lacking:
            raise Missing(lacking[0].strip().splitlines()[-1])
        status = 0 if result.wasSuccessful() and result.testsRun > 0 else 1
    except Missing as error:
        ci = os.environ.get("CI") == "true"
        say(f"{'failed' if ci else 'skipped'}: {error}")
        status = 1 if ci else 77
    finally:
        if status in (0, 77) and os.environ.get("CM_KEEP") != "1":
            shutil.rmtree(FOLDER, ignore_errors=True)
        else:
            say(f"logs and data are in {FOLDER}")
    sys.exit(status)
