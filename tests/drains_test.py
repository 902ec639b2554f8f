#!/usr/bin/env python3
"""Log drains: rsyslog over TCP and TLS, an HTTPS receiver, both CLIs, and drains that misbehave."""

import base64
import http.server
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import threading

import harness
from harness import RENGA, StoryTest, needs_root, wait_until

CHATTY = """\
import os, sys, time
n = 0
while True:
    n += 1
    print("tick", n, "é", flush=True)
    time.sleep(0.2)
"""


def certificate(directory, name):
    """A CA and a certificate of it for `name` and 127.0.0.1."""
    def openssl(*words):
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=directory)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=test ca", "-addext", "basicConstraints=critical,CA:TRUE")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "csr.pem", "-subj", f"/CN={name}")
    (directory / "ext").write_text(f"subjectAltName=DNS:{name},IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "csr.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-out", "cert.pem", "-days", "2", "-extfile", "ext")
    # rsyslog keeps root's files to itself, and reads these as whoever started it.


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Logplex(http.server.ThreadingHTTPServer):
    """Receives drains over HTTPS, and keeps what came: `frames`; what it has not refused: `accepted`."""

    daemon_threads = True

    def __init__(self, directory):
        self.frames, self.accepted = [], []
        self.status = 204
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.status
                receiver.frames.append((dict(self.headers), body, self.path))
                if status < 300:
                    receiver.accepted.append(body)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(directory / "cert.pem", directory / "key.pem")
        self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def messages(self):
        return [message for body in list(self.accepted) for message in unframe(body)]


def unframe(body):
    """The octet-counted messages of a frame; every byte must belong to one."""
    messages = []
    while body:
        count, _, rest = body.partition(b" ")
        messages.append(rest[:int(count)].decode())
        assert len(rest) >= int(count), body
        body = rest[int(count):]
    return messages


class Rsyslog:
    """rsyslogd with a configuration of its own, as a process of the test's."""

    def __init__(self, directory, port, tls):
        self.out = directory / "received"
        stream = (f'global(defaultNetstreamDriverCAFile="{directory}/ca.pem" defaultNetstreamDriverCertFile="{directory}/cert.pem"'
                  f' defaultNetstreamDriverKeyFile="{directory}/key.pem" workDirectory="{directory}")\n'
                  'module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon")\n'
                  if tls else f'global(workDirectory="{directory}")\nmodule(load="imtcp")\n')
        (directory / "rsyslog.conf").write_text(
            stream + f'input(type="imtcp" port="{port}" address="127.0.0.1")\n'
            'template(name="all" type="string" string="%HOSTNAME% %APP-NAME% %PROCID% %syslogpriority-text% %msg%\\n")\n'
            f'*.* action(type="omfile" file="{self.out}" template="all")\n')
        with open(directory / "err", "wb") as err:
            self.process = subprocess.Popen(["rsyslogd", "-n", "-f", str(directory / "rsyslog.conf"), "-i", str(directory / "pid")],
                                            stdout=subprocess.DEVNULL, stderr=err)

    def text(self):
        return self.out.read_text(errors="replace") if self.out.exists() else ""

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)


