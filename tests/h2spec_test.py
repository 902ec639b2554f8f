"""h2spec, whole and strict, against the https entry with an app behind it."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from harness import ROOT, StoryTest, main, needs_network, needs_root

# Reads all of a request before it answers, so that what h2spec sends is there for the router to judge.
WEB = '''\
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        while "Transfer-Encoding" in self.headers:
            size = int(self.rfile.readline() or "0", 16)
            self.rfile.read(size + 2)
            if size == 0:
                break
        body = b"This is the page of an app that reads what it is sent.\\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
    do_GET = do_HEAD = do_POST = answer
    def log_message(self, *arguments):
        pass

ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
'''
# h2spec names the host that it connects to, and the resolver may not know names under localhost.
RUN = 'mount --bind "$1" /etc/hosts && shift && exec "$@"'


@needs_root
@needs_network
@unittest.skipUnless(shutil.which("go"), "needs Go")
class H2spec(StoryTest):
    options = ("--https", "127.0.0.1:0")

    def test_every_case_passes(self):
        directory = pathlib.Path(tempfile.mkdtemp(prefix="renga-h2spec-"))
        self.addCleanup(shutil.rmtree, directory)
        environment = dict(os.environ, GOCACHE=str(directory / "cache"), GOFLAGS="-mod=readonly", GOTOOLCHAIN="local")
        done = subprocess.run(["go", "build", "-o", directory / "h2spec", "github.com/summerwind/h2spec/cmd/h2spec"],
                              cwd=ROOT / "tests/h2spec", env=environment, capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)

        self.create("shop")
        self.server.push(self.repository({"web.py": WEB, "Procfile": "web: python3 web.py\n"}), "shop")
        self.server.wait_for_page("shop", "reads what it is sent")
        hosts = directory / "hosts"
        hosts.write_text("127.0.0.1 localhost shop.localhost\n")
        port = self.server.words["https"].rsplit(":", 1)[1]
        done = subprocess.run(["unshare", "--mount", "sh", "-c", RUN, "sh", hosts, directory / "h2spec", "--strict", "--tls",
                               "--insecure", "--host", "shop.localhost", "--port", port, "--timeout", "5"],
                              capture_output=True, text=True, timeout=300)
        self.assertIn("146 tests, 146 passed, 0 skipped, 0 failed", done.stdout, done.stdout[-6000:] + done.stderr)


main()
