#!/usr/bin/env python3
"""Attached one-off dynos: rendezvous played by hand, and our CLI at a terminal and in pipes."""

import os
import pty
import re
import select
import socket
import ssl
import subprocess
import time

import harness
from harness import RENGA, StoryTest, needs_root, wait_until

MARKER = '; echo "\uffff heroku-command-exit-status: $?"'


@needs_root
class Run(StoryTest):
    def setUp(self):
        super().setUp()
        self.create("shell")
        app = self.repository({"Procfile": "worker: sleep 1000\n", "text": "hello\n"})
        self.server.push(app, "shell")
        self.port = int(self.server.listen.rsplit(":", 1)[1])
        self.cli_environment = dict(os.environ, RENGA_DATA=str(self.server.data), RENGA_APP="shell", TERM="xterm")

    # -- the official protocol, by hand

    def start(self, command, **more):
        body = {"command": command, "attach": True, "env": {"TERM": "xterm", "COLUMNS": 100, "LINES": 33}, **more}
        dyno = self.server.api("POST", "/apps/shell/dynos", body)
        self.assertEqual(dyno["state"], "starting")
        self.assertRegex(dyno["attach_url"], rf"^rendezvous://127\.0\.0\.1:{self.port}/[0-9a-f]{{64}}$")
        return dyno

    def attach(self, dyno):
        context = ssl.create_default_context(cafile=str(self.server.data / "ca.pem"))
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        client = context.wrap_socket(plain, server_hostname="127.0.0.1")
        self.addCleanup(client.close)
        client.sendall(dyno["attach_url"].rsplit("/", 1)[1].encode() + b"\r\n")
        self.assertEqual(client.recv(65536), b"rendezvous\r\n")
        return client

    def rest(self, client):
        records = []
        while piece := client.recv(65536):
            records.append(piece)
        return records

    def lines_of(self, dyno):
        return [line for line in self.server.logs("shell").splitlines() if f"[{dyno['name']}]" in line]

    def logged(self, dyno, text, limit=30):
        wait_until(lambda: any(text in line for line in self.lines_of(dyno)), limit, what=f"{text} in the log")

    def test_a_terminal(self):
        dyno = self.start("test -t 0 && stty size; cat text; sh -c 'exit 7' " + MARKER)
        self.logged(dyno, "Awaiting client")
        records = self.rest(self.attach(dyno))
        output = b"".join(records).decode()
        self.assertIn("33 100\r\nhello\r\n", output)
        self.assertIn("\uffff heroku-command-exit-status: 7\r\n".encode(), records)
        self.logged(dyno, "Process exited with status 0")
        log = "\n".join(self.lines_of(dyno))
        self.assertRegex(log, r"(?s)Awaiting client.*Starting process with command .*State changed from starting to up.*exited")
        self.assertNotIn("app[run", log)
        again = self.rest_of_wrong(dyno)
        self.assertIn(b"No dyno waits", again)

    def rest_of_wrong(self, dyno):
        return b"".join(self.rest(self.attach(dyno)))

    def test_without_a_terminal(self):
        dyno = self.start("! test -t 0; cat; echo end >&2 " + MARKER, force_no_tty=True)
        client = self.attach(dyno)
        client.sendall(b"a\x04b\r\n\xff\x00")
        client.sendall(b"\x04")
        records = self.rest(client)
        self.assertTrue(b"".join(records).startswith(b"a\x04b\r\n\xff\x00end\n"), records)
        self.assertIn("\uffff heroku-command-exit-status: 0\n".encode(), records)

    def test_a_client_that_leaves(self):
        dyno = self.start("sleep 1000")
        client = self.attach(dyno)
        self.logged(dyno, "State changed from starting to up")
        client.close()
        self.logged(dyno, "Client connection closed. Sending SIGHUP to all processes")
        self.logged(dyno, "Process exited with status 129")

        deaf = self.start("trap '' HUP; echo ready; while :; do sleep 1; done")
        client = self.attach(deaf)
        self.assertIn(b"ready", client.recv(100))
        client.close()
        self.logged(deaf, "Error R16 (Detached)", 60)
        self.logged(deaf, "Process exited with status", 60)

    def test_nobody_comes(self):
        dyno = self.start("true")
        self.logged(dyno, "Error R13 (Attach error) -> Failed to attach to process", 60)
        self.assertIn(b"No dyno waits", self.rest_of_wrong(dyno))
        self.assertNotIn(dyno["name"], [d["name"] for d in self.server.dynos("shell")])

    def test_control_dies(self):
        dyno = self.start("trap '' HUP; echo ready; sleep 1000")
        waiting = self.start("true")
        client = self.attach(dyno)
        # Not before it is deaf: the hang-up of its terminal, which ends with control, would end it first.
        self.assertIn(b"ready", client.recv(100))
        self.server.kill()
        self.server.start()
        self.logged(dyno, "Client connection closed")
        self.logged(waiting, "Error R13")
        self.logged(dyno, "Process exited with status", 60)

    # -- our CLI

    def renga(self, *words, given=b""):
        return subprocess.run([RENGA, *words], input=given, capture_output=True, timeout=120, env=self.cli_environment)

    def test_pipes(self):
        given = os.urandom(3_000_000) + b"\x04\x04"
        done = self.renga("run", "--no-tty", "--", "cat", given=given)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual(done.stdout, given)
        self.assertEqual(self.renga("run", "-e", "A=b c", "--", "sh", "-c", "echo $A; exit 43").returncode, 43)
        self.assertEqual(self.renga("run", "exec nothing-like-this").returncode, 127)
        self.assertEqual(self.renga("run", "kill -9 $$").returncode, 137)

    def test_a_person_at_a_terminal(self):
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(RENGA, [RENGA, "run", "--", "python3"], self.cli_environment)
        seen = b""

        def read_until(text, limit=60):
            nonlocal seen
            end = time.monotonic() + limit
            while not re.search(text, seen):
                if not select.select([terminal], [], [], max(0.0, end - time.monotonic()))[0]:
                    raise AssertionError(f"no {text} in {seen!r}")
                try:
                    seen += os.read(terminal, 65536)
                except OSError:
                    raise AssertionError(f"over before {text}: {seen!r}") from None
            seen = b""

        read_until(rb">>> ")
        os.write(terminal, b"print(6*7)\r")
        read_until(rb"\r\n42\r\n")
        os.write(terminal, b"import time; time.sleep(1000)\r")
        read_until(rb"1000\)\r\n")
        time.sleep(0.3)
        os.write(terminal, b"\x03")
        read_until(rb"KeyboardInterrupt")
        os.write(terminal, b"raise SystemExit(5)\r")
        while select.select([terminal], [], [], 60)[0]:
            try:
                os.read(terminal, 65536)
            except OSError:
                break
        os.close(terminal)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 5)


if __name__ == "__main__":
    harness.main()
