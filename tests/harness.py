"""What the black-box tests share: a real server on a temporary data directory, git, and HTTP.

Every test file is a story told with the program as its users have it (RENGA names it; ctest sets it).
A Server cleans up after itself: it stops its dynos and router, and fails the test when a process, a
cgroup or a network interface of its own is left.
"""

import base64
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
RENGA = os.environ.get("RENGA", str(ROOT / "build/release/bin/renga"))
NETWORK = os.environ.get("RENGA_TEST_NETWORK", "1") == "1"

needs_root = unittest.skipUnless(os.geteuid() == 0, "needs root")
needs_network = unittest.skipUnless(NETWORK, "needs the package registries (RENGA_TEST_NETWORK=0)")

# A web server of the standard library that says which release answers, and a way to be slow.
WEB = '''\
import os, signal, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 120
    def do_GET(self):
        if self.path.startswith("/slow"):
            time.sleep(1)
        body = "{version} {text} {greeting} {dyno}\\n".format(
            version=os.environ.get("HEROKU_RELEASE_VERSION", "?"), text=open("text").read().strip(),
            greeting=os.environ.get("GREETING", "-"), dyno=os.environ["DYNO"]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass

class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

server = Server(("0.0.0.0", int(os.environ["PORT"])), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
print("listening", flush=True)
server.serve_forever()
print("bye", flush=True)
'''


# What renga ends with when the server, or the command itself, refuses: by the kind of refusal.
REFUSED = (1, 3, 4, 5, 6, 7, 8)


def exits(status):
    """The statuses that a test means when it says 1: any refusal. Another is meant as it is."""
    return REFUSED if status == 1 else (status,)


class Failed(Exception):
    """An API call that was refused: its status and body."""

    def __init__(self, status, body):
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body


# Not a measurement: on a machine that is busy, or half as fast, what takes a second here takes many.
PATIENCE = 180.0


def wait_until(ask, limit=PATIENCE, pause=0.02, what="condition"):
    """Asks until the answer is true and returns it; fails after `limit` seconds."""
    end = time.monotonic() + limit
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come true within {limit:.0f} s; last: {answer!r}")
        time.sleep(pause)


