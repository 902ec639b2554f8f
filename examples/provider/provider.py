#!/usr/bin/env python3
"""Errortank: an add-on provider in the standard library, to start one's own from.

    python3 provider.py [--manifest addon-manifest.json] [--data DIR] [--listen 127.0.0.1:4567]

It makes nothing but a URL with a secret in it, and does by the book what providers get wrong: it writes down what it
promised before it answers, and answers the same to what it was asked before. docs/addons.md has the protocol.
"""

import argparse
import base64
import contextlib
import hashlib
import hmac
import html
import json
import os
import pathlib
import secrets
import threading
import time
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HERE = pathlib.Path(__file__).resolve().parent


class Refused(Exception):
    """Answered with this status and message; 422's message is read by the user."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Books:
    """The resources that there are, in one file that is replaced as a whole: a crash leaves the old or the new."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.lock = threading.Lock()
        self.resources = json.loads(self.path.read_text()) if self.path.exists() else {}

    def save(self):
        draft = self.path.with_suffix(".new")
        with open(draft, "w") as file:
            os.fchmod(file.fileno(), 0o600)
            json.dump(self.resources, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, self.path)


class Provider:
    def __init__(self, manifest, data):
        self.manifest = manifest
        self.api = manifest["api"]
        self.plans = {plan["name"] for plan in manifest["plans"]}
        self.books = Books(pathlib.Path(data) / "errortank.json")

    # -- what the platform asks

    def provision(self, request):
        uuid, plan = request["uuid"], request["plan"]
        if plan not in self.plans:
            raise Refused(422, f"Errortank has no plan {plan}.")
        with self.books.lock:
            known = self.books.resources.get(uuid)
            if known is None:
                known = {"plan": plan, "secret": secrets.token_hex(16), "callback_url": request["callback_url"],
                         "log_input_url": request.get("log_input_url"), "ready": plan != "slow"}
                self.books.resources[uuid] = known
                self.books.save()
        # The grant is good for five minutes: exchanged at once, though not before the answer.
        threading.Thread(target=self.follow_up, args=(uuid, request["oauth_grant"]["code"]), daemon=True).start()
        if not known["ready"]:
            return 202, {"id": uuid, "message": "Your tank is being filled."}
        return 201, {"id": uuid, "config": self.config(known), "message": "Your tank is ready."}

    def change_plan(self, uuid, request):
        if request["plan"] not in self.plans - {"slow"}:
            raise Refused(422, f"A tank cannot become {request['plan']}.")
        with self.books.lock:
            known = self.find(uuid)
            known["plan"] = request["plan"]
            self.books.save()
        return 200, {"config": self.config(known), "message": f"Your tank is {request['plan']} now."}

    def deprovision(self, uuid):
        with self.books.lock:
            self.find(uuid)
            del self.books.resources[uuid]
            self.books.save()
        return 204, None

    def find(self, uuid):
        known = self.books.resources.get(uuid)
        if known is None:
            raise Refused(410, "There is no such tank, or not any more.")
        return known

    def config(self, known):
        return {"ERRORTANK_URL": f"https://{known['secret']}@errortank.example/"}

    # -- what it asks of the platform

    def follow_up(self, uuid, code):
        """Takes the tokens, and finishes what was answered with 202. The platform may be away: tried for a while."""
        for pause in [0.1, 0.2, 0.5] + [1] * 60:
            try:
                return self.finish(uuid, code)
            except Refused:
                return  # deleted meanwhile
            except OSError:  # urllib's errors are, those of a status too
                time.sleep(pause)

    def finish(self, uuid, code):
        with self.books.lock:
            known = self.find(uuid)
        if "refresh_token" not in known:
            refresh_token = self.tokens(uuid, grant_type="authorization_code", code=code)["refresh_token"]
            with self.books.lock:
                known["refresh_token"] = refresh_token
                self.books.save()
        if known["ready"]:
            return self.say(uuid, f"A {known['plan']} tank is ready.")
        token = self.tokens(uuid, grant_type="refresh_token", refresh_token=known["refresh_token"])["access_token"]
        self.push_config(uuid, token)
        self.call("POST", known["callback_url"] + "/actions/provision", {}, token)
        with self.books.lock:
            known["ready"] = True
            self.books.save()
        self.say(uuid, f"A {known['plan']} tank is ready.")

    def rotate(self, uuid):
        """Another secret, told to the platform, which releases it to every app that the tank is attached to."""
        with self.books.lock:
            known = self.find(uuid)
            known["secret"] = secrets.token_hex(16)
            self.books.save()
        if "refresh_token" not in known:
            raise Refused(409, "The platform's grant is not exchanged yet.")
        tokens = self.tokens(uuid, grant_type="refresh_token", refresh_token=known["refresh_token"])
        self.push_config(uuid, tokens["access_token"])

    def push_config(self, uuid, token):
        known = self.find(uuid)
        config = [{"name": name, "value": value} for name, value in self.config(known).items()]
        self.call("PATCH", known["callback_url"] + "/config", {"config": config}, token)

    def say(self, uuid, text):
        """A line in the app's log. A real one gathers many for each call; none of them is worth failing for."""
        with self.books.lock:
            url = urllib.parse.urlsplit(self.find(uuid).get("log_input_url") or "")
        if not url.hostname:
            return
        time_text = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
        message = f"<190>1 {time_text} host app tank - - {text}".encode()
        request = urllib.request.Request(
            f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}", b"%d %s" % (len(message), message),
            {"Authorization": "Basic " + base64.b64encode(f"{url.username}:{url.password}".encode()).decode(),
             "Content-Type": "application/logplex-1", "User-Agent": "errortank (https://errortank.example)"})
        with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=30):
            pass

    def tokens(self, uuid, **fields):
        callback = urllib.parse.urlsplit(self.find(uuid)["callback_url"])
        form = urllib.parse.urlencode({**fields, "client_secret": self.api["client_secret"]}).encode()
        request = urllib.request.Request(f"{callback.scheme}://{callback.netloc}/oauth/token", form, method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def call(self, method, url, body, token):
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json",
                   "Accept": "application/vnd.heroku+json; version=3"}
        request = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    # -- people

    def sign_on(self, form):
        uuid, at = form.get("resource_id", ""), form.get("timestamp", "0")
        signed = ":".join([uuid, self.api["sso_salt"], at, form.get("user_id", ""), form.get("email", "")])
        wanted = hashlib.sha256(signed.encode()).hexdigest()
        fresh = at.isdigit() and abs(time.time() - int(at)) < 300
        if not fresh or not hmac.compare_digest(wanted, form.get("user_scoped_resource_token", "")):
            raise Refused(403, "This sign-on is not valid.")
        with self.books.lock:
            known = self.find(uuid)
        # A real one makes a session here and redirects to the dashboard.
        return f"<h1>Errortank</h1><p>{html.escape(form['email'])}: a tank on {html.escape(form['app'])}, {known['plan']}.</p>"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_POST(self):
        if self.path == "/sso/login":
            return self.answer(lambda: (200, self.server.provider.sign_on(self.form())), authorized=False)
        if self.path.endswith("/rotate"):  # the provider's own operator
            return self.answer(lambda: (200, self.server.provider.rotate(self.path.split("/")[-2])))
        self.answer(lambda: self.server.provider.provision(self.body()))

    def do_PUT(self):
        self.answer(lambda: self.server.provider.change_plan(self.path.rsplit("/", 1)[1], self.body()))

    def do_DELETE(self):
        self.answer(lambda: self.server.provider.deprovision(self.path.rsplit("/", 1)[1]))

    def answer(self, work, authorized=True):
        try:
            self.content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if authorized:
                self.authorize()
            status, body = work()
        except Refused as refused:
            status, body = refused.status, {"message": str(refused)}
        except (ValueError, KeyError, TypeError):
            status, body = 400, {"message": "This request is not understood."}
        self.send(status, body)

    def authorize(self):
        wanted = f"{self.server.provider.manifest['id']}:{self.server.provider.api['password']}"
        given = self.headers.get("Authorization", "")
        if not hmac.compare_digest(given, "Basic " + base64.b64encode(wanted.encode()).decode()):
            raise Refused(401, "These are not the platform's credentials.")

    def body(self):
        return json.loads(self.content)

    def form(self):
        return dict(urllib.parse.parse_qsl(self.content.decode()))

    def send(self, status, body):
        kind = "text/html; charset=utf-8" if isinstance(body, str) else "application/json"
        content = b"" if status == 204 else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        if content:
            self.send_header("Content-Type", kind)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, form, *arguments):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address, provider, handler=Handler):
        super().__init__(address, handler)
        self.provider = provider


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--manifest", default=HERE / "addon-manifest.json")
    parser.add_argument("--data", default=".", help="where the books are kept")
    parser.add_argument("--listen", default="127.0.0.1:4567")
    options = parser.parse_args()
    host, port = options.listen.rsplit(":", 1)
    manifest = json.loads(pathlib.Path(options.manifest).read_text())
    server = Server((host, int(port)), Provider(manifest, options.data))
    print(f"errortank: listening on http://{host}:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
