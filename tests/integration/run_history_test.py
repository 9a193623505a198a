# SPDX-License-Identifier: Apache-2.0
"""run_history_test.py: a day that closed gets into cm:history, wherever kill -9 strikes: before Redis has seen
anything of it, or in the middle of the tick that carries it."""

import json
import select
import socket
import threading
import time

import harness

START_MS = 1_706_000_000_000  # 2024-01-23 08:53:20 in London
DAY_MS = 86_400_000


class Gate(threading.Thread):
    """Between callmill and Redis. Shut, it takes what callmill sends and keeps it."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.to_port = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.peer = {}  # socket -> the one on the other side
        self.clients = set()
        self.shut = False
        self.kept = b""
        self.ended = False

    def run(self):
        while not self.ended:
            ready, _, _ = select.select([self.listener, *self.peer], [], [], 0.05)
            for link in ready:
                if link is self.listener:
                    self.connect()
                elif link in self.peer:
                    self.forward(link)

    def connect(self):
        client, _ = self.listener.accept()
        server = socket.create_connection(("127.0.0.1", self.to_port))
        self.clients.add(client)
        self.peer |= {client: server, server: client}

    def forward(self, link):
        try:
            data = link.recv(1 << 16)
            if data and link in self.clients and self.shut:
                self.kept += data
                return
            if data:
                self.peer[link].sendall(data)
                return
        except OSError:
            pass
        other = self.peer.pop(link)
        self.peer.pop(other)
        link.close()
        other.close()

    def end(self):
        self.ended = True
        self.join()
        for link in (self.listener, *self.peer):
            link.close()


def commands(data):
    """The whole commands at the beginning of what a client sent: [(words, bytes of it)]."""
    at, found = 0, []

    def line():
        nonlocal at
        end = data.index(b"\r\n", at)
        text, at = data[at + 1:end], end + 2
        return int(text)
    while True:
        begin, words = at, []
        try:
            for _ in range(line()):
                size = line()
                words.append(data[at:at + size])
                at += size + 2
        except ValueError:
            return found
        if at > len(data):
            return found
        found.append((words, data[begin:at]))


class History(harness.Case):
    def close_a_day_at(self, let_through):
        """Kills callmill after let_through of the commands that carry the end of a day have reached Redis; the
        next life must bring the rest."""
        days = [list(harness.calls(seed, 800, START_MS + day * DAY_MS, DAY_MS // 3, seats=12))
                for seed, day in ((5, 0), (6, 1))]
        more = list(harness.calls(7, 200, START_MS + DAY_MS + DAY_MS // 3, DAY_MS // 12, seats=12))
        topic = self.topic(2)
        gate = Gate(self.redis.port)
        gate.start()
        self.addCleanup(gate.end)
        rows = [(f"s{i}", f"t{i % 3}", "r0", "", "") for i in range(12)]
        # Nothing reaches further back than the day, so that what is committed decides what is read again.
        config = self.config(topic, workers=2, windows=["5m/5s"], periods=["day"], timezone="Europe/London",
                             compliance={"judge_within": "0s"}, roster=self.roster(rows))
        direct = config["redis"]["address"]
        config["redis"]["address"] = f"127.0.0.1:{gate.port}"
        run = harness.Run(self, config).start()
        self.kafka.produce(topic, days[0], key=harness.key_of)
        run.wait_read(len(days[0]))
        gate.shut = True
        self.kafka.produce(topic, days[1], key=harness.key_of)
        harness.wait_for("the end of the day", 30, lambda: b":day\r\n" in gate.kept and b"history:" in gate.kept)
        time.sleep(2.5)  # positions are committed every second
        run.check_alive()
        run.kill()
        sent = commands(gate.kept)
        self.assertTrue(any(b"history:" in words[1] for words, _ in sent if len(words) > 1))
        through = let_through(sent, run.prefix.encode())
        harness.say(f"{through} of {len(sent)} commands get through")
        client = self.redis.client
        client.many([words for words, _ in sent[:through]])
        run.path.write_text(json.dumps(config | {"redis": config["redis"] | {"address": direct}}))
        self.kafka.produce(topic, more, key=harness.key_of)
        run.start()
        run.wait_read(1)
        run.stop()
        events = self.file(days[0] + days[1] + more)
        self.check_current(run, [events])
        self.assertGreater(self.check_history(run, [events]), 12)
        self.assertEqual(list(client.hash(run.prefix + "history:centre:main:day")), ["2024-01-23"])

    def test_killed_before_redis_has_seen_the_day(self):
        self.close_a_day_at(lambda sent, prefix: 0)

    def test_killed_after_meta(self):
        """`meta` has the watermark of the tick, nothing that follows it got through."""
        def behind_meta(sent, prefix):
            day = next(i for i, (words, _) in enumerate(sent) if any(b"history:" in word for word in words))
            metas = [i for i, (words, _) in enumerate(sent) if words[1:2] == [prefix + b"meta"] and b"watermark" in words]
            near = min(metas, key=lambda i: abs(i - day))
            return near + 1
        self.close_a_day_at(behind_meta)

    def test_killed_in_the_middle_of_history(self):
        def half(sent, prefix):
            at = [i for i, (words, _) in enumerate(sent) if any(b"history:" in word for word in words)]
            return at[len(at) // 2]
        self.close_a_day_at(half)


if __name__ == "__main__":
    harness.main()
