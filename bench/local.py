"""`renga local` beside honcho, node-foreman and `heroku local`: first line, memory, lines a second."""

import os
import pathlib
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import venv

from report import Report

CACHE = pathlib.Path(os.environ.get("RENGA_TEST_CACHE", pathlib.Path.home() / ".cache/renga-tests"))
ROUNDS = int(os.environ.get("ROUNDS", "5"))
LINES = int(os.environ.get("LINES", "200000"))
PROCESSES = 10
HONCHO, FOREMAN, HEROKU = "2.0.0", "3.0.1", "11.10.0"
LIMIT = 120  # seconds for any one run


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def cached(name, make):
    """A directory of the cache, made once, beside its place and moved."""
    directory = CACHE / name
    if not directory.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        draft = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}.", dir=CACHE))
        try:
            make(draft)
            draft.rename(directory)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return directory


def from_npm(name, package):
    npm = shutil.which("npm")
    if not npm:
        raise SystemExit("there is no npm; install it: apt-get install -y npm")
    return cached(name, lambda draft: run(npm, "install", "--prefix", str(draft), "--no-audit", "--no-fund",
                                          "--ignore-scripts", "--loglevel=error", package)) / "node_modules"


def node():
    system = shutil.which("node")
    said = subprocess.run([system, "--version"], capture_output=True, text=True).stdout if system else ""
    if (major := re.match(r"v(\d+)\.", said)) and int(major[1]) >= 20:
        return system
    package = "node-linux-" + {"x86_64": "x64", "aarch64": "arm64"}[platform.machine()]
    return str(from_npm("node-22", f"{package}@22") / package / "bin/node")


def honcho():
    def make(draft):
        venv.create(draft, with_pip=True)
        run(draft / "bin/python", "-m", "pip", "install", "-q", f"honcho=={HONCHO}")
    return str(cached(f"honcho-{HONCHO}", make) / "bin/python")


def runners():
    program = node()
    return {
        "renga local": [os.environ["RENGA"], "local"],
        "honcho": [honcho(), "-m", "honcho", "start"],
        "node-foreman": [program, str(from_npm(f"foreman-{FOREMAN}", f"foreman@{FOREMAN}") / "foreman/nf.js"), "start"],
        "heroku local": [program, str(from_npm(f"heroku-{HEROKU}", f"heroku@{HEROKU}") / "heroku/bin/run.js"), "local"],
    }


class Running:
    """A runner in a directory with this Procfile; ended, with all its children, on the way out."""

    def __init__(self, command, procfile):
        self.directory = tempfile.TemporaryDirectory(prefix="renga-bench-")
        (pathlib.Path(self.directory.name) / "Procfile").write_text(procfile)
        environment = dict(os.environ, HOME=self.directory.name, DISABLE_TELEMETRY="true",
                           HEROKU_SKIP_NEW_VERSION_CHECK="true", PYTHONUNBUFFERED="1")
        self.began = time.monotonic()
        self.process = subprocess.Popen(command, cwd=self.directory.name, env=environment, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process.stdout.close()
        self.directory.cleanup()

    def read_until(self, wanted, count=1):
        """Seconds from the start until `count` lines had `wanted` in them."""
        end = self.began + LIMIT
        while time.monotonic() < end and (line := self.process.stdout.readline()):
            if wanted in line:
                count -= 1
                if count == 0:
                    return time.monotonic() - self.began
        raise SystemExit(f"{self.process.args}: {count} lines of {wanted!r} did not come")

    def resident(self):
        """KiB of the runner itself and of its helpers, without the processes it runs."""
        total, todo = 0, [self.process.pid]
        while todo:
            pid = todo.pop()
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            name = re.search(r"^Name:\s+(\S+)", status, re.M)[1]
            if name in ("sleep", "sh", "bash", "dash"):
                continue
            total += int(re.search(r"^VmRSS:\s+(\d+)", status, re.M)[1])
            for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                todo += [int(child) for child in task.read_text().split()]
        return total


def first_line(command):
    procfile = "".join(f"p{i}: echo here; exec sleep 1000\n" for i in range(PROCESSES))
    with Running(command, procfile) as running:
        return running.read_until(b"here") * 1000


def memory(command):
    procfile = "".join(f"p{i}: echo here; exec sleep 1000\n" for i in range(PROCESSES))
    with Running(command, procfile) as running:
        running.read_until(b"here", PROCESSES)
        return running.resident() / 1024


def lines(command, strict):
    """Lines a second of a flood, from its first line to its last or for 15 seconds. With `strict` each must come
    whole and in order; node-foreman cuts some in two, and is measured by how far it got."""
    procfile = f"flood: seq -f 'line %.0f of the flood' 1 {LINES}; exec sleep 1000\n"
    with Running(command, procfile) as running:
        # Read in large pieces and looked at afterwards, so that the reader is not what is measured.
        out = running.process.stdout.fileno()
        pieces, last, begun, tail = [], f"line {LINES} of the flood".encode(), None, b""
        while last not in tail and (begun is None or time.monotonic() < begun + 15):
            piece = os.read(out, 1 << 20)
            if not piece:
                break
            if begun is None and b" of the flood" in piece:
                begun = time.monotonic()
            pieces.append(piece)
            tail = (tail + piece)[-4096:]
        took = time.monotonic() - begun
        numbers = [int(n) for n in re.findall(rb"line (\d+) of the flood\r?\n", b"".join(pieces))]
        if strict and numbers != list(range(1, LINES + 1)):
            raise SystemExit(f"{command}: {LINES} lines were written and {len(numbers)} came whole and in order")
        return max(numbers) / took


def main():
    report = Report("local")
    first, rate = {}, {}
    for name, command in runners().items():
        first_line(command)  # once to warm the page cache
        values = [first_line(command) for _ in range(ROUNDS)]
        first[name] = statistics.median(values)
        report.add(f"{name}: first line of {PROCESSES} processes", first[name], "ms")
        report.add(f"{name}: resident with {PROCESSES} processes", memory(command), "MB",
                   10 if name == "renga local" else None)
        rate[name] = statistics.median(lines(command, name == "renga local") for _ in range(3))
        report.add(f"{name}: lines a second", rate[name], "/s")
    report.add("first line, of heroku local's time", 100 * first["renga local"] / first["heroku local"], "%", 10)
    for peer in ("honcho", "node-foreman"):
        report.add(f"time for a line, of {peer}'s", 100 * rate[peer] / rate["renga local"], "%", 20)
    report.end()


if __name__ == "__main__":
    sys.exit(main())
