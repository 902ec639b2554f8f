"""What a build costs: the second push of the Django example, the platform around compile, the disk of 50 releases."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

from harness import NETWORK, ROOT, Server, commit, repository, wait_until, web_files  # noqa: E402
from report import Report  # noqa: E402

PUSHES = 5
FILES = 5_000
MEGABYTES = 100
RELEASES = 50


def timed_push(server, directory, app):
    """Seconds of the push, and of each of its steps ("-----> ..."), from when the lines come."""
    steps, started = [], time.monotonic()
    url = f"http://renga:{server.token}@{server.listen}/{app}.git"
    push = subprocess.Popen(["git", "-C", str(directory), "push", "--progress", url, "main"], stderr=subprocess.PIPE,
                            env=dict(os.environ, GIT_TERMINAL_PROMPT="0"))
    for line in push.stderr:
        if b"-----> " in line:
            steps.append((line.split(b"-----> ", 1)[1].decode(errors="replace").strip(), time.monotonic()))
    assert push.wait() == 0, steps
    ended = time.monotonic()
    ends = [at for _, at in steps[1:]] + [ended]
    return ended - started, [(name, end - at) for (name, at), end in zip(steps, ends)]


def spent_in(steps, pattern):
    return sum(seconds for name, seconds in steps if re.match(pattern, name))


def django(server, report):
    server.api("POST", "/apps", {"name": "bench-django"})
    server.api("PATCH", "/apps/bench-django/config-vars", {"SECRET_KEY": "bench"})
    app = repository(server.base / "repositories", {}, "bench-django")
    shutil.copytree(ROOT / "examples/django", app, dirs_exist_ok=True)
    commit(app, {})
    first, _ = timed_push(server, app, "bench-django")
    report.add("Django example: first push", first, "s")
    wholes, pips = [], []
    view = app / "hello/templates/hello/home.html"
    page = view.read_text()
    for n in range(PUSHES):
        started = time.monotonic()
        commit(app, {"hello/templates/hello/home.html": page + f"<!-- change {n} -->\n"})
        _, steps = timed_push(server, app, "bench-django")
        wait_until(lambda: f"change {n}" in (server.page("bench-django") or ""), 60)
        wholes.append(time.monotonic() - started)
        pips.append(spent_in(steps, "Installing dependencies"))
    report.spread("Django example: one line, from commit to served", wholes, "s", 3)
    report.spread("Django example: its pip step", pips, "s", 1)


def overhead(server, report):
    """Everything but compile, which this buildpack does not have: the build's own two time stamps have a second's
    resolution, so the build is watched from outside."""
    server.api("POST", "/apps", {"name": "bench-large"})
    app = repository(server.base / "repositories", {"Procfile": "web: sleep 1000\n"}, "bench-large")
    content = os.urandom(MEGABYTES * 1024 * 1024 // FILES)
    for n in range(FILES):
        target = app / f"d{n % 50}"
        target.mkdir(exist_ok=True)
        (target / f"f{n}").write_bytes(n.to_bytes(4, "big") + content[4:])
    commit(app, {})
    times = []
    for n in range(PUSHES):
        commit(app, {"text": f"{n}\n"})
        _, steps = timed_push(server, app, "bench-large")
        times.append(1000 * sum(seconds for _, seconds in steps))
    report.spread(f"around compile, {FILES} files, {MEGABYTES} MB", times, "ms", 300)


def disk(server, report):
    def used():
        said = subprocess.run(["du", "-s", "--block-size=1K", str(server.data / "slugs")], capture_output=True, text=True)
        return int(said.stdout.split()[0])

    server.api("POST", "/apps", {"name": "bench-disk"})
    app = repository(server.base / "repositories", {**web_files(), "big": "x"}, "bench-disk")
    (app / "big").write_bytes(os.urandom(20 << 20))
    before = used()
    for n in range(RELEASES):
        commit(app, {"text": f"{n}\n"})
        server.push(app, "bench-disk")
        if n == 0:
            one = used() - before
    report.add(f"disk of {RELEASES} releases, by that of one", (used() - before) / one, "times", 1.5)


def run():
    report = Report("builds")
    server = Server()
    try:
        overhead(server, report)
        disk(server, report)
        if NETWORK:
            django(server, report)
        else:
            print("left out: the Django example needs the package index (RENGA_TEST_NETWORK=0)")
    finally:
        server.close()
    report.end()


if __name__ == "__main__":
    run()
