"""Deploys, restarts, scaling and rollbacks under load lose no request."""

import time

from harness import StoryTest, commit, main, needs_root, wait_until, web_files
from load import Load


@needs_root
class ZeroDrop(StoryTest):
    def test_no_request_fails_while_two_dynos_are_redeployed_restarted_and_scaled(self):
        self.create("busy")
        app = self.repository(web_files())
        self.server.push(app, "busy")
        self.server.api("PATCH", "/apps/busy/formation/web", {"quantity": 2})
        names = lambda: sorted(d["name"] for d in self.server.dynos("busy") if d["state"] == "up")
        wait_until(lambda: names() == ["web.1", "web.2"], what="two dynos")

        load = Load(self.server.http, "busy.localhost", clients=16)
        try:
            for n in range(4):
                commit(app, {"text": f"change-{n}\n"})
                self.server.push(app, "busy")
                self.server.wait_for_page("busy", f"v{n + 4} change-{n}")
                wait_until(lambda: f"v{n + 4}" in load.bodies, what="the load to see it")
            self.server.api("PATCH", "/apps/busy/config-vars", {"GREETING": "hi"})
            self.server.wait_for_page("busy", "v8 change-3 hi")
            wait_until(lambda: "v8" in load.bodies, what="the load to see it")
            self.server.api("DELETE", "/apps/busy/dynos")
            time.sleep(1)
            self.server.api("PATCH", "/apps/busy/formation/web", {"quantity": 4})
            wait_until(lambda: len(names()) == 4, what="four dynos")
            self.server.api("PATCH", "/apps/busy/formation/web", {"quantity": 1})
            wait_until(lambda: names() == ["web.1"], limit=60, what="one dyno")
            self.server.api("POST", "/apps/busy/releases", {"release": "5"})
            self.server.wait_for_page("busy", "v9 change-1")
            wait_until(lambda: "v9" in load.bodies, what="the load to see it")
        finally:
            load.end()
        self.assertEqual(load.failures, [])
        self.assertGreater(load.answers, 100)
        self.assertLessEqual({f"v{n}" for n in range(4, 10)}, load.bodies)

    def test_a_release_that_does_not_come_up_leaves_the_old_one_serving(self):
        self.create("steady")
        app = self.repository(web_files())
        self.server.push(app, "steady")
        self.server.wait_for_page("steady", "v3 one")
        load = Load(self.server.http, "steady.localhost", clients=4)
        try:
            commit(app, {"web.py": "import sys; sys.exit('this release is broken')\n"})
            self.server.push(app, "steady")
            wait_until(lambda: "this release is broken" in self.server.logs("steady"), what="its output")
            time.sleep(2)
            status, body, _ = self.server.get("steady")
            self.assertEqual((status, body[:6]), (200, "v3 one"), self.server.logs("steady", lines=200))
        finally:
            load.end()
        self.assertEqual(load.failures, [])
        self.assertEqual(load.bodies, {"v3"})


main()
