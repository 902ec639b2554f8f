#!/usr/bin/env python3
"""Builds as their users steer them: cancelled, followed from anywhere, made again, and fed odd input."""

import io
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile

from harness import RENGA, StoryTest, commit, main, needs_root, wait_until

# Says a hundred lines, and with a file named `wait` in the app never ends.
COMPILE = '''#!/bin/bash
for n in $(seq 100); do echo "       line $n"; done
[[ ! -f $1/wait ]] || { echo "       waiting"; sleep 600; }
'''


def tarball(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", encoding="utf-8", errors="surrogateescape") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(os.fsdecode(name))
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


@needs_root
class Builds(StoryTest):
    def setUp(self):
        self.buildpacks = pathlib.Path(tempfile.mkdtemp(prefix="renga-test-buildpacks-"))
        self.addCleanup(shutil.rmtree, self.buildpacks)
        (self.buildpacks / "slow/bin").mkdir(parents=True)
        for name, text in (("detect", "#!/bin/bash\necho Slow\n"), ("compile", COMPILE)):
            (self.buildpacks / "slow/bin" / name).write_text(text)
            (self.buildpacks / "slow/bin" / name).chmod(0o755)
        self.options = ("--local-buildpacks", str(self.buildpacks))
        super().setUp()
        self.create("sushi")
        self.server.api("PUT", "/apps/sushi/buildpack-installations",
                        {"updates": [{"buildpack": str(self.buildpacks / "slow")}]})

    def renga(self, *words):
        return subprocess.run([RENGA, *words], capture_output=True, text=True, timeout=120, env=self.environment_of_cli())

    def environment_of_cli(self):
        return dict(os.environ, RENGA_DATA=str(self.server.data), RENGA_APP="sushi")

    def build(self, files, version):
        archive = self.server.base / f"{version}.tgz"
        archive.write_bytes(tarball(files))
        return self.renga("builds:create", "--source-tar", str(archive), "--version", version)

    def newest(self):
        return max(self.server.api("GET", "/apps/sushi/builds"), key=lambda build: build["created_at"])

    def read(self, url, **headers):
        return self.server.request("GET", "/" + url.split("/", 3)[3], headers={"Authorization": None, **headers})

    def test_a_build_is_cancelled(self):
        archive = self.server.base / "wait.tgz"
        archive.write_bytes(tarball({"Procfile": b"worker: sleep 1000\n", "wait": b""}))
        building = subprocess.Popen([RENGA, "builds:create", "--source-tar", str(archive)], stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, text=True, env=self.environment_of_cli())
        self.addCleanup(building.stdout.close)
        seen = ""
        while "waiting" not in seen:
            line = building.stdout.readline()
            self.assertTrue(line, seen)
            seen += line
        build = self.newest()
        self.assertEqual(build["status"], "pending")
        cancelled = self.renga("builds:cancel", build["id"])
        self.assertEqual(cancelled.returncode, 0, cancelled.stderr)
        seen += building.stdout.read()
        self.assertNotEqual(building.wait(timeout=60), 0)
        self.assertIn(" !     The build was cancelled.", seen)
        self.assertEqual(self.newest()["status"], "failed")
        self.assertNotEqual(self.renga("builds:cancel", build["id"]).returncode, 0)
        self.assertEqual(len(self.server.releases("sushi")), 2, "nothing was released")
        self.assertEqual(self.build({"Procfile": b"worker: sleep 1000\n"}, "after").returncode, 0)

    def test_its_output_is_resumed_from_anywhere(self):
        made = self.build({"Procfile": b"worker: sleep 1000\n"}, "one")
        self.assertEqual(made.returncode, 0, made.stderr)
        build = self.newest()
        url = build["output_stream_url"]
        status, _, whole = self.read(url)
        self.assertEqual(status, 200)
        self.assertIn(b"       line 100\n", whole)
        self.assertIn(whole.decode(), self.renga("builds:output", build["id"]).stdout)
        half = len(whole) // 2
        status, headers, rest = self.read(url, Range=f"bytes={half}-")
        self.assertEqual((status, rest), (206, whole[half:]))
        self.assertEqual(headers["Content-Range"], f"bytes {half}-{len(whole) - 1}/{len(whole)}")
        self.assertEqual(self.read(url, Range=f"bytes={len(whole) + 1}-")[0], 416)

        def events(**more):
            status, _, content = self.read(url, Accept="text/event-stream", **more)
            self.assertEqual(status, 200)
            lines = content.decode().splitlines()
            return "\n".join(line[5:].removeprefix(" ") for line in lines if line.startswith("data:"))

        seen = whole.index(b"line 50\n") + len(b"line 50\n")
        self.assertEqual(events().rstrip("\n"), whole.decode().rstrip("\n"))
        self.assertEqual(events(**{"Last-Event-Id": str(seen)}).rstrip("\n"), whole[seen:].decode().rstrip("\n"))

    def test_a_commit_is_built_again(self):
        files = {"Procfile": b"worker: sleep 1000\n", "text": b"x" * 5_000}
        self.assertEqual(self.build(files, "e6442b7c").returncode, 0)
        again = self.build(files, "e6442b7c")
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertIn("version e6442b7c of this app was built before", again.stdout + again.stderr)
        slugs = {one["version"]: one["slug"]["id"] for one in self.server.releases("sushi") if one["slug"]}
        self.assertEqual(sorted(slugs), [3, 4])
        checksums = {self.server.api("GET", f"/apps/sushi/slugs/{slug}")["checksum"] for slug in slugs.values()}
        self.assertEqual(len(checksums), 1, "the same bytes")

    def test_names_that_are_not_utf_8(self):
        name = b"caf\xe9 \xff\ttab"
        made = self.build({b"Procfile": b"worker: ls -d caf* | od -An -c -w64; sleep 1000\n", name: b"one"}, "tar")
        self.assertEqual(made.returncode, 0, made.stdout + made.stderr)
        self.scaled_and_logged(r"c   a   f 351     377  \t   t   a   b")

        repository = self.repository({"Procfile": "worker: ls d | od -An -c -w64; sleep 1000\n"})
        os.mkdir(repository / "d")
        with open(os.path.join(os.fsencode(repository), b"d", name + b"2"), "wb") as file:
            file.write(b"two")
        commit(repository, {})
        self.server.push(repository, "sushi")
        self.scaled_and_logged(r"c   a   f 351     377  \t   t   a   b   2")

    def scaled_and_logged(self, text):
        self.server.api("PATCH", "/apps/sushi/formation", {"updates": [{"type": "worker", "quantity": 1}]})
        wait_until(lambda: text in self.server.logs("sushi"), what=f"{text} in the log")


if __name__ == "__main__":
    main()
