"""Add-ons: how soon a database is there, what the platform's network costs it, backups against pg_dump by hand."""

import collections
import glob
import http.client
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

from harness import Server, repository, wait_until  # noqa: E402
from provider_harness import Platform, Provider  # noqa: E402
from report import Report  # noqa: E402

PROGRAMS = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
ROUNDS = 7          # of each kind of pgbench, one after the other
SECONDS = 5
MEGABYTES = int(os.environ.get("BENCH_DATABASE_MB", "1024"))


def timed(work):
    begin = time.monotonic()
    value = work()
    return time.monotonic() - begin, value


def main():
    report = Report("addons", parts=["creations", "network", "backups"])
    server = Server()
    platform = Platform()
    postgresql = None
    try:
        if "creations" in report.parts:
            creations(report, server)
        if {"network", "backups"} & set(report.parts):
            providers = server.data / "providers"
            providers.mkdir(exist_ok=True)
            postgresql = Provider("postgresql", providers / "postgresql-bench", platform, {})
        if "network" in report.parts:
            network(report, postgresql, server)
        if "backups" in report.parts:
            backups(report, postgresql)
    finally:
        if postgresql:
            postgresql.stop()
        server.close()
        platform.close()
    report.end()


def pushed(server, name, worker, config=None):
    server.api("POST", "/apps", {"name": name})
    if config:
        server.api("PATCH", f"/apps/{name}/config-vars", config)
    server.push(repository(server.base / name, {"Procfile": f"worker: {worker}\n"}), name)
    server.api("PATCH", f"/apps/{name}/formation/worker", {"quantity": 1})


def dyno(server, url):
    """The pid of a worker's first process: what follows runs in its network namespace."""
    pushed(server, "bench", "sleep 10000", {"DATABASE_URL": url})

    def look():
        states = list((server.data / "run/sandboxes").glob("*/state"))
        for state in states:
            pid = state.read_text().split()[1]
            children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            if any(b"sleep" in pathlib.Path(f"/proc/{child}/cmdline").read_bytes() for child in children):
                return pid
        return None
    return wait_until(look, 60, what="the worker")


def enter(pid, *command):
    return ["nsenter", "-t", str(pid), "-n", *command]


def provisioned(provider, plan):
    resource, status, answer = provider.provision(plan)
    assert status == 201, answer
    return resource, next(iter(answer["config"].values()))


def follow(server, app):
    """Reads the app's log as it comes; returns how often its worker has said a word."""
    session = server.api("POST", f"/apps/{app}/log-sessions", {"lines": 1, "tail": True})
    connection = http.client.HTTPConnection(server.listen)
    connection.request("GET", "/" + session["logplex_url"].split("/", 3)[3], headers={"Accept": "text/plain"})
    answer = connection.getresponse()
    said = collections.Counter()

    def read():
        while line := answer.readline():
            if match := re.search(r"app\[worker\.\d+\]: (\w+)$", line.decode().rstrip()):
                said[match[1]] += 1
    threading.Thread(target=read, daemon=True).start()
    return lambda word: said[word]


# What a person waits for: from POST /apps/:app/addons until the app's own worker, restarted with the new config var,
# has an answer from what it names.
def creations(report, server):
    ask_database = f"{PROGRAMS}/psql \"$DATABASE_URL\" -XAtqc 'SELECT 1' && echo works"
    ask_store = ("hostport=${REDIS_URL##*@}; REDISCLI_AUTH=$(echo \"${REDIS_URL#rediss://:}\" | cut -d@ -f1) "
                 "redis-cli -h ${hostport%:*} -p ${hostport#*:} --tls --insecure PING && echo works")
    pushed(server, "shop", f"if [ -n \"$DATABASE_URL\" ]; then {ask_database}; elif [ -n \"$REDIS_URL\" ]; then {ask_store}; "
                           "else echo idle; fi; exec sleep 10000")

    said = follow(server, "shop")

    def make(plan):
        # The last one's end is over, and its worker up.
        worked, began = said("works"), time.monotonic()
        addon = server.api("POST", "/apps/shop/addons", {"plan": plan})
        answered = time.monotonic() - began
        wait_until(lambda: said("works") > worked, 60, 0.002, f"an answer to {plan}")
        works = time.monotonic() - began
        idle = said("idle")
        server.api("DELETE", f"/apps/shop/addons/{addon['id']}", {"force": True})
        wait_until(lambda: said("idle") > idle, 60, 0.02, "an idle worker")
        return answered * 1000, works * 1000

    wait_until(lambda: said("idle"), 60, 0.02, "an idle worker")
    report.add("the first database, with initdb: a dyno's SELECT 1", make("heroku-postgresql:essential-0")[1], "ms")
    for title, plan, rounds, limit in (("shared database", "heroku-postgresql:essential-0", 10, 1000),
                                       ("dedicated database", "heroku-postgresql:standard-0", 3, 5000),
                                       ("Redis", "heroku-redis:mini", 10, 300)):
        times = [make(plan) for _ in range(rounds)]
        report.spread(f"{title}, until the call is answered", [answered for answered, _ in times], "ms")
        report.spread(f"{title}, until a dyno has an answer from it", [works for _, works in times], "ms", limit)


