"""Promotion and rollback: from the call until the other release answers, beside the app's own boot."""

import os
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

import by_hand  # noqa: E402
from harness import Server, commit, repository, web_files  # noqa: E402
from report import Report  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "7"))


def until(server, app, text):
    while text not in (server.page(app) or ""):
        time.sleep(0.005)


def main():
    report = Report("pipelines")
    server = Server()
    try:
        directory = repository(server.base / "repositories", web_files("text-0"))
        boot = statistics.median(by_hand.boot(directory) for _ in range(ROUNDS))
        for name in ("staging", "production"):
            server.api("POST", "/apps", {"name": name})
        pipeline = server.api("POST", "/pipelines", {"name": "sushi"})
        apps = {}
        for name in ("staging", "production"):
            server.api("POST", "/pipeline-couplings", {"app": name, "pipeline": pipeline["id"], "stage": name})
            apps[name] = server.api("GET", f"/apps/{name}")["id"]
        promotions, rollbacks, promoted = [], [], []
        for n in range(ROUNDS):
            commit(directory, {"text": f"text-{n}\n"})
            server.push(directory, "staging")
            began = time.monotonic()
            server.api("POST", "/pipeline-promotions", {"pipeline": {"id": pipeline["id"]},
                                                        "source": {"app": {"id": apps["staging"]}},
                                                        "targets": [{"app": {"id": apps["production"]}}]})
            until(server, "production", f"text-{n} ")
            promotions.append(time.monotonic() - began)
            promoted.append(server.releases("production")[0]["id"])
            if n > 0:
                began = time.monotonic()
                server.api("POST", "/apps/production/releases", {"release": promoted[n - 1]})
                until(server, "production", f"text-{n - 1} ")
                rollbacks.append(time.monotonic() - began)
        report.add("the app's own boot, started by hand", boot * 1000, "ms")
        report.add("promotion until it answers, without the boot", (statistics.median(promotions) - boot) * 1000, "ms", 1000)
        report.add("rollback until it answers, without the boot", (statistics.median(rollbacks) - boot) * 1000, "ms", 1000)
    finally:
        server.close()
    report.end()


main()
