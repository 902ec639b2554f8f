"""A person pushes an app with git, and it is live."""

import re

from harness import StoryTest, commit, git, main, needs_root, wait_until, web_files


@needs_root
class Push(StoryTest):
    def test_a_push_builds_releases_and_answers(self):
        created = self.create("sushi")
        self.assertEqual(created["name"], "sushi")
        self.assertEqual([r["version"] for r in self.server.releases("sushi")], [2, 1])

        app = self.repository(web_files())
        output = self.server.push(app, "sushi").stderr
        for part in ("-----> Building on the host stack", "-----> Discovering process types",
                     "Procfile declares types", "web", "-----> Compressing...", "Done: ",
                     "-----> Launching...", "Released v3", "sushi.localhost", "Verifying deploy... done."):
            self.assertIn(part, output)
        self.assertRegex(output, r"\[new branch\]\s+main -> main")

        self.server.wait_for_page("sushi", "v3 one")
        newest = self.server.releases("sushi")[0]
        sha = git(app, "rev-parse", "HEAD").stdout.strip()
        self.assertEqual(newest["description"], f"Deploy {sha[:8]}")
        self.assertTrue(newest["current"])
        self.assertEqual(newest["status"], "succeeded")

        commit(app, {"text": "two\n"})
        self.server.push(app, "sushi")
        self.server.wait_for_page("sushi", "v4 two")
        [dyno] = self.server.dynos("sushi")
        self.assertEqual((dyno["name"], dyno["state"], dyno["release"]["version"]), ("web.1", "up", 4))

        log = self.server.logs("sushi")
        for line in (r"heroku\[web\.1\]: State changed from starting to up",
                     r"heroku\[web\.1\]: Starting process with command `python3 web\.py`",
                     r"app\[web\.1\]: listening", r"app\[api\]: Release v3 created by user ",
                     r'heroku\[router\]: at=info method=GET path="/" host=sushi\.localhost request_id=\S+ '
                     r'fwd="127\.0\.0\.1" dyno=web\.1 connect=\d+ms service=\d+ms status=200 bytes=\d+ '
                     r'protocol=http1\.1 tls=false'):
            wait_until(lambda: re.search(line, self.server.logs("sushi")), what=line)

    def test_a_release_command_runs_before_the_new_release_serves(self):
        self.create("phase")
        app = self.repository(web_files(procfile="web: python3 web.py\nrelease: echo migrating v$HEROKU_RELEASE_VERSION\n"))
        output = self.server.push(app, "phase").stderr
        self.assertIn("Release command declared: this new release will not be available until the command succeeds.", output)
        self.assertIn("migrating", output)
        self.server.wait_for_page("phase", "v3 one")

        commit(app, {"Procfile": "web: python3 web.py\nrelease: echo broken; exit 3\n", "text": "two\n"})
        self.server.push(app, "phase", check=False)
        self.assertEqual([(r["version"], r["status"]) for r in self.server.releases("phase")][:2],
                         [(4, "failed"), (3, "succeeded")])
        self.assertIn("v3 one", self.server.page("phase"))

    def test_a_push_to_another_branch_is_stored_and_not_built(self):
        self.create("branches")
        app = self.repository(web_files())
        output = self.server.push(app, "branches", "main:feature").stderr
        self.assertIn("skipping build", output)
        self.assertEqual(len(self.server.releases("branches")), 2)

    def test_a_rejected_push_leaves_the_ref_alone_and_the_old_release_serving(self):
        self.create("kept")
        app = self.repository(web_files())
        self.server.push(app, "kept")
        self.server.wait_for_page("kept", "v3 one")
        before = git(app, "rev-parse", "HEAD").stdout.strip()

        commit(app, {"Procfile": "this is no Procfile line\n"})
        refused = self.server.push(app, "kept", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("Procfile", refused.stderr)
        self.assertIn("Push rejected", refused.stderr)
        self.assertIn("pre-receive hook declined", refused.stderr)
        url = f"http://renga:{self.server.token}@{self.server.listen}/kept.git"
        self.assertIn(before, git(app, "ls-remote", url, "refs/heads/main").stdout)
        self.assertIn("v3 one", self.server.page("kept"))
        self.assertEqual(len(self.server.releases("kept")), 3)

    def test_scale_config_rollback_and_destroy(self):
        self.create("life")
        app = self.repository(web_files(procfile="web: python3 web.py\nworker: sleep 1000\n"))
        self.server.push(app, "life")
        self.server.wait_for_page("life", "v3 one -")

        scaled = self.server.api("PATCH", "/apps/life/formation",
                                 {"updates": [{"type": "web", "quantity": "2"}, {"type": "worker", "quantity": "+1"}]})
        self.assertEqual({p["type"]: p["quantity"] for p in scaled}, {"web": 2, "worker": 1})
        names = lambda: sorted(d["name"] for d in self.server.dynos("life") if d["state"] == "up")
        wait_until(lambda: names() == ["web.1", "web.2", "worker.1"], what="three dynos")

        self.server.api("PATCH", "/apps/life/config-vars", {"GREETING": "hello"})
        self.server.wait_for_page("life", "v4 one hello")
        self.server.api("POST", "/apps/life/releases", {"release": "3"})
        self.server.wait_for_page("life", "v5 one -")
        self.assertEqual(self.server.api("GET", "/apps/life/config-vars"), {})
        self.assertEqual(self.server.releases("life")[0]["description"], "Rollback to v3")

        self.server.api("PATCH", "/apps/life/formation/web", {"quantity": 0})
        wait_until(lambda: names() == ["worker.1"], what="no web dynos")
        status, body, _ = wait_until(lambda: (a := self.server.get("life"))[0] == 503 and a, what="H14")
        self.assertEqual(status, 503)

        self.server.api("DELETE", "/apps/life")
        self.assertEqual(self.server.request("GET", "/apps/life")[0], 404)
        wait_until(lambda: self.server.get("life")[0] == 404, what="no such app")
        self.assertEqual(self.server.api("GET", "/apps"), [])


main()
