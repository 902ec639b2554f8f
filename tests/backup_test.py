"""The whole server in one file, taken while it serves, and back on a clean data directory."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import threading

from harness import RENGA, StoryTest, Server, main, needs_root, repository, web_files


def run(*words, status=0):
    done = subprocess.run([RENGA, *map(str, words)], capture_output=True, text=True, timeout=120)
    assert done.returncode == status, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


class Restored(Server):
    """A server on a data directory that a restore made."""

    def __init__(self, archive, base):
        self.base = base
        self.data = base / "restored"
        self.options = []
        self.environment = dict(os.environ)
        self.http = None
        run("restore", archive, "--data", self.data)
        self.start()
        self.token = (self.data / "admin.token").read_text().strip()


@needs_root
class Backup(StoryTest):
    def books(self, server):
        """What there is of every app, as its users see it."""
        found = {}
        for app in server.api("GET", "/apps"):
            name = app["name"]
            releases = [{key: one[key] for key in ("id", "version", "description", "status", "slug", "current")}
                        for one in server.releases(name)]
            configs = {one["version"]: server.api("GET", f"/apps/{name}/releases/{one['version']}/config-vars")
                       for one in releases}
            formation = [(one["type"], one["quantity"], one["size"]) for one in server.api("GET", f"/apps/{name}/formation")]
            slugs = {one["slug"]["id"]: server.api("GET", f"/apps/{name}/slugs/{one['slug']['id']}")["checksum"]
                     for one in releases if one["slug"]}
            addons = [(one["id"], one["name"], one["plan"]["name"], one["state"])
                      for one in server.api("GET", f"/apps/{name}/addons")]
            attachments = [(one["id"], one["name"], one["addon"]["id"])
                           for one in server.api("GET", f"/apps/{name}/addon-attachments")]
            jobs = [(one["id"], one["command"], one["schedule"]) for one in server.api("GET", f"/apps/{name}/scheduled-jobs")]
            found[name] = (app["id"], app["owner"], releases, configs, formation, slugs, addons, attachments, jobs)
        return found

    def test_a_restored_server_is_the_same_and_serves(self):
        files = pathlib.Path(tempfile.mkdtemp(prefix="renga-test-"))
        self.addCleanup(shutil.rmtree, files, ignore_errors=True)
        app = repository(files, web_files())
        for name in ("sushi", "maki", "empty"):
            self.create(name)
            self.server.api("PATCH", f"/apps/{name}/config-vars", {"GREETING": f"hello-{name}", "SECRET": "correct horse"})
        for name in ("sushi", "maki"):
            self.server.push(app, name)
        self.server.api("PATCH", "/apps/maki/formation", {"updates": [{"type": "web", "quantity": 2}]})
        addon = self.server.api("POST", "/apps/maki/addons", {"plan": "scheduler:standard"})
        self.assertEqual(addon["state"], "provisioned")
        self.server.api("POST", "/apps/maki/scheduled-jobs", {"command": "true", "schedule": "0 0 1 1 *"})
        self.server.wait_for_page("sushi", "hello-sushi")

        # Config changes come in all the while.
        elsewhere = pathlib.Path(tempfile.mkdtemp(prefix="renga-test-"))
        self.addCleanup(shutil.rmtree, elsewhere, ignore_errors=True)
        archive = elsewhere / "backup.tar"
        going = threading.Event()
        changes = []

        def change():
            while not going.is_set():
                changes.append(self.server.api("PATCH", "/apps/empty/config-vars", {"N": str(len(changes))}))

        changing = threading.Thread(target=change)
        changing.start()
        said = run("backup", archive, "--data", self.server.data)
        going.set()
        changing.join()
        self.assertIn("2 repositories", said)
        self.assertTrue(changes)
        self.assertEqual(archive.stat().st_mode & 0o777, 0o600)
        self.assertIn("is there already", run("backup", archive, "--data", self.server.data, status=1))
        self.assertIn("not empty", run("restore", archive, "--data", self.server.data, status=1))

        before = self.books(self.server)
        self.server.stop()
        run("server:stop", "--data", self.server.data, "--dynos")
        server = Restored(archive, elsewhere)
        self.addCleanup(server.close)
        after = self.books(server)
        # The one app that changed meanwhile is as it was at some moment; the others as they were at the end.
        for name in ("sushi", "maki"):
            self.assertEqual(after[name], before[name])
        versions = [one["version"] for one in after["empty"][2]]
        self.assertEqual(versions, list(range(len(versions), 0, -1)))
        self.assertEqual(after["empty"][3][versions[0]]["SECRET"], "correct horse")

        server.wait_for_page("sushi", "hello-sushi")
        server.wait_for_page("maki", "hello-maki")
        # The repositories are back: a push is a small step from there, and everything goes on.
        (app / "text").write_text("two\n")
        subprocess.run(["git", "-C", app, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qam", "two"],
                       check=True)
        server.push(app, "sushi")
        server.wait_for_page("sushi", "two hello-sushi")

    def test_refuses_a_bad_archive(self):
        archive = self.server.base / "backup.tar"
        run("backup", archive, "--data", self.server.data)
        whole = archive.read_bytes()
        clean = self.server.base / "clean"
        at = whole.index(b"BEGIN CERTIFICATE")
        for what, content in (("cut", whole[:len(whole) // 2]), ("short", whole[:-4096]), ("empty", b""),
                              ("changed", whole[:at] + b"b" + whole[at + 1:])):
            bad = self.server.base / what
            bad.write_bytes(content)
            said = run("restore", bad, "--data", clean, status=1)
            self.assertFalse(clean.exists(), said)
        run("backup", status=2)
        run("backup", self.server.base / "x", "--data", clean, status=1)


main()
