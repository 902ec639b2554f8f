#!/usr/bin/env python3
"""The worst that an app, a client or a stranger can send through a terminal or into a log: nothing else is disturbed."""

import hashlib
import os
import pathlib
import random
import re
import socket
import ssl
import subprocess
import threading
import time

import harness
from harness import RENGA, StoryTest, needs_root, wait_until

MEGABYTE = 1_000_000


@needs_root
class Floods(StoryTest):
    def setUp(self):
        super().setUp()
        for name in ("noisy", "quiet"):
            self.create(name)
        self.server.push(self.repository({"Procfile": "worker: sleep 1000\n", "text": "hello\n"}), "noisy")
        self.server.push(self.server.base / "repositories/app", "quiet")
        self.port = int(self.server.listen.rsplit(":", 1)[1])
        self.cli_environment = dict(os.environ, RENGA_DATA=str(self.server.data), RENGA_APP="noisy", TERM="xterm")

    def renga(self, *words, given=b""):
        return subprocess.run([RENGA, *words], input=given, capture_output=True, timeout=300, env=self.cli_environment)

    def resident(self):
        """MB of control."""
        status = pathlib.Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+)", status, re.M)[1]) / 1024

    def start(self, command, app="noisy", attach=True, **more):
        return self.server.api("POST", f"/apps/{app}/dynos", {"command": command, "attach": attach, **more})

    def ended(self, dyno, app="noisy", limit=120):
        wait_until(lambda: dyno["name"] not in [one["name"] for one in self.server.dynos(app)], limit, 0.2,
                   f"the end of {dyno['name']}")

    def log_lines(self, app, **wanted):
        session = self.server.api("POST", f"/apps/{app}/log-sessions", wanted)
        path = "/" + session["logplex_url"].split("/", 3)[3]
        return self.server.request("GET", path, headers={"Accept": "text/plain", "Authorization": None})[2]

    def connection(self):
        context = ssl.create_default_context(cafile=str(self.server.data / "ca.pem"))
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        client = context.wrap_socket(plain, server_hostname="127.0.0.1")
        self.addCleanup(client.close)
        return client

    def attach(self, dyno):
        client = self.connection()
        client.sendall(dyno["attach_url"].rsplit("/", 1)[1].encode() + b"\r\n")
        self.assertEqual(client.recv(65536), b"rendezvous\r\n")
        return client

    def test_what_a_dyno_writes_into_the_log(self):
        """A line of 1 GB without an end, bytes that are no text, more than anybody reads: beside another app's few lines."""
        before = self.resident()
        line = self.start("head -c 1000000000 /dev/zero | tr '\\0' x; echo; echo after the line", attach=False)
        bytes_ = self.start("head -c 5000000 /dev/urandom; echo; echo after the bytes", attach=False)
        said = self.start("for i in $(seq 20); do echo quiet $i; sleep 0.1; done", app="quiet", attach=False)
        most = before
        while not re.search(r"quiet 20\n", self.server.logs("quiet")):
            most = max(most, self.resident())
            time.sleep(0.05)
        self.ended(said, "quiet")
        self.ended(line)
        self.ended(bytes_)
        most = max(most, self.resident())
        self.assertLess(most - before, 200, "MB of control for a flood")
        # The other app lost nothing, and in its order.
        self.assertEqual(re.findall(r"app\[run\.\d+\]: quiet (\d+)", self.server.logs("quiet")),
                         [str(i) for i in range(1, 21)])
        # Pieces of at most 10,000 bytes; and what stood behind the flood is there.
        log = self.log_lines("noisy", lines=1500)
        pieces = [entry.split(b"]: ", 1)[1] for entry in log.split(b"\n") if b"]: " in entry]
        self.assertLessEqual(max(map(len, pieces)), 10_000)
        for entry in log.strip(b"\n").split(b"\n"):
            self.assertRegex(entry, rb"^\d{4}-\d\d-\d\dT[\d:.]+\+00:00 (app|heroku)\[[\w.]+\]: ")
        self.assertIn(b"after the line", self.log_lines("noisy", lines=10, grep="after the line"))

    def test_bytes_in_and_out_are_the_same(self):
        """Files through pipes: `renga run -- pg_dump … > dump`, and back."""
        given = random.Random(1).randbytes(30 * MEGABYTE) + b"\x04"
        summed = self.renga("run", "--no-tty", "--", "sha256sum", given=given)
        self.assertEqual(summed.stdout.split()[0].decode(), hashlib.sha256(given).hexdigest())
        # Behind the bytes, their sum: both outputs of a dyno are one.
        made = self.renga("run", "--no-tty", "--", "sh", "-c", "head -c 30000000 /dev/urandom | tee f; sha256sum < f")
        body, said = made.stdout[:30 * MEGABYTE], made.stdout[30 * MEGABYTE:]
        self.assertEqual(said.split()[0].decode(), hashlib.sha256(body).hexdigest())

    def test_a_client_that_reads_nothing(self):
        """Its dyno waits on its own full pipe, and control keeps little of what it wrote."""
        before = self.resident()
        dyno = self.start("head -c 300000000 /dev/zero; echo done >&2", force_no_tty=True)
        client = self.attach(dyno)
        client.settimeout(None)
        time.sleep(2)
        self.assertLess(self.resident() - before, 64)
        self.assertIn("quiet", [app["name"] for app in self.server.api("GET", "/apps")])
        read = 0
        while read < 50 * MEGABYTE:
            read += len(client.recv(1 << 20))
        client.close()  # in the middle of a write
        wait_until(lambda: dyno["name"] not in [one["name"] for one in self.server.dynos("noisy")], 60,
                   what="the dyno's end")
        self.assertIn("Client connection closed. Sending SIGHUP", self.server.logs("noisy"))

    def test_a_hundred_at_once(self):
        """Each with its own bytes and its own exit status: two apps, each with as many as it may have."""
        failures, done = [], []

        def one(n):
            try:
                app = "noisy" if n % 2 else "quiet"
                dyno = self.start(f"read line; echo \"$line from {n}\"; exit {n}", app, force_no_tty=True)
                client = self.connection()
                client.sendall(dyno["attach_url"].rsplit("/", 1)[1].encode() + b"?frames\r\n")
                assert client.recv(65536) == b"rendezvous\r\n"
                text = f"hello {n}\n".encode()
                client.sendall(b"I" + len(text).to_bytes(4, "big") + text)
                said = b""
                while piece := client.recv(65536):
                    said += piece
                answer = f"hello {n} from {n}\n".encode()
                assert said == b"O" + len(answer).to_bytes(4, "big") + answer + b"X\0\0\0\1" + bytes([n]), said
                done.append(n)
            except Exception as error:  # noqa: BLE001, said below
                failures.append(f"{n}: {error!r}")

        threads = [threading.Thread(target=one, args=(n,)) for n in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(sorted(done), list(range(100)))

    def test_strangers_at_the_rendezvous(self):
        """Garbage, lines without an end, half a secret: refused, and the right client still gets in."""
        dyno = self.start("echo let in", force_no_tty=True)
        secret = dyno["attach_url"].rsplit("/", 1)[1]
        noise = random.Random(2)
        waits = self.connection()
        waits.sendall(secret[:20].encode())  # and nothing more
        last_is_another = secret[:-1] + ("1" if secret[-1] == "0" else "0")
        for attempt in (last_is_another, secret[:32], "../" + secret, "", "?frames",
                        secret.upper() + "x", "a" * 5_000):
            client = self.connection()
            client.sendall(attempt.encode() + b"\r\n")
            said = b""
            try:
                while piece := client.recv(65536):
                    said += piece
            except (ConnectionError, ssl.SSLError):
                pass
            self.assertNotIn(b"let in", said, attempt)
        for _ in range(20):
            client = self.connection()
            try:
                client.sendall(noise.randbytes(noise.randrange(1, 3_000)))
                client.shutdown(socket.SHUT_WR)
                client.recv(65536)
            except (OSError, ssl.SSLError):
                pass
            client.close()
        client = self.attach(self.start("echo let in", force_no_tty=True))
        said = b""
        while piece := client.recv(65536):
            said += piece
        self.assertEqual(said, b"let in\n")


if __name__ == "__main__":
    harness.main()
