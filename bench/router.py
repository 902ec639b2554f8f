"""The router beside nginx, HAProxy and Caddy: CPU per request, with one core each for proxy and load.

CPU per request is what the proxy's process ran in a round over the requests it answered, and the figure that counts is
the ratio to the better of nginx and HAProxy in the same round: minutes on a shared machine differ, a round's do not.
A relay that only moves bytes runs beside them: what it costs is the kernel's share of every proxy's. The dynos are a
program that costs little, so that it is the proxy that has no time left, and not those who ask and answer.
p99 is compared at one rate for all, to each of the two, in many short rounds: the better of the two in a round is mostly
the luckier one. Meanwhile whoever takes part has its turn before everybody else, where the system lets us say so, and the
processors do not sleep: a program that wakes once a second for 10 ms would be the p99 of whoever it meets.
As root all of it runs in a network namespace of its own: the packet filter of a server beside it would be measured with
each of them. ROUNDS and SECONDS_EACH make it longer; CASES=NAME,NAME runs some cases alone.
"""

import contextlib
import fcntl
import os
import pathlib
import re
import resource
import select
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from peers.proxies import HOST, Caddy, HAProxy, Nginx, Relay, Renga, children, free_port, make_certificate, start_origin  # noqa: E402
from report import Report  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "5"))
SECONDS = int(os.environ.get("SECONDS_EACH", "3"))
SMALL, LARGE = 200, 64 * 1024
RATE = 12_800  # requests a second of all clients together, which each of the three can answer
RATED_ROUNDS, RATED_SECONDS = 6 * ROUNDS, 0.5
# h2load asks for what has become due in 10 ms at once. Clients that come so far apart do not do so all at the same time,
# nor in whatever time a proxy's handshakes have made of it. What counts is asked once all are here.
APART_MS, ALL_HERE_MS = 3, 200
DYNOS = 4  # 512 requests under way are within the router's 200 for each
# Of each process, clients and proxy: as many as the system lets us have. A proxy keeps as many for dynos as for clients.
DESCRIPTORS = min(65_536, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
IDLE = min(10_000, DESCRIPTORS // 2 - 500)
MOST_IDLE = DESCRIPTORS // 2 - 200
ROUTES, CHANGED = 100_000, 1_000
TURN_BOUNDS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 200, 300, 500, 1000, 2000, 5000, 10000, 30000, 60000)  # milliseconds
PROXY_CPU, LOAD_CPU = "0", "1"
FIELDS = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Language": "en-US,en;q=0.9,de;q=0.8",
    "Accept-Encoding": "gzip, deflate, br",
    "Cookie": "session=8f14e45fceea167a5a36dedd4bea2543; theme=dark; consent=yes",
    "Referer": "http://shop.localhost/products?page=2",
    "Cache-Control": "max-age=0",
}
# Name: scheme, how it is asked, body, clients, streams on each, and what the ratio may be.
CASES = {
    "small-64": ("http", "wrk", SMALL, 64, 1, 0.6),
    "small-512": ("http", "wrk", SMALL, 512, 1, 0.6),
    "64k-64": ("http", "wrk", LARGE, 64, 1, 0.8),
    "64k-512": ("http", "wrk", LARGE, 512, 1, 0.8),
    "tls-64": ("https", "wrk", SMALL, 64, 1, 0.75),
    "h2-16x16": ("https", "h2load", SMALL, 16, 16, 1.0),
    "h2-64x1": ("https", "h2load", SMALL, 64, 1, 1.0),
}


@contextlib.contextmanager
def ranked(proxies, origin):
    """While it lasts whoever takes part has its turn before everybody else, and the processors do not sleep, from which a
    virtual machine's wake late: the dynos first, whose time is nobody's merit, then proxies and clients. Yields what to
    start a client by."""
    changed, awake, first = [], [], []
    try:
        for pid, rank in [(origin.pid, 2), *((one, 1) for proxy in proxies for one in children(proxy.process.pid))]:
            for thread in map(int, os.listdir(f"/proc/{pid}/task")):
                if os.sched_getscheduler(thread) == os.SCHED_OTHER:
                    os.sched_setscheduler(thread, os.SCHED_RR, os.sched_param(rank))
                    changed.append(thread)
        # They would spin for ever if this were killed.
        awake = [subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "taskset", "-c", cpu, "chrt", "-i", "0",
                                   "sh", "-c", "while :; do :; done"]) for cpu in (PROXY_CPU, LOAD_CPU)]
        first = ["chrt", "-r", "1"]
    except PermissionError:
        print("p99: measured among everybody else's turns; root would not have to", file=sys.stderr)
    try:
        yield first
    finally:
        for one in awake:
            one.kill()
            one.wait()
        for thread in changed:
            with contextlib.suppress(ProcessLookupError):
                os.sched_setscheduler(thread, os.SCHED_OTHER, os.sched_param(0))


