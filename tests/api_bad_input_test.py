"""What clients of the API get wrong, and what two of them do at once: the right status and id, a sentence, and
nothing lost or half done."""

import concurrent.futures
import http.client
import json
import pathlib
import unittest

from harness import Server, main, needs_root


@needs_root
class BadCalls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.server.api("POST", "/apps", {"name": "sushi"})

    def refused(self, method, path, body=None, status=422, identity="invalid_params", headers=None):
        got, _, content = self.server.request(method, path, body, headers)
        said = json.loads(content)
        self.assertEqual((got, said["id"]), (status, identity), (method, path, said))
        self.assertRegex(said["message"], r"(\.|is already taken)$")
        self.assertTrue(said["message"].isprintable(), said)
        return said["message"]

    def test_values_that_cannot_be(self):
        long, control = "a" * 5000, "a\u0007\u001b[31mb\nc"
        for path, member in (("/apps", "name"), ("/apps/sushi/domains", "hostname"), ("/account/keys", "public_key"),
                             ("/apps/sushi/log-drains", "url"), ("/pipelines", "name"), ("/apps/sushi/collaborators", "user"),
                             ("/apps/sushi/addons", "plan"), ("/accounts", "email"), ("/account/app-transfers", "app")):
            for value in (long, control, 7, ["a"], True, ""):
                got, _, content = self.server.request("POST", path, {member: value, "recipient": "x@example.com", "sni_endpoint": None})
                said = json.loads(content)
                # An app's name is made up where none is given.
                if (path, value) == ("/apps", ""):
                    continue
                self.assertIn(got, (404, 422), (path, value, said))
                self.assertTrue(said["message"].isprintable(), said)
                self.assertLess(len(said["message"]), 6000)
        for body in ({"GREETING": 1}, {"GREETING": ["x"]}, {"": "x"}, {"A=B": "x"}, {"A": "x" * 100_000}):
            self.refused("PATCH", "/apps/sushi/config-vars", body)
        for body in ({"updates": [{"type": "web", "quantity": "many"}]}, {"updates": [{"type": "web", "quantity": -1}]},
                     {"updates": [7]}, {"updates": "web=1"}, {}):
            got, _, content = self.server.request("PATCH", "/apps/sushi/formation", body)
            self.assertIn(got, (404, 422), content)
        self.refused("PATCH", "/apps/sushi", {"maintenance": "perhaps"})
        self.refused("PATCH", "/users/~/preferences", {"colour": "red"})

    def test_bodies_that_are_no_objects(self):
        for body in ("{", "[]", "7", '"x"', "{'name': 1}", "[" * 100_000, '{"a":' * 50_000, '{"name": "\\ud800"}', "\x00", "{}{}"):
            self.refused("POST", "/apps", body, 400, "bad_request")

    def test_a_hundred_megabytes(self):
        def memory():
            status = pathlib.Path(f"/proc/{self.server.process.pid}/status").read_text()
            return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
        before = memory()
        host, port = self.server.listen.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=60)
        connection.putrequest("POST", "/apps")
        connection.putheader("Authorization", f"Bearer {self.server.token}")
        connection.putheader("Content-Length", str(100 << 20))
        connection.endheaders()
        try:
            for _ in range(100):
                connection.send(b'{"name": "' + b"x" * (1 << 20))
        except OSError:
            pass  # it hung up on us, having said why
        try:
            self.assertEqual(connection.getresponse().status, 413)
        except (OSError, http.client.HTTPException):
            pass
        connection.close()
        self.assertLess(memory() - before, 30_000, "KiB that the server grew by")
        self.server.api("GET", "/account")

    def test_ranges(self):
        for index in range(3):
            self.server.api("PATCH", "/apps/sushi/config-vars", {"RANGE": str(index)})
        for path in ("/apps", "/apps/sushi/releases", "/apps/sushi/domains", "/account/keys", "/account/app-transfers",
                     "/oauth/authorizations", "/accounts", "/apps/sushi/collaborators", "/apps/sushi/log-drains", "/pipelines",
                     "/dyno-sizes", "/stacks", "/regions", "/apps/sushi/features"):
            status, headers, content = self.server.request("GET", path)
            keys = headers["Accept-Ranges"].split(", ")
            whole = json.loads(content)
            for key in keys:
                for order in ("asc", "desc"):
                    seen, asked = [], f"{key} ..; max=1, order={order}"
                    for _ in range(len(whole) + 1):
                        status, headers, content = self.server.request("GET", path, headers={"Range": asked})
                        self.assertIn(status, (200, 206), (path, asked, content))
                        seen += json.loads(content)
                        self.assertEqual(status == 206, "Next-Range" in headers, (path, asked))
                        if status == 200:
                            break
                        asked = headers["Next-Range"]
                    self.assertEqual(sorted(map(json.dumps, seen)), sorted(map(json.dumps, whole)), (path, key, order))
            for wrong in ("colour ..", f"{keys[0]} a", "max=0", "max=x", f"{keys[0]} ..; order=up", "a b c ..;;="):
                self.refused("GET", path, None, 416, "requested_range_not_satisfiable", {"Range": wrong})
        status, headers, content = self.server.request("GET", "/apps/sushi/releases", headers={"Range": "version 1000..; max=5"})
        self.assertEqual((status, json.loads(content)), (200, []))

    def together(self, calls):
        with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
            return [answer[0] for answer in pool.map(lambda call: self.server.request(*call), calls)]

    def test_writers_at_once(self):
        self.server.api("POST", "/apps", {"name": "busy"})
        said = self.together([("PATCH", "/apps/busy/config-vars", {f"VAR_{n}": str(n)}) for n in range(16)])
        self.assertEqual(set(said), {200})
        vars = self.server.api("GET", "/apps/busy/config-vars")
        self.assertEqual(vars, {f"VAR_{n}": str(n) for n in range(16)})
        # The first two are the app's own beginning.
        self.assertEqual(sorted(release["version"] for release in self.server.releases("busy")), list(range(1, 19)))

        self.assertEqual(sorted(self.together([("POST", "/apps", {"name": "once"})] * 8)), [201] + [422] * 7)
        self.server.api("POST", "/accounts", {"email": "bob@example.com"})
        said = self.together([("POST", "/apps/busy/collaborators", {"user": "bob@example.com"})] * 8)
        self.assertEqual(sorted(said), [201] + [422] * 7)
        said = self.together([("POST", "/account/app-transfers", {"app": "busy", "recipient": "bob@example.com"})] * 8)
        self.assertEqual(sorted(said), [201] + [409] * 7)
        self.assertEqual(sorted(self.together([("DELETE", "/apps/once")] * 8)), [200] + [404] * 7)

    def test_apps_are_made_while_others_change(self):
        for n in range(4):
            self.server.api("POST", "/apps", {"name": f"changing-{n}"})
        for turn in range(5):
            calls = [("POST", "/apps", {"name": f"made-{turn}-{n}"}) for n in range(8)]
            calls += [("PATCH", f"/apps/changing-{n % 4}/config-vars", {"TURN": f"{turn}-{n}"}) for n in range(16)]
            self.assertEqual(sorted(self.together(calls)), [200] * 16 + [201] * 8)

    def test_what_is_in_use_stays(self):
        bob = self.server.api("POST", "/accounts", {"email": "owner@example.com"})
        token = bob["password_reset"]["token"]
        self.refused("POST", f"/password-resets/{token}/actions/finalize", {"password": "short", "password_confirmation": "short"})
        self.server.api("POST", "/apps", {"name": "owned"})
        self.refused("DELETE", "/account", None, 422)  # the last administrator
        self.refused("DELETE", "/users/nobody@example.com", None, 404, "not_found")
        self.server.api("DELETE", "/users/owner@example.com")
        self.refused("POST", f"/password-resets/{token}/actions/finalize",
                     {"password": "long enough", "password_confirmation": "long enough"}, 404, "not_found")


if __name__ == "__main__":
    main()
