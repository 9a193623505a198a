# SPDX-License-Identifier: Apache-2.0
"""demo_test.py: `callmill demo` and `callmill top` as programs, with a real redis-server: figures come,
keys work, the terminal is put back, and nothing is left behind. CM_PROGRAM names the binary; 77 where
redis-server is not installed."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

PROGRAM = os.environ["CM_PROGRAM"]
SLOW = float(os.environ.get("CM_SLOW", "1"))
FOLDER = tempfile.mkdtemp(prefix="callmill-dt-")
ENVIRONMENT = {**os.environ, "TMPDIR": FOLDER, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color",
               "COLUMNS": "110"}
ENVIRONMENT.pop("NO_COLOR", None)


def children(pid):
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(entry.parent.name))
    return found


def is_alive(pid):
    return Path(f"/proc/{pid}").exists()


class Demo:
    """A demo without a terminal; frames are read until one holds what is wanted."""

    def __init__(self, *words):
        self.process = subprocess.Popen([PROGRAM, "demo", "--seconds", "300", *words],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env=ENVIRONMENT)
        self.text = ""

    def wait_for(self, pattern, seconds=40):
        end = time.monotonic() + seconds * SLOW
        while time.monotonic() < end:
            if select.select([self.process.stdout], [], [], 0.2)[0]:
                self.text += os.read(self.process.stdout.fileno(), 65536).decode()
            found = re.search(pattern, self.text)
            if found:
                return found
        raise AssertionError(f"no {pattern} in\n{self.text}")

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.wait(30 * SLOW)
        errors = self.process.stderr.read().decode()
        self.process.stdout.close()
        self.process.stderr.close()
        return self.process.returncode, errors


class Screen:
    """A program in a terminal of its own."""

    def __init__(self, *words):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(PROGRAM, [PROGRAM, *words], ENVIRONMENT)
        self.bytes = b""

    def wait_for(self, pattern, seconds=40):
        """In what came since the last call."""
        end = time.monotonic() + seconds * SLOW
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    self.bytes += os.read(self.fd, 65536)
                except OSError:  # the other side is closed
                    break
            found = re.search(pattern.encode(), self.bytes)
            if found:
                self.bytes = self.bytes[found.end():]
                return found
        raise AssertionError(f"no {pattern!r} in {self.bytes[-3000:]!r}")

    def press(self, keys):
        os.write(self.fd, keys.encode())

    def end(self):
        self.wait_for(r"\x1b\[\?25h\x1b\[\?1049l")  # the cursor and the old screen are back
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.fd)
        return status


class Live(unittest.TestCase):
    def assert_nothing_left(self, redis):
        self.assertFalse(is_alive(redis))
        self.assertEqual(os.listdir(FOLDER), [])

    def test_demo_and_top(self):
        demo = Demo()
        try:
            demo.wait_for(r"\n  r1 +\d+ +\d+")
            demo.wait_for(r"\n  self-service ")
            self.assertNotIn("\x1b", demo.text)
            (redis,) = children(demo.process.pid)
            address = demo.wait_for(r"redis (127\.0\.0\.1:\d+)")[1]
            self.check_once(address)
            self.check_keys(address)
        finally:
            status, errors = demo.stop()
        self.assertEqual((status, errors), (0, ""))
        self.assert_nothing_left(redis)
        done = subprocess.run([PROGRAM, "top", "--once", "-o", f"redis.address={address}"],
                              capture_output=True, env=ENVIRONMENT, timeout=60)
        self.assertEqual(done.returncode, 1)  # nobody is there any more
        self.assertIn(address.encode(), done.stderr)

    def check_once(self, address):
        words = [PROGRAM, "top", "-o", f"redis.address={address}"]
        whole = subprocess.run(words, capture_output=True, env=ENVIRONMENT, timeout=60)
        self.assertEqual((whole.returncode, whole.stderr), (0, b""))
        self.assertIn("[15m]", whole.stdout.decode())
        self.assertNotIn(b"\x1b", whole.stdout)
        team = subprocess.run([*words, "--once", "--unit", "team:t3", "--window", "1h"],
                              capture_output=True, env=ENVIRONMENT, timeout=60).stdout.decode()
        self.assertRegex(team, r"t3  team")
        self.assertRegex(team, r"\n  s00(2[5-9]|3[0-6]) ")  # those that had a call in the hour
        self.assertIn("[1h]", team)
        none = subprocess.run([*words, "--unit", "room:nowhere"], capture_output=True,
                              env=ENVIRONMENT, timeout=60)
        self.assertIn(b"no board of room nowhere", none.stdout)
        wrong = subprocess.run([*words, "--unit", "rooms"], capture_output=True, env=ENVIRONMENT)
        self.assertEqual(wrong.returncode, 2)

    def check_keys(self, address):
        screen = Screen("top", "-o", f"redis.address={address}", "--interval", "100ms")
        screen.wait_for(r"\x1b\[\?1049h")
        screen.wait_for("▸ r1 ")
        screen.press("\x1b[B")
        screen.wait_for("▸ r2 ")
        screen.press("\r")
        screen.wait_for("main › r2  room")
        screen.wait_for("▸ t14 ")
        screen.press("w")
        screen.wait_for(r"\[1h\]")
        screen.press("\x7f")
        screen.wait_for("main  centre")
        screen.wait_for("▸ r2 ")
        screen.press("q")
        self.assertEqual(screen.end(), 0)

    def test_ctrl_c_in_a_terminal(self):
        screen = Screen("demo", "--seats", "50")
        screen.wait_for("▸ r1 ")
        (redis,) = children(screen.pid)
        screen.press("\x03")
        self.assertEqual(screen.end(), 0)
        self.assert_nothing_left(redis)

    def test_a_redis_that_is_there(self):
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/redis.sock"
            server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", path,
                                       "--save", "", "--dir", folder], stdout=subprocess.DEVNULL)
            try:
                self.use_redis(path)
            finally:
                server.terminate()
                server.wait(10)

    def use_redis(self, path):
        def ask(*words):
            return subprocess.run(["redis-cli", "-s", path, *words], capture_output=True,
                                  timeout=10).stdout.decode().split()
        end = time.monotonic() + 10
        while ask("ping") != ["PONG"] and time.monotonic() < end:
            time.sleep(0.05)
        ask("set", "cm:meta", "somebody else's")
        demo = Demo("--redis", f"unix:{path}", "--seats", "50", "--speed", "20")
        try:
            demo.wait_for(r"\n  r1 +\d+ +\d+")
            self.assertIn("cm:demo:meta", ask("keys", "*"))
        finally:
            status, errors = demo.stop(signal.SIGINT)
        self.assertEqual((status, errors), (0, ""))
        self.assertEqual(ask("keys", "*"), ["cm:meta"])

    def test_without_redis_server(self):
        done = subprocess.run([PROGRAM, "demo"], capture_output=True, timeout=60,
                              env={**ENVIRONMENT, "PATH": "/nonexistent"})
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"redis-server is not installed", done.stderr)
        self.assertEqual(os.listdir(FOLDER), [])


if __name__ == "__main__":
    if shutil.which("redis-server") is None or shutil.which("redis-cli") is None:
        print("skipped: redis-server is not installed")
        sys.exit(77)
    try:
        unittest.main()
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
