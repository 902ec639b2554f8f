"""kill -9 of the spawner, of it and control, of renga-init, of everything at once: what could live
lives, what died comes back, and nothing of the dead is left on the host."""

import collections
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import threading

from harness import StoryTest, main, needs_root, wait_until, web_files


def parent_and_command(pid):
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return int(stat[stat.rindex(")") + 4:].split()[0]), command


@needs_root
class DynoCrash(StoryTest):
    def setUp(self):
        super().setUp()
        self.marker = str(self.server.base).encode()
        self.create("crash")
        self.server.api("PATCH", "/apps/crash/config-vars", {"CRASH_TEST": str(self.server.base)})
        app = self.repository(web_files(procfile="web: python3 web.py\nworker: sleep 100000\n"))
        self.server.push(app, "crash")
        self.server.api("PATCH", "/apps/crash/formation", {"updates": [
            {"type": "web", "quantity": 2}, {"type": "worker", "quantity": 2}]})
        self.wait_until_up()
        self.rules_at_first = self.rules()
        self.assertEqual((self.rules_at_first["table"], self.rules_at_first["set"]), (1, 0))

    def wait_until_up(self, workers=2):
        names = ["web.1", "web.2", *(f"worker.{number + 1}" for number in range(workers))]
        wait_until(lambda: sorted(d["name"] for d in self.server.dynos("crash") if d["state"] == "up") == names,
                   limit=90, what=f"{names}, all up")

    # -- what there is, from the kernel

    def processes(self, of=b"CRASH_TEST="):
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and of + self.marker in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
        return sorted(found)

    def children_of_control(self, word):
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                parent, command = parent_and_command(entry.name) if entry.name.isdigit() else (0, "")
            except (OSError, ValueError):
                continue
            if parent == self.server.process.pid and word in command.split()[:2]:
                found.append(int(entry.name))
        return found

    def freeze(self, pid):
        """Until the answer is called. SIGSTOP would not outlive the parent, whose end continues its stopped children."""
        v1 = pathlib.Path("/sys/fs/cgroup/freezer")
        group = (v1 if v1.exists() else v1.parent) / self.server.base.name
        state, frozen, thawed = ("freezer.state", "FROZEN", "THAWED") if v1.exists() else ("cgroup.freeze", "1", "0")
        group.mkdir()
        (group / "cgroup.procs").write_text(str(pid))
        (group / state).write_text(frozen)

        def thaw():
            (group / state).write_text(thawed)
            wait_until(lambda: not (group / "cgroup.procs").read_text(), what="its end")
            group.rmdir()

        return thaw

    @staticmethod
    def open_files(pid):
        found = []
        with contextlib.suppress(OSError):  # it is no more, or a file was closed meanwhile
            for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
                found.append(os.readlink(entry))
        return found

    def inits(self):
        """Process 1 of every dyno: the parents of commands that are in no dyno themselves."""
        parents = set()
        for pid in self.processes():
            try:
                parents.add(parent_and_command(pid)[0])
            except OSError:
                continue
        return {pid for pid in parents if pathlib.Path(f"/proc/{pid}/comm").exists()
                and pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "renga-init"}

    def groups(self):
        """Control groups of this server with processes in them or not, by tree."""
        run = self.server.data / "run/sandboxes"
        places = {os.readlink(path / "place") for path in run.iterdir() if (path / "place").is_symlink()}
        found = {}
        for tree in [pathlib.Path("/sys/fs/cgroup"), *pathlib.Path("/sys/fs/cgroup").iterdir()]:
            for server in tree.glob("renga-*"):
                try:
                    inside = {path.name for path in server.iterdir() if path.is_dir()}
                except FileNotFoundError:
                    continue  # of another server, which has just left
                if inside & places:
                    found[str(tree)] = inside
        return places, found

    def slice(self):
        """The number of this server's slice of addresses, which names what it has in the network."""
        for claim in pathlib.Path("/run/renga/net").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if claim.read_text() == str(self.server.data / "run/sandboxes"):
                    return int(claim.name)
        return None

    def links(self):
        """Ends of sandboxes' links on the host."""
        prefix = "rg" + format(self.slice(), "03x")[::-1]
        return [path.name for path in pathlib.Path("/sys/class/net").iterdir() if path.name.startswith(prefix)]

    def routes(self):
        """The host's, over these links."""
        prefix = "rg" + format(self.slice(), "03x")[::-1]
        return [line for line in pathlib.Path("/proc/net/route").read_text().splitlines() if line.startswith(prefix)]

    def mounts(self):
        """Of this server's sandboxes, on the host itself and in namespaces that processes of the host's own are in: none but what
        the spawner makes others of in its own, the run directory and at most four slugs."""
        mark, found, seen = str(self.server.data), [], set()
        for entry in pathlib.Path("/proc").iterdir():
            with contextlib.suppress(OSError, IndexError):  # of none yet
                namespace = os.stat(entry / "ns/mnt").st_ino if entry.name.isdigit() else None
                if namespace is None or namespace in seen or int((entry / "uid_map").read_text().split()[1]) != 0:
                    continue
                seen.add(namespace)
                lines = [line for line in (entry / "mountinfo").read_text().splitlines() if mark in line]
                sources = [line for line in lines if line.split()[4].startswith("/run/renga/mounts/")]
                found += [line for line in lines if line not in sources] + sources[5:]
        return found

    def rules(self):
        """Tables, chains, and rules of this server's firewall, by their kind; there are no sets."""
        listed = json.loads(subprocess.run(["nft", "-j", "list", "ruleset"], check=True, capture_output=True, text=True,
                                           timeout=30).stdout)["nftables"]
        name = f"renga_{self.slice()}"
        return collections.Counter(kind for item in listed for kind, what in item.items()
                                   if name in (what.get("table"), what.get("name")))

    def namespaces(self):
        """Network namespaces of this server's sandboxes that a process is in."""
        run = self.server.data / "run/sandboxes"
        found = set()
        for path in run.iterdir():
            for state in ("state", "process"):
                with contextlib.suppress(OSError, IndexError):
                    found.add(os.stat(f"/proc/{(path / state).read_text().split()[1]}/ns/net").st_ino)
        return found

    def check_books(self, sandboxes=4):
        """As many of everything as there are dynos and holders, and not one more."""
        run = self.server.data / "run/sandboxes"

        def settled():
            names = [path.name for path in run.iterdir()]
            held = [name for name in names if name.startswith(".held-")]
            own = [name for name in names if not name.startswith(".")]
            places, groups = self.groups()
            return (len(own) == sandboxes and len(names) == len(own) + len(held) and len(held) <= 12
                    and groups and all(inside == places for inside in groups.values())
                    and len(self.links()) == len(self.routes()) == len(self.namespaces()) == len(names)
                    and not self.mounts() and self.rules() == self.rules_at_first)

        try:
            wait_until(settled, limit=40, pause=0.2, what="as many of everything as sandboxes")
        except AssertionError as error:
            raise AssertionError(f"{error}: {[p.name for p in run.iterdir()]} {self.groups()} {self.links()} {self.routes()} "
                                 f"{self.namespaces()} {self.mounts()} {self.rules()} {self.rules_at_first}") from None

    # -- the stories

    def test_kills_leave_nothing_and_take_nothing_with_them(self):
        server = self.server
        self.check_books()
        living = self.processes()
        for round_ in range(3):
            for pid in self.children_of_control("spawner"):
                os.kill(pid, signal.SIGKILL)
            self.assertEqual(server.get("crash")[0], 200)
            self.assertEqual(self.processes(), living)
            # The next start finds that out, and another spawner.
            server.api("DELETE", "/apps/crash/dynos/worker.1")
            wait_until(lambda: len(set(self.processes()) - set(living)) > 0, limit=40, what="another worker.1")
            self.wait_until_up()
            self.check_books()
            living = self.processes()

        # Control and the spawner at once.
        for pid in self.children_of_control("spawner"):
            os.kill(pid, signal.SIGKILL)
        server.kill()
        self.assertEqual(server.get("crash")[0], 200)
        self.assertEqual(self.processes(), living)
        server.start()
        self.wait_until_up()
        self.assertEqual(self.processes(), living)
        server.api("PATCH", "/apps/crash/config-vars", {"GREETING": "again"})
        wait_until(lambda: server.page("crash") and " again " in server.page("crash"), limit=60, what="the release")
        self.wait_until_up()
        self.check_books()

    def test_what_control_asked_for_with_its_last_breath_is_started_once(self):
        server = self.server
        [spawner] = self.children_of_control("spawner")
        # The small program: what waits to be a sandbox is a fork of it.
        self.assertTrue(os.path.samefile(f"/proc/{spawner}/exe", server.data / "bin/renga-spawner"))
        thaw = self.freeze(spawner)
        server.api("PATCH", "/apps/crash/formation/worker", {"quantity": 3})
        wait_until(lambda: "worker.3" in [d["name"] for d in server.dynos("crash")], what="the intent")
        server.kill()
        next_one = threading.Thread(target=server.start)
        next_one.start()
        # Either it waits for the spawner's lock, or it has looked what runs before the last control's wish was done.
        lock = str(server.data / "run/sandboxes.lock")
        wait_until(lambda: not next_one.is_alive() or lock in self.open_files(server.process.pid), what="the next control")
        thaw()
        next_one.join()
        self.wait_until_up(workers=3)
        self.check_books(sandboxes=5)

    def test_a_dyno_whose_init_is_killed_is_a_crash_and_comes_back(self):
        inits = self.inits()
        self.assertEqual(len(inits), 4)
        before = self.processes()
        for pid in inits:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not set(before) & set(self.processes()), what="the end of the old processes")
        self.wait_until_up()
        wait_until(lambda: self.server.get("crash")[0] == 200, limit=60, what="a page")
        self.assertIn("Process exited with status 137", self.server.logs("crash"))
        self.check_books()

    def test_everything_is_killed_as_by_a_reboot(self):
        server = self.server
        old = self.processes() + list(self.inits())
        spawners = self.children_of_control("spawner")
        routers = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and parent_and_command(entry.name)[1].split()[1:2] == ["router"] \
                        and str(server.data) in parent_and_command(entry.name)[1]:
                    routers.append(int(entry.name))
            except (OSError, ValueError):
                continue
        server.process.send_signal(signal.SIGKILL)
        for pid in spawners + routers + old:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        server.process.wait()
        server.process.stdout.close()
        server.stderr.close()
        wait_until(lambda: not self.processes(), what="the end of everything")
        server.start()
        self.wait_until_up()
        wait_until(lambda: server.get("crash")[0] == 200, limit=60, what="a page")
        self.assertFalse(set(old) & set(self.processes()))
        self.check_books()


if __name__ == "__main__":
    main()
