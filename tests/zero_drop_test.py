"""Deploys, restarts, scaling and rollbacks under load lose no request."""

import http.client
import threading
import time

from harness import StoryTest, commit, main, needs_root, wait_until, web_files


class Load:
    """Clients on keep-alive connections that ask as fast as they are answered, and count what is not 200.

    A connection that the router closed between two requests is opened again; one that closes in the
    middle of a request counts as a failure.
    """

    def __init__(self, address, host, clients):
        self.host, self.port = address.rsplit(":", 1)
        self.name = host
        self.failures, self.answers, self.bodies = [], 0, set()
        self.lock = threading.Lock()
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def run(self):
        connection = None
        while not self.ending.is_set():
            try:
                if connection is None:
                    connection = http.client.HTTPConnection(self.host, int(self.port), timeout=100)
                connection.request("GET", "/", headers={"Host": self.name})
                answer = connection.getresponse()
                body = answer.read().decode()
                with self.lock:
                    self.answers += 1
                    self.bodies.add(body.split(" ")[0])
                    if answer.status != 200:
                        self.failures.append((answer.status, body[:200]))
                if answer.will_close:
                    connection.close()
                    connection = None
            except Exception as error:  # every way to fail counts
                with self.lock:
                    self.failures.append(repr(error))
                connection = None
                time.sleep(0.01)

    def end(self):
        self.ending.set()
        for thread in self.threads:
            thread.join()
        return self


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
            self.server.api("PATCH", "/apps/busy/config-vars", {"GREETING": "hi"})
            self.server.wait_for_page("busy", "v8 change-3 hi")
            self.server.api("DELETE", "/apps/busy/dynos")
            time.sleep(1)
            self.server.api("PATCH", "/apps/busy/formation/web", {"quantity": 4})
            wait_until(lambda: len(names()) == 4, what="four dynos")
            self.server.api("PATCH", "/apps/busy/formation/web", {"quantity": 1})
            wait_until(lambda: names() == ["web.1"], limit=60, what="one dyno")
            self.server.api("POST", "/apps/busy/releases", {"release": "5"})
            self.server.wait_for_page("busy", "v9 change-1")
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
            self.assertIn("v3 one", self.server.page("steady"))
        finally:
            load.end()
        self.assertEqual(load.failures, [])
        self.assertEqual(load.bodies, {"v3"})


main()
