# SPDX-License-Identifier: Apache-2.0
"""lab.py: real servers for benchmarks: Kafka (scripts/kafka-broker), redis-server, `callmill run`; and a broker that
is none, bench/static_broker.c, where a broker should cost as little as can be.

Everything listens on 127.0.0.1 on free ports, lives in one temporary folder and is gone when the Lab is
closed. CPU times come from /proc, in ticks of the kernel (10 ms): measure over seconds.
"""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FROM = "2024-06-03T01:00:00Z"  # Monday, 09:00 in Shanghai; the same as bench/centre.h
TICKS = os.sysconf("SC_CLK_TCK")


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


def cpu_seconds(pid):
    """User and system time of a process with all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def wait_for(what, seconds, condition):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise SystemExit(f"timed out after {seconds} s: {what}")


def fail(text):
    sys.exit(f"{Path(sys.argv[0]).name}: {text}")


class Engine:
    """A `callmill run`."""

    def __init__(self, lab, topic, overrides):
        self.metrics_port = free_port()
        self.log = lab.folder / f"run-{topic}-{self.metrics_port}.log"
        words = [str(lab.program), "run", "-c", str(lab.config),
                 "-o", f"source.kafka.brokers={lab.brokers}", "-o", f"source.kafka.topic={topic}", "-o", f"source.kafka.group=g{self.metrics_port}",
                 "-o", f"metrics.listen=127.0.0.1:{self.metrics_port}"]
        for override in overrides:
            words += ["-o", override]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        lab.engines.append(self)

    def metrics(self):
        """Name without the prefix -> value; empty while there is no answer."""
        if self.process.poll() is not None:
            fail(f"callmill run ended: {self.log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=5) as page:
                lines = page.read().decode().splitlines()
        except OSError:
            return {}
        pairs = (line.rsplit(" ", 1) for line in lines if line.startswith("callmill_"))
        return {name.removeprefix("callmill_"): float(value) for name, value in pairs}

    def cpu(self):
        return cpu_seconds(self.process.pid)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Lab:
    def __init__(self, build):
        self.build = Path(build).resolve()
        self.program = self.build / "callmill"
        if not self.program.exists():
            fail(f"{self.program} is not there: cmake --build {build}")
        if shutil.which("redis-server") is None:
            fail("redis-server is not installed")
        self.folder = Path(tempfile.mkdtemp(prefix="callmill-bench-"))
        self.engines, self.redis, self.brokers = [], None, None
        self.broker_pid, self.static = None, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for engine in self.engines:
            engine.stop()
        for server in (self.redis, self.static):
            if server is not None:
                server.terminate()
                server.wait()
        if (self.folder / "kafka").exists():
            self.kafka_script("stop", self.folder / "kafka")
        shutil.rmtree(self.folder, ignore_errors=True)

    def kafka_script(self, *words):
        """Its output goes to a file: a pipe would be held open by the broker that it leaves behind."""
        with tempfile.TemporaryFile() as out:
            done = subprocess.run([str(ROOT / "scripts/kafka-broker"), *map(str, words)], stdout=out,
                                  stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False)
            out.seek(0)
            text = out.read().decode(errors="replace").strip()
        if done.returncode != 0:
            fail(f"kafka-broker {words[0]}: {text}")
        return text

    def start_redis(self, *options):
        port = free_port()
        self.redis_address = f"127.0.0.1:{port}"
        self.redis = subprocess.Popen(
            ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
             "--dir", str(self.folder), "--logfile", str(self.folder / "redis.log"), *options])
        wait_for("redis-server answers", 20, lambda: self.redis_call("PING") == "+PONG")

    def start(self, broker="kafka"):
        """Broker (kafka, or static, which serve() starts), Redis, roster and configuration."""
        if broker == "kafka":
            self.brokers = self.kafka_script("start", self.folder / "kafka", os.getpid()).splitlines()[-1]
            self.broker_pid = int((self.folder / "kafka/pid").read_text())
        self.start_redis()
        self.config = self.folder / "callmill.yaml"
        self.roster, self.queues = self.folder / "roster.csv", self.folder / "queues.yaml"
        self.queues.write_text(self.gen("--roster", self.roster, "--queues"))
        self.config.write_text(
            f'redis: {{address: "{self.redis_address}"}}\nroster: {self.roster}\n{self.queues.read_text()}')
        return self

    def redis_call(self, *words):
        """The first line of the answer."""
        try:
            with socket.create_connection(tuple(self.redis_address.split(":")), 5) as link:
                link.sendall((" ".join(words) + "\r\n").encode())
                return link.makefile().readline().strip()
        except OSError:
            return ""

    def gen(self, *words):
        done = subprocess.run([str(self.program), "gen", "-q", *map(str, words)], check=False,
                              capture_output=True, text=True)
        if done.returncode != 0:
            fail(f"callmill gen: {done.stderr}")
        return done.stdout

    def traffic(self, records, *where):
        """Calls of a busy morning on: the ones that 1,240 seats can serve, so no machines' records."""
        self.gen("--count", records, "--from", FROM, "--seed", 1, "--calls-per-month", 4_550_000, *where)

    def fill(self, topic, codec, records, partitions=4):
        self.traffic(records, "--brokers", self.brokers, "--topic", topic, "--codec", codec, "--partitions", partitions)

    def serve(self, topic, codec, records, partitions=4):
        """The same topic on a static broker, which knows no other."""
        if self.static is not None:
            self.static.terminate()
            self.static.wait()
        words = [str(self.build / "bench/static_broker"), "--file", str(self.file(records)), "--topic", topic,
                 "--codec", codec, "--partitions", str(partitions)]
        with (self.folder / "static_broker.log").open("ab") as log:
            self.static = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, text=True)
        self.brokers = self.static.stdout.readline().strip()
        self.broker_pid = self.static.pid
        if not self.brokers:
            fail(f"static_broker: {(self.folder / 'static_broker.log').read_text()[-2000:]}")

    def broker_cpu(self):
        return cpu_seconds(self.broker_pid)

    def file(self, records):
        """The same records as a file, written once."""
        path = self.folder / f"{records}.ndjson"
        if not path.exists():
            self.traffic(records, "-O", path)
        return path

    def replay(self, path, *words):
        """The rows of `callmill replay` as dictionaries."""
        done = subprocess.run([str(self.program), "replay", "-q", "-c", str(self.config), *map(str, words), str(path)],
                              check=False, capture_output=True, text=True)
        if done.returncode != 0:
            fail(f"callmill replay: {done.stderr}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def program_json(self, *words):
        """Runs one of our bench programs and returns its JSON."""
        path = self.folder / f"{time.monotonic_ns()}.json"
        done = subprocess.run([str(self.build / "bench" / words[0]), *map(str, words[1:]), "--json", str(path)],
                              check=False, capture_output=True, text=True)
        if done.returncode != 0:
            fail(f"{words[0]}: {done.stderr}")
        return json.loads(path.read_text())


def spread(values):
    values = sorted(values)
    half = len(values) // 2
    median = values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2
    return {"median": round(median, 2), "min": round(values[0], 2), "max": round(values[-1], 2)}


def describe(machine):
    return (f'{machine["cpu"]}, {machine["cores"]} cores, Linux {machine["kernel"]}, '
            f'load {machine["load_before"]:.1f} to {machine["load_after"]:.1f}, {machine["compiler"]}, '
            f'{machine["build"]}, commit {machine["commit"]}')


def finish(result, path):
    """Writes the JSON, when it is wanted."""
    result["machine"]["load_after"] = round(os.getloadavg()[0], 2)
    if path:
        Path(path).write_text(json.dumps(result, indent=1) + "\n")
