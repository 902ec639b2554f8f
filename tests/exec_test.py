#!/usr/bin/env python3
"""Inside a running dyno: ps:exec at a terminal and in pipes, ps:copy, ps:forward; a Django shell."""

import os
import re
import socket
import subprocess
import time
import unittest

import harness
from harness import RENGA, StoryTest, exits, needs_network, needs_root, wait_until, web_files
from person import Person


class Inside(StoryTest):
    def setUp(self):
        super().setUp()
        self.cli_environment = dict(os.environ, RENGA_DATA=str(self.server.data), RENGA_APP="inside", TERM="xterm",
                                    LANG="C.UTF-8")

    def renga(self, *words, given=b"", status=None):
        done = subprocess.run([RENGA, *words], input=given, capture_output=True, timeout=120, env=self.cli_environment)
        if status is not None:
            self.assertIn(done.returncode, exits(status), done.stdout + done.stderr)
        return done

    def person(self, *words):
        return Person(self, [RENGA, *words], self.cli_environment)


@needs_root
class Exec(Inside):
    def setUp(self):
        super().setUp()
        self.create("inside")
        files = dict(web_files("one"), **{".profile.d/x.sh": "export FROM_PROFILE=yes\n"})
        self.server.api("PATCH", "/apps/inside/config-vars", {"SECRET": "s3cret"})
        self.server.push(self.repository(files), "inside")
        self.server.wait_for_page("inside", "one")

    def test_commands(self):
        done = self.renga("ps:exec", "--", "sh", "-c", "echo $DYNO $SECRET $FROM_PROFILE $PORT; id -u; exit 43", status=43)
        self.assertRegex(done.stdout.decode(), r"^web\.1 s3cret yes \d+\n1000\n$")
        # It is the very dyno: its processes and its files.
        self.assertIn(b"web.py", self.renga("ps:exec", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '", status=0).stdout)
        self.renga("ps:exec", "--", "sh", "-c", "echo two > text", status=0)
        self.assertIn("two", self.server.page("inside"))
        given = os.urandom(2_000_000)
        self.assertEqual(self.renga("ps:exec", "--no-tty", "--", "cat", given=given, status=0).stdout, given)
        self.assertEqual(self.renga("ps:exec", "exec nothing-like-this").returncode, 127)
        self.assertEqual(self.renga("ps:exec", "kill -9 $$").returncode, 137)
        refused = self.renga("ps:exec", "--dyno", "web.9", "true", status=1)
        self.assertIn(b"Couldn't find the dyno web.9", refused.stderr)
        # Not its output, but that it ran, is in the log.
        log = self.server.logs("inside")
        self.assertIn("Run `cat` inside web.1", log)
        self.assertNotIn("s3cret", log)

    def test_no_power_upwards(self):
        script = ("kill -9 1 2>/dev/null; mount -t tmpfs x /mnt 2>/dev/null && echo mounted; "
                  "unshare -U true 2>/dev/null && echo unshared; grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status; "
                  "cat /proc/self/cgroup > /tmp/mine; cat /proc/$(pgrep -o python3)/cgroup | cmp - /tmp/mine && echo same")
        text = self.renga("ps:exec", script).stdout.decode()
        self.assertNotIn("mounted", text)
        self.assertNotIn("unshared", text)
        self.assertEqual(set(re.findall(r"Cap\w+:\s+(\w+)", text)), {"0000000000000000"})
        self.assertRegex(text, r"NoNewPrivs:\s+1")
        self.assertRegex(text, r"Seccomp:\s+2")
        self.assertIn("same", text)
        self.assertIn("one", self.server.page("inside"))

    def test_a_person(self):
        person = self.person("ps:exec")
        person.sees(r"\$ ")
        person.type("stty size; echo né | cat\r")
        person.sees(r"30 90\r\n")
        person.sees("né\r\n")
        person.resize(121, 41)
        person.type("sleep 0.2; stty size\r")
        person.sees(r"41 121\r\n")
        person.type("sleep 1000\r")
        person.sees(r"sleep 1000\r\n")
        time.sleep(0.3)
        person.type("\x03")
        person.type("echo $? done\r")
        person.sees(r"130 done")
        person.type("sleep 500 &\rjobs\r")
        person.sees(r"Running +sleep 500")
        person.type("kill %1; exit 5\r")
        self.assertEqual(person.ends(), 5)

    def test_a_person_who_leaves(self):
        person = self.person("ps:exec", "echo ready; exec sleep 4711")
        person.sees("ready")
        looks = lambda: self.renga("ps:exec", "pgrep -f 'sleep 471[1]' || echo none").stdout
        self.assertNotIn(b"none", looks())
        person.leave()
        wait_until(lambda: b"none" in looks(), 30, what="the hang-up")
        # And when control dies.
        person = self.person("ps:exec", "echo ready; exec sleep 4711")
        person.sees("ready")
        self.server.kill()
        self.server.start()
        wait_until(lambda: b"none" in looks(), 30, what="the hang-up")
        os.close(person.terminal)
        os.waitpid(person.pid, 0)
        self.assertIn("one", self.server.page("inside"))

    def test_copy(self):
        self.renga("ps:exec", "head -c 3000000 /dev/urandom > 'tmp file'; sha256sum < 'tmp file' > sum", status=0)
        target = self.server.base / "copy"
        self.renga("ps:copy", "tmp file", "--output", str(target), status=0)
        sum_file = self.server.base / "sum"
        self.renga("ps:copy", "/app/sum", "-o", str(sum_file), "-d", "web.1", status=0)
        self.assertEqual(subprocess.run(["sha256sum"], input=target.read_bytes(), capture_output=True).stdout, sum_file.read_bytes())
        self.assertIn(b"has no file", self.renga("ps:copy", "nothing", "-o", str(target) + "2", status=1).stderr)
        self.assertIn(b"not a regular file", self.renga("ps:copy", "/tmp", "-o", str(target) + "2", status=1).stderr)
        self.assertIn(b"is there already", self.renga("ps:copy", "sum", "-o", str(target), status=1).stderr)
        self.assertEqual(sorted(path.name for path in self.server.base.glob("copy*")), ["copy"])

    def test_forward(self):
        port = self.renga("ps:exec", "echo -n $PORT", status=0).stdout.decode()
        forwarder = subprocess.Popen([RENGA, "ps:forward", f"0:{port}"], stderr=subprocess.PIPE, text=True, env=self.cli_environment)
        self.addCleanup(forwarder.wait, 30)
        self.addCleanup(forwarder.terminate)
        local = int(re.search(r"127\.0\.0\.1:(\d+) to port", forwarder.stderr.readline()).group(1))
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", local), timeout=30) as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                answer = b""
                while piece := client.recv(65536):
                    answer += piece
            self.assertIn(b"200 OK", answer)
            self.assertIn(b"one", answer)
        self.addCleanup(forwarder.stderr.close)

    def test_secrets(self):
        inside = self.server.api("POST", "/apps/inside/dynos/web.1", {"command": "echo hello", "force_no_tty": True},
                                 headers={"Accept": "application/vnd.heroku+json; version=3.run-inside"})
        self.assertRegex(inside["attach_url"], "^rendezvous://127")
        status, _, _ = self.server.request("POST", "/apps/inside/dynos/web.1", {"command": ""})
        self.assertEqual(status, 422)
        for port in (0, -1, 70000, "x"):
            status, _, body = self.server.request("POST", "/apps/inside/dynos/web.1", {"forward_port": port})
            self.assertIn(status, (400, 422), body)


@needs_root
@needs_network
class Django(Inside):
    def test_a_person_in_the_shell_of_a_live_app(self):
        self.create("inside")
        example = harness.ROOT / "examples/django"
        files = {str(path.relative_to(example)): path.read_text() for path in example.rglob("*") if path.is_file()}
        files["Procfile"] = "web: gunicorn config.wsgi\nconsole: python manage.py shell\nrake: echo raking\n"
        self.server.push(self.repository(files), "inside")
        self.server.wait_for_page("inside", "Hello from renga")
        self.renga("ps:exec", "--", "python", "manage.py", "migrate", status=0)
        person = self.person("ps:exec", "--", "python", "manage.py", "shell")
        person.sees(r">>> ")
        person.type("from hello.models import Visit; print('visits:', Visit.objects.count())\r")
        person.sees(r"visits: 0\r\n")
        self.assertEqual(self.server.get("inside")[0], 200)
        person.type("print('visits:', Visit.objects.count(), 'grüße')\r")
        person.sees("visits: 1 grüße\r\n")
        person.type("import time; time.sleep(1000)\r")
        person.sees(r"1000\)\r\n")
        time.sleep(0.5)
        person.type("\x03")
        person.sees("KeyboardInterrupt")
        person.sees(r">>> ")
        person.type("\x04")
        self.assertEqual(person.ends(), 0)

        # A one-off has files of its own, and process types for commands.
        person = self.person("run", "console")
        person.sees(r">>> ")
        person.type("import os; print(os.environ['DYNO'], 6 * 7)\r")
        person.sees(r"run\.\d+ 42\r\n")
        person.resize(77, 22)
        person.type("print(os.get_terminal_size())\r")
        person.sees(r"columns=77, lines=22")
        person.type("raise SystemExit(9)\r")
        self.assertEqual(person.ends(), 9)
        self.assertEqual(self.renga("run", "rake db:migrate", status=0).stdout, b"raking db:migrate\n")


if __name__ == "__main__":
    harness.main()
