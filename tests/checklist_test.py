"""The security checklist, by one program, from inside a dyno and from inside a build."""

import contextlib
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import threading

from harness import StoryTest, commit, main, needs_root, wait_until, web_files

PROGRAM = (pathlib.Path(__file__).parent / "checklist/inside.py").read_text()
# S27 to S30 are below.
POINTS = {f"S{n}" for n in (*range(1, 27), 31, 32, 33)}
# A push with such links is refused; a buildpack may leave them.
COMPILE = """#!/bin/bash
mkdir "$1/links"
ln -s /etc/shadow "$1/links/absolute"
ln -s ../../../../../../../../etc/shadow "$1/links/climbing"
ln -s /proc/1/root/etc/shadow "$1/links/around"
ln -s /proc/1/cwd "$1/links/beside"
cp "$(readlink -f "$(command -v python3)")" "$1/pretender" && chmod 6755 "$1/pretender"
python3 $1/inside.py $(cat $1/arguments) < /dev/null 2>&1 | sed 's/^/       /'
"""
# Waits until the test has looked at it, then takes processes and memory until it is refused.
GREEDY = """#!/bin/bash
until test -e $2/go; do sleep 0.05; done
rm $2/go
python3 $1/greedy.py
"""
# More than is kept of a build's output.
NOISY = """#!/bin/bash
yes "flood$(printf %0994d 0)" | head -c 20000000
"""
FORKS = """
import os, signal, time
children = []
try:
    while len(children) < 5000:
        pid = os.fork()
        if pid == 0:
            signal.pause()
        children.append(pid)
except BlockingIOError as error:
    print("refused after", len(children), flush=True)
if os.path.exists("/app/stay"):
    time.sleep(1000)
"""
MEMORY = """
taken = []
while True:
    taken.append(bytearray(64 << 20))
    taken[-1][::4096] = b"x" * len(taken[-1][::4096])
"""


