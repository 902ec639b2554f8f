"""The router by itself: what it is told of, what it counts, and how it is replaced under load."""

import http.client
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import urllib.request

import harness
from harness import RENGA, StoryTest, main, needs_root, wait_until
from load import Load

# What web.py of the harness does not: a long download, and a protocol of its own behind 101.
LONG = '''\
import os, socket, threading

def serve(client):
    with client, client.makefile("rb") as lines:
        while True:
            request = lines.readline().decode()
            if not request:
                return
            fields = {}
            while (line := lines.readline().decode().strip()):
                name, value = line.split(":", 1)
                fields[name.lower()] = value.strip()
            if "upgrade" in fields:
                client.sendall(b"HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: echo\\r\\n\\r\\n")
                while (data := client.recv(65536)):
                    client.sendall(data)
                return
            if request.startswith("GET /long"):
                client.sendall(b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n")
                for number in range(60):
                    client.sendall(b"a\\r\\n%09d\\n\\r\\n" % number)
                    threading.Event().wait(0.1)
                client.sendall(b"0\\r\\n\\r\\n")
                continue
            body = ("%s %s\\n" % (os.environ["DYNO"], fields.get("cookie", "-"))).encode()
            client.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)

listener = socket.create_server(("0.0.0.0", int(os.environ["PORT"])), backlog=128)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
'''
FILES = {"long.py": LONG, "Procfile": "web: python3 long.py\n"}


class Download(threading.Thread):
    """A download that takes six seconds, and what came of it."""

    def __init__(self, address, host):
        super().__init__()
        self.address, self.host, self.lines, self.error = address, host, [], None
        self.start()

    def run(self):
        try:
            client = http.client.HTTPConnection(*self.address.rsplit(":", 1), timeout=60)
            client.request("GET", "/long", headers={"Host": self.host})
            self.lines = client.getresponse().read().decode().split()
            client.close()
        except Exception as error:  # every way to fail counts
            self.error = repr(error)


class Pipe:
    """A connection with another protocol behind 101, which echoes."""

    def __init__(self, address, host):
        self.socket = socket.create_connection(address.rsplit(":", 1), timeout=30)
        self.socket.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.socket.recv(4096)
        assert answer.startswith(b"HTTP/1.1 101 "), answer

    def echoes(self, text):
        self.socket.sendall(text)
        got = b""
        while len(got) < len(text) and (more := self.socket.recv(4096)):
            got += more
        return got == text


