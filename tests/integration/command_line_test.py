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


class Plan(unittest.TestCase):
    """callmill plan, with the built-in curves and with others."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def json(self, *words):
        done = callmill("plan", "--json", *words)
        self.assertEqual((done.returncode, done.stderr), (0, ""), words)
        return json.loads(done.stdout)

    def test_capacity(self):
        asked = ("--seats", "5000", "--calls-hour", "100000")
        plan = self.json(*asked)
        self.assertAlmostEqual(plan["records_per_s"], 100000 / 3600, 6)
        for name, need in plan["needs"].items():
            self.assertGreater(need["provide"], 0, name)
            self.assertGreater(len(need["why"]), 10, name)
            if "expected" in need and name != "callmill_cores":
                self.assertAlmostEqual(need["provide"] / need["expected"], 2, 6)
        self.assertEqual(plan["notes"], [])
        table = callmill("plan", *asked).stdout
        for label in ("workers", "publishing", "callmill memory", "Redis memory", "Kafka", "partitions"):
            self.assertRegex(table, rf"(?m)^{label} +[0-9]")

    def test_capacity_follows_what_is_asked(self):
        def provide(name, *words):
            return self.json("--seats", "5000", "--calls-hour", "100000", *words)["needs"][name]["provide"]

        self.assertLess(provide("redis_memory_MiB", "-o", "publish=[boards]"), provide("redis_memory_MiB"))
        self.assertLess(provide("worker_cores", "-o", "windows=[5m/5s]", "-o", "periods=[]"), provide("worker_cores"))
        self.assertLess(provide("redis_cores", "-o", "tick=5s"), provide("redis_cores"))
        self.assertAlmostEqual(provide("redis_cores", "--margin", "4") / provide("redis_cores"), 2, 6)
        self.assertLess(provide("kafka_MB_per_s", "--codec", "zstd"), provide("kafka_MB_per_s", "--codec", "none"))
        self.assertAlmostEqual(provide("kafka_raw_MB_per_s", "--record-bytes", "360", "--events-call", "10"), 0.2, 6)
        self.assertIn("a topic or centre of its own",
                      self.json("--seats", "5000", "--calls-hour", "1", "--processes", "2")["notes"][0])

    def test_seats_of_the_roster(self):
        (self.folder / "roster.csv").write_text("seat,team,room,centre\n" + "".join(f"{n},t,r,c\n" for n in range(2000)))
        path = self.folder / "c.yaml"
        path.write_text("roster: roster.csv\nqueues: {a: {}, b: {}}\n")
        plan = self.json("-c", str(path), "--calls-hour", "5000")
        self.assertEqual((plan["seats"], plan["queues"]), (2000, 2))

    def test_curves_of_a_file(self):
        shown = callmill("plan", "--show-curves").stdout
        path = self.folder / "curves"
        path.write_text(shown)
        asked = ("--seats", "5000", "--calls-hour", "100000")
        again = self.json(*asked, "--curves", str(path))
        self.assertEqual(again["curves_from_file"], again["curves"])
        self.assertEqual(again["needs"], self.json(*asked)["needs"])
        path.write_text("record_bytes: 720\n")
        self.assertIn("1 of ", " ".join(self.json(*asked, "--curves", str(path))["notes"]))
        path.write_text("record_bytes: 720\nrecord_byte: 1\n")
        done = callmill("plan", *asked, "--curves", str(path))
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn(f"{path}:2: ", done.stderr)

    def test_staff(self):
        asked = ("--staff", "--calls", "100", "--interval", "30m", "--aht", "180s")
        plan = self.json(*asked, "--shrinkage", "0.3")
        self.assertEqual((plan["model"], plan["agents"], plan["scheduled"]), ("erlang-c", 14, 20))
        self.assertAlmostEqual(plan["wait_probability"], 0.17413, 5)
        self.assertAlmostEqual(plan["service_level"], 0.88835, 5)
        self.assertEqual([n["agents"] for n in plan["neighbours"]], [13, 15])
        plan = self.json(*asked, "--patience", "5m", "--agents", "14")
        self.assertEqual(plan["model"], "erlang-a")
        self.assertAlmostEqual(plan["service_level"], 0.916792, 6)
        self.assertEqual(self.json("--staff", "--calls-hour", "200", "--aht", "180s")["agents"], 14)
        self.assertEqual(self.json(*asked, "--max-occupancy", "65%")["agents"], 16)
        self.assertIsNone(self.json(*asked, "--agents", "9")["asa_s"])
        table = callmill("plan", *asked).stdout
        self.assertIn("10.00 erlangs", table)
        self.assertRegex(table, r"(?m)^> +14 ")

    def test_staff_of_a_day(self):
        path = self.folder / "day.csv"
        path.write_text("start,calls,aht\n08:00,100,180\n08:30,0,\n09:00,200,3m\n")
        asked = ("plan", "--staff", "--intervals", str(path), "--aht", "180s")
        done = callmill(*asked, "--csv")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = [line.split(",") for line in done.stdout.splitlines()]
        self.assertEqual(lines[0][:6], ["start", "calls", "aht_s", "erlangs", "agents", "scheduled"])
        self.assertEqual([line[4] for line in lines[1:]], ["14", "0", "24"])
        day = json.loads(callmill(*asked, "--json").stdout)
        self.assertEqual(len(day["intervals"]), 3)
        self.assertAlmostEqual(day["agent_hours"], 19)
        self.assertIn("19.0 agent hours", callmill(*asked).stdout)
        path.write_text("start,calls,aht\n08:00,many,180\n")
        done = callmill(*asked)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("day.csv:2:7: ", done.stderr)

    def test_wrong_usage(self):
        for words in ([], ["--seats", "5"], ["--calls-hour", "5"], ["--seats", "0", "--calls-hour", "5"],
                      ["--seats", "1.5", "--calls-hour", "5"], ["--seats", "5", "--calls-hour", "5", "--margin", "0.5"],
                      ["--seats", "5", "--calls-hour", "5", "--aht", "5s"], ["word"],
                      ["--seats", "5", "--calls-hour", "5", "--processes", "6"],
                      ["--seats", "5", "--calls-hour", "5", "--codec", "gzip"],
                      ["--seats", "5", "--calls-hour", "5", "--curves", str(self.folder / "none")],
                      ["--seats", "5", "--calls-hour", "5", "-o", "tick=5"],
                      ["--staff"], ["--staff", "--calls", "5"], ["--staff", "--calls", "5", "--aht", "5"],
                      ["--staff", "--calls", "5", "--aht", "5s", "--seats", "5"],
                      ["--staff", "--calls", "5", "--aht", "5s", "--calls-hour", "5"],
                      ["--staff", "--calls", "0", "--aht", "5s"], ["--staff", "--calls", "-1", "--aht", "5s"],
                      ["--staff", "--calls", "5", "--aht", "5s", "--service-level", "1"],
                      ["--staff", "--calls", "5", "--aht", "5s", "--shrinkage", "100%"],
                      ["--staff", "--calls", "5", "--aht", "5s", "--csv"],
                      ["--staff", "--calls-hour", "1000000000", "--aht", "1h"],
                      ["--staff", "--intervals", str(self.folder / "none"), "--aht", "5s"]):
            done = callmill("plan", *words)
            self.assertEqual((done.returncode, done.stdout), (2, ""), f"{words}: {done.stderr}")
            self.assertNotEqual(done.stderr, "", words)


if __name__ == "__main__":
    harness.main()
