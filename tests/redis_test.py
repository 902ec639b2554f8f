#!/usr/bin/env python3
"""The Redis provider: stores that dynos reach by TLS and a password, with data that outlives kill -9."""

import os
import signal
import subprocess
import urllib.parse

from harness import PATIENCE, main, needs_root, wait_until
from provider_harness import ProviderStory


def ask(url, *command):
    parts = urllib.parse.urlsplit(url)
    done = subprocess.run(
        ["redis-cli", "-h", parts.hostname, "-p", str(parts.port), "--tls", "--insecure", *command],
        capture_output=True, text=True, timeout=PATIENCE, env=dict(os.environ, **({"REDISCLI_AUTH": parts.password} if parts.password else {})))
    return (done.stdout + done.stderr).strip()


@needs_root
class Redis(ProviderStory):
    provider_name = "redis"

    def call(self, method, resource, below="", body=None):
        status, answer = self.provider.call(method, f"/redis/v0/databases/{resource}{below}", body,
                                            {"X-Renga-Addon": resource})
        self.assertEqual(status, 200, answer)
        return answer

    def kill_server(self):
        for state in (self.provider.data / "run/sandboxes").glob("*/state"):
            os.kill(int(state.read_text().split()[1]), signal.SIGKILL)

    def test_a_store(self):
        self.push_app()
        resource, url = self.made("premium-0")
        self.assertRegex(url, r"^rediss://:p[0-9a-f]{64}@100\.\d+\.\d+\.\d+:6379$")

        # From a dyno.
        self.server.api("PATCH", "/apps/shell/config-vars", {"REDIS_URL": url})
        self.assertEqual(self.in_dyno("A=${REDIS_URL#rediss://:}; H=${REDIS_URL#*@}; export REDISCLI_AUTH=${A%@*}; "
                                      "redis-cli -h ${H%:*} -p ${H#*:} --tls --insecure INCR visits"), "1")

        # By TLS and the password alone, and without power over the server.
        address = url.rsplit("@", 1)[1]
        self.assertIn("NOAUTH", ask(f"rediss://@{address}", "PING").replace("Authentication required", "NOAUTH"))
        self.assertIn("WRONGPASS", ask(f"rediss://:wrong@{address}", "PING"))
        for command in (["CONFIG", "GET", "*"], ["SHUTDOWN"], ["ACL", "LIST"],
                        ["REPLICAOF", "127.0.0.1", "1"], ["MODULE", "LIST"]):
            self.assertIn("NOPERM", ask(url, *command), command)
        self.assertIn("redis_version", ask(url, "INFO", "server"))

        # The provider dies, and then the server.
        self.provider.kill()
        self.assertEqual(ask(url, "INCR", "visits"), "2")
        self.provider.start()
        self.assertEqual(self.made("premium-0", resource)[1], url)
        # The file is synced once a second.
        wait_until(lambda: "aof_pending_bio_fsync:0" in ask(url, "INFO", "persistence"))
        self.kill_server()
        wait_until(lambda: ask(url, "GET", "visits") == "2", what="the data to be there again")

        # Settings, as the CLI sets them, are kept over restarts.
        self.assertEqual(self.call("PATCH", resource, "/config", {"maxmemory_policy": "allkeys-lru"})
                         ["maxmemory_policy"]["value"], "allkeys-lru")
        self.assertEqual(self.call("PATCH", resource, "/config", {"timeout": 60})["timeout"]["value"], 60)
        self.assertEqual(self.provider.call("PATCH", f"/redis/v0/databases/{resource}/config",
                                            {"maxmemory_policy": "forget"}, {"X-Renga-Addon": resource})[0], 422)
        rows = {row["name"]: row["values"][0] for row in self.call("GET", resource)["info"]}
        self.assertEqual((rows["Maxmemory"], rows["Timeout"], rows["Persistence"]), ("allkeys-lru", "60", "AOF"))

        # Rotation, plan change, destroying and bringing back.
        self.call("POST", resource, "/credentials_rotation", {})
        now = self.config(resource)["HEROKU_REDIS_URL"]
        self.assertIn("WRONGPASS", ask(url, "PING"))
        self.assertEqual(ask(now, "GET", "visits"), "2")
        status, answer = self.provider.call("PUT", f"/heroku/resources/{resource}", {"plan": "premium-1"})
        self.assertEqual((status, answer["config"]["HEROKU_REDIS_URL"]), (200, now))
        self.assertEqual(self.provider.call("PUT", f"/heroku/resources/{resource}", {"plan": "mini"})[0], 422)
        self.assertEqual(self.provider.call("DELETE", f"/heroku/resources/{resource}")[0], 200)
        self.assertEqual(self.provider.call("DELETE", f"/heroku/resources/{resource}")[0], 410)
        self.assertEqual(self.made("premium-1", resource)[1], now)
        self.assertEqual(ask(now, "GET", "visits"), "2")

    def test_mini(self):
        resource, url = self.made("mini")
        _, other = self.made("mini")
        ask(url, "SET", "a", "1")
        self.assertEqual(ask(other, "EXISTS", "a"), "0")
        self.assertIn("OOM", ask(url, "SETRANGE", "big", str(24 << 20), "x") + ask(url, "SETRANGE", "more", str(8 << 20), "x"))
        # What was in memory alone goes along to a plan that keeps it.
        self.assertEqual(self.provider.call("PUT", f"/heroku/resources/{resource}", {"plan": "premium-0"})[0], 200)
        self.assertEqual(ask(url, "GET", "a"), "1")


if __name__ == "__main__":
    main()
