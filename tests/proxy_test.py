"""A server elsewhere, reached by `renga proxy` through a port of this machine: the API in the clear, git and
attached dynos over the server's own TLS. And people, who get accounts, passwords and second factors there."""

import base64
import hashlib
import hmac
import http.client
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import time
import unittest

from harness import PATIENCE, RENGA, Server, git, main, needs_root, repository, wait_until, web_files


def totp(secret, steps=0):
    """What an authenticator app shows (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30 + steps), hashlib.sha1).digest()
    at = digest[19] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7fffffff) % 1_000_000:06}"


@needs_root
class Elsewhere(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.home = self.server.base / "home"
        self.home.mkdir()
        self.url = "https://localhost:" + self.server.listen.rsplit(":", 1)[1]
        self.clean = {name: value for name, value in os.environ.items() if not name.startswith(("RENGA_", "HEROKU_", "XDG_", "GIT_"))}
        self.clean.update(HOME=str(self.home), GIT_TERMINAL_PROMPT="0")
        self.environment = dict(self.clean, RENGA_URL=self.url, RENGA_TOKEN=self.server.token, RENGA_CA=str(self.server.data / "ca.pem"))

    def renga(self, *words, status=0, environment=None, given=""):
        done = subprocess.run([RENGA, *words], env=environment or self.environment, capture_output=True, text=True,
                              timeout=PATIENCE, input=given, cwd=self.home)
        self.assertEqual(done.returncode, status, f"{words}:\n{done.stdout}{done.stderr}\n{self.server.log()[-2000:]}")
        return done.stdout + done.stderr

    def proxied(self, environment=None):
        process = subprocess.Popen([RENGA, "proxy", "--port", "0"], env=environment or self.environment, cwd=self.home,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait, 30)
        self.addCleanup(process.send_signal, signal.SIGTERM)
        line = process.stdout.readline()
        self.assertRegex(line, r"^renga: proxy listen=http://localhost:\d+ server=" + re.escape(self.url))
        return int(re.search(r"localhost:(\d+)", line)[1])

    def ask(self, port, path, method="GET", body=None):
        connection = http.client.HTTPConnection("localhost", port, timeout=PATIENCE)
        connection.request(method, path, body, {"Authorization": f"Bearer {self.server.token}"})
        answer = connection.getresponse()
        content = json.loads(answer.read())
        connection.close()
        return answer.status, content

    def test_the_api_git_and_dynos_through_one_port(self):
        port = self.proxied()
        self.assertEqual(self.ask(port, "/account")[1]["email"], "admin@localhost")
        status, app = self.ask(port, "/apps", "POST", '{"name": "far"}')
        self.assertEqual(status, 201)
        # Addresses in answers are on the port that was asked, over TLS, which the server itself ends.
        self.assertEqual(app["git_url"], f"https://localhost:{port}/far.git")

        app = repository(self.server.base, web_files())
        secure = ["-c", f"http.sslCAInfo={self.server.data}/ca.pem"]
        remote = f"https://renga:{self.server.token}@localhost:{port}/far.git"
        pushed = git(app, *secure, "push", remote, "main")
        self.assertIn("Released v", pushed.stderr)
        self.server.wait_for_page("far", "one")
        self.assertNotEqual(git(app, "-c", "http.sslCAInfo=/dev/null", "ls-remote", remote, check=False).returncode, 0)

        through = dict(self.environment, RENGA_URL=f"https://localhost:{port}")
        self.assertIn("from far away", self.renga("run", "-a", "far", "--", "echo", "from", "far", "away", environment=through))
        clone = self.server.base / "clone"
        self.renga("git:clone", str(clone), "-a", "far", environment=through)
        self.assertTrue((clone / "Procfile").exists())

        shown = self.renga("env", "--proxy", str(port))
        self.assertIn(f"export HEROKU_HOST=http://localhost:{port}", shown)
        self.assertIn(f"export RENGA_URL={self.url}", shown)

    def test_a_server_that_is_not_trusted_is_not_served(self):
        other = Server()
        self.addCleanup(other.close)
        wrong = dict(self.environment, RENGA_CA=str(other.data / "ca.pem"))
        self.assertIn("is not trusted", self.renga("proxy", "--port", "0", environment=wrong, status=8))
        plain = dict(self.environment, RENGA_URL="http://" + self.server.listen)
        self.assertIn("not reached over TLS", self.renga("proxy", environment=plain, status=1))

        # One that goes away while the proxy is there is told of in the API's own form.
        port = self.proxied()
        self.assertEqual(self.ask(port, "/account")[0], 200)
        self.server.stop()
        status, refusal = self.ask(port, "/account")
        self.assertEqual((status, refusal["id"]), (502, "bad_gateway"))
        self.server.start()

    def test_people_get_accounts(self):
        made = self.renga("accounts:add", "bob@example.com", "--name", "Bob")
        token = re.search(r"accounts:activate (\S+)", made)[1]
        bob = dict(self.clean, HOME=str(self.server.base / "bob"))
        os.mkdir(bob["HOME"])
        trusted = ("--url", self.url, "--ca", str(self.server.data / "ca.pem"))
        self.assertIn("are not the same", self.renga("accounts:activate", token, *trusted, environment=bob,
                                                      given="correct horse\nwrong horse\n", status=1))
        said = self.renga("accounts:activate", token, *trusted, environment=bob, given="correct horse\ncorrect horse\n")
        self.assertIn("as bob@example.com", said)
        self.assertIn("bob@example.com", self.renga("auth:whoami", environment=bob))
        self.assertIn("was used", self.renga("accounts:activate", token, *trusted, environment=bob, given="x horse x\nx horse x\n", status=5))
        self.assertIn("Only an administrator", self.renga("accounts", environment=bob, status=4))
        self.assertRegex(self.renga("accounts"), r"bob@example\.com")

        # Shared with Bob, who may not do everything; then it is his.
        self.renga("apps:create", "gift")
        self.renga("access:add", "bob@example.com", "-a", "gift", "-p", "view")
        self.assertRegex(self.renga("access", "-a", "gift"), r"bob@example\.com\s+collaborator\s+view\n")
        self.assertIn("You may not deploy gift", self.renga("config:set", "A=b", "-a", "gift", environment=bob, status=4))
        self.renga("access:update", "bob@example.com", "-a", "gift", "-p", "view,deploy")
        self.renga("config:set", "A=b", "-a", "gift", environment=bob)
        self.renga("apps:transfer", "bob@example.com", "-a", "gift")
        self.assertRegex(self.renga("apps:transfers", environment=bob), r"gift\s+admin@localhost\s+to\s+bob@example\.com\s+pending")
        self.renga("apps:transfers:accept", "gift", environment=bob)
        self.assertIn("bob@example.com", self.renga("apps:info", "-a", "gift", environment=bob))
        self.assertIn("still owns", self.renga("accounts:remove", "bob@example.com", "-c", "bob@example.com", status=6))

        # A second factor, asked for at the next login.
        secret = self.at_terminal(["auth:2fa:enable"], bob)
        self.assertIn("is enabled", self.renga("auth:2fa", environment=bob))
        self.renga("logout", environment=bob)
        self.assertIn("No server runs on", self.renga("apps", environment=dict(bob, RENGA_DATA=str(self.home / "none")), status=3))
        code = wait_until(lambda: totp(secret, 1), what="a code that was not used")
        self.assertIn("Logged in", self.renga("login", "--email", "bob@example.com", *trusted, environment=bob,
                                              given=f"correct horse\n{code}\n"))
        self.renga("accounts:update", "bob@example.com", "--no-two-factor")
        self.renga("apps:destroy", "gift", "-c", "gift", environment=bob)
        self.renga("accounts:remove", "bob@example.com", "-c", "bob@example.com")
        self.assertIn("Invalid credentials", self.renga("apps", environment=bob, status=3))

    def at_terminal(self, words, environment):
        """auth:2fa:enable, with the code typed that its secret makes; the secret."""
        master, slave = pty.openpty()
        process = subprocess.Popen([RENGA, *words], env=environment, stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        shown, secret = "", None
        try:
            while select.select([master], [], [], 60)[0]:
                try:
                    piece = os.read(master, 4096).decode()
                except OSError:
                    break
                shown += piece
                if secret is None and "The code that it shows" in shown:
                    secret = re.search(r"secret: (\S+)", shown)[1]
                    os.write(master, (totp(secret) + "\n").encode())
            self.assertEqual(process.wait(30), 0, shown)
            self.assertEqual(len(re.findall(r"^  [0-9a-f]{16}\r?$", shown, re.M)), 10, shown)
        finally:
            process.kill()
            process.wait()
            os.close(master)
        return secret


if __name__ == "__main__":
    main()
