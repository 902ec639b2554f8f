"""Logs: one dyno that writes as fast as it can beside rsyslog, and a thousand dynos with a drain each."""

import concurrent.futures
import http.server
import io
import os
import pathlib
import re
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

from harness import RENGA, Server, repository, wait_until  # noqa: E402
from report import Report  # noqa: E402

LINES = 2_000_000
APPS = 1000        # each with one dyno of 10 lines a second and one drain
SECONDS = 10
TICKS = os.sysconf("SC_CLK_TCK")

# 100 bytes a line with its end, in writes of 64 KiB, as a busy program's buffered output comes.
FLOOD = """\
import os, sys, time
if os.environ.get("FLOOD") != "1": time.sleep(100000)
n = int(os.environ["LINES"])
start = time.monotonic()
for at in range(0, n, 650):
    os.write(1, "".join("%09d %s\\n" % (i, "x" * 89) for i in range(at, min(at + 650, n))).encode())
print("wrote in %.3f" % (time.monotonic() - start), flush=True)
time.sleep(100000)
"""


def cpu(pid):
    """Seconds of processor time that a process has used."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def tail(server, app, seen, done):
    """Follows an app's log, and keeps what is needed to check it."""
    session = server.api("POST", f"/apps/{app}/log-sessions", {"lines": 0, "tail": True})
    host, port = server.listen.rsplit(":", 1)
    connection = socket.create_connection((host, int(port)), timeout=120)
    path = "/" + session["logplex_url"].split("/", 3)[3]
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept: text/plain\r\n\r\n".encode())
    while piece := connection.recv(1 << 20):
        seen.append(piece)
        if b"wrote in " in piece:
            done.set()
    connection.close()


def flood(report):
    server = Server()
    try:
        server.api("POST", "/apps", {"name": "flood"})
        server.api("PATCH", "/apps/flood/config-vars", {"FLOOD": "1", "LINES": str(LINES)})
        app = repository(server.base / "repositories", {"Procfile": "worker: python3 flood.py\n", "flood.py": FLOOD})
        server.push(app, "flood")
        seen, done = [], threading.Event()
        threading.Thread(target=tail, args=(server, "flood", seen, done), daemon=True).start()
        time.sleep(0.5)
        before, start = cpu(server.process.pid), time.monotonic()
        server.api("PATCH", "/apps/flood/formation", {"updates": [{"type": "worker", "quantity": "1"}]})
        if not done.wait(300):
            raise SystemExit("the flood's end did not reach the tail")
        wall, used = time.monotonic() - start, cpu(server.process.pid) - before

        # Every line is in the log, or counted.
        session = server.api("POST", "/apps/flood/log-sessions", {"since": "2000-01-01T00:00:00Z"})
        path = "/" + session["logplex_url"].split("/", 3)[3]
        log = server.request("GET", path, headers={"Accept": "text/plain", "Authorization": None})[2].decode()
        numbers = [int(n) for n in re.findall(r"app\[worker\.1\]: (\d{9}) x", log)]
        dropped = sum(int(n) for n in re.findall(r"Error L12: (\d+) messages", log))
        if numbers != sorted(set(numbers)):
            raise SystemExit("lines are out of order")
        report.add("lines kept in the log", len(numbers), "lines")
        report.add("lines dropped and counted (L12)", dropped, "lines")
        gone = LINES - len(numbers) - dropped
        report.add("lines neither kept nor counted (of older segments)", gone, "lines")
        writing = float(re.search(r"wrote in ([\d.]+)", log).group(1))
        report.add("lines a second that the dyno wrote", LINES / writing, "1/s")
        report.add("lines a second into the log and a tail", (LINES - dropped) / wall, "1/s")
        per_core = (LINES - dropped) / used
        report.add("the same a core of control's", per_core, "1/s")
        # The limit of Report is a most; this one is a least.
        report.add("microseconds of control a line", used / (LINES - dropped) * 1e6, "us", 2)
    finally:
        server.close()