class Server:
    """One `renga server`, on ports that the kernel chose."""

    program = None  # another than RENGA

    def __init__(self, *options, environment=None, program=None):
        self.program = program
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="renga-test-"))
        self.data = self.base / "data"
        self.options = list(options)
        self.environment = dict(os.environ, **(environment or {}))
        self.process = None
        self.http = None
        self.start()
        self.token = (self.data / "admin.token").read_text().strip()

    # -- its life

    def start(self):
        self.stderr = open(self.base / "server.log", "ab")
        arguments = [str(self.program or RENGA), "server", "--data", str(self.data), "--listen", "127.0.0.1:0",
                     "--http", self.http or "127.0.0.1:0", *self.options]
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=self.stderr,
                                        env=self.environment, start_new_session=True)
        line = self.process.stdout.readline().decode()
        if not line.startswith("renga: ready "):
            self.process.wait()
            raise AssertionError(f"no ready line but {line!r}; its log:\n{self.log()}")
        self.words = words = dict(word.split("=", 1) for word in line.split()[2:])
        self.listen = words["listen"].removeprefix("http://")
        self.http = words["http"].removeprefix("http://")

    def kill(self):
        """kill -9 of control alone."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()
        self.stderr.close()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=PATIENCE)
        self.process.stdout.close()
        self.stderr.close()

    def close(self):
        if self.process.poll() is None:
            self.stop()
        stopped = subprocess.run([RENGA, "server:stop", "--data", str(self.data), "--dynos"],
                                 capture_output=True, text=True, timeout=PATIENCE)
        left = self.left_behind()
        log = self.log()
        if os.environ.get("RENGA_KEEP") != "1":
            shutil.rmtree(self.base, ignore_errors=True)
        if stopped.returncode != 0:
            raise AssertionError(f"server:stop: {stopped.stdout}{stopped.stderr}")
        if left:
            raise AssertionError(f"left behind: {left}\n{log[-4000:]}")

    def left_behind(self):
        """What still runs or is mounted for this data directory. Network devices die a moment later."""
        mark = str(self.data)

        def look():
            found = []
            for entry in pathlib.Path("/proc").iterdir():
                if not entry.name.isdigit():
                    continue
                with contextlib.suppress(OSError):
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    if mark in command and "server:stop" not in command and int(entry.name) != os.getpid():
                        found.append(f"process {entry.name}: {command}")
            mounts = pathlib.Path("/proc/self/mounts").read_text()
            found += [f"mount {line}" for line in mounts.splitlines() if mark in line]
            run = self.data / "run/sandboxes"
            if run.is_dir():
                found += [f"run directory {path.name}" for path in run.iterdir()]
            # A firewall goes with the claim on its addresses.
            for claim in pathlib.Path("/run/renga/net").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    if claim.read_text().startswith(mark):
                        found.append(f"firewall and addresses of {claim}")
            return found

        end = time.monotonic() + 60
        while (found := look()) and time.monotonic() < end:
            time.sleep(0.1)
        return found

    def log(self):
        return (self.base / "server.log").read_text(errors="replace")

    # -- the API

    def request(self, method, path, body=None, headers=None, token=None):
        host, port = self.listen.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE)
        try:
            all_headers = {"Accept": "application/vnd.heroku+json; version=3",
                           "Authorization": f"Bearer {token or self.token}"}
            all_headers.update(headers or {})
            if body is not None and not isinstance(body, (bytes, str)):
                body = json.dumps(body)
                all_headers.setdefault("Content-Type", "application/json")
            connection.request(method, path, body, {k: v for k, v in all_headers.items() if v is not None})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def api(self, method, path, body=None, headers=None):
        status, _, content = self.request(method, path, body, headers)
        try:
            value = json.loads(content) if content.strip() else None
        except ValueError:
            value = content
        if status >= 300:
            raise Failed(status, value)
        return value

    def releases(self, app):
        return self.api("GET", f"/apps/{app}/releases", headers={"Range": "version ..; order=desc"})

    def dynos(self, app):
        return self.api("GET", f"/apps/{app}/dynos")

    def logs(self, app, lines=1500):
        session = self.api("POST", f"/apps/{app}/log-sessions", {"lines": lines, "tail": False})
        path = "/" + session["logplex_url"].split("/", 3)[3]
        status, _, content = self.request("GET", path, headers={"Accept": "text/plain", "Authorization": None})
        assert status == 200, (status, content)
        return content.decode(errors="replace")

    # -- the apps

    def get(self, app, path="/", host=None, headers=None, method="GET", timeout=100):
        """A request through the router."""
        address, port = self.http.rsplit(":", 1)
        connection = http.client.HTTPConnection(address, int(port), timeout=timeout)
        try:
            connection.request(method, path, headers={"Host": host or f"{app}.localhost", **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace"), dict(answer.getheaders())
        finally:
            connection.close()

    def page(self, app, path="/"):
        status, body, _ = self.get(app, path)
        return body if status == 200 else None

    def push(self, repository, app, refspec="main", check=True):
        url = f"http://renga:{self.token}@{self.listen}/{app}.git"
        pushed = git(repository, "push", url, refspec, check=False)
        if check and pushed.returncode != 0:
            raise AssertionError(f"push failed:\n{pushed.stderr}\n{self.log()[-4000:]}")
        return pushed

    def wait_for_page(self, app, contains, limit=PATIENCE):
        try:
            return wait_until(lambda: contains in (self.page(app) or ""), limit, what=f"a page with {contains!r}")
        except AssertionError as error:
            # The router's lines are those of the page that was asked for again and again.
            lines = [line for line in self.logs(app).splitlines() if " heroku[router]: " not in line]
            said = "\n".join(lines)[-4000:]
            raise AssertionError(f"{error}; the page: {self.get(app)[:2]}\n{said}") from None


def git(directory, *arguments, check=True):
    environment = dict(os.environ, GIT_AUTHOR_NAME="t", GIT_AUTHOR_EMAIL="t@example.com",
                       GIT_COMMITTER_NAME="t", GIT_COMMITTER_EMAIL="t@example.com",
                       GIT_TERMINAL_PROMPT="0", GIT_CONFIG_GLOBAL="/dev/null")
    environment.pop("GIT_SSL_CAINFO", None)  # it would outweigh the http.sslCAInfo of a test
    done = subprocess.run(["git", "-C", str(directory), *arguments], env=environment,
                          capture_output=True, text=True, errors="replace", timeout=600)
    if check and done.returncode != 0:
        raise AssertionError(f"git {arguments}: {done.stderr}")
    return done


def repository(base, files, name="app"):
    """A git repository with one commit of these files (text by path)."""
    directory = pathlib.Path(base) / name
    directory.mkdir(parents=True)
    git(directory, "init", "-q", "-b", "main")
    commit(directory, files)
    return directory


def commit(directory, files, message="change"):
    for path, content in files.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
    git(directory, "add", "-A")
    git(directory, "commit", "-q", "--allow-empty", "-m", message)
    return git(directory, "rev-parse", "HEAD").stdout.strip()


def web_files(text="one", procfile="web: python3 web.py\n"):
    return {"web.py": WEB, "Procfile": procfile, "text": text + "\n"}


class StoryTest(unittest.TestCase):
    """A test with a server of its own."""

    options = ()
    environment = {}
    server_class = Server
    dyno_sizes = None  # the text of a file for --dyno-sizes

    def setUp(self):
        options = self.options
        if self.dyno_sizes is not None:
            file = tempfile.NamedTemporaryFile("w", suffix=".sizes")
            self.addCleanup(file.close)
            file.write(self.dyno_sizes)
            file.flush()
            options = (*options, "--dyno-sizes", file.name)
        self.server = self.server_class(*options, environment=self.environment)
        self.addCleanup(self.server.close)

    def repository(self, files, name="app"):
        return repository(self.server.base / "repositories", files, name)

    def create(self, name):
        return self.server.api("POST", "/apps", {"name": name})


def main():
    unittest.main(verbosity=2)
