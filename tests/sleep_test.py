"""Apps of Eco dynos sleep when nobody asks for them, and wake with the next request, which waits."""

import pathlib
import socket
import time

from harness import StoryTest, main, needs_root, wait_until, web_files


def processes_of(marker):
    """Pids of processes that have this in their environment, from the kernel."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and marker in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@needs_root
class Sleep(StoryTest):
    options = ("--sleep-after", "2", "--put-away-after", "12")

    def states(self):
        return {dyno["name"]: dyno["state"] for dyno in self.server.dynos("drowsy")}

    def wait_for_states(self, **expected):
        wanted = {f"{name}.1": state for name, state in expected.items()}
        wait_until(lambda: self.states() == wanted, limit=40, what=f"dynos {wanted}, after {self.states()}")

    def test_an_app_sleeps_and_wakes(self):
        server = self.server
        self.create("drowsy")
        marker = f"SLEEP_TEST={server.base}".encode()
        server.api("PATCH", "/apps/drowsy/config-vars", {"SLEEP_TEST": str(server.base)})
        app = self.repository(web_files(procfile="web: python3 web.py\nworker: sleep 100000\n"))
        server.push(app, "drowsy")
        server.api("PATCH", "/apps/drowsy/formation", {"updates": [
            {"type": "web", "quantity": 1, "size": "eco"}, {"type": "worker", "quantity": 1, "size": "eco"}]})
        self.wait_for_states(web="up", worker="up")

        # Frozen: its processes are there, and stand still.
        self.wait_for_states(web="idle", worker="idle")
        self.assertGreater(len(processes_of(marker)), 1)
        status, body, _ = server.get("drowsy")
        self.assertEqual(status, 200)
        self.assertIn(" one ", body)
        self.wait_for_states(web="up", worker="up")
        logs = server.logs("drowsy")
        for line in ("heroku[web.1]: Idling", "heroku[web.1]: State changed from up to idle",
                     "heroku[web.1]: Unidling", "heroku[web.1]: State changed from idle to up"):
            self.assertIn(line, logs)

        # Control is killed while it sleeps: it sleeps on, and a request still wakes it.
        self.wait_for_states(web="idle", worker="idle")
        before = sorted(processes_of(marker))
        server.kill()
        server.start()
        self.assertEqual(self.states(), {"web.1": "idle", "worker.1": "idle"})
        self.assertEqual(sorted(processes_of(marker)), before)
        self.assertEqual(server.get("drowsy")[0], 200)

        # Put away: no process is left, and the request waits until one listens.
        wait_until(lambda: not processes_of(marker), limit=60, what="the end of its processes")
        self.assertEqual(self.states(), {"web.1": "idle", "worker.1": "idle"})
        begin = time.monotonic()
        self.assertEqual(server.get("drowsy")[0], 200)
        self.assertLess(time.monotonic() - begin, 30)
        self.wait_for_states(web="up", worker="up")
        self.assertIn("State changed from idle to starting", server.logs("drowsy"))

        # A restart by hand wakes as well.
        self.wait_for_states(web="idle", worker="idle")
        server.api("DELETE", "/apps/drowsy/dynos")
        wait_until(lambda: self.states().get("web.1") == "up", limit=40, what="the restart")

    def test_an_app_with_a_request_under_way_does_not_sleep(self):
        self.create("drowsy")
        slow = "import http.server, os, time\nclass H(http.server.BaseHTTPRequestHandler):\n" \
               "    def do_GET(self):\n        time.sleep(9)\n        self.send_response(200)\n" \
               "        self.send_header('Content-Length', '4')\n        self.end_headers()\n        self.wfile.write(b'slow')\n" \
               "http.server.HTTPServer(('', int(os.environ['PORT'])), H).serve_forever()\n"
        app = self.repository({"web.py": slow, "Procfile": "web: python3 web.py\n"})
        self.server.push(app, "drowsy")
        self.server.api("PATCH", "/apps/drowsy/formation", {"updates": [{"type": "web", "size": "eco"}]})
        self.wait_for_states(web="up")
        self.assertEqual(self.server.get("drowsy")[1], "slow")
        self.assertNotIn("Idling", self.server.logs("drowsy").split("path=")[0])
        host, port = self.server.http.rsplit(":", 1)
        with socket.create_connection((host, int(port))) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: drowsy.localhost\r\nConnection: close\r\n\r\n")
            time.sleep(5)
            self.assertEqual(self.states(), {"web.1": "up"})


if __name__ == "__main__":
    main()