def peer(report, directory):
    """rsyslog with the same lines, over loopback TCP into a file."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    out = directory / "received"
    (directory / "rsyslog.conf").write_text(
        f'global(workDirectory="{directory}")\nmodule(load="imptcp")\n'
        f'input(type="imptcp" port="{port}" address="127.0.0.1")\n'
        f'*.* action(type="omfile" file="{out}" ioBufferSize="64k" asyncWriting="on")\n')
    process = subprocess.Popen(["rsyslogd", "-n", "-f", str(directory / "rsyslog.conf"), "-i", str(directory / "pid")])
    try:
        def connect():
            try:
                return socket.create_connection(("127.0.0.1", port))
            except OSError:
                return None
        client = wait_until(connect, 30)
        before, start = cpu(process.pid), time.monotonic()
        for at in range(0, LINES, 650):
            client.sendall("".join(f"<190>Jan  5 10:00:00 host app: {i:09d} {'x' * 89}\n" for i in range(at, min(at + 650, LINES))).encode())
        client.close()

        def received():
            return out.exists() and out.stat().st_size >= LINES * 125
        last, since = -1, time.monotonic()
        while not received() and time.monotonic() - since < 5:
            size = out.stat().st_size if out.exists() else 0
            if size != last:
                last, since = size, time.monotonic()
            time.sleep(0.02)
        wall, used = since - start, cpu(process.pid) - before
        lines = int(subprocess.run(["wc", "-l", str(out)], capture_output=True, text=True).stdout.split()[0])
        report.add("peer rsyslog: lines a second into a file", lines / wall, "1/s")
        report.add("peer rsyslog: the same a core of its", lines / used, "1/s")
    finally:
        process.terminate()
        process.wait(timeout=30)


class Receiver(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self):
        self.messages = 0
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                receiver.messages += int(self.headers["Logplex-Msg-Count"])
                self.wfile.write(b"HTTP/1.1 204 No Content\r\n\r\n")

            def log_message(self, *arguments):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


def upload(server, app, program, process_types):
    """A slug that needs no build, with one program in it, for however many apps."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.add(program, f"./app/{program.name}")
    server.api("POST", "/apps", {"name": app})
    made = server.api("POST", f"/apps/{app}/slugs", {"process_types": process_types})
    path = "/" + made["blob"]["url"].split("/", 3)[3]
    server.request("PUT", path, packed.getvalue(), {"Authorization": None})
    return made["id"]


def drains(report):
    server = Server(environment={"RENGA_ALLOW_DRAINS": "127.0.0.1"})
    receiver = Receiver()
    slug = upload(server, "steady", pathlib.Path(RENGA).parent / "line_writer", {"worker": "exec ./line_writer"})

    def begin(i):  # four calls: an account has 4,500 an hour
        server.api("POST", "/apps", {"name": f"steady-{i}"})
        server.api("POST", f"/apps/steady-{i}/releases", {"slug": slug})
        server.api("POST", f"/apps/steady-{i}/log-drains", {"url": f"http://127.0.0.1:{receiver.server_address[1]}/{i}"})
        server.api("PATCH", f"/apps/steady-{i}/formation", {"updates": [{"type": "worker", "quantity": "1"}]})

    def rate():
        count, start = receiver.messages, time.monotonic()
        time.sleep(2)
        return (receiver.messages - count) / (time.monotonic() - start)

    try:
        with concurrent.futures.ThreadPoolExecutor(4) as several:
            list(several.map(begin, range(APPS)))
        wait_until(lambda: rate() > APPS * 9.5, 120, what="lines of all dynos")
        before, count, start = cpu(server.process.pid), receiver.messages, time.monotonic()
        time.sleep(SECONDS)
        used, count, wall = cpu(server.process.pid) - before, receiver.messages - count, time.monotonic() - start
        report.add(f"lines a second delivered, {APPS} dynos", count / wall, "1/s")
        report.add(f"control, {APPS} dynos of 10 lines a second", used / wall * 100, "% core", 25)
    finally:
        receiver.shutdown()
        server.close()


def main():
    report = Report("logs", ("flood", "drains"))
    if "flood" in report.parts:
        flood(report)
        with tempfile.TemporaryDirectory() as directory:
            peer(report, pathlib.Path(directory))
    if "drains" in report.parts:
        drains(report)
    report.end()


main()
