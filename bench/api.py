"""The Platform API with 1,000 apps of 20 releases: reads and durable writes at 8 clients, beside nginx with the same
bytes; and what 2,000 idle log tails cost."""

import base64
import json
import multiprocessing
import pathlib
import random
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

from harness import RENGA, Server, wait_until  # noqa: E402
from report import Report  # noqa: E402

CLIENT = pathlib.Path(RENGA).resolve().parent / "api_client"  # built beside the program
CLIENTS = 8        # an account each, so that nobody's 4,500 calls run out
APPS = 125         # of each account
RELEASES = 20      # of each app; the first comes with it
READS = 800        # calls of each client
LISTS = 60
WRITES = 150
TAILS = 250        # of each account


class Client:
    """One connection that is kept: for what is not timed. api_client.c times."""

    def __init__(self, address, token):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.fields = self.head(address, token)

    @staticmethod
    def head(address, token):
        return (f"Host: {address}\r\nAccept: application/vnd.heroku+json; version=3\r\n"
                f"Authorization: Bearer {token}\r\n")

    def call(self, method, path, body=None, headers=""):
        text = "" if body is None else json.dumps(body)
        self.socket.sendall(f"{method} {path} HTTP/1.1\r\n{self.fields}{headers}Content-Length: {len(text)}\r\n\r\n{text}".encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = self.socket.recv(65536)
            if not piece:
                raise SystemExit(f"{method} {path}: the connection was closed")
            answer += piece
        head, _, content = answer.partition(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        while len(content) < length:
            content += self.socket.recv(1 << 20)
        status = int(head.split(b" ", 2)[1])
        if status >= 300:
            raise SystemExit(f"{method} {path}: {status} {content[:300]}")
        return content


def seed(number, address, token):
    client = Client(address, token)
    for app in range(APPS):
        name = f"app-{number}-{app:03}"
        client.call("POST", "/apps", {"name": name})
        for release in range(1, RELEASES):
            client.call("PATCH", f"/apps/{name}/config-vars", {"GREETING": f"hello {release}", f"VALUE_{release % 7}": "x" * 40})


def calls(number, address, token, kind, count):
    """What one client of api_client.c sends: its first call is not counted."""
    head = Client.head(address, token)
    chosen = random.Random(number)
    made = [f"{count + 1}\n".encode()]
    for turn in range(count + 1):
        name = f"app-{number}-{chosen.randrange(APPS):03}"
        if kind == "info":
            call = f"GET /apps/{name} HTTP/1.1\r\n{head}\r\n"
        elif kind == "list":
            call = f"GET /apps HTTP/1.1\r\n{head}Range: name ..; max=200\r\n\r\n"
        elif kind == "static":
            call = f"GET / HTTP/1.1\r\n{head}\r\n"
        else:
            body = json.dumps({"GREETING": f"again {turn}"})
            call = f"PATCH /apps/{name}/config-vars HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n{body}"
        made.append(f"{len(call)} {call}".encode())
    return b"".join(made)


def together(address, tokens, kind, count):
    """Milliseconds of every call, all clients at once."""
    host, port = address.rsplit(":", 1)
    said = b"".join(calls(number, address, token, kind, count) for number, token in enumerate(tokens))
    done = subprocess.run([CLIENT, host, port, str(len(tokens))], input=said, capture_output=True, timeout=300)
    if done.returncode != 0:
        raise SystemExit(f"{kind}: {done.stderr.decode()}")
    return sorted(float(line) / 1000 for line in done.stdout.split())


def person(server, number):
    """A token of an account made for this."""
    made = server.api("POST", "/accounts", {"email": f"bench-{number}@example.com"})
    server.api("POST", f"/password-resets/{made['password_reset']['token']}/actions/finalize",
               {"password": "correct horse", "password_confirmation": "correct horse"})
    password = base64.b64encode(f"bench-{number}@example.com:correct horse".encode()).decode()
    return server.api("POST", "/oauth/authorizations", {"scope": ["global"]},
                      {"Authorization": f"Basic {password}"})["access_token"]["token"]


def memory(pid):
    """KiB that are this process's own and in memory."""
    fields = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    return int(fields["Private_Clean"].split()[0]) + int(fields["Private_Dirty"].split()[0])


def tails(report, server, tokens):
    before = memory(server.process.pid)
    host, port = server.listen.rsplit(":", 1)
    held = []
    for number, token in enumerate(tokens):
        client = Client(server.listen, token)
        for turn in range(TAILS):
            session = json.loads(client.call("POST", f"/apps/app-{number}-{turn % APPS:03}/log-sessions", {"tail": True, "lines": 0}))
            path = "/" + session["logplex_url"].split("/", 3)[3]
            one = socket.create_connection((host, int(port)), timeout=60)
            one.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n".encode())
            if b"200" not in one.recv(4096).split(b"\r\n", 1)[0]:
                raise SystemExit("a log tail was refused")
            held.append(one)
    time.sleep(1)
    report.add(f"control's memory for each of {len(held)} idle log tails", (memory(server.process.pid) - before) / len(held), "KiB", 40)
    for one in held:
        one.close()


def nginx(content, count):
    """The same bytes from a file, to as many clients: what is left for anybody's API to gain."""
    if not shutil.which("nginx"):
        return None
    directory = pathlib.Path(tempfile.mkdtemp(prefix="renga-bench-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    (directory / "index.html").write_bytes(content)
    (directory / "nginx.conf").write_text(
        f"daemon off; pid {directory}/pid; error_log {directory}/error; worker_processes 2;\nevents {{}}\n"
        f"http {{ access_log off; keepalive_requests 100000; client_body_temp_path {directory}; proxy_temp_path {directory};\n"
        f"fastcgi_temp_path {directory}; uwsgi_temp_path {directory}; scgi_temp_path {directory};\n"
        f"server {{ listen {address}; root {directory}; }} }}\n")
    directory.chmod(0o755)
    process = subprocess.Popen(["nginx", "-p", str(directory), "-c", str(directory / "nginx.conf")], stderr=subprocess.DEVNULL)
    try:
        host, port = address.rsplit(":", 1)
        def up():
            try:
                socket.create_connection((host, int(port)), timeout=5).close()
                return True
            except OSError:
                return False
        wait_until(up, 30, what="nginx")
        return together(address, ["x"] * CLIENTS, "static", count)
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(directory, ignore_errors=True)


def percentile(times, of):
    return times[min(len(times) - 1, int(len(times) * of))]


def show(report, what, times, peer=None, p50=None, p99=None):
    report.add(f"{what}: p50 of {len(times)} at {CLIENTS} clients", statistics.median(times), "ms", p50)
    report.add(f"{what}: p99", percentile(times, 0.99), "ms", p99)
    if peer:
        report.add(f"{what}: p50, times nginx's with the same bytes", statistics.median(times) / statistics.median(peer), "x")
        report.add(f"{what}: nginx's p99", percentile(peer, 0.99), "ms")


def main():
    report = Report("api")
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    server = Server()
    try:
        tokens = [person(server, number) for number in range(CLIENTS)]
        start = time.monotonic()
        seeds = [multiprocessing.Process(target=seed, args=(number, server.listen, token)) for number, token in enumerate(tokens)]
        for one in seeds:
            one.start()
        for one in seeds:
            one.join()
        if any(one.exitcode for one in seeds):
            raise SystemExit("the apps could not be made")
        made = CLIENTS * APPS * RELEASES
        report.add(f"releases written durably, of {made}", made / (time.monotonic() - start), "1/s")

        admin = Client(server.listen, server.token)
        one, page = admin.call("GET", "/apps/app-0-000"), admin.call("GET", "/apps", headers="Range: name ..; max=200\r\n")
        show(report, "GET /apps/:app", together(server.listen, tokens, "info", READS), nginx(one, READS), p99=2)
        # An administrator's list is of all 1,000 apps; its calls are one account's.
        show(report, "GET /apps, the first page of 1,000 apps", together(server.listen, [server.token] * CLIENTS, "list", LISTS),
             nginx(page, LISTS), p50=20)
        show(report, "PATCH config-vars, a durable release", together(server.listen, tokens, "write", WRITES), p50=10)
        tails(report, server, tokens)
    finally:
        server.close()
    report.end()


if __name__ == "__main__":
    main()
