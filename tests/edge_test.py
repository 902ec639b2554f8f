"""https at the edge: certificates by both CLIs, redirects, and what a client sees of it all."""

import os
import pathlib
import pty
import select
import shutil
import subprocess
import tempfile

from harness import PATIENCE, RENGA, StoryTest, exits, main, needs_network, needs_root, wait_until, web_files


def openssl(directory, *arguments):
    subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True, timeout=PATIENCE)


class Authority:
    """A certificate authority of the test's own, as a customer's would be."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="renga-authority-"))
        self.ca = self.directory / "ca.pem"
        openssl(self.directory, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=A customer's authority", "-days", "2")

    def issue(self, name, *hosts, days=2):
        names = ",".join(f"DNS:{host}" for host in hosts)
        openssl(self.directory, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}",
                "-addext", f"subjectAltName={names}")
        openssl(self.directory, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-copy_extensions", "copyall", "-out", f"{name}.crt", "-days", str(days))
        return str(self.directory / f"{name}.crt"), str(self.directory / f"{name}.key")


@needs_root
class Edge(StoryTest):
    options = ("--https", "127.0.0.1:0")

    def setUp(self):
        super().setUp()
        self.authority = Authority()
        self.addCleanup(shutil.rmtree, self.authority.directory)
        self.create("shop")
        self.server.push(self.repository(web_files()), "shop")
        self.server.wait_for_page("shop", "one")
        self.https = self.server.words["https"].removeprefix("https://")

    def curl(self, host, *options, ca=None, path="/"):
        port = self.https.rsplit(":", 1)[1]
        done = subprocess.run(["curl", "-sS", "--max-time", "30", "--cacert", str(ca or self.server.data / "ca.pem"),
                               "--resolve", f"{host}:{port}:127.0.0.1", "-D", "-", *options,
                               f"https://{host}:{port}{path}"], capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else f"curl ended with {done.returncode}: {done.stderr}"

    def renga(self, *words, status=0, **options):
        environment = dict(os.environ, RENGA_URL=f"http://{self.server.listen}", RENGA_TOKEN=self.server.token)
        done = subprocess.run([RENGA, *words], env=environment, capture_output=True, text=True, timeout=PATIENCE,
                              cwd=self.authority.directory, **options)
        self.assertIn(done.returncode, exits(status), f"{words}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def served(self, host, ca, text="one"):
        return wait_until(lambda: text in self.curl(host, ca=ca), pause=0.05, what=f"https://{host}/")

    def test_https(self):
        self.own_certificates()
        self.an_app_may_insist_on_https()
        self.a_generated_certificate_can_be_added()

    def own_certificates(self):
        # The default domain is served with the private CA's, over HTTP/2 to who speaks it.
        answer = self.curl("shop.localhost", "--http2")
        self.assertIn("HTTP/2 200", answer)
        self.assertIn("one", answer)
        self.assertIn("HTTP/1.1 200", self.curl("shop.localhost", "--http1.1"))
        wait_until(lambda: "protocol=http2.0 tls=true" in self.server.logs("shop"))
        self.assertIn("tls=true tls_version=tls1.3", wait_until(
            lambda: "tls=true" in self.server.logs("shop") and self.server.logs("shop"), 10))

        self.assertIn("has no certificates", self.renga("certs", "-a", "shop"))
        self.renga("domains:add", "www.example.com", "-a", "shop")
        self.assertIn("curl ended with 60", self.curl("www.example.com", ca=self.authority.ca))
        chain, key = self.authority.issue("first", "www.example.com", "*.shop.example")
        _, other_key = self.authority.issue("other", "www.example.com")
        self.assertIn("does not belong to the certificate", self.renga("certs:add", chain, other_key, "-a", "shop", status=1))
        added = self.renga("certs:add", chain, key, "-a", "shop")
        self.assertIn("Serving www.example.com with", added)
        self.assertIn("SSL certificate is not trusted.", added)
        self.served("www.example.com", self.authority.ca)
        name = self.server.api("GET", "/apps/shop/sni-endpoints")[0]["name"]
        self.assertIn(name, self.renga("certs", "-a", "shop"))
        self.assertIn("www.example.com", self.renga("certs:info", "-a", "shop", "--show-domains"))

        # A wildcard, in a domain that is added afterwards.
        self.renga("domains:add", "*.shop.example", "--cert", name, "-a", "shop")
        self.served("eu.shop.example", self.authority.ca)

        # One that expires later takes its place; one that covers less is refused.
        narrow = self.authority.issue("narrow", "elsewhere.example")
        self.assertIn("does not cover *.shop.example, www.example.com",
                      self.renga("certs:update", *narrow, "-a", "shop", "--confirm", "shop", status=1))
        second = self.authority.issue("second", "www.example.com", "*.shop.example")
        self.renga("certs:update", *second, "-a", "shop", "--confirm", "shop")
        wait_until(lambda: "CN=second" in self.curl("www.example.com", "-v", "--stderr", "-", ca=self.authority.ca)
                   or "CN = second" in self.curl("www.example.com", "-v", "--stderr", "-", ca=self.authority.ca), 20)

        # It is there after control and router are gone and back, and its key is nowhere to be read.
        self.server.stop()
        self.server.start()
        self.https = self.server.words["https"].removeprefix("https://")
        self.served("www.example.com", self.authority.ca)
        self.assertEqual(subprocess.run(["grep", "-rl", "PRIVATE KEY", str(self.server.data), "--include=*.db*",
                                         "--include=certificates", "--include=*.json", "--include=*.log"],
                                        capture_output=True, text=True).stdout, "")

        self.renga("certs:remove", "-a", "shop", "--confirm", "shop")
        wait_until(lambda: "curl ended with 60" in self.curl("www.example.com", ca=self.authority.ca))

    def an_app_may_insist_on_https(self):
        self.server.api("PATCH", "/apps/shop/features/redirect-to-https", {"enabled": True})
        wait_until(lambda: self.server.get("shop")[0] == 301)
        status, _, headers = self.server.get("shop", "/a?b=1")
        self.assertEqual(headers["Location"], f"https://shop.localhost:{self.https.rsplit(':', 1)[1]}/a?b=1")
        self.assertEqual(self.server.get("shop", method="POST")[0], 308)
        self.assertIn("one", self.curl("shop.localhost"))
        self.server.api("PATCH", "/apps/shop/features/redirect-to-https", {"enabled": False})
        wait_until(lambda: self.server.get("shop")[0] == 200)

    def a_generated_certificate_can_be_added(self):
        said = self.renga("certs:generate", "www.example.com", "--selfsigned", "--owner", "A/B", "-a", "shop")
        self.assertIn("$ renga certs:add www.example.com.crt www.example.com.key", said)
        self.assertIn("self signed", self.renga("certs:add", "www.example.com.crt", "www.example.com.key", "-a", "shop"))
        self.served("www.example.com", self.authority.directory / "www.example.com.crt")
        self.assertIn("CERTFILE", self.renga("certs:generate", "other.example.com", "-a", "shop"))


@needs_network
class OfficialCli(Edge):
    """certs:* of the official CLI, unmodified."""

    test_https = None

    def setUp(self):
        from heroku_cli_test import VERSION, installed, node
        super().setUp()
        program = installed(f"heroku-{VERSION}", f"heroku@{VERSION}") / "node_modules/heroku/bin/run.js"
        self.home = self.server.base / "home"
        self.home.mkdir()
        clean = {name: value for name, value in os.environ.items()
                 if not name.startswith(("HEROKU_", "RENGA_", "XDG_", "GIT_"))}
        clean.update(HOME=str(self.home), HEROKU_DISABLE_AUTOUPDATE="1")  # its updater would outlive the test
        shown = subprocess.run(["bash", "-c", 'eval "$("$1" env --data "$2")" && env -0', "-", RENGA,
                                str(self.server.data)], env=clean, capture_output=True, text=True, check=True).stdout
        self.environment = dict(entry.split("=", 1) for entry in shown.split("\0") if entry)
        self.program = [node(), str(program)]

    def heroku(self, *words):
        done = subprocess.run([*self.program, *words], env=self.environment, capture_output=True, text=True,
                              timeout=PATIENCE, stdin=subprocess.DEVNULL, cwd=self.authority.directory)
        self.assertEqual(done.returncode, 0, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def heroku_asked(self, *words, answer):
        """On a terminal, where it asks which domains to serve with the certificate."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.authority.directory)
            os.execve(self.program[0], [*self.program, *words], self.environment)
        shown = b""
        answered = False
        try:
            while select.select([terminal], [], [], 120)[0]:
                try:
                    piece = os.read(terminal, 65_536)
                except OSError:
                    break
                shown += piece
                if not answered and b"Select domains" in shown:
                    answered = True
                    os.write(terminal, answer)
        finally:
            os.close(terminal)
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        self.assertEqual(status, 0, shown.decode(errors="replace"))
        return shown.decode(errors="replace")

    def test_certificates_by_the_official_cli(self):
        chain, key = self.authority.issue("first", "www.example.com")
        self.heroku("domains:add", "www.example.com", "--app", "shop")
        shown = self.heroku_asked("certs:add", chain, key, "--app", "shop", answer=b" \r")
        self.assertIn("Almost done!", shown)
        self.served("www.example.com", self.authority.ca)
        name = self.server.api("GET", "/apps/shop/sni-endpoints")[0]["name"]
        self.assertRegex(self.heroku("certs", "--app", "shop"), rf"{name}\s+www\.example\.com")
        self.assertIn("www.example.com", self.heroku("certs:info", "--show-domains", "--app", "shop"))
        second = self.authority.issue("second", "www.example.com", "api.example.com")
        self.assertIn("api.example.com", self.heroku("certs:update", *second, "--app", "shop", "--confirm", "shop"))
        self.heroku("domains:add", "api.example.com", "--cert", name, "--app", "shop")
        self.served("api.example.com", self.authority.ca)
        self.assertIn("certs:update", self.heroku("certs:generate", "www.example.com", "--now", "--selfsigned", "--app", "shop"))
        self.heroku("certs:remove", "--app", "shop", "--confirm", "shop")
        self.assertEqual(self.server.api("GET", "/apps/shop/sni-endpoints"), [])


if __name__ == "__main__":
    main()
