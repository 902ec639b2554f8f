"""Starting, stopping and starting again."""

import os
import pathlib
import signal
import socket
import ssl
import subprocess

from harness import PATIENCE, RENGA, StoryTest, commit, main, needs_root, wait_until, web_files


@needs_root
class ServerLife(StoryTest):
    def test_the_first_start_makes_a_private_token_and_a_ca(self):
        self.assertEqual(os.stat(self.server.data / "admin.token").st_mode & 0o777, 0o600)
        context = ssl.create_default_context(cafile=self.server.data / "ca.pem")
        host, port = self.server.listen.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as tls:
                tls.sendall(b"GET /account HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                            b"Authorization: Bearer " + self.server.token.encode() + b"\r\n\r\n")
                answer = b""
                while piece := tls.recv(65_536):
                    answer += piece
        self.assertTrue(answer.startswith(b"HTTP/1.1 200"), answer)
        self.assertNotIn(self.server.token, self.server.log())

    def test_a_second_server_on_the_same_directory_is_refused(self):
        second = subprocess.run([RENGA, "server", "--data", str(self.server.data), "--listen", "127.0.0.1:0",
                                 "--http", "127.0.0.1:0"], capture_output=True, text=True, timeout=PATIENCE)
        self.assertNotEqual(second.returncode, 0)
        self.assertIn("Another server", second.stderr)

    def test_dynos_and_state_survive_a_stop_and_a_start(self):
        self.create("stays")
        app = self.repository(web_files())
        self.server.push(app, "stays")
        self.server.wait_for_page("stays", "v3 one")
        [before] = self.server.dynos("stays")
        self.server.stop()
        self.server.start()
        wait_until(lambda: self.server.page("stays"), what="the page")
        [after] = self.server.dynos("stays")
        self.assertEqual((before["id"], before["updated_at"]), (after["id"], after["updated_at"]))
        self.assertIn("app[web.1]: listening", self.server.logs("stays"))
        commit(app, {"text": "two\n"})
        self.server.push(app, "stays")
        self.server.wait_for_page("stays", "v4 two")

    def test_the_router_reads_strangers_bytes_as_nobody_in_particular(self):
        def router():
            return int((self.server.data / "router/router.lock").read_text())

        def status_of(pid):
            lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
            return {name: value.split() for name, value in (line.split(":", 1) for line in lines)}

        before = router()
        status = status_of(before)
        for ids in (status["Uid"], status["Gid"]):
            self.assertEqual(len(set(ids)), 1)
            self.assertGreater(int(ids[0]), 1_000_000)
        self.assertEqual(status["Groups"], [])
        for capabilities in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
            self.assertEqual(int(status[capabilities][0], 16), 0, capabilities)
        self.assertEqual(status["NoNewPrivs"], ["1"])

        # Another one reads what that one kept.
        self.create("kept")
        self.server.push(self.repository(web_files()), "kept")
        self.server.wait_for_page("kept", "one")
        self.server.kill()
        os.kill(before, signal.SIGKILL)
        self.server.start()
        self.server.wait_for_page("kept", "one")
        self.assertEqual(status_of(router())["Uid"], status["Uid"])
        self.assertEqual((self.server.data / "router/kept/routes.json").stat().st_uid, int(status["Uid"][0]))

    def test_bad_options_are_refused(self):
        for options, says in ((["--listen", "nonsense"], "HOST:PORT"), (["--what", "x"], "--what")):
            done = subprocess.run([RENGA, "server", *options], capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(says, done.stderr)


main()