@needs_root
class Drains(StoryTest):
    environment = {"RENGA_ALLOW_DRAINS": "127.0.0.1"}

    def setUp(self):
        self.certificates = pathlib.Path("/tmp") / f"renga-drains-{os.getpid()}"
        shutil.rmtree(self.certificates, ignore_errors=True)
        self.certificates.mkdir()
        self.addCleanup(shutil.rmtree, self.certificates, True)
        certificate(self.certificates, "localhost")
        self.environment = dict(self.environment, SSL_CERT_FILE=str(self.certificates / "ca.pem"))
        super().setUp()
        self.create("chatty")
        app = self.repository({"Procfile": "worker: python3 -u tick.py\n", "tick.py": CHATTY})
        self.server.push(app, "chatty")
        self.server.api("PATCH", "/apps/chatty/formation", {"updates": [{"type": "worker", "quantity": "1"}]})
        wait_until(lambda: "tick 1 " in self.server.logs("chatty"), what="output")
        self.cli_environment = dict(os.environ, RENGA_DATA=str(self.server.data), RENGA_APP="chatty")

    def renga(self, *words):
        return subprocess.run([RENGA, *words], capture_output=True, text=True, timeout=60, env=self.cli_environment)

    def directory(self, name):
        made = self.certificates / name
        made.mkdir()
        for file in ("ca.pem", "cert.pem", "key.pem"):
            shutil.copy(self.certificates / file, made)
        return made

    def test_https(self):
        receiver = Logplex(self.certificates)
        self.addCleanup(receiver.shutdown)
        url = f"https://ada:pa55word@localhost:{receiver.server_address[1]}/intake?key=hidden"
        added = self.renga("drains:add", url)
        self.assertEqual(added.returncode, 0, added.stderr)
        wait_until(lambda: any("tick" in message for message in receiver.messages()), what="lines")
        headers, body, path = receiver.frames[0]
        drain = self.server.api("GET", "/apps/chatty/log-drains")[0]
        self.assertEqual(path, "/intake?key=hidden")
        self.assertEqual(headers["Authorization"], "Basic " + base64.b64encode(b"ada:pa55word").decode())
        self.assertEqual(headers["Content-Type"], "application/logplex-1")
        self.assertEqual(headers["Logplex-Drain-Token"], drain["token"])
        self.assertRegex(headers["Logplex-Frame-Id"], "^[0-9A-F]{32}$")
        self.assertEqual(int(headers["Logplex-Msg-Count"]), len(unframe(body)))
        line = next(message for message in receiver.messages() if "tick" in message)
        self.assertRegex(line, r"^<190>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00 host app worker\.1 - tick \d+ é$")

        # Nothing of the secrets is shown or logged.
        self.assertIn("https://ada:****@localhost", self.renga("drains").stdout)
        for text in (self.renga("drains", "--json").stdout, added.stderr, self.server.logs("chatty"), self.server.log()):
            self.assertNotIn("pa55word", text)
            self.assertNotIn("hidden", text)
        self.assertNotIn(b"pa55word", (self.server.data / "renga.db").read_bytes() + (self.server.data / "renga.db-wal").read_bytes())

        # A receiver that is away for a while, and control with it: every tick arrives, in order.
        receiver.status = 503
        seen = len(receiver.frames)
        wait_until(lambda: len(receiver.frames) > seen + 1, what="tries")
        self.server.kill()
        self.server.start()
        receiver.status = 204
        last = int(re.findall(r"tick (\d+)", self.server.logs("chatty"))[-1])
        accepted = lambda: [int(n) for m in receiver.messages() for n in re.findall(r"- tick (\d+)", m)]
        wait_until(lambda: accepted() and accepted()[-1] > last, what="lines after the restart")
        # What of the output the log has, the drain got: lines that control had read and not written when it was
        # killed are in neither.
        ticks = accepted()
        logged = [int(n) for n in re.findall(r"app\[worker\.1\]: tick (\d+)", self.server.logs("chatty"))]
        self.assertEqual(sorted(set(ticks)), [n for n in logged if ticks[0] <= n <= max(ticks)])
        # In order, but that the new control went back once, to what was noted last.
        went_back = [later for earlier, later in zip(ticks, ticks[1:]) if later <= earlier]
        self.assertLessEqual(len(went_back), 1)

        removed = self.renga("drains:remove", url)
        self.assertEqual(removed.returncode, 0, removed.stderr)
        self.assertEqual(self.server.api("GET", "/apps/chatty/log-drains"), [])

    def test_rsyslog(self):
        self.assertIsNotNone(shutil.which("rsyslogd"), "script/bootstrap installs rsyslog")
        plain, secure = self.directory("plain"), self.directory("secure")
        ports = free_port(), free_port()
        servers = [Rsyslog(plain, ports[0], False), Rsyslog(secure, ports[1], True)]
        for server in servers:
            self.addCleanup(server.stop)
        self.server.api("POST", "/apps/chatty/log-drains", {"url": f"syslog://127.0.0.1:{ports[0]}"})
        self.server.api("POST", "/apps/chatty/log-drains", {"url": f"syslog+tls://localhost:{ports[1]}"})
        tokens = [drain["token"] for drain in self.server.api("GET", "/apps/chatty/log-drains")]
        for server in servers:
            wait_until(lambda: "tick" in server.text(), what=f"lines in rsyslog: {(server.out.parent / 'err').read_text()}")
            self.assertRegex(server.text(), rf"(?m)^({'|'.join(tokens)}) app worker\.1 info ?tick \d+ é$")
        # rsyslog goes away and comes back.
        servers[0].stop()
        before = len(servers[0].text().splitlines())
        servers[0] = Rsyslog(plain, ports[0], False)
        self.addCleanup(servers[0].stop)
        wait_until(lambda: len(servers[0].text().splitlines()) > before + 3, what="lines after rsyslog came back")

    def test_misbehaving(self):
        # A certificate for another name, one that nobody vouches for, a server that hangs, one that refuses.
        other = self.directory("other")
        certificate(other, "elsewhere.example.com")
        untrusted = Logplex(other)
        self.addCleanup(untrusted.shutdown)
        good = Logplex(self.certificates)
        self.addCleanup(good.shutdown)
        hanging = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(hanging.close)
        for url in (f"https://localhost:{untrusted.server_address[1]}/", f"syslog+tls://127.0.0.1:{hanging.getsockname()[1]}",
                    f"syslog://127.0.0.1:{free_port()}", "https://169.254.169.254/latest/meta-data",
                    f"https://localhost:{good.server_address[1]}/"):
            self.server.api("POST", "/apps/chatty/log-drains", {"url": url})
        wait_until(lambda: any("tick" in message for message in good.messages()), what="the good drain")
        wait_until(lambda: "Error L14 (certificate validation)" in self.server.logs("chatty"), what="L14")
        wait_until(lambda: "169.254.169.254 is link-local" in self.server.logs("chatty"), what="the refusal")
        self.assertEqual(untrusted.frames, [])
        count = len(good.messages())
        wait_until(lambda: len(good.messages()) > count + 5, what="more lines")
        sixth = self.server.request("POST", "/apps/chatty/log-drains", {"url": "syslog://h.example.com"})
        self.assertEqual(sixth[0], 422)


if __name__ == "__main__":
    harness.main()
