"""The platform's own share of a deploy, redeploys under load, and control's memory."""

import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

from harness import Server, commit, repository, wait_until, web_files  # noqa: E402
from report import Report  # noqa: E402
from load import Load  # noqa: E402

PUSHES = 15
REDEPLOYS = 20
CLIENTS = 64
IDLE_APPS = 100


def bare_boot(directory):
    """Seconds until the app itself accepts a connection when it is started by hand."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    start = time.monotonic()
    app = subprocess.Popen(["python3", "web.py"], cwd=directory, stdout=subprocess.DEVNULL,
                           env=dict(os.environ, PORT=str(port), DYNO="web.1"))
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return time.monotonic() - start
            except OSError:
                time.sleep(0.001)
    finally:
        app.kill()
        app.wait()


def bare_push(base, directory):
    """Seconds that git itself needs to push a commit to a bare repository on the same disk."""
    bare = pathlib.Path(base) / "bare.git"
    subprocess.run(["git", "init", "-q", "--bare", str(bare)], check=True)
    times = []
    for n in range(5):
        commit(directory, {"text": f"bare-{n}\n"})
        start = time.monotonic()
        subprocess.run(["git", "-C", str(directory), "push", "-q", str(bare), "main"], check=True)
        times.append(time.monotonic() - start)
    return statistics.median(times)


def main():
    report = Report("deploy")
    server = Server()
    try:
        server.api("POST", "/apps", {"name": "bench"})
        app = repository(server.base / "repositories", web_files())
        server.push(app, "bench")
        server.wait_for_page("bench", "v3 one")

        boot = statistics.median(bare_boot(app) for _ in range(5))
        push = bare_push(server.base, app)
        report.add("the app's own boot, by hand", boot * 1000, "ms")
        report.add("git's own push to a bare repository on this disk", push * 1000, "ms")

        totals = []
        for n in range(PUSHES):
            commit(app, {"text": f"n{n}\n"})
            done = {}

            def page():
                wait_until(lambda: f"n{n}" in (server.page("bench") or ""), pause=0.002)
                done["at"] = time.monotonic()

            watcher = threading.Thread(target=page)
            start = time.monotonic()
            watcher.start()
            server.push(app, "bench")
            watcher.join()
            totals.append(done["at"] - start)
        report.spread("git push to the first 200 of the new release", [t * 1000 for t in totals], "ms")
        report.spread("the platform's own share (less boot and git)",
                      [(t - boot - push) * 1000 for t in totals], "ms", limit=500)

        server.api("PATCH", "/apps/bench/formation/web", {"quantity": 2})
        wait_until(lambda: sum(d["state"] == "up" for d in server.dynos("bench")) == 2)
        load = Load(server.http, "bench.localhost", clients=CLIENTS)
        try:
            for n in range(REDEPLOYS):
                commit(app, {"text": f"again-{n}\n"})
                server.push(app, "bench")
                server.wait_for_page("bench", f"again-{n}")
        finally:
            load.end()
        report.add(f"requests answered during {REDEPLOYS} redeploys, {CLIENTS} connections", load.answers, "")
        report.add("of them failed", len(load.failures), "", limit=0)
        for failure in load.failures[:5]:
            print("  ", failure)
    finally:
        server.close()

    server = Server()
    try:
        for n in range(IDLE_APPS):
            server.api("POST", "/apps", {"name": f"idle-{n}"})
        time.sleep(2)
        status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
        resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
        report.add(f"control's resident memory with {IDLE_APPS} idle apps", resident / 1024, "MiB", limit=30)
    finally:
        server.close()
    report.end()


main()
