#!/usr/bin/env python3
"""Slugs share their files: between releases, between apps, and never so that one app reaches or changes another's."""

import hashlib
import io
import os
import random
import sqlite3
import subprocess
import tarfile

from harness import RENGA, StoryTest, commit, main, needs_root, wait_until, web_files

SHARED = 4_000_000


def noise(seed, size=SHARED):
    return random.Random(seed).randbytes(size)


@needs_root
class Slugs(StoryTest):
    def app(self, name, files=None):
        """An app with a file that all of them have, and its repository."""
        self.create(name)
        directory = self.repository({**web_files(name), **(files or {})}, name)
        (directory / "shared").write_bytes(noise(1))
        commit(directory, {})
        self.server.push(directory, name)
        return directory

    def run_in(self, app, command):
        done = subprocess.run([RENGA, "run", "--no-tty", "-a", app, "--", "bash", "-c", command], capture_output=True,
                              text=True, timeout=120, env=dict(os.environ, RENGA_DATA=str(self.server.data)))
        return done.stdout + done.stderr

    def slug(self, app):
        current = next(one for one in self.server.releases(app) if one["current"])
        return self.server.api("GET", f"/apps/{app}/slugs/{current['slug']['id']}")

    def blob(self, slug, method="GET", body=None):
        status, _, content = self.server.request(method, "/" + slug["blob"]["url"].split("/", 3)[3], body,
                                                 {"Authorization": None})
        self.assertEqual(status, 200, content)
        return content

    def disk(self):
        said = subprocess.run(["du", "-s", "--block-size=1", str(self.server.data / "slugs")], capture_output=True,
                              text=True, check=True)
        return int(said.stdout.split()[0])

    def objects(self, content):
        return list((self.server.data / "slugs/objects").glob(hashlib.sha256(content).hexdigest() + "-*"))

    def test_what_releases_and_apps_have_in_common_is_kept_once(self):
        directory = self.app("sushi")
        one = self.disk()
        for n in range(8):
            commit(directory, {"text": f"change {n}\n"})
            self.server.push(directory, "sushi")
        self.app("maki")
        self.server.wait_for_page("sushi", "change 7")
        self.server.wait_for_page("maki", "maki")
        self.assertLess(self.disk(), 1.5 * one)
        self.assertEqual(len(self.objects(noise(1))), 1)

    def test_an_app_neither_reaches_nor_changes_what_others_have(self):
        self.app("sushi")
        self.app("maki", {"secret-of-maki": "PIN=1234\n" + "." * 4000})
        said = self.run_in("sushi", """
            id -u; stat -c '%a %u' shared
            chmod 777 shared; echo changed > shared; touch -d 2001-01-01 shared; cat shared
            chown 0 shared 2>&1 | head -1
            mount -o remount,rw /app 2>&1 | head -1
            find / -name 'secret-of-*' 2>/dev/null | wc -l
            find / -path /proc -prune -o -regextype posix-extended -regex '.*/[0-9a-f]{64}(-.*)?' -print 2>/dev/null | wc -l
            ls -d /app/.. /proc/1/root /var/lib/renga 2>&1
            """)
        lines = said.splitlines()
        self.assertIn("changed", lines, "a dyno writes into its own copy")
        self.assertEqual(lines.count("0"), 2, said)
        self.assertIn("Operation not permitted", said)
        for app in ("sushi", "maki"):
            self.assertIn(hashlib.sha256(noise(1)).hexdigest(), self.run_in(app, "sha256sum shared; stat -c %a shared"))
        (kept,) = self.objects(noise(1))
        self.assertEqual(kept.read_bytes(), noise(1))
        self.assertEqual(kept.stat().st_mode & 0o7777, 0o644)
        self.assertEqual((self.server.data / "slugs").stat().st_mode & 0o7777, 0o700)

    def test_a_slug_is_exported_and_comes_back_as_the_same(self):
        self.app("sushi")
        slug = self.slug("sushi")
        archive = self.blob(slug)
        self.assertEqual(self.blob(slug), archive)
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            self.assertEqual(tar.extractfile("app/shared").read(), noise(1))
        self.create("maki")
        made = self.server.api("POST", "/apps/maki/slugs", {"process_types": slug["process_types"]})
        self.blob(made, "PUT", archive)
        self.server.api("POST", "/apps/maki/releases", {"slug": made["id"]})
        self.assertEqual(self.slug("maki")["checksum"], slug["checksum"])
        self.server.wait_for_page("maki", "sushi")

    def test_a_file_that_lost_a_byte_is_r17(self):
        directory = self.app("sushi")
        commit(directory, {"text": "two\n"})
        self.server.push(directory, "sushi")
        self.server.wait_for_page("sushi", "two")
        (kept,) = self.objects(noise(1))
        spoilt = bytearray(noise(1))
        spoilt[1000] ^= 1
        kept.write_bytes(spoilt)
        for made in (self.server.data / "slugs").glob("*/made"):
            made.write_text("another boot\n")
        self.server.api("DELETE", "/apps/sushi/dynos")
        wait_until(lambda: "R17 (Checksum error)" in self.server.logs("sushi"), what="R17 in the log")
        commit(directory, {"text": "three\n"})
        self.server.push(directory, "sushi")
        self.server.wait_for_page("sushi", "three")
        self.assertIn(hashlib.sha256(noise(1)).hexdigest(), self.run_in("sushi", "sha256sum shared"))

    def test_slugs_of_an_older_server_are_kept(self):
        directory = self.app("sushi")
        commit(directory, {"text": "two\n"})
        self.server.push(directory, "sushi")
        self.server.wait_for_page("sushi", "two")
        archives = {one["id"]: self.blob(one) for one in map(self.slug_of, self.server.releases("sushi")) if one}
        self.server.stop()
        self.make_older(archives)
        self.server.start()
        self.server.wait_for_page("sushi", "two")
        checksums = {one["id"]: one["checksum"] for one in map(self.slug_of, self.server.releases("sushi")) if one}
        # Neither a restart of its dynos nor a rollback asks for a new deploy.
        self.server.api("DELETE", "/apps/sushi/dynos")
        self.server.api("POST", "/apps/sushi/releases", {"release": "3"})
        self.server.wait_for_page("sushi", "v5 sushi")
        self.server.kill()
        self.server.start()
        self.server.wait_for_page("sushi", "v5 sushi")
        self.server.api("POST", "/apps/sushi/releases", {"release": "4"})
        self.server.wait_for_page("sushi", "v6 two")
        for id, checksum in checksums.items():
            self.assertEqual(self.server.api("GET", f"/apps/sushi/slugs/{id}")["checksum"], checksum)

    def slug_of(self, release):
        return release["slug"] and self.server.api("GET", f"/apps/sushi/slugs/{release['slug']['id']}")

    def make_older(self, archives):
        """Slugs as they were before there were objects: an archive that the checksum names, unpacked beside it."""
        slugs = self.server.data / "slugs"
        store = sqlite3.connect(self.server.data / "renga.db")
        for id, archive in archives.items():
            ((tree,),) = store.execute("SELECT tree FROM slugs WHERE id = ?", (id,)).fetchall()
            checksum = hashlib.sha256(archive).hexdigest()
            (slugs / f"{checksum}.tar.gz").write_bytes(archive)
            if (slugs / tree).exists():  # dynos run from it
                (slugs / tree).rename(slugs / checksum)
                (slugs / checksum / "made").rename(slugs / checksum / "unpacked")
                (slugs / checksum / "unpacked").write_text("synced\n")
            store.execute("UPDATE slugs SET checksum = ?, tree = '' WHERE id = ?", (checksum, id))
        store.commit()
        store.close()
        for kept in (slugs / "objects").iterdir():
            kept.unlink()
        for export in slugs.glob("*.export.tar.gz"):
            export.unlink()


if __name__ == "__main__":
    main()
