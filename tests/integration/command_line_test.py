# SPDX-License-Identifier: Apache-2.0
"""command_line_test.py: what the commands say and how they end, without any server."""

import json
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import harness


def callmill(*words, **options):
    return subprocess.run([harness.PROGRAM, *words], capture_output=True, text=True, check=False, timeout=60,
                          stdin=subprocess.DEVNULL, **options)


class CommandLine(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def commands(self):
        listed = callmill("--help").stdout
        return re.findall(r"^  ([a-z]+) ", listed, re.MULTILINE)

    def test_help(self):
        self.assertLessEqual({"run", "replay", "check"}, set(self.commands()))
        for words in (["--help"], ["-h"], ["help"], *([name, "--help"] for name in self.commands())):
            done = callmill(*words)
            self.assertEqual(done.returncode, 0, words)
            self.assertGreater(len(done.stdout), 80, words)
            self.assertEqual(done.stderr, "", words)

    def test_version(self):
        done = callmill("--version")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"^callmill \d+\.\d+\.\d+\n$")

    def test_wrong_usage(self):
        cases = [[], ["frobnicate"], ["rnu"], ["--frobnicate"], *([name, "--frobnicate"] for name in self.commands()),
                 ["run", "-o", "tick"], ["run", "-o", "tick=5"], ["run", "-o", "tock=5s"], ["run"],
                 ["replay", "--every", "7"], ["replay", "--at", "yesterday"], ["replay", "--at", "1", "--every", "1h"]]
        for words in cases:
            done = callmill(*words)
            self.assertEqual(done.returncode, 2, f"{words}: {done.stderr}")
            self.assertNotEqual(done.stderr, "", words)
            self.assertEqual(done.stdout, "", words)
        self.assertIn("did you mean `run`", callmill("rnu").stderr)

    def test_wrong_configuration(self):
        """All mistakes at once, each with its place, from `run` as from `check`."""
        path = self.folder / "wrong.yaml"
        path.write_text("source:\n  kafka: {brokers: \"127.0.0.1:1\", topik: x}\ntick: 200\n"
                        "workers: -1\nwindow: [1m/1s]\ntimezone: Mars/Olympus\nrules:\n"
                        "  - {name: a, kind: team, window: 3m, metric: aht_ms, warn: \"> 1\"}\n")
        for command in ("check", "run"):
            done = callmill(command, "-c", str(path))
            self.assertEqual(done.returncode, 2)
            self.assertEqual(done.stdout, "")
            places = [(int(line), int(column)) for line, column
                      in re.findall(r"wrong\.yaml:(\d+):(\d+): ", done.stderr)]
            self.assertEqual({line for line, _ in places}, {2, 3, 4, 5, 6, 8}, done.stderr)
            self.assertTrue(all(column > 0 for _, column in places))
            self.assertIn("did you mean `windows`?", done.stderr)

    def test_no_configuration_there(self):
        done = callmill("run", "-c", str(self.folder / "none.yaml"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("none.yaml", done.stderr)

    def test_wrong_roster(self):
        (self.folder / "roster.csv").write_text("seat,team,room,centre,from\ns1,t1,r1,c1,yesterday\n")
        (self.folder / "right.yaml").write_text("roster: roster.csv\nsource: {kafka: {brokers: \"127.0.0.1:1\"}}\n")
        for command in ("check", "run"):
            done = callmill(command, "-c", str(self.folder / "right.yaml"))
            self.assertEqual(done.returncode, 2)
            self.assertRegex(done.stderr, r"roster\.csv:2:\d+: ")

    def test_check_prints_what_loads_again(self):
        done = callmill("check", "-o", "windows=[5m/5s]", "-o", "timezone=Asia/Jerusalem")
        self.assertEqual(done.returncode, 0, done.stderr)
        path = self.folder / "effective.yaml"
        path.write_text(done.stdout)
        again = callmill("check", "-c", str(path))
        self.assertEqual(again.returncode, 0, again.stderr)
        plain = [re.sub(r"\s+#.*", "", text) for text in (done.stdout, again.stdout)]
        self.assertEqual(plain[0], plain[1])

    def test_replay_of_nothing_and_of_a_missing_file(self):
        done = callmill("replay")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        done = callmill("replay", str(self.folder / "none.ndjson"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("none.ndjson", done.stderr)

    def test_data_and_messages_are_apart(self):
        path = self.folder / "events.ndjson"
        path.write_bytes(b"rubbish\n" + b"".join(line + b"\n" for line in harness.calls(1, 50, 10**12, 10**6)))
        done = callmill("replay", str(path))
        self.assertEqual(done.returncode, 0)
        self.assertTrue(all(json.loads(line) for line in done.stdout.splitlines()))
        self.assertIn("1 bad (malformed 1)", done.stderr)


if __name__ == "__main__":
    harness.main()
