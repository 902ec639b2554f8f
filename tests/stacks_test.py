"""A stack is installed, killed half way and gone on with; apps are built and run on it, and say so when it is gone."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

from harness import RENGA, ROOT, Server, commit, needs_network, needs_root, repository, wait_until

WEB = """\
import http.server, os, pathlib, platform
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        release = platform.freedesktop_os_release()["VERSION_CODENAME"]
        compilers = pathlib.Path("/usr/bin/make").exists()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{release} {platform.python_version()} {compilers}\\n".encode())
http.server.HTTPServer(("0.0.0.0", int(os.environ["PORT"])), Page).serve_forever()
"""


@needs_root
@needs_network
@unittest.skipUnless(shutil.which("mmdebstrap"), "needs mmdebstrap")
class Stacks(unittest.TestCase):
    def setUp(self):
        # The very script, with a recipe of few packages.
        self.recipes = pathlib.Path(tempfile.mkdtemp(prefix="renga-recipes-"))
        self.addCleanup(shutil.rmtree, self.recipes)
        shutil.copy(ROOT / "stacks/install", self.recipes / "install")
        tiny = self.recipes / "tiny"
        tiny.mkdir()
        shutil.copy(ROOT / "stacks/debian-13/suite", tiny / "suite")
        (tiny / "run.txt").write_text("# for the test\npython3-minimal libpython3-stdlib\n")
        (tiny / "build.txt").write_text("make\n")
        self.server = Server()
        self.addCleanup(self.server.close)

    def install(self):
        return subprocess.Popen(["bash", self.recipes / "install", "tiny", self.server.data / "stacks"], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)

    def test_is_installed_and_apps_run_on_it(self):
        server = self.server
        (server.data / "stacks").mkdir()
        killed = self.install()
        for line in killed.stdout:
            if "for builds" in line:
                break
        os.killpg(killed.pid, signal.SIGKILL)
        killed.stdout.close()
        killed.wait()
        self.assertFalse((server.data / "stacks/tiny").exists())

        again = self.install()
        output, _ = again.communicate(timeout=300)
        self.assertEqual(again.returncode, 0, output)
        self.assertNotIn("Making the base system", output)
        self.assertNotIn("for dynos", output)
        self.assertIn("-----> Done", output)
        # What both have is on the disk once; nothing of the machine is in it.
        run, build = (server.data / f"stacks/tiny/{variant}" for variant in ("run", "build"))
        self.assertTrue((run / "usr/bin/bash").samefile(build / "usr/bin/bash"))
        self.assertFalse((run / "etc/apt/apt.conf.d/99mmdebstrap").exists())

        server.stop()
        server.start()
        self.assertEqual([stack["name"] for stack in server.api("GET", "/stacks")], ["tiny", "host"])
        server.api("POST", "/apps", {"name": "old", "stack": "host"})
        server.api("POST", "/apps", {"name": "new"})
        app = repository(server.base / "repositories", {"Procfile": "web: python3 web.py\n", "web.py": WEB}, "new")
        pushed = server.push(app, "new").stderr
        self.assertIn("Building on the tiny stack", pushed)
        page = wait_until(lambda: server.page("new"))
        self.assertRegex(page, r"^trixie 3\.13\.\d+ False$")

        changed = subprocess.run([RENGA, "stack:set", "tiny", "-a", "old"], text=True, capture_output=True,
                                 env=dict(os.environ, RENGA_URL=f"http://{server.listen}", RENGA_TOKEN=server.token))
        self.assertEqual(changed.returncode, 0, changed.stderr)
        self.assertEqual(server.api("GET", "/apps/old")["build_stack"]["name"], "tiny")

        shutil.move(server.data / "stacks/tiny", server.data / "stacks/.gone")
        commit(app, {"other": "x"})
        refused = server.push(app, "new", check=False).stderr
        self.assertIn("The stack tiny is not installed on this server", refused)
        self.assertIn("renga stacks:install tiny", refused)


if __name__ == "__main__":
    unittest.main()
