#!/usr/bin/env python3
"""Databases and stores as people use them: addons:create, config vars, pg:* and redis:* of our CLI."""

import glob
import os
import re
import subprocess

from harness import PATIENCE, RENGA, StoryTest, exits, main, needs_root, wait_until

PSQL = (sorted(glob.glob("/usr/lib/postgresql/*/bin/psql")) or [""])[-1]


@needs_root
class Databases(StoryTest):
    def renga(self, *words, status=0):
        done = subprocess.run([RENGA, *words, "-a", "shop"], capture_output=True, text=True, timeout=PATIENCE,
                              cwd=self.server.base,
                              env=dict(os.environ, RENGA_DATA=str(self.server.data),
                                       PATH=os.path.dirname(PSQL) + ":" + os.environ["PATH"]))
        if status is not None:
            self.assertIn(done.returncode, exits(status), f"{words}: {done.stdout}{done.stderr}")
        return done.stdout

    def vars(self):
        return self.server.api("GET", "/apps/shop/config-vars")

    def in_dyno(self, command):
        dyno = self.server.api("POST", "/apps/shop/dynos", {"command": command + "; echo the-end", "attach": False})

        def lines():
            said = [line.split(": ", 1)[1] for line in self.server.logs("shop").splitlines()
                    if f"app[{dyno['name']}]" in line]
            return said if said and said[-1] == "the-end" else None
        return "\n".join(wait_until(lines, what=f"the end of {command}")[:-1])

    def test_a_shop(self):
        self.create("shop")
        self.server.push(self.repository({"Procfile": "worker: sleep 1000\n"}), "shop")
        self.server.api("POST", "/apps/shop/addons", {"plan": {"name": "heroku-postgresql:essential-0"}})
        self.server.api("POST", "/apps/shop/addons", {"plan": {"name": "heroku-redis"}})
        wait_until(lambda: {"DATABASE_URL", "REDIS_URL"} <= set(self.vars()), what="the config vars")

        self.assertEqual(self.in_dyno(f'{PSQL} "$DATABASE_URL" -XAtqc "CREATE TABLE t AS SELECT 5 AS n; SELECT n FROM t"'), "5")
        self.assertRegex(self.renga("pg:info"), r"=== DATABASE_URL\nPlan: +Essential 0\nStatus: +Available\n")
        self.assertEqual(self.renga("pg:psql", "-c", "SELECT n + 1 FROM t").split()[2], "6")
        self.assertRegex(self.renga("redis:info"), r"Plan: +Mini\n")

        # A rotation is a release, and what runs gets the new URL.
        before, releases = self.vars()["DATABASE_URL"], len(self.server.releases("shop"))
        self.renga("pg:credentials:rotate", "--confirm", "shop")
        wait_until(lambda: self.vars()["DATABASE_URL"] != before, what="the new URL")
        self.assertEqual(len(self.server.releases("shop")), releases + 1)
        self.assertEqual(self.in_dyno(f'{PSQL} "$DATABASE_URL" -XAtqc "SELECT n FROM t"'), "5")

        # A backup, proven, downloaded, and restored.
        self.renga("pg:backups:capture")
        self.assertRegex(self.renga("pg:backups"), r"b001 .* Completed .*KB +\d{4}-")
        self.renga("pg:backups:download", "b001")
        self.assertTrue((self.server.base / "latest.dump").read_bytes().startswith(b"PGDMP"))
        link = self.renga("pg:backups:url").strip()
        self.assertRegex(link, r"^https://\S+:\d+/data/downloads/heroku-postgresql/[0-9a-f]+$")
        wrong = re.sub(r".$", lambda end: "0" if end[0] != "0" else "1", link)
        self.assertEqual(self.server.request("GET", "/" + wrong.split("/", 3)[3])[0], 404)
        self.renga("pg:psql", "-c", "DROP TABLE t")
        self.renga("pg:backups:restore", "b001", "--confirm", "shop")
        self.assertEqual(self.renga("pg:psql", "-c", "SELECT n FROM t").split()[2], "5")

        # Another one takes its place.
        made = self.server.api("POST", "/apps/shop/addons", {"plan": {"name": "heroku-postgresql"}})
        wait_until(lambda: self.server.api("GET", f"/apps/shop/addons/{made['name']}")["state"] == "provisioned")
        old = self.vars()["DATABASE_URL"]
        self.renga("pg:promote", made["name"])
        self.assertNotEqual(self.vars()["DATABASE_URL"], old)
        self.assertIn(old, [value for name, value in self.vars().items() if name.startswith("HEROKU_POSTGRESQL_")])

        # Destroyed, and brought back with its data.
        self.renga("pg:psql", "-c", "CREATE TABLE kept AS SELECT 7 AS n")
        self.renga("addons:destroy", made["name"], "--confirm", "shop")
        self.assertNotIn("DATABASE_URL", self.vars())
        self.assertIn(made["name"], self.renga("addons:undelete"))
        self.renga("addons:undelete", "nothing-of-that-name", status=5)
        self.renga("addons:undelete", made["name"])
        self.assertEqual(self.renga("pg:psql", "-c", "SELECT n FROM kept").split()[2], "7")
        self.assertNotIn(made["name"], self.renga("addons:undelete"))

        # Control dies; the databases do not notice, and their provider is back a moment after control.
        self.server.kill()
        self.server.start()
        wait_until(lambda: re.search(r"Status: +Available", self.renga("pg:info", status=None)), what="pg:info")


if __name__ == "__main__":
    main()