@needs_root
class Checklist(StoryTest):
    # A Tiny one may write 256 MB.
    dyno_sizes = "Standard-1X 512MB 1 256\nTiny 16MB 1 32\n"

    def setUp(self):
        buildpacks = tempfile.TemporaryDirectory()
        self.addCleanup(buildpacks.cleanup)
        self.buildpack = pathlib.Path(buildpacks.name) / "checks"
        (self.buildpack / "bin").mkdir(parents=True)
        for name, text in (("detect", "#!/bin/bash\necho Checks\n"), ("compile", COMPILE)):
            (self.buildpack / "bin" / name).write_text(text)
            (self.buildpack / "bin" / name).chmod(0o755)
        self.options = ("--local-buildpacks", buildpacks.name)
        super().setUp()

    def results(self, text):
        found = dict(re.findall(r"\b(S\d+) (ok|FAILED: .*)", text))
        self.assertEqual({name: result for name, result in found.items() if result != "ok"}, {}, text)
        self.assertEqual(set(found), POINTS, text)

    def test_every_point_holds_in_a_build_and_in_a_dyno(self):
        server = self.server
        listener = socket.create_server(("0.0.0.0", 0))
        self.addCleanup(listener.close)
        abstract = socket.socket(socket.AF_UNIX)
        abstract.bind(f"\0renga-checklist-{listener.getsockname()[1]}")
        abstract.listen()
        self.addCleanup(abstract.close)
        ports = ",".join(str(port) for port in (listener.getsockname()[1], int(server.listen.rsplit(":", 1)[1]),
                                                int(server.http.rsplit(":", 1)[1])))
        arguments = f"{ports} {own_address()} renga-checklist-{listener.getsockname()[1]}"

        self.create("neighbour")
        server.push(self.repository(web_files(procfile="web: python3 web.py $PORT\n"), "neighbour"), "neighbour")
        server.wait_for_page("neighbour", " one ")
        port = re.search(r"Starting process with command `python3 web.py (\d+)`", server.logs("neighbour"))[1]
        address = f"{self.address_of(server.dynos('neighbour')[0])}:{port}"
        socket.create_connection(address.split(":"), timeout=5).close()
        arguments += f" {address}"

        self.create("checked")
        server.api("PUT", "/apps/checked/buildpack-installations", {"updates": [{"buildpack": str(self.buildpack)}]})
        app = self.repository({"Procfile": "worker: sleep 100000\n", "inside.py": PROGRAM, "arguments": arguments})
        self.results(server.push(app, "checked").stderr)

        dyno = server.api("POST", "/apps/checked/dynos", {"command": "python3 inside.py $(cat arguments) < /dev/null"})
        wait_until(lambda: f"heroku[{dyno['name']}]: Process exited" in server.logs("checked"), limit=60, what="its end")
        self.results("\n".join(line for line in server.logs("checked").splitlines() if f"app[{dyno['name']}]" in line))

    def address_of(self, dyno):
        return (self.server.data / "run/sandboxes" / dyno["id"] / "state").read_text().split()[3]

    def build(self, app, name, program):
        """Pushes what the buildpack runs then; answers what was said once it has run."""
        commit(app, {"greedy.py": program})
        said = []
        push = threading.Thread(target=lambda: said.append(self.server.push(app, name, check=False).stderr))
        push.start()
        build = wait_until(lambda: [b for b in self.server.api("GET", f"/apps/{name}/builds") if b["status"] == "pending"],
                           limit=60, what="a build")[-1]["id"]
        place = self.server.data / "run/sandboxes" / build / "place"
        self.group = wait_until(lambda: place.is_symlink() and os.readlink(place), what="its sandbox")
        self.while_it_builds()
        (self.server.data / "builds" / build / "cache/go").touch()
        push.join()
        wait_until(lambda: not place.parent.exists(), what="the end of its sandbox")
        self.assertEqual(control_groups(self.group), [])
        return said[0]

    def while_it_builds(self):
        """S29: a build weighs less than a dyno, and all of them together no more than the platform."""
        dyno = next(dyno for dyno in self.server.dynos("calm"))
        place = os.readlink(self.server.data / "run/sandboxes" / dyno["id"] / "place")
        wait_until(lambda: weight(self.group) < weight(place), what="its weight")
        self.assertEqual(weight(self.group) * 4, weight(place))
        self.assertNotIn("/renga-", pathlib.Path(f"/proc/{self.server.process.pid}/cgroup").read_text())
        everybodys = next(path.parent for path in control_groups(place) if weight_in(path) is not None)
        self.assertLessEqual(weight_in(everybodys), 1024 if everybodys.parent.name == "cpu" else 100)

    def test_a_build_that_takes_all_takes_it_from_nobody(self):
        """S27, S28: memory and processes, in builds and in dynos, beside a dyno that does not notice."""
        server = self.server
        (self.buildpack / "bin/compile").write_text(GREEDY)
        self.create("calm")
        server.push(self.repository(web_files(), "calm"), "calm")
        server.wait_for_page("calm", " one ")
        calm = server.dynos("calm")

        self.create("greedy")
        server.api("PUT", "/apps/greedy/buildpack-installations", {"updates": [{"buildpack": str(self.buildpack)}]})
        app = self.repository({"Procfile": "worker: sleep 100000\n", "memory.py": MEMORY, "forks.py": FORKS}, "greedy")
        said = self.build(app, "greedy", FORKS)
        self.assertIn("Released v3", said)
        self.assertIn(int(re.search(r"refused after (\d+)", said)[1]), range(900, 1024))
        self.assertIn("The build ran out of memory (2048 MB).", self.build(app, "greedy", MEMORY))

        hog = server.api("POST", "/apps/greedy/dynos", {"command": "python3 memory.py"})
        bomb = server.api("POST", "/apps/greedy/dynos", {"command": "touch stay; python3 forks.py"})
        place = os.readlink(server.data / "run/sandboxes" / bomb["id"] / "place")
        logged = lambda dyno, what: wait_until(lambda: re.search(rf"\[{dyno['name']}\]: {what}", server.logs("greedy")), limit=60,
                                               what=f"{what} of {dyno['name']}")
        logged(hog, r"Error R15 \(Memory quota vastly exceeded\)")
        logged(hog, "Process exited with status 137")
        self.assertIn(int(logged(bomb, r"refused after (\d+)")[1]), range(200, 256))
        server.api("POST", f"/apps/greedy/dynos/{bomb['name']}/actions/stop")
        logged(bomb, "Process exited with status 143")
        wait_until(lambda: not control_groups(place), what="the end of all of them")
        self.assertEqual(server.dynos("calm"), calm)
        self.assertIn(" one ", server.page("calm"))

    def test_floods_are_cut_off(self):
        """S30: of the disk by a dyno (builds_test.cpp has the build's), of the log by both, and nobody beside them notices."""
        server = self.server
        (self.buildpack / "bin/compile").write_text(NOISY)
        for name in ("calm", "flood"):
            self.create(name)
        server.push(self.repository(web_files(), "calm"), "calm")
        server.wait_for_page("calm", " one ")
        calm = server.dynos("calm")

        server.api("PUT", "/apps/flood/buildpack-installations", {"updates": [{"buildpack": str(self.buildpack)}]})
        said = server.push(self.repository({"Procfile": "worker: sleep 100000\n"}, "flood"), "flood").stderr
        self.assertIn("The output is longer than 16 MB: the rest is left out.", said)
        self.assertIn(said.count("flood0"), range(10_000, 17_000))
        self.assertEqual(server.releases("flood")[0]["version"], 3)

        start = lambda command, **more: server.api("POST", "/apps/flood/dynos", {"command": command, **more})["name"]
        logged = lambda dyno, what: wait_until(lambda: re.search(rf"\[{dyno}\]: {what}", server.logs("flood")), limit=60,
                                               what=f"{what} of {dyno}")
        logged(start("yes flood$(printf %0994d 0) | head -c 50000000; echo it goes on; sleep 1000"), "it goes on")
        writer = start("head -c 400M /dev/zero > big; sleep 1000", size="Tiny")
        logged(writer, r"Error \(Disk quota exceeded\) -> More than 256 MB were written to /app")
        logged(writer, "Process exited with status 137")
        self.assertEqual(server.dynos("calm"), calm)
        self.assertIn(" one ", server.page("calm"))

    def test_addresses_of_others_do_not_leave_a_dyno(self):
        """S24 with more power than a dyno has: as root, in its network. And that its own address does, by NAT."""
        server = self.server
        self.create("sender")
        server.push(self.repository(web_files(), "sender"), "sender")
        server.wait_for_page("sender", " one ")
        dyno = server.dynos("sender")[0]
        _, pid, _, address = (server.data / "run/sandboxes" / dyno["id"] / "state").read_text().split()
        with outside() as (ask, here):
            send = lambda source: subprocess.run(["nsenter", "-t", pid, "-n", "python3", "-c", SPOOF, source, "198.51.100.2"],
                                                 check=True, timeout=30)
            other = address.rsplit(".", 1)[0] + (".77" if not address.endswith(".77") else ".78")
            for source in (other, "203.0.113.5", "10.1.2.3", here, address):
                send(source)
            # The last one comes, under the host's address; so the others before it did not.
            self.assertEqual(ask(), f"{address} from {here}")


