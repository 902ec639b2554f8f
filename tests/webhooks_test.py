#!/usr/bin/env python3
"""What receivers are told: an app's webhooks by Heroku's API, through a kill of the server; and a provider's webhooks and log
drains with its add-on's token."""

import base64
import hashlib
import hmac
import http.server
import importlib.util
import json
import threading
import urllib.request

from harness import ROOT, StoryTest, main, needs_root, wait_until

specification = importlib.util.spec_from_file_location("errortank", ROOT / "examples/provider/provider.py")
errortank = importlib.util.module_from_spec(specification)
specification.loader.exec_module(errortank)


class Receiver(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        self.posts, self.status = [], 204
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.posts.append((self.path, dict(self.headers), body, receiver.status))
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def told(self, path):
        """What arrived there and was taken: (entity, action, data), in order."""
        bodies = [json.loads(body) for at, _, body, status in list(self.posts) if at == path and status == 204]
        return [(body["webhook_metadata"]["event"]["include"], body["action"], body["data"]) for body in bodies]


@needs_root
class Webhooks(StoryTest):
    environment = {"RENGA_ALLOW_DRAINS": "127.0.0.1"}

    def setUp(self):
        super().setUp()
        self.receiver = Receiver()
        self.addCleanup(self.receiver.server_close)
        self.addCleanup(self.receiver.shutdown)
        self.create("shop")

    def deployed(self):
        self.server.push(self.repository({"Procfile": "worker: while :; do echo tick; sleep 1; done\n"}), "shop")
        self.server.api("PATCH", "/apps/shop/formation/worker", {"quantity": 1})

    def set_config(self, value):
        self.server.api("PATCH", "/apps/shop/config-vars", {"VALUE": value})

    def test_of_an_app(self):
        receiver, server = self.receiver, self.server
        webhook = server.api("POST", "/apps/shop/webhooks", {
            "url": receiver.url + "/in", "level": "sync", "secret": "s3cret", "authorization": "Bearer me",
            "include": ["api:build", "api:release", "api:formation", "dyno"]})
        self.deployed()
        wait_until(lambda: ("dyno", "update") in [told[:2] for told in receiver.told("/in")], what="news of a dyno")
        told = receiver.told("/in")
        kinds = [one[:2] for one in told]
        self.assertLess(kinds.index(("api:build", "create")), kinds.index(("api:release", "create")))
        self.assertLess(kinds.index(("api:release", "create")), kinds.index(("api:build", "update")))
        self.assertIn(("api:formation", "update"), kinds)
        self.assertIn(("dyno", "create"), kinds)
        for path, headers, body, _ in receiver.posts:
            signature = base64.b64encode(hmac.digest(b"s3cret", body, hashlib.sha256)).decode()
            self.assertEqual(headers["Heroku-Webhook-Hmac-SHA256"], signature)
            self.assertEqual(headers["Authorization"], "Bearer me")

        # The receiver is away and the server is killed: what happened is told all the same, in order.
        receiver.status = 503
        before = len(receiver.posts)
        for value in ("one", "two"):
            self.set_config(value)
        wait_until(lambda: len(receiver.posts) > before, what="an attempt")
        server.kill()
        receiver.status = 204
        server.start()
        versions = [release["version"] for release in server.releases("shop")][:2][::-1]
        wait_until(lambda: [data["version"] for entity, _, data in receiver.told("/in") if entity == "api:release"][-2:]
                   == versions, what="the releases in order")
        deliveries = server.api("GET", "/apps/shop/webhook-deliveries")
        self.assertEqual({delivery["webhook"]["id"] for delivery in deliveries}, {webhook["id"]})
        self.assertGreater(max(delivery["num_attempts"] for delivery in deliveries), 1)

        # A server's neighbours are none of an app's business, unless its administrator says so.
        server.api("PATCH", f"/apps/shop/webhooks/{webhook['id']}", {"url": "http://169.254.169.254/latest", "level": "notify"})
        self.set_config("three")
        refused = wait_until(lambda: [one for one in server.api("GET", "/apps/shop/webhook-deliveries")
                                      if one["status"] == "failed" and one["last_attempt"]], what="a refusal")
        self.assertIn("not allowed", refused[0]["last_attempt"]["error_class"])

    def test_of_a_provider(self):
        receiver, server = self.receiver, self.server
        manifest = json.loads((ROOT / "examples/provider/addon-manifest.json").read_text())
        manifest["api"]["requires"].append("syslog_drain")
        (server.base / "tanks").mkdir()
        provider = errortank.Provider(manifest, server.base / "tanks")
        tanks = errortank.Server(("127.0.0.1", 0), provider)
        thread = threading.Thread(target=tanks.serve_forever)
        thread.start()
        for end in (tanks.server_close, thread.join, tanks.shutdown):
            self.addCleanup(end)
        origin = f"http://127.0.0.1:{tanks.server_address[1]}"
        manifest["api"]["production"] = {"base_url": origin + "/heroku/resources", "sso_url": origin + "/sso/login"}
        server.api("POST", "/addon-services", manifest)
        self.deployed()
        addon = server.api("POST", "/apps/shop/addons", {"plan": "errortank"})
        uuid = addon["id"]
        wait_until(lambda: "refresh_token" in provider.books.resources[uuid], what="the provider's tokens")
        token = provider.tokens(uuid, grant_type="refresh_token",
                                refresh_token=provider.books.resources[uuid]["refresh_token"])["access_token"]

        def call(method, below, body=None):
            request = urllib.request.Request(
                f"http://{server.listen}/addons/{uuid}{below}", json.dumps(body).encode() if body else None,
                {"Authorization": f"Bearer {token}", "Content-Type": "application/json",
                 "Accept": "application/vnd.heroku+json; version=3"}, method=method)
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)

        drain = call("POST", "/log-drains", {"url": receiver.url + "/logs"})
        self.assertEqual(server.api("GET", "/apps/shop/log-drains")[0]["addon"]["name"], addon["name"])
        wait_until(lambda: any(path == "/logs" and b"tick" in body and headers["Logplex-Drain-Token"] == drain["token"]
                               for path, headers, body, _ in list(receiver.posts)), what="the app's log")
        call("PUT", f"/log-drains/{drain['token']}", {"url": receiver.url + "/moved"})
        wait_until(lambda: any(path == "/moved" for path, *_ in list(receiver.posts)), what="the log at its new place")

        call("POST", "/webhooks", {"url": receiver.url + "/hook", "level": "sync",
                                   "include": ["api:addon", "api:app", "api:release"]})
        self.set_config("one")
        server.api("PATCH", "/apps/shop", {"maintenance": True})
        wait_until(lambda: [told[:2] for told in receiver.told("/hook")] ==
                   [("api:release", "create"), ("api:app", "update")], what="news of the app")
        self.assertEqual(len(call("GET", "/webhook-events")), 2)

        server.api("DELETE", f"/apps/shop/addons/{uuid}", {"force": True})
        wait_until(lambda: ("api:addon", "destroy") in [told[:2] for told in receiver.told("/hook")], what="the end")
        self.assertEqual(server.api("GET", "/apps/shop/log-drains"), [])


if __name__ == "__main__":
    main()
