"""What people and strangers get wrong: each refused with a clear message, nothing half done."""

import gzip
import hashlib
import io
import json
import socket
import tarfile

from harness import StoryTest, commit, git, main, needs_root, wait_until, web_files


def tarball(*members):
    """A tar.gz of (TarInfo, bytes) pairs."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for info, content in members:
            info.size = len(content) if content is not None else 0
            archive.addfile(info, io.BytesIO(content) if content is not None else None)
    return out.getvalue()


@needs_root
class BadInput(StoryTest):
    def refused(self, method, path, body=None, status=422, error="invalid_params", says="", **more):
        got, headers, content = self.server.request(method, path, body, **more)
        self.assertEqual(got, status, content)
        self.assertIn("application/json", headers["Content-Type"])
        answer = json.loads(content)
        self.assertEqual(answer["id"], error)
        self.assertIn(says, answer["message"])
        return answer

    def test_the_api_refuses_in_the_users_words(self):
        self.create("taken")
        self.refused("POST", "/apps", {"name": "taken"}, says="taken")
        for name in ("A", "-x", "x", "a" * 31, "under_score", "sp ace", "9lives"):
            self.refused("POST", "/apps", {"name": name})
        self.refused("POST", "/apps", "{not json", 400, "bad_request", headers={"Content-Type": "application/json"})
        self.refused("POST", "/apps", {"name": 7})
        self.refused("GET", "/apps/nobody", status=404, error="not_found", says="find")
        self.refused("GET", "/no/such/route", status=404, error="not_found")
        self.refused("GET", "/apps", status=401, error="unauthorized", token="wrong")
        self.refused("GET", "/apps", status=401, error="unauthorized", headers={"Authorization": None})
        self.refused("PATCH", "/apps/taken/config-vars", {"BAD-NAME": "x"}, says="BAD-NAME")
        self.refused("PATCH", "/apps/taken/config-vars", {"BIG": "x" * 70_000}, says="65536")
        self.refused("PATCH", "/apps/taken/config-vars", {"A": 1})
        self.refused("PATCH", "/apps/taken/formation/web", {"quantity": 2}, status=404, error="not_found")
        self.refused("POST", "/apps/taken/releases", {"release": "99"}, status=404, error="not_found")
        self.refused("GET", "/apps", status=416, error="requested_range_not_satisfiable", headers={"Range": "nonsense ]]"})
        self.refused("GET", "/apps", status=406, error="not_acceptable",
                     headers={"Accept": "application/vnd.heroku+json; version=2"})
        self.assertEqual(len(self.server.releases("taken")), 2)

    def test_huge_headers_and_garbage_do_not_hurt(self):
        for address in (self.server.listen, self.server.http):
            host, port = address.rsplit(":", 1)
            with socket.create_connection((host, int(port)), timeout=30) as client:
                answer = b""
                try:
                    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
                    for _ in range(160):
                        client.sendall(b"X-Filler: " + b"a" * 65_000 + b"\r\n")
                except OSError:
                    pass  # closed early: the answer is on its way all the same
                try:
                    while piece := client.recv(65_536):
                        answer += piece
                except OSError:
                    pass
                if answer:
                    self.assertRegex(answer.split(b"\r\n")[0], rb"HTTP/1\.1 4(00|31) ")
            with socket.create_connection((host, int(port)), timeout=30) as client:
                client.sendall(b"\x00\x01\x02 garbage\r\n\r\n")
                client.recv(65_536)
        self.assertEqual(self.server.api("GET", "/apps"), [])

    def test_git_with_a_wrong_token_or_a_strangers_app(self):
        self.create("mine")
        app = self.repository(web_files())
        url = f"http://renga:wrong@{self.server.listen}/mine.git"
        self.assertIn("Authentication failed", git(app, "push", url, "main", check=False).stderr)
        refused = self.server.push(app, "nobody", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("not found", refused.stderr)

    def test_pushes_that_cannot_be_built(self):
        self.create("odd")
        app = self.repository({"readme": "nothing to run\n"})
        refused = self.server.push(app, "odd", check=False)
        self.assertIn("No default language could be detected for this app.", refused.stderr)
        self.assertIn("Push failed", refused.stderr)

        commit(app, {"requirements.txt": "this-package-does-not-exist-anywhere==1.2.3\n", "Procfile": "web: true\n"})
        refused = self.server.push(app, "odd", check=False)
        self.assertIn("Push rejected, failed to compile Python app.", refused.stderr)
        self.assertEqual(len(self.server.releases("odd")), 2)

        (app / "requirements.txt").unlink()
        commit(app, {"requirements.txt": "\n", ".python-version": "2.7\n"})
        refused = self.server.push(app, "odd", check=False)
        self.assertIn("2.7", refused.stderr)
        self.assertIn("3.", refused.stderr)

    def test_a_web_process_that_never_listens_is_killed_after_its_minute(self):
        self.create("mute")
        self.server.push(self.repository({"Procfile": "web: sleep 1000\n"}), "mute")
        wait_until(lambda: "Error R10 (Boot timeout) -> Web process failed to bind to $PORT within 60 seconds of launch"
                   in self.server.logs("mute"), limit=120, pause=1, what="R10")
        wait_until(lambda: "State changed from starting to crashed" in self.server.logs("mute"), what="crashed")

    def test_a_process_that_crashes(self):
        self.create("crasher")
        app = self.repository({"Procfile": "web: exit 7\n"})
        self.server.push(app, "crasher")
        wait_until(lambda: "Process exited with status 7" in self.server.logs("crasher"), what="its exit")
        wait_until(lambda: self.server.dynos("crasher") and self.server.dynos("crasher")[0]["state"] == "crashed",
                   what="crashed")
        status, body, _ = self.server.get("crasher")
        self.assertEqual(status, 503)
        wait_until(lambda: "code=H10" in self.server.logs("crasher"), what="H10")

    def test_tarballs_that_reach_outside(self):
        self.create("tar")
        file = tarfile.TarInfo("Procfile")
        outside = tarfile.TarInfo("../../../../outside")
        absolute = tarfile.TarInfo("/tmp/renga-test-absolute")
        device = tarfile.TarInfo("disk")
        device.type, device.devmajor, device.devminor = tarfile.BLKTYPE, 8, 0
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/tmp"
        through = tarfile.TarInfo("link/renga-test-through")
        for members in ([(outside, b"x")], [(absolute, b"x")], [(device, None)], [(link, None), (through, b"x")]):
            self.build_refused(tarball((file, b"web: true\n"), *members))
        self.build_refused(b"this is no archive")
        self.build_refused(gzip.compress(b"neither is this" * 100))
        self.build_refused(tarball((file, b"web: true\n")), checksum="SHA256:" + "0" * 64)
        self.assertEqual(len(self.server.releases("tar")), 2)

    def build_refused(self, archive, checksum=None):
        source = self.server.api("POST", "/apps/tar/sources")["source_blob"]
        path = "/" + source["put_url"].split("/", 3)[3]
        status, _, content = self.server.request("PUT", path, archive, headers={"Authorization": None})
        self.assertIn(status, (200, 201, 204), content)
        blob = {"url": source["get_url"], "version": "v1"}
        if checksum:
            blob["checksum"] = checksum
        status, _, content = self.server.request("POST", "/apps/tar/builds", {"source_blob": blob})
        if status < 300:
            build = json.loads(content)["id"]
            build = wait_until(lambda: (b := self.server.api("GET", f"/apps/tar/builds/{build}"))["status"] != "pending" and b)
            self.assertEqual(build["status"], "failed")
        else:
            self.assertEqual(status, 422, content)

    def test_a_good_tarball_is_built(self):
        self.create("tar")
        members = [(tarfile.TarInfo(name), text.encode()) for name, text in web_files().items()]
        archive = tarball(*members)
        source = self.server.api("POST", "/apps/tar/sources")["source_blob"]
        path = "/" + source["put_url"].split("/", 3)[3]
        self.server.request("PUT", path, archive, headers={"Authorization": None})
        build = self.server.api("POST", "/apps/tar/builds", {"source_blob": {
            "url": source["get_url"], "version": "v1", "checksum": "SHA256:" + hashlib.sha256(archive).hexdigest()}})
        stream = "/" + build["output_stream_url"].split("/", 3)[3]
        status, _, output = self.server.request("GET", stream, headers={"Authorization": None})
        self.assertEqual(status, 200)
        self.assertIn(b"Discovering process types", output)
        self.server.wait_for_page("tar", "v3 one")


main()