@needs_root
class Router(StoryTest):
    options = ("--metrics", "127.0.0.1:0")

    def setUp(self):
        # The server runs from a copy, which can be replaced.
        directory = pathlib.Path(tempfile.mkdtemp(prefix="renga-program-"))
        self.addCleanup(shutil.rmtree, directory)
        self.program = directory / "renga"
        shutil.copy(RENGA, self.program)
        original, harness.RENGA = harness.RENGA, str(self.program)
        self.addCleanup(setattr, harness, "RENGA", original)
        super().setUp()

    def router_pid(self):
        return int((self.server.data / "router/router.lock").read_text())

    def metrics(self):
        with urllib.request.urlopen(self.server.words["metrics"], timeout=30) as answer:
            self.assertTrue(answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"))
            return answer.read().decode()

    def series(self, name):
        """The values of a series, summed. `name` is a pattern."""
        return sum(float(line.split()[-1]) for line in self.metrics().splitlines() if re.match(name + r"[{ ]", line))

    def test_the_router(self):
        self.create("shop")
        self.server.push(self.repository(FILES), "shop")
        self.server.api("PATCH", "/apps/shop/formation/web", {"quantity": 3})
        wait_until(lambda: len([d for d in self.server.dynos("shop") if d["state"] == "up"]) == 3, what="three dynos")
        self.requests_are_counted()
        self.a_cookie_keeps_a_client_with_its_dyno()
        self.pages_of_the_apps_own()
        self.control_restarts_under_load()
        self.the_router_is_replaced_under_load()

    def requests_are_counted(self):
        wait_until(lambda: self.server.get("shop")[0] == 200, what="the app")
        answered = r'renga_router_requests_total\{app="shop",dyno="web\.\d",status="2xx"\}'
        before = self.series(answered)
        for _ in range(5):
            self.assertEqual(self.server.get("shop")[0], 200)
        text = self.metrics()
        self.assertEqual(self.series(answered), before + 5, text)
        self.assertIn('renga_router_request_duration_seconds_bucket{app="shop",dyno="web.', text)
        self.assertEqual(self.series("renga_router_active_requests"), 0)
        unrouted = self.series("renga_router_unrouted_requests_total")
        self.assertEqual(self.server.get("nobody")[0], 404)
        self.assertEqual(self.series("renga_router_unrouted_requests_total"), unrouted + 1)
        for line in text.splitlines():
            self.assertRegex(line, r'^(# (HELP|TYPE) .*|[a-z0-9_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+-]+)$')

        figures = self.server.api("GET", "/apps/shop/router-metrics")
        self.assertEqual(figures["statuses"]["2xx"], before + 5)
        self.assertEqual(figures["statuses"]["2xx"], sum(dyno["requests"] for dyno in figures["dynos"]))
        self.assertGreater(figures["latency_ms"]["p99"], 0)
        shown = subprocess.run([RENGA, "metrics", "-a", "shop"], capture_output=True, text=True, timeout=60,
                               env=dict(os.environ, RENGA_URL=f"http://{self.server.listen}", RENGA_TOKEN=self.server.token))
        self.assertRegex(shown.stdout, rf"all +\d+ +{int(before) + 5} ")

    def a_cookie_keeps_a_client_with_its_dyno(self):
        self.server.api("PATCH", "/apps/shop/features/http-session-affinity", {"enabled": True})
        cookie = wait_until(lambda: self.server.get("shop")[2].get("Set-Cookie"), what="the cookie").split(";")[0]
        self.assertTrue(cookie.startswith("heroku-session-affinity="))
        dynos = {self.server.get("shop", headers={"Cookie": cookie})[1].split()[0] for _ in range(20)}
        self.assertEqual(len(dynos), 1)
        self.server.api("PATCH", "/apps/shop/features/http-session-affinity", {"enabled": False})
        wait_until(lambda: not self.server.get("shop")[2].get("Set-Cookie"), what="the feature to be off")

    def pages_of_the_apps_own(self):
        pages = {"MAINTENANCE_PAGE_URL": "https://pages.example/wait.html", "ERROR_PAGE_URL": "https://pages.example/sorry.html"}
        self.server.api("PATCH", "/apps/shop/config-vars", pages)
        self.server.api("PATCH", "/apps/shop", {"maintenance": True})
        wait_until(lambda: 'src="https://pages.example/wait.html"' in self.server.get("shop")[1], what="its maintenance page")
        self.assertEqual(self.server.get("shop")[0], 503)
        self.server.api("PATCH", "/apps/shop", {"maintenance": False})
        wait_until(lambda: self.server.get("shop")[0] == 200, what="the app")
        # The config vars made a release: what follows wants dynos that stay.
        newest = self.server.releases("shop")[0]["version"]
        wait_until(lambda: [(d["state"], d["release"]["version"]) for d in self.server.dynos("shop")] == [("up", newest)] * 3,
                   60, what="the newest release's dynos alone")
        # The API no longer lists those before while the router may still send somebody their way.
        wait_until(lambda: self.server.logs("shop").count("Stopping all processes with SIGTERM") >= 3, 60, what="the end of the old ones")

    def restart(self):
        done = subprocess.run([RENGA, "server:restart", "--data", str(self.server.data)], capture_output=True, text=True, timeout=90)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr + self.server.log())
        words = dict(word.split("=", 1) for word in self.server.process.stdout.readline().decode().split()[2:])
        # Also the ports that the kernel chose.
        self.assertEqual(words, self.server.words)

    def control_restarts_under_load(self):
        router, pipe = self.router_pid(), Pipe(self.server.http, "shop.localhost")
        load = Load(self.server.http, "shop.localhost", clients=8)
        try:
            self.restart()
            answered = load.answers
            wait_until(lambda: load.answers > answered + 50, what="more answers")
        finally:
            load.end()
        self.assertEqual(load.failures, [])
        self.assertEqual(self.router_pid(), router, "the same program: it goes on")
        self.assertTrue(pipe.echoes(b"still there"))
        self.assertEqual(len(self.server.dynos("shop")), 3)

    def the_router_is_replaced_under_load(self):
        """A newer program: the router hands over, and finishes what it has under way."""
        router, pipe = self.router_pid(), Pipe(self.server.http, "shop.localhost")
        download = Download(self.server.http, "shop.localhost")
        load = Load(self.server.http, "shop.localhost", clients=8)
        try:
            answered = load.answers
            wait_until(lambda: load.answers > answered + 50, what="answers")
            fresh = self.program.with_name("renga.new")
            shutil.copy(RENGA, fresh)
            os.rename(fresh, self.program)
            self.restart()
            wait_until(lambda: self.router_pid() != router, what="another router")
            self.assertTrue(pipe.echoes(b"the old one's, while it drains"))
            answered = load.answers
            wait_until(lambda: load.answers > answered + 50, what="answers by the new one")
            download.join()
        finally:
            load.end()
        self.assertEqual(load.failures, [])
        self.assertIsNone(download.error)
        self.assertEqual(download.lines, ["%09d" % number for number in range(60)])
        pipe.socket.close()
        # The old one's last lines are in the log too.
        wait_until(lambda: "path=\"/long\"" in self.server.logs("shop"), what="the download's log line")


main()
