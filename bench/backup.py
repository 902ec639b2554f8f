"""Backup: a server with 100 apps, taken while its apps answer and their config changes."""

import io
import os
import pathlib
import subprocess
import sys
import tarfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

from harness import RENGA, Server, repository, web_files  # noqa: E402
from report import Report  # noqa: E402

APPS = 100
SLUG_BYTES = 1 << 20  # of each app's own, that no other has


def slug():
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as tar:
        for name, content in (("./app/random", os.urandom(SLUG_BYTES)), ("./app/web", b"exec sleep 1000\n")):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def fill(server):
    for i in range(APPS):
        name = f"app-{i}"
        server.api("POST", "/apps", {"name": name})
        server.api("PATCH", f"/apps/{name}/config-vars", {f"VAR_{n}": f"value {n} of {i}" for n in range(20)})
        made = server.api("POST", f"/apps/{name}/slugs", {"process_types": {"worker": "sh web"}})
        path = "/" + made["blob"]["url"].split("/", 3)[3]
        status, _, answer = server.request("PUT", path, slug(), {"Authorization": None})
        if status >= 300:
            raise SystemExit(f"a slug was refused: {answer}")
        server.api("POST", f"/apps/{name}/releases", {"slug": made["id"]})


def main():
    report = Report("backup")
    server = Server()
    try:
        fill(server)
        server.api("POST", "/apps", {"name": "served"})
        server.push(repository(server.base / "repositories", web_files()), "served")
        server.wait_for_page("served", "one")
        going, changes, pages = threading.Event(), [], []

        def change():
            while not going.is_set():
                changes.append(server.api("PATCH", "/apps/app-0/config-vars", {"N": str(len(changes))}))

        def look():
            while not going.is_set():
                began = time.monotonic()
                if server.get("served")[0] != 200:
                    raise SystemExit("the app did not answer during the backup")
                pages.append((time.monotonic() - began) * 1000)

        threads = [threading.Thread(target=change, daemon=True), threading.Thread(target=look, daemon=True)]
        for thread in threads:
            thread.start()
        archive = server.base / "backup.tar"
        began = time.monotonic()
        subprocess.run([RENGA, "backup", str(archive), "--data", str(server.data)], check=True, capture_output=True)
        took = time.monotonic() - began
        going.set()
        for thread in threads:
            thread.join()
        report.add(f"backup of {APPS} apps, while they serve", took, "s", 10)
        report.add("size of the archive", archive.stat().st_size / 1e6, "MB")
        report.add("config changes meanwhile", len(changes), "")
        report.add("slowest page meanwhile", max(pages), "ms")
        began = time.monotonic()
        subprocess.run([RENGA, "restore", str(archive), "--data", str(server.base / "restored")], check=True,
                       capture_output=True)
        report.add("restore of it", time.monotonic() - began, "s")
    finally:
        server.close()
    report.end()


main()