SPOOF = """
import socket, struct, sys
source, to = sys.argv[1:]
text = source.encode()
udp = struct.pack("!HHHH", 4000, 9000, 8 + len(text), 0) + text
ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, socket.inet_aton(source), socket.inet_aton(to))
socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW).sendto(ip + udp, (to, 0))
"""
HEARS = """
import socket
ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
ear.bind(("198.51.100.2", 9000))
ear.settimeout(20)
print("ready", flush=True)
text, sender = ear.recvfrom(2000)
print(text.decode(), "from", sender[0], flush=True)
"""


@contextlib.contextmanager
def outside():
    """A host beyond this one, which answers what it heard first; and this one's address there."""
    name = f"rgt{os.getpid() % 100000}"
    run = lambda *words: subprocess.run(words, check=True, timeout=30)
    run("ip", "netns", "add", name)
    try:
        run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "address", "add", "198.51.100.1/24", "dev", name)
        run("ip", "link", "set", name, "up")
        run("ip", "-n", name, "address", "add", "198.51.100.2/24", "dev", "eth0")
        run("ip", "-n", name, "link", "set", "eth0", "up")
        run("ip", "-n", name, "route", "add", "default", "via", "198.51.100.1")
        with subprocess.Popen(["ip", "netns", "exec", name, "python3", "-c", HEARS], stdout=subprocess.PIPE, text=True) as ear:
            assert ear.stdout.readline() == "ready\n"
            yield lambda: ear.stdout.readline().strip(), "198.51.100.1"
            ear.kill()
    finally:
        run("ip", "netns", "delete", name)


def control_groups(place):
    """Those of one sandbox, in every tree."""
    return [path for tree in (pathlib.Path("/sys/fs/cgroup"), *pathlib.Path("/sys/fs/cgroup").iterdir())
            for path in tree.glob(f"renga-*/{place}")]


def weight_in(group):
    for name in ("cpu.shares", "cpu.weight"):
        with contextlib.suppress(FileNotFoundError):
            return int((group / name).read_text())
    return None


def weight(place):
    return next(found for group in control_groups(place) if (found := weight_in(group)) is not None)


def own_address():
    """An address of this machine that others may reach it by."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return probe.getsockname()[0]
        except OSError:
            return "127.0.0.2"


if __name__ == "__main__":
    main()
