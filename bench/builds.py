"""What a build costs: the second push of the Django example, the platform around compile, the disk of 50 releases.

Beside each time stands its peer, measured in the same run on the same disk: the same work by git, tar, gzip and the app's own
commands, without a platform, a sandbox or a byte synced.
"""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

from harness import NETWORK, ROOT, Server, commit, repository, wait_until, web_files  # noqa: E402
import disks  # noqa: E402
from report import Report  # noqa: E402

PUSHES = 5
FILES = 5_000
MEGABYTES = 100
RELEASES = 50


def timed_push(server, directory, app):
    """Seconds of the push, of what follows git's own part of it, and of each step ("-----> ..."), from when lines come."""
    steps, started, received = [], time.monotonic(), None
    url = f"http://renga:{server.token}@{server.listen}/{app}.git"
    push = subprocess.Popen(["git", "-C", str(directory), "push", "--progress", url, "main"], stderr=subprocess.PIPE,
                            env=dict(os.environ, GIT_TERMINAL_PROMPT="0"))
    for line in push.stderr:
        if b"Updated " in line:
            received = time.monotonic()
        if b"-----> " in line:
            steps.append((line.split(b"-----> ", 1)[1].decode(errors="replace").strip(), time.monotonic()))
    assert push.wait() == 0, steps
    ended = time.monotonic()
    ends = [at for _, at in steps[1:]] + [ended]
    return ended - started, ended - received, [(name, end - at) for (name, at), end in zip(steps, ends)]


def spent_in(steps, pattern):
    return sum(seconds for name, seconds in steps if re.match(pattern, name))


def shell(script, directory, **environment):
    """Seconds that these commands take."""
    started = time.monotonic()
    subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=directory, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, env=dict(os.environ, **environment))
    return time.monotonic() - started


def django(server, report):
    server.api("POST", "/apps", {"name": "bench-django"})
    server.api("PATCH", "/apps/bench-django/config-vars", {"SECRET_KEY": "bench"})
    app = repository(server.base / "repositories", {}, "bench-django")
    shutil.copytree(ROOT / "examples/django", app, dirs_exist_ok=True)
    commit(app, {})
    first, _, _ = timed_push(server, app, "bench-django")
    report.add("Django example: first push", first, "s")
    by_hand = DjangoByHand(server.base / "by-hand", app)
    wholes, pips, peers = [], [], []
    view = app / "hello/templates/hello/home.html"
    page = view.read_text()
    for n in range(PUSHES):
        started = time.monotonic()
        commit(app, {"hello/templates/hello/home.html": page + f"<!-- change {n} -->\n"})
        _, _, steps = timed_push(server, app, "bench-django")
        wait_until(lambda: f"change {n}" in (server.page("bench-django") or ""), 60)
        wholes.append(time.monotonic() - started)
        pips.append(spent_in(steps, "Installing dependencies"))
        peers.append(by_hand.deploy(f"change {n}"))
    report.spread("Django example: one line, from commit to served", wholes, "s", 3)
    report.spread("its peer: tar, collectstatic, migrate, gunicorn", peers, "s")
    report.spread("Django example: its pip step", pips, "s", 1)


class DjangoByHand:
    """The Django example put up without a platform, its packages from an archive as the build cache has them."""

    def __init__(self, home, repository):
        self.home, self.repository, self.deploys = home, repository, 0
        home.mkdir()
        shell(f"python3 -m venv env && env/bin/pip install -q -r {repository}/requirements.txt && tar -cf env.tar env && rm -r env",
              home)

    def deploy(self, text):
        """Seconds until a page with this text is served."""
        self.deploys += 1
        app = self.home / str(self.deploys)
        app.mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        settings = {"SECRET_KEY": "bench", "DATABASE_PATH": str(app / "db.sqlite3")}
        started = time.monotonic()
        shell(f"git -C {self.repository} archive main | tar -x && tar -xf ../env.tar && "
              "env/bin/python manage.py collectstatic --noinput && env/bin/python manage.py migrate --noinput", app, **settings)
        gunicorn = subprocess.Popen(["env/bin/python", "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}"], cwd=app,
                                    stderr=subprocess.DEVNULL, env=dict(os.environ, **settings))
        try:
            def served():
                with contextlib.suppress(OSError):
                    return text in urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10).read().decode()
            wait_until(served, 60)
            return time.monotonic() - started
        finally:
            gunicorn.terminate()
            gunicorn.wait()


def overhead(server, report):
    """Everything but compile, which this buildpack does not have: from when git has received the commit to the push's end."""
    server.api("POST", "/apps", {"name": "bench-large"})
    app = repository(server.base / "repositories", {"Procfile": "web: sleep 1000\n"}, "bench-large")
    content = os.urandom(MEGABYTES * 1024 * 1024 // FILES)
    for n in range(FILES):
        target = app / f"d{n % 50}"
        target.mkdir(exist_ok=True)
        (target / f"f{n}").write_bytes(n.to_bytes(4, "big") + content[4:])
    commit(app, {})
    report.add(f"around compile, {FILES} files, {MEGABYTES} MB: first push", 1000 * timed_push(server, app, "bench-large")[1], "ms")
    times, peers = [], []
    for n in range(PUSHES):
        commit(app, {"text": f"{n}\n"})
        os.sync()  # what others wrote is not to be waited for
        _, around, _ = timed_push(server, app, "bench-large")
        times.append(1000 * around)
        peer = server.base / f"by-hand-{n}"
        peer.mkdir()
        os.sync()
        peers.append(1000 * shell(f"mkdir app && git -C {app} archive main | tar -xC app && tar -c app | gzip -1 > slug.tar.gz", peer))
    report.spread("around compile: one file changed", times, "ms", 300)
    report.spread("its peer: git archive, tar, gzip", peers, "ms")


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
    with disks.ordinary() as (place, what):
        tempfile.tempdir = place
        print(f"data on {what}")
        measure(report)
        tempfile.tempdir = None
    report.end()


def measure(report):
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


if __name__ == "__main__":
    run()
