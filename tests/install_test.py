"""script/install: what a machine has afterwards, an update under a server that runs, and all of it taken away again."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from harness import ROOT, Server, main, needs_root, repository, web_files


def install(place, *arguments):
    done = subprocess.run([ROOT / "script/install", *arguments], capture_output=True, text=True, timeout=1_200,
                          env=dict(os.environ, DESTDIR=str(place), PREFIX="/usr"))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files_in(place):
    return sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file())


@needs_root
class Install(unittest.TestCase):
    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="renga-install-"))
        self.addCleanup(shutil.rmtree, self.place)

    def test_an_update_takes_the_running_servers_place_and_a_removal_leaves_the_settings(self):
        install(self.place)
        program = self.place / "usr/bin/renga"
        self.assertIn("usr/share/man/man1/renga-ps-scale.1", files_in(self.place))
        self.assertEqual((self.place / "etc/renga/server.env").stat().st_mode & 0o777, 0o600)
        self.check_unit()

        server = Server(program=program)
        self.addCleanup(server.close)
        server.api("POST", "/apps", {"name": "stays"})
        server.push(repository(server.base, web_files()), "stays")
        server.wait_for_page("stays", "v3 one")
        [before] = server.dynos("stays")
        runs = os.stat(f"/proc/{server.process.pid}/exe").st_ino

        (self.place / "etc/renga/server.env").write_text("RENGA_OPTIONS=--domain example.com\n")
        install(self.place)
        self.assertNotEqual(program.stat().st_ino, runs)
        subprocess.run([program, "server:restart", "--data", server.data], check=True, timeout=120)
        self.assertEqual(os.stat(f"/proc/{server.process.pid}/exe").st_ino, program.stat().st_ino)
        server.wait_for_page("stays", "v3 one")
        [after] = server.dynos("stays")
        self.assertEqual(before["id"], after["id"])

        self.assertIn("stay", install(self.place, "--remove"))
        self.assertEqual(files_in(self.place), ["etc/renga/server.env"])
        self.assertEqual((self.place / "etc/renga/server.env").read_text(), "RENGA_OPTIONS=--domain example.com\n")

    def check_unit(self):
        unit = self.place / "etc/systemd/system/renga.service"
        # Its dynos and databases live on when the service ends.
        self.assertIn("\nKillMode=process\n", unit.read_text())
        program = re.search(r"^ExecStart=(\S+) server \$RENGA_OPTIONS$", unit.read_text(), re.MULTILINE)[1]
        self.assertEqual(program, "/usr/bin/renga")
        if shutil.which("systemd-analyze"):
            checked = unit.with_name("checked.service")
            checked.write_text(unit.read_text().replace(program, str(self.place / "usr/bin/renga")))
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", checked], capture_output=True, text=True, timeout=60)
            checked.unlink()
            complaints = [line for line in done.stderr.splitlines() if "checked.service" in line or "renga" in line]
            self.assertEqual(complaints, [])

    def test_a_word_it_does_not_know_is_refused(self):
        done = subprocess.run([ROOT / "script/install", "everything"], capture_output=True, text=True, timeout=60,
                              env=dict(os.environ, DESTDIR=str(self.place)))
        self.assertEqual((done.returncode, files_in(self.place)), (2, []))


main()
