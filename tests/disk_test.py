"""What dynos write to the disk: one that writes too much is ended and says so, and nobody else notices."""

import os
import shutil
import subprocess
import unittest

from harness import Server, StoryTest, main, needs_root, wait_until, web_files

MEGABYTE = 1 << 20
# Where nothing shows it: removed while it is open.
HIDDEN = """import os, time
file = open("/app/hidden", "wb")
os.unlink("/app/hidden")
for _ in range(200):
    file.write(bytes(1 << 20))
file.flush()
time.sleep(1000)
"""


class SmallDisk(Server):
    """A server whose data is on a small file system of its own."""

    def start(self):
        if not self.data.exists():
            self.data.mkdir()
            image = self.base / "disk"
            with open(image, "wb") as file:
                file.truncate(600 * MEGABYTE)
            subprocess.run(["mkfs.ext4", "-q", str(image)], check=True, capture_output=True, timeout=60)
            mounted = subprocess.run(["mount", "-o", "loop", str(image), str(self.data)], capture_output=True, text=True, timeout=60)
            if mounted.returncode != 0:
                raise unittest.SkipTest("no file system can be mounted from a file here: " + mounted.stderr.strip())
        super().start()

    def left_behind(self):
        return [what for what in super().left_behind() if f" {self.data} ext4" not in what]

    def close(self):
        try:
            super().close()
        finally:
            subprocess.run(["umount", "-l", str(self.data)], check=True)
            shutil.rmtree(self.base, ignore_errors=True)


class DiskStory(StoryTest):
    server_class = SmallDisk

    def setUp(self):
        super().setUp()
        self.create("well")
        self.server.push(self.repository(web_files(), "well"), "well")
        self.server.wait_for_page("well", " one ")
        self.well = self.server.dynos("well")
        self.create("greedy")
        self.server.push(self.repository(
            {"hidden.py": HIDDEN, "Procfile": "worker: head -c 200M /dev/zero > big; sleep 1000\n"}, "greedy"), "greedy")

    def run_dyno(self, command):
        return self.server.api("POST", "/apps/greedy/dynos", {"command": command})

    def lines_of(self, dyno):
        return [line.split(": ", 1)[1] for line in self.server.logs("greedy").splitlines() if f"heroku[{dyno}]" in line]

    def assert_expelled(self, name, why):
        """In this order, and then it is taken away with all that it wrote."""
        wait_until(lambda: any("Process exited" in line for line in self.lines_of(name)), limit=60, what=f"the end of {name}")
        lines = self.lines_of(name)
        at = lines.index("Stopping process with SIGKILL")
        self.assertIn(why, lines[at - 1])
        self.assertEqual(lines[at + 1], "Process exited with status 137")

    def assert_all_is_well(self):
        self.assertIn(" one ", self.server.page("well"))
        self.assertEqual(self.server.dynos("well"), self.well)
        self.server.api("PATCH", "/apps/well/config-vars", {"WRITES": "work"})


@needs_root
class Disk(DiskStory):
    def test_a_dyno_has_a_quarter_of_a_small_disk_and_no_more(self):
        server = self.server
        share = os.statvfs(server.data).f_blocks * os.statvfs(server.data).f_frsize // 4 // MEGABYTE
        why = f"Error (Disk quota exceeded) -> More than {share} MB were written to /app, which is all that a Standard-1X dyno may"
        within = self.run_dyno("head -c 60M /dev/zero > big && ls -s big; rm big")
        hidden = self.run_dyno("python3 hidden.py")
        self.assert_expelled(hidden["name"], why)
        wait_until(lambda: any("exited with status 0" in line for line in self.lines_of(within["name"])), what="an end")

        # A formation dyno has crashed: again at once, on an empty disk, and then the back-off.
        server.api("PATCH", "/apps/greedy/formation/worker", {"quantity": 1})
        wait_until(lambda: len([1 for line in self.lines_of("worker.1") if why in line]) == 2, limit=60, what="two ends")
        self.assert_expelled("worker.1", why)
        wait_until(lambda: [dyno["state"] for dyno in server.dynos("greedy")] == ["crashed"], what="a crash")
        run = server.data / "run/sandboxes"
        wait_until(lambda: not any(path.stat().st_size > MEGABYTE for path in run.glob("*/upper/big")), what="room")
        self.assert_all_is_well()

    def test_an_adopted_dyno_is_watched_as_well(self):
        dyno = self.run_dyno("sleep 3; head -c 200M /dev/zero > big; sleep 1000")
        wait_until(lambda: "State changed from starting to up" in self.lines_of(dyno["name"]), what="a dyno")
        self.server.kill()
        self.server.start()
        self.assert_expelled(dyno["name"], "Error (Disk quota exceeded) -> ")
        self.assert_all_is_well()


@needs_root
class FullDisk(DiskStory):
    def test_of_a_full_disk_the_dyno_with_the_most_gives_its_back(self):
        disk = os.statvfs(self.server.data)
        with open(self.server.data / "ballast", "wb") as file:
            os.posix_fallocate(file.fileno(), 0, disk.f_bavail * disk.f_frsize - 120 * MEGABYTE)
        modest = self.run_dyno("head -c 20M /dev/zero > some; sleep 1000")
        some = self.server.data / "run/sandboxes" / modest["id"] / "upper/some"
        wait_until(lambda: some.exists() and some.stat().st_size == 20 * MEGABYTE, what="its file")
        # More than there is room for, and less than a quarter of the disk, which it may have.
        greedy = self.run_dyno("head -c 140M /dev/zero > big; sleep 1000")
        self.assert_expelled(greedy["name"], "Error (Disk full) -> The server's disk is nearly full, and of all dynos this one")
        wait_until(lambda: [dyno["name"] for dyno in self.server.dynos("greedy")] == [modest["name"]], what="the modest one alone")
        self.assert_all_is_well()
        # A dyno has not the blocks that the disk keeps for root, and so control never saw it full.
        self.assertNotIn("disk is full", self.server.log())


if __name__ == "__main__":
    main()
