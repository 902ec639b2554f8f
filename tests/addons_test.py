"""Add-ons: the example provider in the catalog, its config in dynos, and the books of both after every kind of fault.

RENGA_ADDON_FAULTS (default 12) rounds of faults, RENGA_SEED repeats a run.
"""

import base64
import importlib.util
import json
import os
import random
import re
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from harness import RENGA, ROOT, WEB, Failed, StoryTest, exits, main, needs_root, wait_until

FAULTS = int(os.environ.get("RENGA_ADDON_FAULTS", "12"))
SEED = int(os.environ.get("RENGA_SEED", str(random.SystemRandom().randrange(1 << 32))))

specification = importlib.util.spec_from_file_location("errortank", ROOT / "examples/provider/provider.py")
errortank = importlib.util.module_from_spec(specification)
specification.loader.exec_module(errortank)

# Its page shows the add-on's var where the harness's shows GREETING.
FILES = {"web.py": WEB.replace('"GREETING"', '"ERRORTANK_URL"'), "Procfile": "web: python3 web.py\n", "text": "one\n"}


class FaultyHandler(errortank.Handler):
    """Does what it is asked, or not, and then answers, or not, as the server's `faults` have it."""

    def answer(self, work, authorized=True):
        fault = self.server.fault()
        if fault in ("drop", "error", "refuse"):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if fault == "drop":
                self.close_connection = True
                return
            return self.send(500 if fault == "error" else 503, {"message": "broken"})
        self.fault_behind = fault
        super().answer(work, authorized)

    def send(self, status, body):
        fault, self.fault_behind = getattr(self, "fault_behind", None), None
        if fault == "lose the answer":
            self.close_connection = True
        elif fault == "garbage":
            super().send(200, "<html>not what you asked for</html>")
        elif fault == "error behind it":
            super().send(500, {"message": "broken, and yet done"})
        else:
            super().send(status, body)


class FaultyServer(errortank.Server):
    KINDS = ["drop", "error", "refuse", "lose the answer", "garbage", "error behind it"]

    def __init__(self, provider, randomness):
        self.random, self.likely = randomness, 0.0
        super().__init__(("127.0.0.1", 0), provider, FaultyHandler)

    def fault(self):
        return self.random.choice(self.KINDS) if self.random.random() < self.likely else None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@needs_root
