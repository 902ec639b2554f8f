"""Dynos: start to first byte beside bare processes, bubblewrap, crun, runc and podman; a crowd; freezing."""

import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile

from report import Report

BIN = pathlib.Path(os.environ.get("RENGA", "build/release/bin/renga")).resolve().parent
DRIVER, SERVER = str(BIN / "dynos_driver"), str(BIN / "byte_server")
RUNS = int(os.environ.get("RENGA_BENCH_RUNS", "30"))
CROWD = int(os.environ.get("RENGA_BENCH_CROWD", "1000"))
PORT = "5000"
FILE_SYSTEMS = 6  # of a sandbox, rounded up: its root, /proc, /dev/pts, /app, its message queues
OTHER_KIB = 20  # what else of a sandbox lies among the objects that the driver counts, rounded up


def driver(*arguments, limit=600):
    done = subprocess.run([DRIVER, *map(str, arguments)], capture_output=True, text=True, timeout=limit)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, arguments))}: {done.stderr[-500:]}")
    return done.stdout.split("\n")[:-1]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Network:
    """A network namespace with a link, made ahead: what peers are given, so that they need not make it."""

    def __init__(self):
        self.name, self.link = f"rgbench{os.getpid()}", f"rgb{os.getpid() % 100000}"
        self.host, self.address = "100.127.255.1", "100.127.255.2"
        for command in (f"netns add {self.name}", f"link add {self.link} type veth peer name eth0 netns {self.name}",
                        f"addr add {self.host}/30 dev {self.link}", f"link set {self.link} up",
                        f"-n {self.name} addr add {self.address}/30 dev eth0", f"-n {self.name} link set eth0 up",
                        f"-n {self.name} link set lo up"):
            subprocess.run(["ip", *command.split()], check=True)
        self.path = f"/run/netns/{self.name}"

    def close(self):
        subprocess.run(["ip", "link", "del", self.link], check=False)
        subprocess.run(["ip", "netns", "del", self.name], check=False)


def bundle(directory, network):
    """What crun and runc are given: as many namespaces and limits as a dyno has, the same policy's size apart."""
    root = directory / "rootfs"
    for name in ("proc", "dev", "sys", "app", "usr", "tmp"):
        (root / name).mkdir(parents=True)
    shutil.copy(SERVER, root / "app/server")
    spec = json.loads(subprocess.run(["runc", "spec"], cwd=directory, check=True) and (directory / "config.json").read_text())
    spec["process"].update({"terminal": False, "args": ["/app/server", PORT, "once"], "user": {"uid": 1000, "gid": 1000},
                            "capabilities": {kind: [] for kind in ("bounding", "effective", "inheritable", "permitted")},
                            "rlimits": []})
    spec["root"] = {"path": str(root), "readonly": True}
    linux = spec["linux"]
    linux["namespaces"] = [{"type": kind} for kind in ("pid", "ipc", "uts", "mount", "cgroup", "user")]
    linux["namespaces"].append({"type": "network", "path": network.path})
    linux["uidMappings"] = linux["gidMappings"] = [{"containerID": 0, "hostID": 200000, "size": 65536}]
    linux["resources"] = {"memory": {"limit": 512 << 20}, "pids": {"limit": 256}, "cpu": {"shares": 1024}}
    linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
                        "syscalls": [{"names": ["mount", "setns", "bpf", "keyctl", "ptrace"], "action": "SCMP_ACT_ERRNO"}]}
    spec["mounts"] = [mount for mount in spec["mounts"] if mount["type"] not in ("cgroup", "mqueue", "sysfs")]
    (directory / "config.json").write_text(json.dumps(spec))
    os.chmod(directory, 0o755)
    for path in [root, *root.rglob("*")]:
        os.chown(path, 200000, 200000)


def without_hybrid(*command):
    """crun 1.8 refuses hosts that have v1 and v2 control groups; it is shown v1 only."""
    return ["unshare", "-m", "--propagation", "private", "sh", "-c",
            "umount -l /sys/fs/cgroup/unified 2>/dev/null; exec \"$@\"", "sh", *command]


