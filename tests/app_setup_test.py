"""An app from a source tarball alone: app.json says what it needs, POST /app-setups does it."""

import hashlib
import io
import json
import sqlite3
import tarfile

from harness import WEB, Failed, StoryTest, main, needs_root, wait_until, web_files

APP_JSON = {
    "name": "Sushi",
    "success_url": "/welcome",
    "env": {"GREETING": "from-the-file", "SECRET_KEY": {"generator": "secret"}, "NEEDED": {"description": "give it"},
            "MAYBE": {"required": False}},
    "formation": {"web": {"quantity": 2}, "worker": {"quantity": 1}},
    "buildpacks": [{"url": "heroku/python"}],
    "scripts": {"postdeploy": "echo seeding for $NEEDED; test -f text && exit ${POSTDEPLOY_EXIT:-0}"},
}
PROCFILE = "web: python3 web.py\nworker: sleep 1000\nrelease: echo releasing\n"
# Its page counts in the store at REDIS_URL and looks for the count in the one at STORE_URL.
COUNTER = WEB.replace('os.environ.get("GREETING", "-")', 'counts()').replace("class Handler", '''\
import socket, ssl
from urllib.parse import urlsplit

def ask(url, command):
    parts, context = urlsplit(url), ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(socket.create_connection((parts.hostname, parts.port), 20)) as connection:
        connection.sendall(f"AUTH {parts.password}\\r\\n{command}\\r\\nQUIT\\r\\n".encode())
        answers = connection.makefile("rb").read().decode().split("\\r\\n")
    return answers[1].replace("$-1", "nil").lstrip(":")

def counts():
    return "REDIS {}, STORE {}".format(ask(os.environ["REDIS_URL"], "INCR visits"), ask(os.environ["STORE_URL"], "GET visits"))

class Handler''', 1)