class AddonsTest(StoryTest):
    def setUp(self):
        # Providers keep the address that they call back at: the same before and after a crash.
        self.options = ("--listen", f"127.0.0.1:{free_port()}")
        super().setUp()
        self.random = random.Random(SEED)
        manifest = json.loads((ROOT / "examples/provider/addon-manifest.json").read_text())
        (self.server.base / "tanks").mkdir()
        self.provider = errortank.Provider(manifest, self.server.base / "tanks")
        self.tank_server = FaultyServer(self.provider, self.random)
        thread = threading.Thread(target=self.tank_server.serve_forever)
        thread.start()
        self.addCleanup(self.tank_server.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(self.tank_server.shutdown)

        self.origin = f"http://127.0.0.1:{self.tank_server.server_address[1]}"
        production = manifest["api"]["production"]
        production["base_url"] = self.origin + "/heroku/resources"
        production["sso_url"] = self.origin + "/sso/login"
        self.manifest = self.server.base / "addon-manifest.json"
        self.manifest.write_text(json.dumps(manifest))

    def renga(self, *words, status=0):
        environment = dict(os.environ, RENGA_URL=f"http://{self.server.listen}", RENGA_TOKEN=self.server.token)
        done = subprocess.run([RENGA, *words], capture_output=True, text=True, timeout=120, env=environment,
                              stdin=subprocess.DEVNULL, cwd=self.server.base)
        self.assertIn(done.returncode, exits(status), f"{words}:\n{done.stdout}{done.stderr}\n{self.server.log()[-4000:]}")
        return done.stdout + done.stderr

    def config(self, app):
        return self.server.api("GET", f"/apps/{app}/config-vars")

    def tanks(self):
        """The provider's books: plan by uuid."""
        with self.provider.books.lock:
            return {uuid: known["plan"] for uuid, known in self.provider.books.resources.items()}

    def books(self):
        """The platform's: state and plan by uuid."""
        return {addon["id"]: (addon["state"], addon["plan"]["name"].split(":")[1])
                for addon in self.server.api("GET", "/addons")}

    def secret(self, uuid):
        with self.provider.books.lock:
            return self.provider.books.resources[uuid]["secret"]

    def rotate(self, uuid):
        password = base64.b64encode(f"errortank:{self.provider.api['password']}".encode()).decode()
        request = urllib.request.Request(f"{self.origin}/heroku/resources/{uuid}/rotate", b"{}",
                                         {"Authorization": f"Basic {password}"}, method="POST")
        urllib.request.urlopen(request, timeout=30).close()

    def test_a_strangers_provider_from_the_catalog_to_a_dyno_and_out_again(self):
        server = self.server
        checked = self.renga("provider", "check", str(self.manifest))
        self.assertNotIn("WRONG", checked)
        self.assertIn("ok     answers the same to the same uuid", checked)
        self.assertEqual(checked, self.renga("provider", "check", self.origin + "/heroku/resources"))
        elsewhere = self.server.base / "elsewhere.json"
        elsewhere.write_text(self.manifest.read_text().replace(self.origin, "https://errortank.example"))
        self.assertEqual(checked, self.renga("provider", "check", str(elsewhere), "--base-url", self.origin + "/heroku/resources"))
        self.assertEqual(self.tanks(), {}, "the checker cleans up")
        self.renga("addons:create", "errortank", "-a", "tanks", status=1)
        self.renga("addons:register", str(self.manifest))
        self.assertIn("errortank", self.renga("addons:services"))
        self.assertRegex(self.renga("addons:plans", "errortank"), r"default +errortank:basic +Basic +free")

        self.create("tanks")
        server.push(self.repository(FILES), "tanks")
        said = self.renga("addons:create", "errortank", "-a", "tanks", "--name", "tank-one")
        self.assertIn("It set ERRORTANK_URL", said)
        (uuid,) = self.tanks()
        server.wait_for_page("tanks", self.secret(uuid))
        descriptions = [release["description"] for release in server.releases("tanks")]
        self.assertEqual(descriptions[:2], ["@ref:tank-one completed provisioning, setting ERRORTANK_URL.",
                                            "Attach ERRORTANK (@ref:tank-one)"])
        self.assertRegex(self.renga("addons", "-a", "tanks"), r"(?s)tank-one +errortank:basic +free +provisioned.*as ERRORTANK")
        self.assertIn("Cannot overwrite attachment values ERRORTANK_URL",
                      self.renga("config:set", "ERRORTANK_URL=mine", "-a", "tanks", status=1))

        self.assertIn("errortank:premium, $9.00/month".split(",")[0],
                      self.renga("addons:upgrade", "tank-one", "errortank:premium"))
        self.assertEqual(self.tanks()[uuid], "premium")
        self.renga("addons:upgrade", "tank-one", "errortank:enormous", status=1)
        self.assertIn("A tank cannot become slow.", self.renga("addons:upgrade", "tank-one", "slow", status=1))

        self.create("other")
        self.renga("addons:attach", "tank-one", "-a", "other", "--as", "store")
        self.assertIn(self.secret(uuid), self.config("other")["STORE_URL"])
        self.renga("addons:attach", "tank-one", "-a", "other", "--as", "spare")
        self.assertRegex(self.renga("addons", "-a", "other"), r"tank-one +of tanks\n  as SPARE\n  as STORE\n")
        before = self.secret(uuid)
        wait_until(lambda: "refresh_token" in self.provider.books.resources[uuid], what="the provider's tokens")
        self.rotate(uuid)
        self.assertNotEqual(before, self.secret(uuid))
        self.assertIn(self.secret(uuid), self.config("other")["STORE_URL"])
        server.wait_for_page("tanks", self.secret(uuid))
        self.assertEqual(server.releases("other")[0]["description"], "Update SPARE, STORE by errortank")
        self.assertEqual(server.releases("other")[0]["user"]["email"], "errortank@addons.heroku.com")

        # What is rolled back is the code and what people set; the secret of yesterday stays in the past.
        self.renga("releases:rollback", "v3", "-a", "tanks")
        server.wait_for_page("tanks", self.secret(uuid))

        # What its provider writes is in the app's log, under the service's name.
        wait_until(lambda: re.search(r" app\[errortank\.tank\]: A basic tank is ready\.", server.logs("tanks")), what="its line")
        self.assertIn("https://errortank.example/docs", self.renga("addons:docs", "errortank"))

        self.single_sign_on()
        self.renga("addons:create", "errortank:slow", "-a", "tanks", "--as", "SLOW", "--wait")
        self.assertIn("SLOW_URL", self.config("tanks"))

        self.assertIn("attached to other apps: other.", self.renga("addons:destroy", "tank-one", "-c", "tanks", status=1))
        self.renga("addons:destroy", "tank-one", "-c", "other", status=1)
        self.renga("addons:destroy", "tank-one", "-c", "tanks", "--force")
        self.assertNotIn("STORE_URL", self.config("other"))
        self.assertEqual(list(self.tanks().values()), ["slow"])
        self.renga("addons:unregister", "errortank", status=1)
        self.renga("apps:destroy", "tanks", "--confirm", "tanks")
        wait_until(lambda: self.tanks() == {}, what="the provider has let go")
        wait_until(lambda: self.books() == {}, what="no add-ons")
        self.renga("addons:unregister", "errortank")

    def single_sign_on(self):
        """What a browser does with the page: posts its form to where it says."""
        url = self.renga("addons:open", "tank-one").splitlines()
        page = next(line for line in url if line.startswith("http"))
        with urllib.request.urlopen(page, timeout=30) as answer:
            form = answer.read().decode()
        fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form))
        action = re.search(r'action="([^"]+)"', form)[1]
        with urllib.request.urlopen(action, urllib.parse.urlencode(fields).encode(), timeout=30) as answer:
            self.assertIn("a tank on tanks, premium", answer.read().decode())
        with self.assertRaises(urllib.error.HTTPError):
            urllib.request.urlopen(page[:-4] + "AAAA", timeout=30)

    def test_books_agree_after_faults_of_the_provider_and_kills_of_control(self):
        print(f"RENGA_SEED={SEED} RENGA_ADDON_FAULTS={FAULTS}", flush=True)
        server = self.server
        self.renga("addons:register", str(self.manifest))
        self.create("faulty")
        self.tank_server.likely = 0.4
        for number in range(FAULTS):
            thread = threading.Thread(target=self.operate, args=(number,))
            thread.start()
            if number % 2 == 0:
                time.sleep(self.random.random() * 0.25)
                server.kill()
                thread.join()
                server.start()
            else:
                thread.join()
        self.tank_server.likely = 0.0
        # What waits for its next try comes at once after a start, and not in an hour.
        server.stop()
        server.start()

        def agree():
            books, tanks = self.books(), self.tanks()
            return books == {uuid: ("provisioned", plan) for uuid, plan in tanks.items()}
        try:
            wait_until(agree, what="equal books")
        except AssertionError as disagreement:
            raise AssertionError(f"{disagreement}\nplatform: {self.books()}\nprovider: {self.tanks()}\n"
                                 f"{server.log()[-6000:]}") from None
        for app in server.api("GET", "/apps"):
            config = self.config(app["name"])
            for attachment in server.api("GET", f"/apps/{app['name']}/addon-attachments"):
                self.assertIn(self.secret(attachment["addon"]["id"]), config[attachment["name"] + "_URL"])

    def operate(self, number):
        """One thing that a person may want; how it ends for them does not matter here."""
        addons = []
        try:
            addons = self.server.api("GET", "/addons")
            kind = self.random.choice(["create", "create", "create", "plan", "destroy", "app"])
            addon = self.random.choice(addons) if addons else None
            if kind == "create" or not addon:
                plan = self.random.choice(["basic", "premium", "slow"])
                self.server.api("POST", "/apps/faulty/addons", {"plan": f"errortank:{plan}"})
            elif kind == "plan":
                plan = "basic" if addon["plan"]["name"].endswith("premium") else "premium"
                self.server.api("PATCH", f"/apps/{addon['app']['id']}/addons/{addon['id']}", {"plan": f"errortank:{plan}"})
            elif kind == "destroy":
                self.server.api("DELETE", f"/apps/{addon['app']['id']}/addons/{addon['id']}", {"force": True})
            else:
                name = f"brief-{number}"
                self.server.api("POST", "/apps", {"name": name})
                self.server.api("POST", f"/apps/{name}/addons", {"plan": "errortank"})
                self.server.api("DELETE", f"/apps/{name}")
        except (Failed, OSError, ValueError):
            pass
        except Exception as error:  # http.client's, when control dies under a call
            if "http.client" not in type(error).__module__:
                raise


if __name__ == "__main__":
    main()