# The same server, the same pgbench, outside of any limits: only the way to the server differs. Both ways run at once, with
# half of the clients each: one disk's moods, a checkpoint, another's work are then both's, which had differed between turns by
# more than what is looked for. A commit that waits for the disk hides the price of the way, so pgbench's own transactions run
# without that as well, and select-only waits for none.
def network(report, postgresql, platform):
    _, url = provisioned(postgresql, "standard-0")
    user, password, host, _, name = re.match(r"postgres://(\w+):(\w+)@([\d.]+):(\d+)/(\w+)", url).groups()
    state = next(path for path in (postgresql.data / "run/sandboxes").glob("*/state")
                 if path.read_text().split()[3] == host)
    server = state.read_text().split()[1]
    client = dyno(platform, url)

    def pgbench(pid, address, *options, settings=""):
        environment = dict(os.environ, PGPASSWORD=password, PGSSLMODE="require", PGOPTIONS=settings, LC_ALL="C.UTF-8")
        return subprocess.Popen(enter(pid, f"{PROGRAMS}/pgbench", "-h", address, "-U", user, *options, name),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)

    def output_of(running):
        out, error = running.communicate()
        assert running.returncode == 0, error
        return out

    output_of(pgbench(client, host, "-i", "-s", "10", "-q"))
    ways = [("the platform's network", client, host), ("plain loopback", server, "127.0.0.1")]
    for title, options, settings in (("TPC-B", [], ""), ("TPC-B, no commit waits for the disk", [], "-c synchronous_commit=off"),
                                     ("select-only", ["-S"], "")):
        rates = {way: [] for way, _, _ in ways}
        for _ in range(ROUNDS):
            ways.reverse()
            running = {way: pgbench(pid, address, "-c", "4", "-n", "-T", str(SECONDS), *options, settings=settings)
                       for way, pid, address in ways}
            for way, process in running.items():
                rates[way].append(float(re.search(r"tps = ([\d.]+)", output_of(process))[1]))
        for way, values in rates.items():
            report.add(f"pgbench {title} over {way}", statistics.median(values), "tps")
        kept = statistics.median(own / plain for own, plain in zip(rates["the platform's network"], rates["plain loopback"]))
        report.add(f"pgbench {title}: lost, by the rounds", 100 * (1 - kept), "%", 5)


def backups(report, postgresql):
    resource, url = provisioned(postgresql, "essential-2")
    rows = MEGABYTES * 1024 * 1024 // 140
    run = [f"{PROGRAMS}/psql", url + "?sslmode=require", "-XAtqc"]
    subprocess.run([*run, "CREATE TABLE big AS SELECT n AS id, md5(n::text) || md5((n * 7)::text) AS a, "
                          f"random() AS b, now() AS c FROM generate_series(1, {rows}) n"], check=True)
    subprocess.run([*run, "ALTER TABLE big ADD PRIMARY KEY (id)"], check=True)
    size = int(subprocess.run([*run, "SELECT pg_database_size(current_database())"], check=True,
                              capture_output=True, text=True).stdout)
    report.add("the database that is backed up", size / 2**20, "MiB")

    # By hand: dump, and restore into another database of the same server, with the programs' defaults.
    _, other = provisioned(postgresql, "essential-2")
    base = pathlib.Path(tempfile.mkdtemp(prefix="renga-bench-", dir=postgresql.data))
    file = base / "dump"
    dump, _ = timed(lambda: subprocess.run([f"{PROGRAMS}/pg_dump", "-Fc", "-f", file, url + "?sslmode=require"],
                                           check=True))
    restore, _ = timed(lambda: subprocess.run(
        [f"{PROGRAMS}/pg_restore", "--no-owner", "--no-acl", "-d", other + "?sslmode=require", file], check=True))
    shutil.rmtree(base)

    headers = {"X-Renga-Addon": resource, "X-Renga-App": "bench"}

    def capture():
        status, transfer = postgresql.call("POST", f"/client/v11/databases/{resource}/backups", {}, headers)
        assert status == 200, transfer
        path = f"/client/v11/apps/bench/transfers/{transfer['num']}"

        def ended():
            now = postgresql.call("GET", path, headers=headers)[1]
            return now if now["finished_at"] else None
        return wait_until(ended, 1800, 0.2, "the backup")
    backup, transfer = timed(capture)
    assert transfer["succeeded"] and transfer["verified_at"], transfer
    report.add("pg_dump and pg_restore by hand", dump + restore, "s")
    report.add("pg:backups:capture with its verified restore", backup, "s", dump + restore)


main()