@needs_root
class AppSetup(StoryTest):
    def upload(self, app_json, files=None):
        content = dict(web_files(procfile=PROCFILE), **{"requirements.txt": "", **(files or {})})
        content = {name: text for name, text in content.items() if text is not None}
        if app_json is not None:
            content["app.json"] = app_json if isinstance(app_json, str) else json.dumps(app_json)
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            for name, text in content.items():
                entry = tarfile.TarInfo("./" + name)
                entry.size = len(text.encode())
                tar.addfile(entry, io.BytesIO(text.encode()))
        source = self.server.api("POST", "/sources")["source_blob"]
        path = "/" + source["put_url"].split("/", 3)[3]
        status, _, answer = self.server.request("PUT", path, packed.getvalue(), {"Authorization": None})
        self.assertLess(status, 300, answer)
        return {"url": source["get_url"], "version": "v1",
                "checksum": "SHA256:" + hashlib.sha256(packed.getvalue()).hexdigest()}

    def set_up(self, app_json, name, env, files=None):
        return self.server.api("POST", "/app-setups", {"source_blob": self.upload(app_json, files), "app": {"name": name},
                                                       "overrides": {"env": env}})

    def addons(self, app):
        return self.server.api("GET", f"/apps/{app}/addons")

    def end(self, setup):
        def ended():
            now = self.server.api("GET", f"/app-setups/{setup['id']}")
            return now["status"] != "pending" and now
        return wait_until(ended, pause=0.2, what="an end of the setup")

    def test_sets_up_and_survives_crashes(self):
        setup = self.set_up(APP_JSON, "sushi", {"NEEDED": "rice"})
        self.assertEqual((setup["status"], setup["app"]["name"], setup["manifest_errors"]), ("pending", "sushi", []))
        # kill -9 before, in and after the build.
        for pause in (0.0, 0.7, 2.0):
            wait_until(lambda: True, pause)
            self.server.kill()
            self.server.start()
        done = self.end(setup)
        self.assertEqual((done["status"], done["failure_message"]), ("succeeded", None))
        self.assertEqual(done["postdeploy"]["exit_code"], 0)
        self.assertIn("seeding for rice", done["postdeploy"]["output"])
        self.assertEqual(done["build"]["status"], "succeeded")
        self.assertTrue(done["resolved_success_url"].endswith("/welcome"))
        config = self.server.api("GET", "/apps/sushi/config-vars")
        self.assertEqual(len(config.pop("SECRET_KEY")), 128)
        self.assertEqual(config, {"GREETING": "from-the-file", "NEEDED": "rice"})
        self.server.wait_for_page("sushi", "one from-the-file")
        wait_until(lambda: sorted(d["name"] for d in self.server.dynos("sushi") if d["state"] == "up")
                   == ["web.1", "web.2", "worker.1"], what="the formation of app.json")
        self.assertEqual([one["buildpack"]["name"] for one in
                          self.server.api("GET", "/apps/sushi/buildpack-installations")], ["heroku/python"])

    def test_add_ons_are_there_before_the_build_and_once(self):
        app_json = {"addons": ["heroku-redis", {"plan": "heroku-redis:premium-0", "as": "store"}],
                    "scripts": {"postdeploy": "echo ${STORE_URL%%:*} and ${REDIS_URL%%:*}"}}
        setup = self.set_up(app_json, "stocked", {}, {"web.py": COUNTER})
        # kill -9 before its add-ons are asked for, while they are made, and once there is one.
        for already in (0, 0, 1):
            wait_until(lambda: len(self.addons("stocked")) >= already, what="an add-on")
            self.server.kill()
            self.server.start()
        done = self.end(setup)
        self.assertEqual((done["status"], done["failure_message"]), ("succeeded", None))
        self.assertIn("rediss and rediss", done["postdeploy"]["output"])
        self.assertEqual(sorted((addon["plan"]["name"], addon["state"]) for addon in self.addons("stocked")),
                         [("heroku-redis:mini", "provisioned"), ("heroku-redis:premium-0", "provisioned")])
        self.assertEqual(sorted(one["name"] for one in self.server.api("GET", "/apps/stocked/addon-attachments")),
                         ["REDIS", "STORE"])
        config = self.server.api("GET", "/apps/stocked/config-vars")
        self.assertEqual(sorted(config), ["REDIS_URL", "STORE_URL"])
        self.assertNotEqual(config["REDIS_URL"], config["STORE_URL"])
        # The provider has no more than the platform knows of.
        books = sqlite3.connect(f"file:{self.server.data / 'providers/redis/provider.db'}?mode=ro", uri=True, timeout=10)
        self.addCleanup(books.close)
        self.assertEqual(sorted(uuid for uuid, in books.execute("SELECT uuid FROM stores WHERE state = 'available'")),
                         sorted(addon["id"] for addon in self.addons("stocked")))
        # Two stores: what is counted in one is not in the other.
        self.server.wait_for_page("stocked", "REDIS 1, STORE nil")
        self.server.wait_for_page("stocked", "REDIS 2, STORE nil")

    def test_a_failed_postdeploy_fails_the_setup(self):
        setup = self.set_up(APP_JSON, "maki", {"NEEDED": "x", "POSTDEPLOY_EXIT": "7"})
        done = self.end(setup)
        self.assertEqual((done["status"], done["postdeploy"]["exit_code"]), ("failed", 7))
        self.assertIn("status 7", done["failure_message"])

    def test_a_postdeploy_that_sets_up_its_own_app_is_refused(self):
        """The script's own call is made here with the token that the script has, as dynos do not reach the server."""
        app_json = {"scripts": {"postdeploy": "echo begun; while ! test -e end; do sleep 0.1; done"}, "env": {"API_TOKEN": {}}}
        token = self.server.api("POST", "/oauth/authorizations", {"scope": ["global"]})["access_token"]["token"]
        small = {"requirements.txt": None, "Procfile": "worker: sleep 1000\n"}  # quickly built
        self.set_up(app_json, "ouroboros", {"API_TOKEN": token}, small)
        wait_until(lambda: any(d["type"] == "postdeploy" and d["state"] == "up" for d in self.server.dynos("ouroboros")),
                   what="the postdeploy script")
        source = self.upload(app_json, small)

        def asked_by_the_script(source):
            return self.server.request("POST", "/app-setups", json.dumps({"source_blob": source, "overrides": {
                "env": {"API_TOKEN": token}}}), {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
        status, _, answer = asked_by_the_script(source)
        self.assertEqual(status, 422, answer)
        self.assertIn("it would set itself up again and again", json.loads(answer)["message"])
        self.assertEqual([app["name"] for app in self.server.api("GET", "/apps") if app["name"].startswith("ouro")], ["ouroboros"])
        # Another app is no circle; nor is a person who sets the same one up twice.
        status, _, answer = asked_by_the_script(self.upload({"env": {"API_TOKEN": {}}}, small))
        self.assertEqual(status, 201, answer)
        self.assertEqual(self.set_up(app_json, "twin", {"API_TOKEN": "x"}, small)["status"], "pending")
        self.server.api("DELETE", "/apps/ouroboros")

    def test_bad_app_json_makes_nothing(self):
        before = len(self.server.api("GET", "/apps"))
        for app_json, why in ((None, "no app.json"), ("{", "not valid JSON"), ({"nmae": "x"}, "nmae is not a key"),
                              ({"env": {"A": 1}}, "env.A must be"), ({"env": {"A": {"description": "d"}}}, "A is required"),
                              ({"addons": ["heroku-fax:mini"]}, "heroku-fax:mini is no plan of this server"),
                              ({"addons": ["heroku-redis", {"plan": "heroku-redis:huge"}]}, "heroku-redis:huge is no plan"),
                              ({"addons": [{"plan": "heroku-redis", "as": "9 lives"}]}, "9 lives"),
                              ({"addons": [{"plan": "heroku-redis", "as": "CACHE"}] * 2}, "attached as CACHE"), ({"stack": "cedar"}, "stack"),
                              ({"formation": {"web": {"size": "huge"}}}, "dyno size")):
            with self.assertRaises(Failed) as refused:
                self.set_up(app_json, "tofu", {})
            self.assertEqual(refused.exception.status, 422)
            self.assertIn(why, refused.exception.body["message"])
        for body in ({}, {"source_blob": {}}, {"source_blob": {"url": "http://127.0.0.1:1/x"}}):
            with self.assertRaises(Failed):
                self.server.api("POST", "/app-setups", body)
        self.assertEqual(len(self.server.api("GET", "/apps")), before)
        self.assertEqual(self.server.api("GET", "/addons"), [])


main()
