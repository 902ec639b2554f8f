"""The same code goes from staging to production, unchanged, and each place keeps its own config."""

import os
import subprocess
import threading

from harness import RENGA, Failed, StoryTest, commit, exits, git, main, needs_root, wait_until, web_files

# A release command that does as its app's config says.
PROCFILE = "web: python3 web.py\nrelease: echo migrating for $GREETING; sleep ${PAUSE:-0}; test -z \"$BROKEN\"\n"


@needs_root
class Pipelines(StoryTest):
    def setUp(self):
        super().setUp()
        self.app = self.repository(web_files(procfile=PROCFILE))
        for name in ("food-staging", "food-eu", "food-us"):
            self.create(name)
            self.server.api("PATCH", f"/apps/{name}/config-vars", {"GREETING": name})

    def renga(self, *words, status=0, stdin=""):
        environment = dict(os.environ, RENGA_URL=f"http://{self.server.listen}", RENGA_TOKEN=self.server.token,
                           HOME=str(self.server.base))
        done = subprocess.run([RENGA, *words], cwd=self.app, env=environment, capture_output=True, text=True,
                              input=stdin, timeout=120)
        self.assertIn(done.returncode, exits(status), f"{words}:\n{done.stdout}{done.stderr}\n{self.server.log()[-4000:]}")
        return done.stdout + done.stderr

    def make_pipeline(self):
        self.assertIn("Adding food-staging to food pipeline as staging", self.renga("pipelines:create", "-a", "food-staging"))
        self.renga("pipelines:add", "food", "-a", "food-eu", "-s", "production")
        self.renga("pipelines:add", "food", "-a", "food-us", "-s", "production")

    def slug(self, app):
        return next(r["slug"]["id"] for r in self.server.releases(app) if r["current"])

    def builds(self, app):
        return self.server.api("GET", f"/apps/{app}/builds")

    def test_code_moves_and_config_stays(self):
        self.make_pipeline()
        self.assertIn("food\n", self.renga("pipelines"))
        self.assertIn("has nothing to promote", self.renga("pipelines:promote", "-a", "food-staging", status=1))
        self.server.push(self.app, "food-staging")
        self.server.wait_for_page("food-staging", "v4 one food-staging")
        self.assertIn("food-eu has no code yet", self.renga("pipelines:diff", "-a", "food-staging"))

        said = self.renga("pipelines:promote", "-a", "food-staging", "--to", "food-eu")
        self.assertIn("migrating for food-eu", said)
        self.assertRegex(said, r"food-eu: +succeeded")
        self.server.wait_for_page("food-eu", "v4 one food-eu")
        self.assertEqual(self.slug("food-eu"), self.slug("food-staging"))
        self.assertEqual(self.builds("food-eu"), [])
        sha = git(self.app, "rev-parse", "HEAD").stdout[:8]
        self.assertEqual(self.server.releases("food-eu")[0]["description"], f"Promote food-staging v4 {sha}")
        self.assertIn(f"Promote food-staging v4 {sha}", self.renga("pipelines:info", "food"))

        # One target's failure is its own.
        commit(self.app, {"text": "two\n"}, "Say two")
        self.server.push(self.app, "food-staging")
        self.server.wait_for_page("food-staging", "v5 two")
        self.assertRegex(self.renga("pipelines:diff", "-a", "food-staging"), r"(?s)food-eu \(\w+\) is behind.*Say two")
        self.server.api("PATCH", "/apps/food-us/config-vars", {"BROKEN": "yes"})
        said = self.renga("pipelines:promote", "-a", "food-staging", status=1)
        self.assertRegex(said, r"food-eu: +succeeded")
        self.assertRegex(said, r"food-us: +failed +The release command failed\.")
        self.server.wait_for_page("food-eu", "v5 two food-eu")
        self.assertNotIn("two", self.server.page("food-us") or "")

        self.renga("pipelines:update", "-s", "development", "-a", "food-us")
        self.assertRegex(self.renga("pipelines:info", "food"), r"food-us +development")
        self.renga("pipelines:remove", "-a", "food-us")
        self.renga("pipelines:rename", "food", "meals")
        self.assertRegex(self.renga("pipelines:open", "meals"), r"production +food-eu +http://food-eu")
        self.renga("pipelines:destroy", "meals")
        self.assertIn("v5 two food-eu", self.server.page("food-eu"))

    def test_bad_requests_change_nothing(self):
        self.make_pipeline()
        self.server.push(self.app, "food-staging")
        before = len(self.server.releases("food-eu"))
        for words, why in ((("--to", "food-staging"), "itself"), (("--to", "food-eu,food-eu"), "named twice"),
                           (("--to", "nothing"), "not in the pipeline"), (("--release", "v99"), "find that release"),
                           (("--release", "v2"), "nothing to promote")):
            self.assertIn(why, self.renga("pipelines:promote", "-a", "food-staging", *words, status=1))
        self.assertIn("Nothing comes after production", self.renga("pipelines:promote", "-a", "food-eu", status=1))
        self.assertIn("already", self.renga("pipelines:add", "food", "-a", "food-eu", status=1))
        for body in ({}, {"pipeline": 7}, {"pipeline": "food", "source": [], "targets": []},
                     {"pipeline": "food", "source": {"app": "food-staging"}, "targets": ["food-eu"]}):
            with self.assertRaises(Failed) as refused:
                self.server.api("POST", "/pipeline-promotions", body)
            self.assertEqual(refused.exception.status, 422)
        self.assertEqual(len(self.server.releases("food-eu")), before)

    def test_promotions_survive_a_crash(self):
        """kill -9 of control while release commands run, and while promotions are asked for."""
        self.make_pipeline()
        self.server.push(self.app, "food-staging")
        for app in ("food-eu", "food-us"):
            self.server.api("PATCH", f"/apps/{app}/config-vars", {"PAUSE": "2"})
        pipeline = self.server.api("GET", "/pipelines/food")["id"]
        made = []

        def promote():
            body = {"pipeline": {"id": pipeline}, "source": {"app": "food-staging"},
                    "targets": [{"app": "food-eu"}, {"app": "food-us"}]}
            try:
                made.append(self.server.api("POST", "/pipeline-promotions", body)["id"])
            except (OSError, Failed):
                pass  # not told of: it may be there or not

        for pause in (0.5, 0.01, 0.03):
            asking = threading.Thread(target=promote)
            asking.start()
            asking.join(pause)
            self.server.kill()
            asking.join()
            self.server.start()
        self.assertTrue(made)
        for promotion in made:
            targets = wait_until(lambda: (t := self.server.api("GET", f"/pipeline-promotions/{promotion}/promotion-targets"))
                                 and all(one["status"] != "pending" for one in t) and t, what="an end of the promotion")
            self.assertEqual(len({one["app"]["id"] for one in targets}), 2)
            for one in targets:
                self.assertIsNotNone(one["release"])
            self.assertEqual(self.server.api("GET", f"/pipeline-promotions/{promotion}")["status"], "completed")
        first = self.server.api("GET", f"/pipeline-promotions/{made[0]}/promotion-targets")
        self.assertTrue(all(one["status"] == "succeeded" or "newer release" in one["error_message"] for one in first), first)
        for app in ("food-eu", "food-us"):
            wait_until(lambda: "one " + app in (self.server.page(app) or ""), what=f"a page of {app}")
            self.assertEqual(self.slug(app), self.slug("food-staging"))


main()
