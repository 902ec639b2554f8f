#!/usr/bin/env python3
"""The PostgreSQL provider: databases that dynos reach, apart from one another, through kill -9 of everything."""

import contextlib
import glob
import os
import signal
import sqlite3
import subprocess

from harness import PATIENCE, main, needs_root, wait_until
from provider_harness import ProviderStory

PSQL = (sorted(glob.glob("/usr/lib/postgresql/*/bin/psql")) or [""])[-1]


def ask(url, sql, mode="require"):
    done = subprocess.run([PSQL, f"{url}?sslmode={mode}", "-XAtc", sql], capture_output=True, text=True, timeout=PATIENCE)
    return done.stdout.strip() if done.returncode == 0 else done.stderr.strip()


@needs_root
class PostgreSql(ProviderStory):
    provider_name = "postgresql"

    def test_shared_databases(self):
        self.push_app()
        _, one = self.made("essential-0")
        other, two = self.made("essential-0")
        self.assertRegex(one, r"^postgres://u\w+:p[0-9a-f]{64}@100\.\d+\.\d+\.\d+:5432/d\w+$")

        # From a dyno, over TLS, and by its password alone.
        self.server.api("PATCH", "/apps/shell/config-vars", {"DATABASE_URL": one})
        self.assertEqual(self.in_dyno(f'{PSQL} "$DATABASE_URL" -XAtc "CREATE TABLE a AS SELECT 42 AS n" && '
                                      f'{PSQL} "$DATABASE_URL" -XAtc "SELECT n, (SELECT ssl FROM pg_stat_ssl WHERE '
                                      f'pid = pg_backend_pid()) FROM a"'), "SELECT 1\n42|t")
        self.assertIn("no encryption", ask(one, "SELECT 1", "disable"))
        self.assertIn("password authentication failed", ask(one.replace(":p", ":q", 1), "SELECT 1"))

        # Nobody gets into another's, nor becomes more than they are.
        database = one.rsplit("/", 1)[1]
        self.assertIn("permission denied for database", ask(two.rsplit("/", 1)[0] + "/" + database, "SELECT 1"))
        self.assertIn("permission denied for database", ask(two.rsplit("/", 1)[0] + "/postgres", "SELECT 1"))
        self.assertIn("permission denied", ask(two, "CREATE DATABASE more"))
        self.assertIn("must be superuser", ask(two, "COPY (SELECT 1) TO PROGRAM 'true'"))
        self.assertIn("permission denied", ask(two, "SELECT pg_read_file('/server/postgresql.conf')"))

        # Asked for twice, it is the same; with a plan that is not there, it is refused.
        self.assertEqual(self.made("essential-0", other)[1], two)
        self.assertEqual(self.provider.provision("gold")[1:], (422, {
            "id": "invalid_params", "message": "heroku-postgresql has no plan gold."}))
        self.assertEqual(self.provider.call("PUT", f"/heroku/resources/{other}", {"plan": "essential-2"})[0], 200)
        # A follower that would be an empty database is none.
        _, status, answer = self.provider.provision("standard-0", options={"follow": "DATABASE_URL"})
        self.assertEqual(status, 422)
        self.assertIn("does not offer --follow", answer["message"])

        # Destroyed, it is out of reach; asked for again within the week, it is as it was.
        ask(two, "CREATE TABLE kept AS SELECT 7 AS n")
        self.assertEqual(self.provider.call("DELETE", f"/heroku/resources/{other}")[0], 200)
        self.assertEqual(self.provider.call("DELETE", f"/heroku/resources/{other}")[0], 410)
        self.assertIn("not permitted to log in", ask(two, "SELECT 1"))
        self.assertEqual(self.made("essential-2", other)[1], two)
        self.assertEqual(ask(two, "SELECT n FROM kept"), "7")

    def test_kill_and_rotate(self):
        resource, url = self.made("standard-0")
        ask(url, "CREATE TABLE t AS SELECT generate_series(1, 1000) AS n")
        self.assertEqual(ask(url, "SHOW shared_buffers"), "256MB")

        # The provider dies: nothing happens to the database, and the next provider takes it up.
        session = subprocess.Popen([PSQL, url + "?sslmode=require", "-XAtc", "SELECT pg_sleep(3), 'still here'"],
                                   stdout=subprocess.PIPE, text=True)
        self.provider.kill()
        self.provider.start()
        self.assertEqual(session.communicate()[0].strip(), "|still here")
        self.assertEqual(self.made("standard-0", resource)[1], url)

        # The server dies: it is started again where it was, with everything that was committed.
        ask(url, "INSERT INTO t VALUES (0)")
        os.kill(int(self.first_process()), signal.SIGKILL)
        wait_until(lambda: ask(url, "SELECT count(*) FROM t") == "1001", what="the server to be there again")

        # Rotation: another password, which the platform hears of, and the old one is worth nothing.
        headers = {"X-Renga-Addon": resource}
        path = f"/postgres/v0/databases/{resource}/credentials"
        self.assertEqual(self.provider.call("POST", f"{path}/default/credentials_rotation", {}, headers)[0], 200)
        now = self.config(resource)["HEROKU_POSTGRESQL_URL"]
        self.assertNotEqual(now, url)
        self.assertIn("password authentication failed", ask(url, "SELECT 1"))
        self.assertEqual(ask(now, "SELECT count(*) FROM t"), "1001")

        # What Heroku's CLI asks for: pg:info adds the add-on's name itself; what is not offered is said in a sentence.
        base = f"/client/v11/databases/{resource}"
        shown = self.provider.call("GET", base, headers=headers)[1]["info"]
        self.assertEqual([row["name"] for row in shown[:2]], ["Plan", "Status"])
        self.assertNotIn("Add-on", [row["name"] for row in shown])
        self.assertEqual(self.provider.call("GET", f"{base}/links", headers=headers), (200, []))
        status, answer = self.provider.call("POST", f"{base}/transfers", {"from_url": now}, headers)
        self.assertEqual(status, 422)
        self.assertIn("pg:backups:capture", answer["message"])

        # A second credential sees what it is given.
        status, made = self.provider.call("POST", path, {"name": "reader"}, headers)
        self.assertEqual(status, 200, made)
        reader = self.config(resource, "credential:reader")["HEROKU_POSTGRESQL_URL"]
        self.assertIn("permission denied for table t", ask(reader, "SELECT count(*) FROM t"))
        ask(now, f"GRANT SELECT ON t TO {made['credentials'][0]['user']}")
        self.assertEqual(ask(reader, "SELECT count(*) FROM t"), "1001")

    def first_process(self):
        """The pid of the one server's first process, from its sandbox's state."""
        state = next((self.provider.data / "run/sandboxes").glob("*/state")).read_text()
        return state.split()[1]

    def test_backups(self):
        resource, url = self.made("essential-0")
        headers = {"X-Renga-Addon": resource, "X-Renga-App": "app", "X-Renga-Base": "https://localhost:7"}
        ask(url, "CREATE TABLE t AS SELECT n, md5(n::text) FROM generate_series(1, 20000) n; "
                 "CREATE EXTENSION pg_trgm; CREATE INDEX ON t USING gin (md5 gin_trgm_ops)")
        base = f"/client/v11/databases/{resource}"

        def ended(number):
            def look():
                transfer = self.provider.call("GET", f"/client/v11/apps/app/transfers/{number}", headers=headers)[1]
                return transfer if transfer["finished_at"] else None
            return wait_until(look, what="the end of the transfer")

        self.provider.call("POST", f"{base}/backups", {}, headers)
        # Cut off in the middle, it begins again.
        self.provider.kill()
        self.provider.start()
        backup = ended(1)
        self.assertTrue(backup["succeeded"], backup)
        self.assertIsNotNone(backup["verified_at"])
        self.assertGreater(backup["processed_bytes"], 100_000)

        ask(url, "DROP TABLE t")
        status, answer = self.provider.call("POST", f"{base}/restores", {"backup_url": backup["to_url"]}, headers)
        self.assertEqual(status, 200, answer)
        self.assertTrue(ended(2)["succeeded"], ended(2))
        self.assertEqual(ask(url, "SELECT count(*) FROM t"), "20000")

        # The link is for who has it.
        link = self.provider.call("POST", "/client/v11/apps/app/transfers/1/actions/public-url", {}, headers)[1]["url"]
        self.assertTrue(link.startswith("https://localhost:7/data/downloads/heroku-postgresql/"), link)

        # Other places are not fetched from.
        self.assertEqual(self.provider.call("POST", f"{base}/restores", {"backup_url": "http://169.254.169.254/"},
                                            headers)[0], 422)
        status, schedule = self.provider.call(
            "POST", f"{base}/transfer-schedules", {"hour": 2, "timezone": "Europe/Paris", "schedule_name": "DATABASE_URL"},
            headers)
        self.assertEqual((status, schedule["hour"]), (200, 2), schedule)
        self.assertEqual(self.provider.call("POST", f"{base}/transfer-schedules", {"hour": 2, "timezone": "Mars/Olympus"},
                                            headers)[0], 422)
        # What the schedule makes, when its hour has come while no provider was there, is restored and checked as well.
        self.provider.stop()
        with contextlib.closing(sqlite3.connect(self.provider.data / "provider.db")) as books, books:
            books.execute("UPDATE schedules SET next_at = 1")
        self.provider.start()
        scheduled = wait_until(lambda: self.provider.call("GET", "/client/v11/apps/app/transfers", headers=headers)[1][2:],
                               what="a scheduled backup")[0]
        self.assertEqual(scheduled["schedule"], {"uuid": schedule["uuid"]})
        self.assertTrue(ended(scheduled["num"])["succeeded"])
        self.assertIsNotNone(ended(scheduled["num"])["verified_at"])
        [later] = self.provider.call("GET", f"{base}/transfer-schedules", headers=headers)[1]
        self.assertGreater(later["next_at"], schedule["created_at"])

        self.assertEqual(self.provider.call("PUT", f"{base}/reset", {}, headers)[0], 200)
        self.assertEqual(ask(url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0")


if __name__ == "__main__":
    main()