def peers(directory, network):
    """(name, address, port, network namespace, command): each ends after its first answer."""
    port = str(free_port())
    yield "bare process", "127.0.0.1", port, "-", [SERVER, port, "once"]
    if shutil.which("bwrap"):
        yield "bubblewrap", network.address, PORT, network.path, [
            "bwrap", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--uid", "1000", "--die-with-parent",
            "--ro-bind", "/usr", "/usr", "--ro-bind", str(BIN), "/app", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp",
            "/app/byte_server", PORT, "once"]
    for runtime in ("crun", "runc"):
        if shutil.which(runtime):
            run = [runtime, "--root", str(directory / f"{runtime}-state"), "run", "--bundle", str(directory), f"rgbench-{runtime}"]
            yield f"{runtime} run", network.address, PORT, "-", without_hybrid(*run) if runtime == "crun" else run
    if shutil.which("podman"):
        yield "podman run", network.address, PORT, "-", without_hybrid(
            "podman", "--root", str(directory / "podman"), "--runroot", str(directory / "podman-run"), "--cgroup-manager",
            "cgroupfs", "--runtime", "crun", "run", "--rm", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096",
            "--network", f"ns:{network.path}", "--rootfs", str(directory / "rootfs"), "/app/server", PORT, "once")


def install_peers():
    wanted = {"bwrap": "bubblewrap", "crun": "crun", "runc": "runc", "podman": "podman"}
    missing = [package for program, package in wanted.items() if not shutil.which(program)]
    if missing:
        print(f"installing {' '.join(missing)}", flush=True)
        for package in missing:  # one by one: the rest is measured without it
            subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def history_kib(figures):
    """What each dyno takes because of this machine's past.

    In every control group of memory the kernel has 1 KiB for each 64 file systems that there have been at once since it was
    booted, by this or any other program. What the crowd's own file systems need counts as the dynos', generously.
    """
    needed = FILE_SYSTEMS * CROWD / 64 + OTHER_KIB
    return max(0.0, float(figures.get("list_kib_each", 0)) - needed)


def main():
    report = Report("dynos")
    install_peers()
    network = Network()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="renga-bench-"))
    medians = {}
    try:
        if shutil.which("runc"):
            bundle(directory, network)
        for name, address, port, namespace, command in peers(directory, network):
            try:
                times = sorted(map(float, driver("peer", RUNS if name != "podman run" else RUNS // 3, address, port,
                                                 namespace, "--", *command)))
                medians[name] = statistics.median(times)
                report.spread(f"start to first byte, peer {name}", times, "ms")
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                print(f"peer {name} is left out: {error}", file=sys.stderr)
        for name, holders in (("a holder that waited", 12), ("made when wanted", 0)):
            times = sorted(map(float, driver("start", RUNS, holders, SERVER)))
            medians[name] = statistics.median(times)
            report.spread(f"start to first byte, {name}", times, "ms")
        report.add("holder / bare process", medians["a holder that waited"] / medians["bare process"], "x", 1.5)
        if "crun run" in medians:
            report.add("holder / crun run", medians["a holder that waited"] / medians["crun run"], "x", 1 / 8)

        alone = dict(line.split() for line in driver("alone", CROWD, SERVER))
        figures = dict(line.split() for line in driver("crowd", CROWD, 12, SERVER))
        report.add(f"starting {CROWD} dynos: time each", 1000 / float(figures["starts_per_s"]), "ms", 5)
        own = float(alone["kib_each"])
        report.add(f"memory of each of {CROWD} bare processes, the kernel's included", own / 1024, "MiB")
        each = float(figures["kib_each"]) - own
        report.add(f"memory of each of {CROWD} dynos beyond that", each / 1024, "MiB", 0.7)
        history = history_kib(figures)
        report.add("of that, for file systems that this machine had at once before", history / 1024, "MiB")
        report.add("without those, as on a machine that was just booted", (each - history) / 1024, "MiB")
        report.add(f"stopping {CROWD} dynos", float(figures["stop_ms"]), "ms", 2000)
        report.spread("frozen to first byte, a Python server", [float(time) for time in driver("freeze", RUNS)], "ms", 5)
    finally:
        network.close()
        shutil.rmtree(directory, ignore_errors=True)
    report.end()


if __name__ == "__main__":
    main()
