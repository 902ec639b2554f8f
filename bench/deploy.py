"""The platform's own share of a deploy, redeploys under load, and control's memory."""

import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

import by_hand  # noqa: E402
from harness import Server, commit, repository, wait_until, web_files  # noqa: E402
from report import Report  # noqa: E402
from load import Load  # noqa: E402
from peers.piku import Piku  # noqa: E402

PUSHES = 15
REDEPLOYS = 20
CLIENTS = 64
IDLE_APPS = 100


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


class Renga:
    """The app on a renga server, as peers/piku.py has it on piku."""

    def __init__(self, server):
        self.server, self.address, self.host = server, server.http, "bench.localhost"
        server.api("POST", "/apps", {"name": "bench"})

    def push(self, directory):
        self.server.push(directory, "bench")

    def page(self):
        return self.server.page("bench")

    def scale(self, quantity):
        self.server.api("PATCH", "/apps/bench/formation/web", {"quantity": quantity})
        wait_until(lambda: sum(d["state"] == "up" for d in self.server.dynos("bench")) == quantity)


def push_to_page(platform, directory, text):
    """Seconds from `git push` to the first page that says `text`."""
    commit(directory, {"text": f"{text}\n"})
    done = {}

    def page():
        wait_until(lambda: text in (platform.page() or ""), limit=60, pause=0.002, what=f"a page with {text}")
        done["at"] = time.monotonic()

    watcher = threading.Thread(target=page)
    start = time.monotonic()
    watcher.start()
    platform.push(directory)
    watcher.join()
    return done["at"] - start


def redeploys(report, name, platform, directory, limit=None):
    load = Load(platform.address, platform.host, clients=CLIENTS)
    try:
        for n in range(REDEPLOYS):
            push_to_page(platform, directory, f"again-{n}")
    finally:
        load.end()
    report.add(f"{name}: requests in {REDEPLOYS} redeploys, {CLIENTS} connections", load.answers + len(load.failures), "")
    report.add(f"{name}: of them failed", len(load.failures), "", limit=limit)
    for failure in load.failures[:5]:
        print("  ", failure)


def main():
    report = Report("deploy")
    server = Server()
    program = os.environ.get("PIKU")
    peer = Piku(program, "bench") if program else None
    if not peer:
        print("No peer: PIKU=PATH/piku.py measures piku in the same run.")
    try:
        ours = Renga(server)
        app = repository(server.base / "repositories", web_files())
        ours.push(app)
        server.wait_for_page("bench", "v3 one")
        if peer:
            theirs = repository(server.base / "repositories", {**web_files(), **peer.files()}, "peer")
            peer.push(theirs)
            wait_until(lambda: "one" in (peer.page() or ""), limit=60, what="the peer's page")

        boot = statistics.median(by_hand.boot(app) for _ in range(5))
        push = bare_push(server.base, app)
        report.add("the app's own boot, by hand", boot * 1000, "ms")
        report.add("git's own push to a bare repository on this disk", push * 1000, "ms")

        totals, peer_totals = [], []
        for n in range(PUSHES):
            totals.append(push_to_page(ours, app, f"n{n}"))
            if peer:
                peer_totals.append(push_to_page(peer, theirs, f"n{n}"))
        report.spread("git push to the first 200 of the new release", [t * 1000 for t in totals], "ms")
        report.spread("the platform's own share (less boot and git)",
                      [(t - boot - push) * 1000 for t in totals], "ms", limit=500)
        if peer:
            report.spread("piku: git push to the first 200 of the new code", [t * 1000 for t in peer_totals], "ms")
            ratio = statistics.median(ours_ / theirs_ for ours_, theirs_ in zip(totals, peer_totals))
            report.add("renga's time over piku's, median of pairs", ratio, "")

        ours.scale(2)
        redeploys(report, "renga", ours, app, limit=0)
        if peer:
            # With one process: piku gives all of a type the same port.
            redeploys(report, "piku", peer, theirs)
    finally:
        if peer:
            peer.close()
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
