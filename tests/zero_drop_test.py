"""Deploys, restarts, scaling, rollbacks, cycling, and changes of certificates and routes under load lose no request."""

import socket
import ssl
import subprocess
import threading
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

    def test_a_server_that_is_stopped_and_started_answers_what_had_begun_and_keeps_the_dynos(self):
        self.create("kept")
        self.server.push(self.repository(web_files()), "kept")
        self.server.wait_for_page("kept", "one")
        dynos = lambda: [(d["id"], d["name"]) for d in self.server.dynos("kept")]
        before, answers = dynos(), []
        begun = [threading.Thread(target=lambda: answers.append(self.server.get("kept", "/slow")[:2])) for _ in range(8)]
        for request in begun:
            request.start()
        active = lambda: sum(dyno["active"] for dyno in self.server.api("GET", "/apps/kept/router-metrics")["dynos"])
        wait_until(lambda: active() == 8, what="eight requests under way")
        self.server.stop()
        for request in begun:
            request.join()
        self.assertEqual([(status, body[:6]) for status, body in answers], [(200, "v3 one")] * 8)
        with self.assertRaises(OSError, msg="nobody listens meanwhile"):
            self.server.get("kept")
        self.server.start()
        self.server.wait_for_page("kept", "v3 one")
        self.assertEqual(dynos(), before)
        load = Load(self.server.http, "kept.localhost", clients=8)
        wait_until(lambda: load.answers > 100, what="answers")
        self.assertEqual(load.end().failures, [])

    def test_a_release_that_does_not_come_up_leaves_the_old_one_serving(self):
        self.create("steady")
        app = self.repository(web_files())
        self.server.push(app, "steady")
        self.server.wait_for_page("steady", "v3 one")
        load = Load(self.server.http, "steady.localhost", clients=4)
        try:
            commit(app, {"web.py": "import sys; sys.exit('this release is broken')\n"})
            said = self.server.push(app, "steady").stderr
            self.assertIn("Release v4 does not come up: web.1 exited with status 1. v3 keeps serving.", said)
            wait_until(lambda: "this release is broken" in self.server.logs("steady"), what="its output")
            time.sleep(2)
            status, body, _ = self.server.get("steady")
            self.assertEqual((status, body[:6]), (200, "v3 one"), self.server.logs("steady", lines=200))

            commit(app, {"web.py": "import time; time.sleep(1000)\n"})
            said = self.server.push(app, "steady").stderr
            self.assertIn("web.1 of v5 is still starting; what served before serves until it is up.", said)
        finally:
            load.end()
        self.assertEqual(load.failures, [])
        self.assertEqual(load.bodies, {"v3"})


@needs_root
class ZeroDropWhileCycling(StoryTest):
    options = ("--cycle-after", "3", "--cycle-from", "1")

    def test_no_request_fails_while_the_only_dyno_is_replaced_again_and_again(self):
        self.create("turning")
        self.server.push(self.repository(web_files(procfile="web: python3 web.py\nworker: sleep 1000\n")), "turning")
        self.server.api("PATCH", "/apps/turning/formation/worker", {"quantity": 1})
        self.server.wait_for_page("turning", " one ")
        seen = {"web": set(), "worker": set()}

        def turned():
            for dyno in self.server.dynos("turning"):
                seen[dyno["type"]].add(dyno["id"])
            return all(len(ids) >= 3 for ids in seen.values())

        load = Load(self.server.http, "turning.localhost", clients=4)
        try:
            wait_until(turned, limit=60, what="three dynos of each type, one after another")
        finally:
            load.end()
        self.assertEqual(load.failures, [])
        self.assertGreater(load.answers, 100)


@needs_root
class ZeroDropOverTls(StoryTest):
    options = ("--https", "127.0.0.1:0")

    def certificate(self, name, host):
        """A new one that signs itself, as the API takes it."""
        chain, key = (self.server.base / f"{name}.{kind}" for kind in ("crt", "key"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-keyout", key, "-out", chain, "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{host}"],
                       check=True, capture_output=True, timeout=60)
        return {"certificate_chain": chain.read_text(), "private_key": key.read_text()}

    def served(self, https, host):
        """The certificate that a client is shown now, as PEM."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(https.rsplit(":", 1), timeout=30) as plain:
            with context.wrap_socket(plain, server_hostname=host) as client:
                return ssl.DER_cert_to_PEM_cert(client.getpeercert(binary_form=True))

    def test_no_request_fails_while_certificates_and_routes_change(self):
        self.create("busy")
        self.server.push(self.repository(web_files()), "busy")
        self.server.wait_for_page("busy", "one")
        https, host = self.server.words["https"].removeprefix("https://"), "www.busy.example"
        endpoint = self.server.api("POST", "/apps/busy/sni-endpoints", self.certificate("cert-0", host))
        self.server.api("POST", "/apps/busy/domains", {"hostname": host, "sni_endpoint": endpoint["id"]})
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        def routed():
            probe = Load(https, host, clients=1, tls=context)
            wait_until(lambda: probe.answers or probe.failures, what="an answer")
            return probe.end().failures == []
        wait_until(routed, what="the domain to be routed")

        loads = [Load(https, host, clients=6, tls=context), Load(https, host, clients=2, tls=context, fresh=True)]
        try:
            for n in range(1, 6):
                fresh = self.certificate(f"cert-{n}", host)
                self.server.api("PATCH", f"/apps/busy/sni-endpoints/{endpoint['id']}", fresh)
                self.server.api("POST", "/apps", {"name": f"other-{n}"})
                self.server.api("POST", f"/apps/other-{n}/domains", {"hostname": f"www.other-{n}.example", "sni_endpoint": None})
                wait_until(lambda: self.served(https, host) == fresh["certificate_chain"], what="the new certificate")
                wait_until(lambda: self.server.get(f"other-{n}")[0] != 404, what="the new route")
                self.server.api("DELETE", f"/apps/other-{n}")
                wait_until(lambda: self.server.get(f"other-{n}")[0] == 404, what="the route to be gone")
        finally:
            for load in loads:
                load.end()
        for load in loads:
            self.assertEqual(load.failures, [])
            self.assertGreater(load.answers, 20)


main()