def run(command):
    """A client, on its processor. It is given a descriptor of a high number: so the kernel's table of its descriptors has
    room for all of its connections. Else it would wait 10 ms whenever that grows, since it has two threads, and the last
    time just when all are here: what became due meanwhile, one request in a hundred, would come at once and be the p99."""
    with open(os.devnull) as null:
        high = fcntl.fcntl(null.fileno(), fcntl.F_DUPFD, 1023)
    try:
        return subprocess.run(["taskset", "-c", LOAD_CPU, *command], check=True, capture_output=True, text=True, pass_fds=[high]).stdout
    finally:
        os.close(high)


def milliseconds(text):
    number, unit = re.fullmatch(r"([0-9.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[unit]


def by_wrk(scheme, port, path, clients, _):
    fields = [word for name, value in {"Host": HOST, **FIELDS}.items() for word in ("-H", f"{name}: {value}")]
    done = run(["wrk", "-t1", f"-c{clients}", f"-d{SECONDS}s", "--latency", *fields, f"{scheme}://127.0.0.1:{port}{path}"])
    requests = int(next(line for line in done.splitlines() if "requests in" in line).split()[0])
    p99 = milliseconds(next(line for line in done.splitlines() if "99%" in line).split()[1])
    return requests, p99, [line.strip() for line in done.splitlines() if "Non-2xx" in line or "Socket errors" in line]


def by_h2load(scheme, port, path, clients, streams, how=(f"-D{SECONDS}",), first=(), after_ms=0):
    fields = [word for name, value in FIELDS.items() for word in ("-H", f"{name.lower()}: {value}")]
    with tempfile.NamedTemporaryFile(prefix="renga-bench-h2load-") as log:
        done = run([*first, "h2load", "-t1", f"-c{clients}", f"-m{streams}", f"--log-file={log.name}", *how, *fields,
                    f"--connect-to=127.0.0.1:{port}", f"{scheme}://{HOST}:{port}{path}"])
        asked = [(int(line.split(b"\t")[0]), int(line.split(b"\t")[2])) for line in log]
    begin = min((at for at, _ in asked), default=0)
    times = sorted(took for at, took in asked if at >= begin + after_ms * 1000)
    counts = dict((name, int(count)) for count, name in re.findall(r"(\d+) (succeeded|failed|errored|timeout)", done))
    bad = [f"{count} {name}" for name, count in counts.items() if name != "succeeded" and count > 0]
    return counts["succeeded"], times[int(len(times) * 0.99)] / 1000 if times else 0, bad


ASK = {"wrk": by_wrk, "h2load": by_h2load}


def to_the_better(of, one="renga"):
    rounds = [(own, min(peers)) for own, *peers in zip(of[one], of["nginx"], of["haproxy"])]
    # On a busy machine one that is short may have no answer to tell of.
    return statistics.median(own / better for own, better in rounds if better > 0)


def measure(report, name, proxies, relay):
    scheme, tool, size, clients, streams, limit = CASES[name]
    # What the kernel takes of it, for messages of one piece.
    if scheme == "http" and size == SMALL:
        proxies = {**proxies, "relay": relay}
    cost = {one: [] for one in proxies}
    speed, slow = {one: [] for one in proxies}, {one: [] for one in proxies}
    for turn in range(ROUNDS):
        names = list(proxies)
        # Caddy takes ten times as long to say as much: once is enough.
        if turn > 0:
            names = [one for one in names if one != "caddy"]
        names = names[turn % len(names):] + names[:turn % len(names)]
        for one in names:
            proxy = proxies[one]
            before = proxy.cpu_seconds()
            requests, p99, bad = ASK[tool](scheme, proxy.tls_port if scheme == "https" else proxy.port, f"/{size}", clients, streams)
            cost[one].append((proxy.cpu_seconds() - before) * 1e6 / max(requests, 1))
            speed[one].append(requests / SECONDS)
            slow[one].append(p99)
            if bad:
                print(f"{one}: {bad}", file=sys.stderr)
                if one == "renga":
                    report.add(f"{name}: rounds with failed requests", 1, "rounds", 0)
    for one in proxies:
        report.add(f"{name}: {one}", statistics.median(cost[one]), "us/req")
        report.add(f"{name}: {one}", statistics.median(speed[one]), "req/s")
        report.add(f"{name}: {one}, p99 at its most", statistics.median(slow[one]), "ms")

    report.add(f"{name}: CPU, renga to the better in the same round", round(to_the_better(cost), 3), "times", limit)
    if "relay" in proxies:
        report.add(f"{name}: CPU, a relay that reads nothing to the better", round(to_the_better(cost, "relay"), 3), "times")
    report.add(f"{name}: p99 at its most, renga to the better in the same round", round(to_the_better(slow), 3), "times")


def measure_latency(report, name, proxies, first):
    """p99 at one rate for all: at its most, the faster a proxy is, the longer its clients wait for their own core."""
    scheme, tool, _, clients, streams, _ = CASES[name]
    at_once = -(-clients * APART_MS // ALL_HERE_MS)
    how = [f"-n{int(RATE * RATED_SECONDS)}", f"--rps={RATE / clients}", f"-r{at_once}", f"--rate-period={APART_MS}ms",
           *(["--h1"] if tool == "wrk" else [])]
    slow = {one: [] for one in ("renga", "nginx", "haproxy")}
    for turn in range(RATED_ROUNDS):
        names = list(slow)
        for one in names[turn % len(names):] + names[:turn % len(names)]:
            port = proxies[one].tls_port if scheme == "https" else proxies[one].port
            slow[one].append(by_h2load(scheme, port, f"/{SMALL}", clients, streams, how, first, ALL_HERE_MS)[1])
    for one, times in slow.items():
        report.add(f"{name}: {one}, p99 at {RATE} req/s", statistics.median(times), "ms")
    for peer in ("nginx", "haproxy"):
        ratio = statistics.median(own / other for own, other in zip(slow["renga"], slow[peer]) if other > 0)
        report.add(f"{name}: p99 at {RATE} req/s, renga to {peer} in the same round", round(ratio, 3), "times", 1.0)


def hold(proxy, count, net):
    """Megabytes of it before and while so many connections that have asked once stay. `net` is this call's alone: the ports of
    the call before are not free for a minute."""
    request = f"GET /{SMALL} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
    before = proxy.resident_mb()
    closed = select.poll()
    with contextlib.ExitStack() as clients:
        for number in range(count):
            # From more addresses than one, which has too few ports.
            client = clients.enter_context(socket.create_connection(
                ("127.0.0.1", proxy.port), timeout=30, source_address=(f"127.0.{net}.{2 + number // 10_000}", 0)))
            client.sendall(request)
            answer = b""
            while b"\r\n\r\n" not in answer or len(answer) < SMALL:
                more = client.recv(4096)
                if not more:
                    raise SystemExit(f"{proxy.name} closed connection {number}")
                answer += more
            closed.register(client, select.POLLIN)
        held = proxy.resident_mb()
        if count_closed := len(closed.poll(0)):
            raise SystemExit(f"{proxy.name} closed {count_closed} of {count} connections: they took longer than it lets them idle")
        return before, held


def measure_idle(report, proxies):
    """What connections cost that have asked once and stay."""
    kept = {}
    for net, (name, proxy) in enumerate(proxies.items()):
        before, kept[name] = hold(proxy, IDLE, net)
        report.add(f"{IDLE} idle connections: {name}", kept[name], "MB")
        report.add(f"{IDLE} idle connections: {name}, each", (kept[name] - before) * 1e6 / IDLE, "bytes")
    report.add(f"{IDLE} idle connections: memory, renga to haproxy", round(kept["renga"] / kept["haproxy"], 3), "times", 1.0)
    _, most = hold(proxies["renga"], MOST_IDLE, len(proxies))
    report.add(f"{MOST_IDLE} idle connections: renga", most, "MB")


class Asking:
    """A client that asks all the time, so that the router has turns to take."""

    def __init__(self, port):
        self.ending, self.port = threading.Event(), port
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        request = "GET / HTTP/1.1\r\nHost: nobody.localhost\r\n\r\n".encode()
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            while not self.ending.is_set():
                client.sendall(request)
                client.recv(65536)
                time.sleep(0.0005)

    def end(self):
        self.ending.set()
        self.thread.join()


def longest(before, after):
    """The longest of the turns between the two, in milliseconds: the bound that all of them are within."""
    taken = [now - then for then, now in zip(before, after)]
    return max((bound for bound, count in zip([*TURN_BOUNDS, float("inf")], taken) if count > 0), default=0)


def measure_routes(report, renga):
    """Lookups among many, and what exchanging them costs those who are being served."""
    cost = {1: [], ROUTES: []}
    for _ in range(ROUNDS):
        for routes in cost:
            renga.swap(routes)
            renga.rest()
            before = renga.cpu_seconds()
            requests, _, _ = by_wrk("http", renga.port, f"/{SMALL}", 64, 1)
            cost[routes].append((renga.cpu_seconds() - before) * 1e6 / max(requests, 1))
    ratio = statistics.median(many / one for one, many in zip(cost[1], cost[ROUTES]))
    report.add(f"{ROUTES} routes: CPU per request, to one route's", round(ratio, 3), "times", 1.1)
    # What a deploy changes, what a restart of a host's worth of apps does, and what a control that has come back sends.
    ways = {"nothing sent": None, "1 changed": lambda: ("U", renga.change(ROUTES, 1)),
            f"{CHANGED} changed": lambda: ("U", renga.change(ROUTES, CHANGED)),
            "all sent": lambda: ("T", renga.table(ROUTES))}
    limits = {"1 changed": 50, f"{CHANGED} changed": 50}
    for way, make in ways.items():
        swaps, stalls = [], []
        for _ in range(5):
            message = make() if make else None
            renga.rest()
            asking = Asking(renga.port)
            time.sleep(0.2)
            before = renga.turns()
            swaps.append(renga.take(*message) * 1000 if message else 0)
            time.sleep(0.3)
            asking.end()
            stalls.append(longest(before, renga.turns()))
        if make:
            report.add(f"{ROUTES} routes, {way}: from the first byte to its use", statistics.median(swaps), "ms", limits.get(way))
        # Of the loop itself: what a client sees of it is blurred by whoever else has the processor.
        report.add(f"{ROUTES} routes, {way}: longest turn of the loop meanwhile, within", max(stalls), "ms", 5 if make else None)


def go_apart():
    """Begins anew in another network namespace, once."""
    if os.geteuid() != 0 or os.environ.get("APART") or not shutil.which("unshare"):
        return
    apart = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", sys.executable, *sys.argv]
    os.execvpe(apart[0], apart, dict(os.environ, APART="1"))


def main():
    go_apart()
    missing = [name for name in ("nginx", "haproxy", "caddy", "wrk", "h2load", "taskset") if not shutil.which(name)]
    if missing:
        raise SystemExit(f"{', '.join(missing)} not found: apt-get install nginx-light haproxy caddy wrk nghttp2-client util-linux")
    report = Report("router")
    wanted = [name for name in os.environ.get("CASES", "").split(",") if name] or [*CASES, "idle", "routes"]
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    os.sched_setaffinity(0, {int(LOAD_CPU)})
    directory = pathlib.Path(tempfile.mkdtemp(prefix="renga-bench-"))
    origin, relay, proxies = None, None, {}
    try:
        dynos = [free_port() for _ in range(DYNOS)]
        origin = start_origin(LOAD_CPU, dynos)
        certificate = make_certificate(directory)
        for kind in (Renga, Nginx, HAProxy, Caddy):
            if kind is Caddy and os.environ.get("WITHOUT_CADDY"):
                continue
            proxies[kind.name] = kind(directory, PROXY_CPU, dynos, certificate)
        relay = Relay(directory, PROXY_CPU, dynos, certificate)
        for name in wanted:
            if name in CASES:
                measure(report, name, proxies, relay)
                if CASES[name][2] == SMALL:
                    with ranked([proxies["renga"], proxies["nginx"], proxies["haproxy"]], origin) as first:
                        measure_latency(report, name, proxies, first)
        if "idle" in wanted:
            measure_idle(report, proxies)
        if "routes" in wanted:
            measure_routes(report, proxies["renga"])
        for name, proxy in proxies.items():
            report.add(f"memory at the end: {name}", proxy.resident_mb(), "MB")
    finally:
        for proxy in [*proxies.values(), relay]:
            if proxy:
                proxy.stop()
        if origin:
            origin.terminate()
            origin.wait()
        shutil.rmtree(directory, ignore_errors=True)
    report.end()


if __name__ == "__main__":
    main()
