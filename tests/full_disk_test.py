#!/usr/bin/env python3
"""A disk that is full under a database: whoever writes is told, nothing that was written is lost, and it goes on by itself when
there is room again."""

import concurrent.futures
import glob
import os
import pathlib
import signal
import subprocess
import urllib.parse

from harness import PATIENCE, main, needs_network, needs_root, wait_until
from provider_harness import ProviderStory

PSQL = (sorted(glob.glob("/usr/lib/postgresql/*/bin/psql")) or [""])[-1]
MEGABYTE = 1 << 20


class FullDisk(ProviderStory):
    def setUp(self):
        super().setUp()
        # The provider's volumes on a small file system of their own. A provider sees it from its start.
        self.provider.stop()
        volumes = self.provider.data / "volumes"
        before = volumes.stat()
        image = self.server.base / "disk"
        with open(image, "wb") as file:
            file.truncate(400 * MEGABYTE)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True, capture_output=True, timeout=60)
        mounted = subprocess.run(["mount", "-o", "loop", str(image), str(volumes)], capture_output=True, text=True, timeout=60)
        if mounted.returncode != 0:
            self.skipTest("no file system can be mounted from a file here: " + mounted.stderr.strip())
        self.addCleanup(subprocess.run, ["umount", "-l", str(volumes)], check=True)
        (volumes / "lost+found").rmdir()
        os.chown(volumes, before.st_uid, before.st_gid)
        os.chmod(volumes, before.st_mode & 0o7777)
        self.volumes = volumes
        self.provider.start()

    def fill(self, left):
        """Leaves so many bytes; what takes the rest is gone with release()."""
        self.ballast = self.volumes / "ballast"
        with open(self.ballast, "wb", buffering=0) as file:
            for block in (bytes(MEGABYTE), bytes(4096)):
                try:
                    while file.write(block) == len(block):
                        pass
                except OSError:
                    pass  # no room for another
            file.truncate(file.tell() - left)

    def release(self):
        self.ballast.unlink()


@needs_root
class FullPostgresql(FullDisk):
    provider_name = "postgresql"

    def ask(self, url, sql):
        done = subprocess.run([PSQL, f"{url}?sslmode=require", "-XAtc", sql], capture_output=True, text=True, timeout=PATIENCE,
                              env=dict(os.environ, PGCONNECT_TIMEOUT="20"))
        return done.stdout.strip() if done.returncode == 0 else done.stderr.strip()

    def test_nothing_is_lost(self):
        resource, url = self.made("essential-0")
        self.ask(url, "CREATE TABLE kept AS SELECT n FROM generate_series(1, 1000) AS n")
        self.fill(8 * MEGABYTE)
        row = "INSERT INTO kept SELECT 0 FROM generate_series(1, 400000)"
        said = wait_until(lambda: (said := self.ask(url, row)) and not said.startswith("INSERT") and said,
                          what="no room")
        self.assertRegex(said, "No space left on device|could not|server closed the connection|is not accepting|recovery mode")

        self.release()
        kept = "SELECT count(*) FROM kept WHERE n > 0"
        wait_until(lambda: self.ask(url, kept) == "1000", what="the database to be back")
        self.assertEqual(self.ask(url, "INSERT INTO kept VALUES (1001)"), "INSERT 0 1")
        self.assertEqual(self.ask(url, kept), "1001")
        _, answer = self.provider.call("GET", f"/client/v11/databases/{resource}", None, {"X-Renga-Addon": resource})
        self.assertIn(["Available"], [row["values"] for row in answer["info"] if row["name"] == "Status"])


@needs_root
class FullRedis(FullDisk):
    provider_name = "redis"

    def ask(self, url, *words):
        parts = urllib.parse.urlsplit(url)
        done = subprocess.run(["redis-cli", "-h", parts.hostname, "-p", str(parts.port), "--tls", "--insecure", *words],
                              capture_output=True, text=True, timeout=60, env=dict(os.environ, REDISCLI_AUTH=parts.password))
        return (done.stdout + done.stderr).strip()

    def test_nothing_is_lost(self):
        _, url = self.made("premium-0")
        self.assertEqual(self.ask(url, "SET", "kept", "42"), "OK")
        self.fill(0)
        big = "x" * 100_000
        said = wait_until(lambda: (said := self.ask(url, "SET", "more", big)) != "OK" and said, what="no room")
        self.assertRegex(said, "MISCONF|refused|closed|reset|LOADING")

        self.release()
        wait_until(lambda: self.ask(url, "SET", "after", "1") == "OK", what="the store to be back")
        self.assertEqual(self.ask(url, "GET", "kept"), "42")


@needs_root
@needs_network
class FullKafka(FullDisk):
    provider_name = "kafka"

    def call(self, method, below="", body=None):
        return self.provider.call(method, f"/data/kafka/v0/clusters/{self.resource}{below}", body, {"X-Renga-Addon": self.resource})

    def write(self, value):
        status, answer = self.call("POST", "/topics/visits/messages", {"value": value})
        return "written" if status == 200 else answer["message"]

    def kept(self):
        """The short messages that are there."""
        values, positions = [], ""
        while True:
            status, answer = self.call("GET", f"/topics/visits/messages?back=-1&positions={positions}")
            self.assertEqual(status, 200, answer)
            if not answer["messages"]:
                return values
            positions = answer["positions"]
            values += [message["value"] for message in answer["messages"] if len(message["value"]) < 100]

    def ask_while_busy(self):
        """Who asks a broker that is busy waits for it, and is not told of what it failed at before."""
        [state] = (self.provider.data / "run/sandboxes").glob("*/state")
        init = state.read_text().split()[1]
        [broker] = pathlib.Path(f"/proc/{init}/task/{init}/children").read_text().split()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            os.kill(int(broker), signal.SIGSTOP)
            try:
                asked = pool.submit(self.call, "GET")
                self.assertRaises(concurrent.futures.TimeoutError, asked.result, 2)
            finally:
                os.kill(int(broker), signal.SIGCONT)
            self.assertEqual(asked.result(PATIENCE)[0], 200)

    def test_nothing_is_lost(self):
        self.resource, status, answer = self.provider.provision("basic-0")
        self.assertIn(status, (201, 202), answer)
        wait_until(lambda: self.call("GET")[0] == 200, pause=0.5, what="the broker")
        self.assertEqual(self.call("POST", "/topics", {"topic": {"name": "visits", "partition_count": 1}})[0], 200)
        for value in ("one", "two"):
            self.assertEqual(self.write(value), "written")
        self.fill(0)
        # Kafka ends rather than go on without its disk; whoever asks is told why it does not stay up.
        wait_until(lambda: self.write("x" * 400_000) != "written", pause=0.1, what="no room")
        wait_until(lambda: "disk that it is on is full" in str(self.call("GET")[1]), pause=0.5, what="a word of the disk")

        self.release()
        wait_until(lambda: self.call("GET")[0] == 200, pause=0.5, what="the broker to be back")
        self.ask_while_busy()
        self.assertEqual(self.write("three"), "written")
        self.assertEqual(self.kept(), ["one", "two", "three"])


if __name__ == "__main__":
    main()
