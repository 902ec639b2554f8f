#!/usr/bin/env python3
"""Money: the platform's books and the providers' own, after kill -9 of control or of a provider while both run.

The moment of the kill sweeps over the time that an operation takes. Each single step, by its name, is killed at in
src/addons/addons_crash_test.cpp (control's) and by provider_crash.py (the providers').
RENGA_KILLS (default 6) moments for each of provision, plan change and deprovision, with both victims.
"""

import os
import pathlib
import signal
import sqlite3
import threading
import time

from harness import Failed, StoryTest, main, needs_network, needs_root, wait_until

KILLS = int(os.environ.get("RENGA_KILLS", "6"))
SERVICES = {
    "heroku-redis": {"provider": "redis", "plans": ("premium-0", "premium-1"), "table": "stores"},
    "heroku-postgresql": {"provider": "postgresql", "plans": ("essential-0", "essential-1"), "table": "databases"},
    "heroku-kafka": {"provider": "kafka", "plans": ("basic-0", "basic-1"), "table": "clusters"},
}


@needs_root
class Books(StoryTest):
    kept = None  # an add-on that is there all the while

    def rows(self, service, query):
        path = self.server.data / "providers" / SERVICES[service]["provider"] / "provider.db"
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def platforms(self, service):
        """(plan, state) by uuid: what the platform thinks there is."""
        return {addon["id"]: (addon["plan"]["name"].split(":")[1], addon["state"])
                for addon in self.server.api("GET", "/addons")
                if addon["addon_service"]["name"] == service and addon["id"] != self.kept}

    def providers(self, service):
        """The same, as the provider has it; what it keeps of destroyed ones is not there any more."""
        words = {"available": "provisioned", "provisioning": "provisioning"}
        return {uuid: (plan, words[state]) for uuid, plan, state in
                self.rows(service, f"SELECT uuid, plan, state FROM {SERVICES[service]['table']}") if state in words and uuid != self.kept}

    def agree(self, service):
        books = self.platforms(service)
        return books == self.providers(service) and all(state == "provisioned" for _, state in books.values())

    def provider_pid(self, name):
        for entry in pathlib.Path("/proc").iterdir():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            # Its spawner has other words.
            if words[1:4] == [b"provider", name.encode(), b"--data"] and str(self.server.data).encode() in words[4]:
                return int(entry.name)
        return None

    def kill(self, victim, service):
        if victim == "control":
            self.server.kill()
            self.server.start()
        elif pid := self.provider_pid(SERVICES[service]["provider"]):
            os.kill(pid, signal.SIGKILL)

    def call(self, *arguments):
        try:
            return self.server.api(*arguments)
        except (Failed, OSError, ValueError):
            return None
        except Exception as error:  # http.client's, when control dies under the call
            if "http.client" not in type(error).__module__:
                raise
            return None

    def interrupted(self, delay, victim, service, *arguments):
        thread = threading.Thread(target=self.call, args=arguments)
        thread.start()
        time.sleep(delay)
        self.kill(victim, service)
        thread.join()

    def settled(self, service, what):
        try:
            wait_until(lambda: self.agree(service), pause=0.1, what="equal books")
        except AssertionError as disagreement:
            raise AssertionError(f"{what}: {disagreement}\nplatform: {self.platforms(service)}\n"
                                 f"provider: {self.providers(service)}\n{self.server.log()[-4000:]}") from None

    def sweep(self, service, kills=KILLS):
        first, second = SERVICES[service]["plans"]
        self.create("ledger")
        begin = time.monotonic()
        made = self.server.api("POST", "/apps/ledger/addons", {"plan": f"{service}:{first}"})
        length = time.monotonic() - begin
        self.server.api("DELETE", f"/apps/ledger/addons/{made['id']}", {"force": True})
        for number in range(kills):
            victim = ("control", "provider")[number % 2]
            delay = length * number / kills
            self.interrupted(delay, victim, service, "POST", "/apps/ledger/addons", {"plan": f"{service}:{first}"})
            self.settled(service, f"provision, {victim} killed after {delay:.3f} s")
            addons = self.platforms(service)
            if not addons:
                wait_until(lambda: self.call("POST", "/apps/ledger/addons", {"plan": f"{service}:{first}"}), pause=0.5,
                           what="an add-on")
                self.settled(service, "provision")
                addons = self.platforms(service)
            uuid = next(iter(addons))
            self.interrupted(delay / 2, victim, service, "PATCH", f"/apps/ledger/addons/{uuid}", {"plan": f"{service}:{second}"})
            self.settled(service, f"plan change, {victim} killed after {delay / 2:.3f} s")
            self.interrupted(delay / 2, victim, service, "DELETE", f"/apps/ledger/addons/{uuid}", {"force": True})
            # Whoever asked may not have been heard; then it is all still there.
            self.settled(service, f"deprovision, {victim} killed after {delay / 2:.3f} s")
            for left in self.platforms(service):
                wait_until(lambda left=left: self.call("DELETE", f"/apps/ledger/addons/{left}", {"force": True}) or
                           left not in self.platforms(service), pause=0.5, what="an end")
            self.settled(service, "deprovision")
        self.assertEqual(self.platforms(service), {})

    def test_redis(self):
        self.sweep("heroku-redis")
        # Every server is some store's, and none runs but for a store that is there.
        self.assertEqual(self.rows("heroku-redis", "SELECT id FROM servers WHERE id NOT IN (SELECT server FROM stores)"), [])
        self.assertEqual(self.rows("heroku-redis", "SELECT id FROM servers WHERE wanted = 1"), [])

    def test_postgresql(self):
        self.sweep("heroku-postgresql")
        self.assertEqual(self.rows("heroku-postgresql", "SELECT server FROM clusters WHERE plan <> 'shared'"), [])

    @needs_network
    def test_kafka(self):
        # A broker takes seconds to start; this one is there for all of them.
        self.create("keeper")
        self.kept = self.server.api("POST", "/apps/keeper/addons", {"plan": "heroku-kafka:basic-0"})["id"]
        wait_until(lambda: self.server.api("GET", f"/addons/{self.kept}")["state"] == "provisioned", pause=0.2, what="a broker")
        self.sweep("heroku-kafka", max(2, KILLS // 2))
        self.assertEqual(self.rows("heroku-kafka", "SELECT uuid FROM clusters WHERE state NOT IN ('available', 'quarantined')"), [])
        self.assertEqual(len(self.rows("heroku-kafka", "SELECT server FROM brokers")), 1)


if __name__ == "__main__":
    main()
