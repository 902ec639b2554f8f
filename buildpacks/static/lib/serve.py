#!/usr/bin/env python3
"""A web server for files: what `static.json` says, on PORT. `serve --check` reads static.json and says what it would do.

Only what lies below the root is served, and nothing whose name starts with a dot. Requests come through the router,
which has seen to their syntax and to slow clients; SIGTERM ends it when the requests under way are done.
"""

import email.utils
import fnmatch
import http.server
import json
import mimetypes
import os
import posixpath
import re
import shutil
import signal
import sys
import threading
import urllib.parse

HOME = os.path.realpath(os.environ.get("HOME", "/app"))
KNOWN = {"root", "clean_urls", "routes", "redirects", "https_only", "error_page", "headers", "canonical_host",
         "basic_auth", "encoding", "logging"}
NOT_OFFERED = {"proxies", "basic_auth_multiple"}
# Of an app whose root is its top: what is not meant for visitors.
PRIVATE = {"Procfile", "static.json", "app.json", "Aptfile", "bin"}


def refuse(why):
    print(why)
    sys.exit(1)


class Site:
    def __init__(self):
        path = os.path.join(HOME, "static.json")
        settings = {}
        if os.path.exists(path):
            try:
                with open(path, encoding="utf-8") as file:
                    settings = json.load(file)
            except (ValueError, OSError) as wrong:
                refuse(f"static.json cannot be read: {wrong}")
            if not isinstance(settings, dict):
                refuse("static.json must be an object: {\"root\": \"public_html/\"}.")
        for key in settings:
            if key in NOT_OFFERED:
                refuse(f"static.json asks for `{key}`, which is not offered here.")
            if key not in KNOWN:
                refuse(f"static.json has a key that nobody reads: `{key}`. Known are: {', '.join(sorted(KNOWN))}.")
        self.clean_urls = self.of(settings, "clean_urls", bool, False)
        self.https_only = self.of(settings, "https_only", bool, False)
        self.routes = self.of(settings, "routes", dict, {})
        self.redirects = self.of(settings, "redirects", dict, {})
        self.headers = self.of(settings, "headers", dict, {})
        self.error_page = self.of(settings, "error_page", str, "")
        self.canonical_host = self.of(settings, "canonical_host", str, "")
        self.check_values()
        root = self.of(settings, "root", str, "") or self.found_root(bool(settings))
        self.root = os.path.realpath(os.path.join(HOME, root))
        if os.path.commonpath([self.root, HOME]) != HOME:
            refuse(f"static.json's root, {root}, leads out of the app.")
        if not os.path.isdir(self.root):
            refuse(f"there is no directory {root}, which is to be served. Is it what the build makes?")
        self.whole_app = self.root == HOME

    @staticmethod
    def of(settings, key, kind, otherwise):
        value = settings.get(key, otherwise)
        if not isinstance(value, kind):
            names = {bool: "true or false", dict: "an object", str: "text"}
            refuse(f"static.json: `{key}` must be {names[kind]}.")
        return value

    def check_values(self):
        for pattern, target in self.routes.items():
            if not isinstance(target, str):
                refuse(f"static.json: the route {pattern} must be the path of a file.")
        for pattern, target in self.redirects.items():
            if not isinstance(target, dict) or not isinstance(target.get("url"), str) or re.search(r"[\r\n]", target["url"]):
                refuse(f"static.json: the redirect {pattern} must be {{\"url\": \"/there/\", \"status\": 301}}.")
            if target.get("status", 301) not in (301, 302, 303, 307, 308):
                refuse(f"static.json: the redirect {pattern} has a status that is none: {target['status']}.")
        for pattern, fields in self.headers.items():
            if not isinstance(fields, dict) or any(re.search(r"[\r\n:]", name) or not isinstance(value, str) or
                                                  re.search(r"[\r\n]", value) for name, value in fields.items()):
                refuse(f"static.json: the headers of {pattern} must be an object of names and texts.")

    @staticmethod
    def found_root(has_settings):
        for name in ("public_html", "public", "dist"):
            if os.path.isfile(os.path.join(HOME, name, "index.html")):
                return name
        return "public_html" if has_settings else "."

    def file(self, path):
        """The file that a path stands for, or None. Links are followed inside the root only."""
        parts = [part for part in posixpath.normpath(path).split("/") if part not in ("", ".")]
        if any(part.startswith(".") or "\0" in part for part in parts) and parts[:1] != [".well-known"]:
            return None
        if self.whole_app and parts and parts[0] in PRIVATE:
            return None
        found = os.path.realpath(os.path.join(self.root, *parts))
        if os.path.commonpath([found, self.root]) != self.root:
            return None
        return found

    def look_up(self, path):
        found = self.file(path)
        if found and os.path.isdir(found) and path.endswith("/"):
            found = os.path.join(found, "index.html")
        if found and os.path.isfile(found):
            return found
        if self.clean_urls and found and os.path.isfile(found + ".html"):
            return found + ".html"
        for pattern, target in self.routes.items():
            if fnmatch.fnmatchcase(path, pattern.replace("**", "*")):
                found = self.file("/" + target)
                return found if found and os.path.isfile(found) else None
        return None

    def text(self):
        place = "the app's top directory" if self.whole_app else os.path.relpath(self.root, HOME) + "/"
        return f"Serving {place}" + (f", with {len(self.routes)} routes" if self.routes else "")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "renga-static", ""
    timeout = 120

    def do_GET(self):
        site = self.server.site
        path, _, query = self.path.partition("?")
        path = urllib.parse.unquote(path, errors="replace")
        host = self.headers.get("Host", "")
        if site.https_only and self.headers.get("X-Forwarded-Proto", "https") != "https":
            return self.redirect(301, f"https://{host}{self.path}")
        if site.canonical_host and host.partition(":")[0] != site.canonical_host:
            return self.redirect(301, f"https://{site.canonical_host}{self.path}")
        for pattern, target in site.redirects.items():
            if fnmatch.fnmatchcase(path, pattern.replace("**", "*")):
                return self.redirect(target.get("status", 301), target["url"])
        found = site.file(path)
        if found and os.path.isdir(found) and not path.endswith("/") and os.path.isfile(os.path.join(found, "index.html")):
            return self.redirect(301, urllib.parse.quote(path) + "/" + ("?" + query if query else ""))
        found = site.look_up(path)
        if found:
            return self.send(200, found, path)
        page = site.error_page and site.file("/" + site.error_page)
        if page and os.path.isfile(page):
            return self.send(404, page, path)
        self.answer(404, b"Not found\n")

    do_HEAD = do_GET

    def redirect(self, status, url):
        if re.search(r"[\r\n]", url):
            return self.answer(400, b"Bad request\n")
        self.answer(status, b"", {"Location": url})

    def answer(self, status, body, headers=None):
        self.send_response(status)
        for name, value in {"Content-Type": "text/plain; charset=utf-8", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send(self, status, file, path):
        try:
            content = open(file, "rb")
        except OSError:
            return self.answer(404, b"Not found\n")
        with content:
            info = os.fstat(content.fileno())
            # A slug's files keep their times, so two dynos of a release say the same.
            tag = f'"{int(info.st_mtime):x}-{info.st_size:x}"'
            if status == 200 and tag in self.headers.get("If-None-Match", ""):
                self.send_response(304)
                self.send_header("ETag", tag)
                self.end_headers()
                return
            kind = mimetypes.guess_type(file)[0] or "application/octet-stream"
            if kind.startswith("text/") or kind in ("application/javascript", "application/json", "image/svg+xml"):
                kind += "; charset=utf-8"
            self.send_response(status)
            fields = {"Content-Type": kind, "Content-Length": str(info.st_size), "ETag": tag,
                      "Last-Modified": email.utils.formatdate(info.st_mtime, usegmt=True)}
            for pattern, more in self.server.site.headers.items():
                if fnmatch.fnmatchcase(path, pattern.replace("**", "*")):
                    fields.update(more)
            for name, value in fields.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                shutil.copyfileobj(content, self.wfile, 1 << 18)

    def log_message(self, *arguments):
        pass  # the router logs requests


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True
    request_queue_size = 128


if __name__ == "__main__":
    site = Site()
    if sys.argv[1:] == ["--check"]:
        print(site.text())
        sys.exit(0)
    server = Server(("0.0.0.0", int(os.environ.get("PORT", "5000"))), Handler)
    server.site = site
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(site.text(), flush=True)
    server.serve_forever()
    # Connections that are kept alive without a request would be waited for.
    os._exit(0)
