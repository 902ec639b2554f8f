"""Attached one-off dynos: the whole of `renga run true`, `ps:exec true`, and how soon a key echoes."""

import os
import pathlib
import pty
import select
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

from harness import RENGA, Server, repository, wait_until  # noqa: E402
from report import Report  # noqa: E402

RUNS = 30
KEYS = 300


def timed(arguments, environment):
    """Milliseconds of a whole command, after one to warm up."""
    times = []
    for turn in range(RUNS + 1):
        start = time.perf_counter()
        subprocess.run(arguments, env=environment, check=True, stdin=subprocess.DEVNULL, capture_output=True)
        times.append((time.perf_counter() - start) * 1000)
    return times[1:]


def echoes(arguments, environment):
    """Milliseconds from each key to its echo by a `cat` behind a terminal in raw mode."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(arguments[0], arguments, environment)
    try:
        seen = b""
        while b"ready" not in seen:
            select.select([terminal], [], [], 60)
            seen += os.read(terminal, 4096)
        time.sleep(0.3)
        while select.select([terminal], [], [], 0)[0]:
            os.read(terminal, 4096)
        times = []
        for _ in range(KEYS):
            start = time.perf_counter()
            os.write(terminal, b"x")
            if not select.select([terminal], [], [], 10)[0]:
                raise SystemExit("a key did not echo")
            os.read(terminal, 64)
            times.append((time.perf_counter() - start) * 1000)
            time.sleep(0.005)
        return sorted(times)
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(terminal)


def main():
    report = Report("run")
    server = Server()
    try:
        server.api("POST", "/apps", {"name": "bench"})
        app = repository(server.base / "repositories", {"Procfile": "worker: sleep 100000\n"})
        server.push(app, "bench")
        server.api("PATCH", "/apps/bench/formation", {"updates": [{"type": "worker", "quantity": "1"}]})
        wait_until(lambda: any(d["state"] == "up" for d in server.dynos("bench")), 60)
        environment = dict(os.environ, RENGA_DATA=str(server.data), RENGA_APP="bench", TERM="xterm")

        report.spread("renga run true, whole command", timed([RENGA, "run", "true"], environment), "ms", 60)
        report.spread("renga ps:exec true, whole command", timed([RENGA, "ps:exec", "true"], environment), "ms")
        report.spread("peer: a shell that runs true", timed(["/bin/bash", "-c", "/bin/true"], environment), "ms")
        # `cat` echoes what the terminal, in raw mode, does not.
        raw = "stty raw -echo; echo ready; exec cat"
        for what, arguments, limit in (("renga run", [RENGA, "run", "--", raw], 5),
                                       ("renga ps:exec", [RENGA, "ps:exec", "--", raw], 5),
                                       ("peer: the same in a local terminal", ["/bin/bash", "-c", raw], None)):
            times = echoes(arguments, environment)
            report.add(f"key to echo, {what}: median", statistics.median(times), "ms")
            report.add(f"key to echo, {what}: p99", times[int(len(times) * 0.99)], "ms", limit)
    finally:
        server.close()
    report.end()


main()
