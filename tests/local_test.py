"""`renga local`: a Procfile on a developer's machine, without a server and without root."""

import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

import harness
from person import Person


class Local(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="renga-local-")
        self.addCleanup(self.directory.cleanup)
        self.app = pathlib.Path(self.directory.name).resolve()
        (self.app / "run").mkdir(mode=0o700)
        self.environment = dict(os.environ, XDG_RUNTIME_DIR=str(self.app / "run"))
        self.environment.pop("PORT", None)

    def write(self, name, text):
        (self.app / name).write_text(text)

    def renga(self, *words):
        return subprocess.run([harness.RENGA, *words], cwd=self.app, env=self.environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=harness.PATIENCE)

    def start(self, *words):
        self.log = open(self.app / "run/out", "wb")
        self.addCleanup(self.log.close)
        process = subprocess.Popen([harness.RENGA, "local", *words], cwd=self.app,
                                   env=self.environment, stdout=self.log, stderr=self.log)
        def end():
            if process.poll() is None:
                process.terminate()
                process.wait(30)
        self.addCleanup(end)
        return process

    def said(self, text):
        harness.wait_until(lambda: text in (self.app / "run/out").read_text(), what=text)

    def test_the_first_that_ends_ends_all(self):
        self.write("Procfile", "web: echo $PORT $GREETING; exit 3\nworker: sleep 100\nrelease: echo no\n")
        self.write(".env", "GREETING='hello # there' # said\nPORT=7000\n")
        ended = self.renga("local")
        self.assertEqual(ended.returncode, 3, ended.stdout)
        self.assertRegex(ended.stdout, r"(?m)^\d\d:\d\d:\d\d web\.1    \| 7000 hello # there$")
        self.assertIn("worker.1 | terminated by SIGTERM", ended.stdout)
        self.assertNotIn("release.1", ended.stdout)
        self.assertNotIn("\x1b", ended.stdout)

    def test_ctrl_c_ends_what_forked_away(self):
        self.write("Procfile", "web: setsid sh -c 'echo $$ > run/away; sleep 1000' & echo up; sleep 1000\n")
        local = self.start("-t", "2")
        self.said("| up")
        away = harness.wait_until(lambda: (self.app / "run/away").exists()
                                  and (self.app / "run/away").read_text().strip(), what="its pid")
        local.send_signal(signal.SIGINT)
        self.assertEqual(local.wait(30), 130)
        self.assertFalse(pathlib.Path("/proc", away).exists())

    def test_one_process_is_restarted_and_the_others_stay(self):
        self.write("Procfile", "web: echo web up; sleep 1000\nworker: echo worker up; sleep 1000\n")
        self.start()
        self.said("worker up")
        self.said("web up")
        before = self.renga("local:ps").stdout.splitlines()
        restarted = self.renga("local:restart", "web.1")
        self.assertEqual((restarted.returncode, restarted.stdout), (0, "Restarting web.1\n"))
        harness.wait_until(lambda: (self.app / "run/out").read_text().count("| web up") == 2)
        after = self.renga("local:ps").stdout.splitlines()
        self.assertNotEqual(before[1].split()[2], after[1].split()[2])
        self.assertEqual(before[2].split()[:3], after[2].split()[:3])
        self.assertEqual(self.renga("local:restart", "clock.1").returncode, 1)

    def test_a_reader_that_leaves_ends_all(self):
        self.write("Procfile", "web: yes\nworker: sleep 1000\n")
        done = subprocess.run(f"'{harness.RENGA}' local | head -n 5 | wc -l", shell=True, cwd=self.app,
                              env=self.environment, stdout=subprocess.PIPE, text=True, timeout=harness.PATIENCE)
        self.assertEqual(done.stdout.strip(), "5")

    def test_a_person_at_one_process(self):
        """A debugger's prompt in one process of many: joined with keys, echo and window, left, and joined again."""
        self.write("ask.py", "import os, signal\n"
                   "print('\x1b[31mred\x1b[0m', os.get_terminal_size().columns, flush=True)\n"
                   "while True:\n    said = input('what? ')\n    print('heard', said, flush=True)\n"
                   "    if said == 'size': print('width', os.get_terminal_size(0).columns, flush=True)\n"
                   "    if said == 'bye': raise SystemExit(6)\n")
        self.write("Procfile", "web: TERM=dumb python3 ask.py\nother: while echo tick; do sleep 0.1; done\n")
        local = self.start("--tty", "--color")
        self.said("red")
        self.assertIn("\x1b[31mred\x1b[0m", (self.app / "run/out").read_text())
        os.chdir(self.app)
        attach = [harness.RENGA, "local:attach", "web.1"]
        person = Person(self, attach, self.environment, columns=101)
        person.sees(r"what\? ")
        person.type("hello\r")
        person.sees(r"hello\r\n.*heard hello\r\n")
        person.resize(123, 40)
        person.type("size\r")
        person.sees(r"width 123")
        refused = self.renga("local:attach", "web.1")
        self.assertIn("Somebody is attached to web.1 already.", refused.stdout)
        self.assertIn("No such process runs here", self.renga("local:attach", "web.7").stdout)
        self.assertRegex(self.renga("local:ps").stdout, r"web\.1 +attached")
        person.type("\x1d")
        person.sees("Left web.1, which runs on")
        self.assertEqual(person.ends(), 0)
        self.said("is no longer attached to")
        # Killed rather than left: the same.
        person = Person(self, attach, self.environment)
        person.sees("Ctrl-]")
        harness.wait_until(lambda: "attached" in self.renga("local:ps").stdout)
        person.leave()
        harness.wait_until(lambda: "attached" not in self.renga("local:ps").stdout)
        person = Person(self, attach, self.environment)
        person.sees("Ctrl-]")
        person.type("bye\r")
        person.sees("web.1 has ended")
        self.assertEqual(person.ends(), 0)
        self.assertEqual(local.wait(30), 6)
        self.assertNotIn("heard hello", (self.app / "run/out").read_text())

    def test_no_terminal_to_attach_to(self):
        self.write("Procfile", "web: echo up; sleep 1000\n")
        self.start()
        self.said("| up")
        self.assertIn("Start it with --tty", self.renga("local:attach", "web.1").stdout)

    def test_health_before_dependants_by_the_foreman_file(self):
        self.write("Procfile", "worker: echo working; exit 5\nweb: sleep 0.3; exec python3 -m http.server $PORT\n")
        self.write(".foreman", "port: 7310\nafter: worker=web\nhealth: web=/Procfile\n# more\ntimestamp: false\n")
        ended = self.renga("local")
        self.assertEqual(ended.returncode, 5, ended.stdout)
        self.assertRegex(ended.stdout, r"(?s)^worker\.1 \| waits for web\n.*web\.1    \| is healthy\nworker\.1 \| started")
        self.assertIn("in a circle", self.renga("local", "--after", "web=worker,worker=web").stdout)

    def test_scheduled_jobs_of_app_json(self):
        self.write("Procfile", "web: sleep 0.1\n")
        self.write("app.json", '{"cron": [{"command": "echo x", "schedule": "@daily"}]}')
        self.assertRegex(self.renga("local").stdout, r"system \| cron\.1 \(@daily\) runs `echo x`, next at \S+T00:00:00Z")
        self.assertNotIn("cron.1", self.renga("local", "--no-cron").stdout)
        self.assertNotIn("cron.1", self.renga("local", "web").stdout)
        self.write("app.json", '{"cron": [{"command": "echo x", "schedule": "61 * * * *"}]}')
        self.assertIn("--no-cron", self.renga("local").stdout)

    def test_run_passes_words_on_and_gives_the_env(self):
        self.write("Procfile", "hello: echo from the Procfile\n")
        self.write(".env", "A=1\n")
        self.assertEqual(self.renga("local:run", "sh", "-c", 'echo "$A $0"', "-x").stdout, "1 -x\n")
        self.assertEqual(self.renga("local:run", "hello").stdout, "from the Procfile\n")
        self.assertEqual(self.renga("local:run", "exit 7").returncode, 7)
        self.assertIn("Cannot run no-such-program-here",
                      self.renga("local:run", "no-such-program-here", "x").stdout)

    def test_what_makes_no_sense_is_refused(self):
        self.assertIn("There is no", self.renga("local").stdout)
        self.assertIn("--start-cmd", self.renga("local").stdout)
        self.write("Procfile", "# nothing\n")
        self.assertIn("no process type", self.renga("local:check").stdout)
        self.write("Procfile", "web: true\n")
        self.assertIn("valid procfile detected (web)", self.renga("local:check").stdout)
        for words in (["clock"], ["-p", "80"], ["-e", "gone.env"], ["web=x"], ["-t", "soon"]):
            self.assertEqual(self.renga("local", *words).returncode, 1, words)

    def test_units_for_systemd(self):
        self.write("Procfile", "web: serve $PORT\n")
        self.assertEqual(self.renga("local:export", "systemd", "units", "-a", "hello").returncode, 0)
        unit = self.app / "units/hello-web.1.service"
        self.assertIn('ExecStart=/bin/sh -c "serve $$PORT"', unit.read_text())
        self.assertEqual(unit.stat().st_mode & 0o777, 0o600)


if __name__ == "__main__":
    unittest.main()
