"""What must hold inside of every sandbox, checked from inside: a line for each point of the checklist, "S5 ok" or
"S5 FAILED: what was seen". Dynos and builds run this same program; it needs nothing but Python."""

import ctypes
import errno
import mmap
import os
import pathlib
import re
import socket
import stat
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
LIBC = ctypes.CDLL(None, use_errno=True)
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def expect(condition, seen):
    if not condition:
        raise AssertionError(seen)


def status():
    return dict(line.split(":\t", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines() if ":\t" in line)


def refused(number, *arguments):
    """The errno of a system call that must not work."""
    ctypes.set_errno(0)
    result = LIBC.syscall(ctypes.c_long(number), *(ctypes.c_long(a) for a in (*arguments, 0, 0, 0, 0, 0, 0)[:6]))
    return errno.errorcode.get(ctypes.get_errno()) if result < 0 else f"worked ({result})"


def cannot_write(path):
    try:
        with open(path, "w"):
            return None
    except OSError as error:
        return errno.errorcode[error.errno]


def mounts():
    return [line.split(" ") for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()]


@check
def s1():
    """No privileges."""
    now = status()
    expect(now["Uid"].split() == ["1000"] * 4 and now["Gid"].split() == ["1000"] * 4, (now["Uid"], now["Gid"]))
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        expect(int(now[name], 16) == 0, (name, now[name]))
    expect((now["NoNewPrivs"], now["Seccomp"]) == ("1", "2"), (now["NoNewPrivs"], now["Seccomp"]))


@check
def s2():
    """Ids of the app's own range."""
    for name in ("uid_map", "gid_map"):
        inside, outside, count = map(int, pathlib.Path(f"/proc/self/{name}").read_text().split())
        expect(inside == 0 and outside >= 100_000 and count == 65_536, (inside, outside, count))


@check
def s3():
    """Nothing can be run with more rights."""
    for mount in mounts():
        if mount[4] in ("/", "/app", "/tmp", "/usr", "/bin", "/sbin", "/lib", "/lib64"):
            expect("nosuid" in mount[5].split(","), mount)


@check
def s4():
    """No groups."""
    expect(os.getgroups() == [], os.getgroups())


@check
def s5():
    """Only /app and /tmp can be written to."""
    for path in ("/x", "/usr/x", "/etc/x", "/etc/passwd", "/var/x", "/home/x"):
        expect(cannot_write(path) in ("EROFS", "EACCES"), (path, cannot_write(path)))
    for directory in ("/app", "/tmp"):
        (pathlib.Path(directory) / "written").write_text("x")
        (pathlib.Path(directory) / "written").unlink()


@check
def s6():
    """No devices and no set-id programs where it can write; /tmp has a limit."""
    for mount in mounts():
        if mount[4] in ("/app", "/tmp"):
            expect({"nosuid", "nodev"} <= set(mount[5].split(",")), mount)
    size = os.statvfs("/tmp")
    expect(0 < size.f_blocks * size.f_frsize <= 4 << 30, size)


@check
def s7():
    """The kernel's secrets are covered."""
    for name in ("acpi", "asound", "interrupts", "kcore", "keys", "latency_stats", "scsi", "sched_debug", "timer_list",
                 "timer_stats"):
        path = pathlib.Path("/proc") / name
        try:
            seen = os.listdir(path) if path.is_dir() else path.read_bytes()[:16]
        except OSError:
            continue
        expect(not seen, (name, seen))
    for path in ("/sys/firmware", "/sys/devices/virtual/powercap"):
        expect(not os.path.isdir(path) or not os.listdir(path), path)


@check
def s8():
    """The kernel's settings are read-only."""
    for path in ("/proc/sys/kernel/hostname", "/proc/sysrq-trigger", "/proc/irq/default_smp_affinity"):
        if os.path.exists(path):
            expect(cannot_write(path) in ("EROFS", "EACCES", "EPERM"), (path, cannot_write(path)))
    for mount in mounts():
        if mount[4] in ("/sys", "/proc/sys", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sysrq-trigger"):
            expect("ro" in mount[5].split(","), mount)


@check
def s9():
    """No control groups but the limit."""
    seen = sorted(str(path.relative_to("/sys/fs/cgroup")) for path in pathlib.Path("/sys/fs/cgroup").rglob("*"))
    expect(seen == ["memory", "memory.max", "memory/memory.limit_in_bytes"], seen)
    own = pathlib.Path("/proc/self/cgroup").read_text().split()
    expect(all(line.split(":", 2)[2] == "/" for line in own if "renga" in line), own)


@check
def s10():
    """The list of mounts tells nothing of other sandboxes; of the host's directories, a build's has those of that build."""
    seen = set()
    for mount in mounts():
        expect("run/sandboxes" not in " ".join(mount), mount)
        seen |= set(re.findall(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", " ".join(mount)))
    # A build's is its own, by which it is known to itself; a dyno's names its own overlay, and nothing else.
    expect(seen == {os.environ["REQUEST_ID"]} if "REQUEST_ID" in os.environ else len(seen) <= 1, seen)


@check
def s11():
    """Harmless devices, and no others."""
    wanted = {"null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "shm", "fd", "stdin", "stdout", "stderr"}
    expect(set(os.listdir("/dev")) <= wanted, set(os.listdir("/dev")) - wanted)
    for kind in (stat.S_IFCHR, stat.S_IFBLK):
        try:
            os.mknod("/tmp/device", kind | 0o600, os.makedev(1, 1))
            expect(False, "a device was made")
        except OSError as error:
            expect(error.errno == errno.EPERM, error)


@check
def s12():
    """No descriptors but the streams."""
    descriptors = set(os.listdir("/proc/self/fd"))
    with os.scandir("/proc/self/fd") as listing:
        names = [entry.name for entry in listing]
    for name in names:
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue  # the listing's own
        expect(re.match(r"(pipe|socket):|/dev/(null|pts/)|/proc/", target) or target.startswith(("/app", "/tmp", "/cache", "/env")),
               target)
    expect(len(descriptors) <= 6, descriptors)


@check
def s13():
    """No processes but its own."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        expect(int(pid) < 32_768, pid)
    for name in ("root", "cwd", "exe", "environ", "mem"):
        try:
            with open(f"/proc/1/{name}", "rb"):
                expect(False, f"/proc/1/{name} can be opened")
        except OSError:
            pass
    expect(not any(b"renga server" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
                   for pid in os.listdir("/proc") if pid.isdigit() and os.path.exists(f"/proc/{pid}/cmdline")), "the server is seen")


@check
def s14():
    """No way out of its root, by any directory that has a name."""
    try:
        for start in ("/", "/app", "/tmp", "/dev/shm", "/proc/self/cwd", "/proc/self/root", "/proc/self/fd"):
            os.chdir(start)
            for _ in range(64):
                os.chdir("..")
            expect(os.path.samestat(os.stat("."), os.stat("/")), start)
    finally:
        os.chdir(HERE)


@check
def s15():
    """What a slug or source pretends to be gives nothing: links out of it, set-id programs."""
    links = sorted((HERE / "links").iterdir())
    expect(len(links) == 4, links)
    for link in links:
        expect(link.is_symlink(), link)
        try:
            expect(not os.listdir(link) if link.is_dir() else not link.read_bytes(), (link, os.readlink(link)))
        except OSError:
            pass
    pretender = HERE / "pretender"
    ids = subprocess.run([pretender, "-c", "import os; print(*os.getresuid(), *os.getresgid())"], check=True,
                         capture_output=True, text=True).stdout.split()
    expect(ids == ["1000"] * 6, ids)


@check
def s16():
    """No new namespaces and no mounts."""
    for name, number in dict(mount=165, umount2=166, pivot_root=155, setns=308, fsopen=430, open_tree=428, move_mount=429,
                             mount_setattr=442, chroot=161).items():
        expect(refused(number) == "EPERM", (name, refused(number)))
    for flag in (0x10000000, 0x20000, 0x40000000, 0x20000000, 0x8000000, 0x4000000, 0x2000000):
        expect(refused(272, flag) == "EPERM", ("unshare", hex(flag)))
        expect(refused(56, flag | 17) == "EPERM", ("clone", hex(flag)))
    expect(refused(435) == "ENOSYS", "clone3")


@check
def s17():
    """No calls of the host's administrator."""
    for name, number in dict(bpf=321, perf_event_open=298, keyctl=250, add_key=248, request_key=249, userfaultfd=323,
                             io_uring_setup=425, io_uring_enter=426, io_uring_register=427, kexec_load=246, kexec_file_load=320,
                             init_module=175, finit_module=313, delete_module=176, swapon=167, swapoff=168, reboot=169,
                             process_vm_readv=310, process_vm_writev=311, open_by_handle_at=304, quotactl=179, acct=163,
                             settimeofday=164, iopl=172, ioperm=173, syslog=103).items():
        expect(refused(number) in ("EPERM", "ENOSYS"), (name, refused(number)))
    expect(refused(135, 0x0400000) == "EPERM", "personality")


@check
def s18():
    """No sockets but those that apps need."""
    for family, kind, protocol in ((17, 3, 0), (38, 5, 0), (40, 1, 0), (2, 3, 1), (16, 3, 9)):
        try:
            socket.socket(family, kind, protocol).close()
            expect(False, (family, kind, protocol))
        except OSError as error:
            expect(error.errno in (errno.EPERM, errno.EAFNOSUPPORT), error)


@check
def s19():
    """Nothing is typed into a terminal."""
    for request in (0x5412, 0x541C):
        ctypes.set_errno(0)
        expect(LIBC.ioctl(0, ctypes.c_ulong(request), b" " * 64) < 0 and ctypes.get_errno() == errno.EPERM, hex(request))


@check
def s20():
    """Other entries into the kernel lead nowhere."""
    pid = os.fork()
    if pid == 0:
        page = mmap.mmap(-1, 4096, prot=7)
        page.write(b"\xb8\x15\x00\x00\x00\xcd\x80\xc3")  # i386's mount
        call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
        os._exit(0 if call() < 0 else 1)
    ended = os.waitpid(pid, 0)[1]
    expect(os.WIFSIGNALED(ended) or os.WEXITSTATUS(ended) == 0, ended)


def reaches(host, port):
    with socket.socket() as client:
        client.settimeout(0.7)
        try:
            client.connect((host, port))
            return True
        except OSError:
            return False


@check
def s21():
    """No other sandbox can be reached."""
    for address in sys.argv[4].split(","):
        host, port = address.split(":")
        expect(not reaches(host, int(port)), address)


@check
def s22():
    """Nothing of the host's can be reached."""
    for port in map(int, sys.argv[1].split(",")):
        for host in ("169.254.1.1", "127.0.0.1", sys.argv[2]):
            expect(not reaches(host, port), (host, port))


@check
def s23():
    """No metadata service and no private network."""
    for host in ("169.254.169.254", "10.0.0.1", "192.168.0.1", "172.16.0.1"):
        expect(not reaches(host, 80), host)


@check
def s24():
    """No packet goes out under another's address."""
    for address in (sys.argv[4].split(":")[0], sys.argv[2], "192.0.2.1"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.IPPROTO_IP, 15, 1)  # IP_FREEBIND, which everybody may
            try:
                sender.bind((address, 0))
                sender.sendto(b"x", ("192.0.2.2", 9))
                expect(False, address)
            except OSError:
                pass  # EINVAL, or no route from there
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            try:
                sender.setsockopt(socket.IPPROTO_IP, 19, 1)  # IP_TRANSPARENT
                expect(False, "a transparent socket")
            except OSError as error:
                expect(error.errno == errno.EPERM, error)


@check
def s25():
    """The host's abstract sockets and its shared memory are not there."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect("\0" + sys.argv[3])
            expect(False, "an abstract socket of the host answers")
        except OSError as error:
            expect(error.errno == errno.ECONNREFUSED, error)
    expect(len(pathlib.Path("/proc/sysvipc/shm").read_text().splitlines()) == 1, "shared memory")


@check
def s26():
    """No socket that rules the host."""
    for path in ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock", "/run/renga", "/run/dbus"):
        expect(not os.path.exists(path), path)


@check
def s31():
    """Open files and core dumps are limited."""
    limits = pathlib.Path("/proc/self/limits").read_text()
    files = int(re.search(r"Max open files +\d+ +(\d+)", limits)[1])
    expect(files <= 10_000 and re.search(r"Max core file size +0 +0", limits), limits)


@check
def s32():
    """Orphans are taken care of."""
    done = subprocess.run(["sh", "-c", "(sleep 0.2 &) ; :"], check=True)
    expect(done.returncode == 0, done)
    # Process 1 is renga's: the orphan's parent from now on.
    expect(pathlib.Path("/proc/1/comm").read_text().strip() == "renga-init", pathlib.Path("/proc/1/comm").read_text())


@check
def s33():
    """What looks after it can neither be looked into nor changed."""
    for request in (16, 0x4206):  # PTRACE_ATTACH, PTRACE_SEIZE
        ctypes.set_errno(0)
        expect(LIBC.ptrace(request, 1, 0, 0) < 0 and ctypes.get_errno() == errno.EPERM, (request, ctypes.get_errno()))
    for name in ("exe", "mem", "maps", "fd", "cwd", "ns/net"):
        for how in (os.O_RDONLY, os.O_WRONLY):
            try:
                os.close(os.open(f"/proc/1/{name}", how))
                expect(False, (name, how))
            except OSError as error:
                expect(error.errno in (errno.EACCES, errno.EPERM, errno.EISDIR), (name, error))
    try:
        os.kill(1, 9)
        expect(False, "process 1 takes a signal")
    except PermissionError:
        pass


for function in CHECKS:
    try:
        function()
        print(function.__name__.upper(), "ok", flush=True)
    except Exception as error:  # pylint: disable=broad-except
        print(function.__name__.upper(), f"FAILED: {type(error).__name__} {error}", flush=True)
