# SPDX-License-Identifier: Apache-2.0
"""gen_test.py: `callmill gen` as a program: the same bytes for a seed, counts, times, pace, what is
rubbish and what is not, and outputs that fail. No servers. CM_PROGRAM names the binary."""

import json
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

PROGRAM = os.environ["CM_PROGRAM"]


def run(*words, program="gen", stdin=None):
    return subprocess.run([PROGRAM, program, *words], input=stdin, capture_output=True, timeout=60)


def lines(*words):
    done = run("-q", *words)
    assert done.returncode == 0 and done.stderr == b"", done
    return done.stdout.splitlines()


def duration_ms(text):
    return {"m": 60_000, "s": 1_000}[text[-1]] * int(text[:-1])


class Gen(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)

    def tearDown(self):
        self.folder.cleanup()

    def test_seed_decides_every_byte(self):
        words = ["-q", "--for", "5m", "--seed", "7", "--disorder", "5%", "--duplicates", "0.01",
                 "--rubbish", "0.01", "--revisions", "0.02", "--live-events"]
        first = run(*words).stdout
        self.assertGreater(len(first), 100_000)
        self.assertEqual(first, run(*words).stdout)
        file = self.path / "a.ndjson"
        self.assertEqual(run(*words, "-O", str(file)).returncode, 0)
        self.assertEqual(first, file.read_bytes())
        self.assertNotEqual(first, run(*words, "--seed", "8").stdout)

    def test_count_is_exact_and_a_prefix(self):
        whole = lines("--for", "5m")
        for count in (1, 2, 1000):
            self.assertEqual(lines("--count", str(count)), whole[:count])
        self.assertEqual(len(lines("--count", "100000", "--for", "1m")),
                         len(lines("--for", "1m")))

    def test_every_line_is_a_call_event_in_its_time(self):
        begin, length = 1793581200000, "10m"
        before = 0
        ids = set()
        for line in lines("--from", str(begin), "--for", length):
            event = json.loads(line)
            self.assertEqual(event["type"], "cdr")
            self.assertTrue(begin <= event["ts"] < begin + duration_ms(length))
            self.assertGreaterEqual(event["ts"], before)  # sorted without disorder
            before = event["ts"]
            ids.add(event["id"])
            self.assertEqual(event["centre"], "main")
        self.assertGreater(len(ids), 1000)
        self.assertEqual(len(ids), len(lines("--from", str(begin), "--for", length)))
        later = lines("--from", "2026-11-02T01:00:00Z", "--to", "2026-11-02T01:10:00Z")
        self.assertEqual(len(ids), len(later))

    def test_default_is_an_hour(self):
        stamps = [json.loads(line)["ts"] for line in lines("--seats", "50")]
        self.assertTrue(1793581200000 <= min(stamps) and max(stamps) < 1793581200000 + 3_600_000)
        self.assertGreater(max(stamps) - min(stamps), 3_000_000)

    def test_replay_counts_the_rubbish(self):
        words = ["--count", "5000", "--rubbish", "4%"]
        bad = 0
        for line in lines(*words):
            try:
                event = json.loads(line)
                bad += not isinstance(event, dict)
            except ValueError:
                bad += 1
        done = run("-", program="replay", stdin=run("-q", *words).stdout)
        self.assertEqual(done.returncode, 0)
        found = re.search(rb"5000 records: (\d+) counted.* (\d+) late, (\d+) bad", done.stderr)
        counted, late, refused = (int(number) for number in found.groups())
        self.assertEqual(counted + late + refused, 5000)
        self.assertGreaterEqual(refused, bad)  # some of it is JSON, but no event
        self.assertTrue(100 < refused < 300, refused)
        clean = run("-", program="replay", stdin=run("-q", "--count", "5000").stdout)
        self.assertIn(b"5000 records: 5000 counted, 0 revised, 0 duplicates, 0 late, 0 bad",
                      clean.stderr)

    def test_disorder_and_duplicates(self):
        events = [json.loads(line) for line in
                  lines("--for", "10m", "--disorder", "10%", "--disorder-max", "3s",
                        "--duplicates", "5%")]
        latest, late, most = 0, 0, 0
        for event in events:
            late += event["ts"] < latest
            most = max(most, latest - event["ts"])
            latest = max(latest, event["ts"])
        self.assertGreater(late, len(events) * 0.05)
        self.assertLessEqual(most, 30_000)  # a copy comes within 30 s
        self.assertGreater(len(events), len({event["id"] for event in events}))

    def test_roster_and_queues(self):
        file = self.path / "roster.csv"
        done = run("--seats", "30", "--roster", str(file))
        self.assertEqual((done.returncode, done.stdout), (0, b""))  # no traffic without an output
        rows = file.read_text().splitlines()
        self.assertEqual(rows[0], "seat,team,room,centre")
        self.assertEqual(len(rows), 31)
        done = run("--seats", "30", "--queues", "--roster", "-")
        self.assertTrue(done.stdout.startswith(rows[0].encode()))
        self.assertIn(b"\nqueues:\n", done.stdout)
        done = run("-q", "--seats", "30", "--roster", str(file), "-O", "-", "--count", "3")
        self.assertEqual(len(done.stdout.splitlines()), 3)
        config = self.path / "callmill.yaml"
        config.write_bytes(b"roster: roster.csv\n" + run("--queues", "--seats", "30").stdout)
        self.assertEqual(run("-c", str(config), program="check").returncode, 0)

    def test_pace(self):
        begin = time.monotonic()
        self.assertEqual(len(lines("--rate", "200", "--count", "201")), 201)
        self.assertGreaterEqual(time.monotonic() - begin, 0.99)  # the last one is due at 1 s
        begin, wall = time.monotonic(), time.time() * 1000
        stamps = [json.loads(line)["ts"] for line in lines("--live", "--for", "1s")]
        self.assertTrue(all(wall - 1 <= ts <= wall + 10_000 for ts in stamps))
        begin = time.monotonic()
        stamps = [json.loads(line)["ts"] for line in lines("--for", "1m", "--speed", "60")]
        self.assertGreaterEqual((time.monotonic() - begin) * 60_000,
                                max(stamps) - 1793581200000 - 60)

    def test_live_is_not_held_back(self):
        child = subprocess.Popen([PROGRAM, "gen", "-q", "--live", "--calls-per-month", "1e9",
                                  "--seats", "10000"], stdout=subprocess.PIPE)
        json.loads(child.stdout.readline())  # comes though the buffer is not full
        child.terminate()
        rest = child.stdout.read()
        self.assertEqual(child.wait(10), 0)
        self.assertTrue(rest == b"" or rest.endswith(b"\n"))  # a whole last line
        child.stdout.close()

    def test_a_signal_that_waits_is_seen(self):
        def leave_one_waiting():  # held back, and still there when the program begins
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
            os.kill(os.getpid(), signal.SIGTERM)

        for words in (["--count", "100000"], ["--rate", "1000000000", "--count", "100000"],
                      ["--rate", "2", "--count", "3"], ["--speed", "100000", "--count", "100000"]):
            done = subprocess.run([PROGRAM, "gen", *words], capture_output=True, timeout=60,
                                  preexec_fn=leave_one_waiting)
            self.assertEqual((done.returncode, done.stdout), (0, b""), words)
            self.assertIn(b"callmill gen: 0 records", done.stderr)

    def test_a_signal_ends_it_at_any_pace(self):
        for words in ([], ["--rate", "1000000000"], ["--rate", "1"], ["--speed", "1"]):
            for number in (signal.SIGTERM, signal.SIGINT):
                child = subprocess.Popen([PROGRAM, "gen", "-q", "--for", "8760h", *words],
                                         stdout=subprocess.PIPE)
                json.loads(child.stdout.readline())
                child.send_signal(number)
                while block := child.stdout.read(1 << 20):
                    last = block[-1:]
                    self.assertTrue(last == b"\n" or len(block) == 1 << 20)
                self.assertEqual(child.wait(10), 0, words)
                child.stdout.close()

    def test_outputs_that_fail(self):
        done = run("-O", "/dev/full")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"/dev/full: No space left on device", done.stderr)
        done = run("-O", str(self.path / "none" / "a"))
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"No such file", done.stderr)
        child = subprocess.Popen([PROGRAM, "gen"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        child.stdout.readline()
        child.stdout.close()
        self.assertEqual(child.wait(10), 1)
        self.assertIn(b"closed by its reader", child.stderr.read())
        child.stderr.close()

    def test_wrong_usage(self):
        for words in (["--seats", "0"], ["--for", "5"], ["--disorder", "2"], ["--key", "agent"],
                      ["--live", "--from", "0"], ["--rate", "5", "--speed", "2"], ["x"],
                      ["--topic", "t"], ["-O", "a", "--brokers", "b:1"], ["--timezone", "Mars/X"],
                      ["--to", "2026-11-01T00:00:00Z"], ["--to", "5", "--for", "1m"],
                      ["--brokers", "b:1", "--codec", "rar"]):
            done = run(*words)
            self.assertEqual(done.returncode, 2, words)
            self.assertEqual(done.stdout, b"")
            self.assertNotEqual(done.stderr, b"")


if __name__ == "__main__":
    unittest.main()
