"""A built-in provider without a platform: its program, started as control starts it, and what it calls."""

import base64
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import signal
import subprocess
import threading
import uuid

import harness
from harness import RENGA


class Platform:
    """Answers what a provider calls: grants, and config vars, which it remembers by (add-on, namespace)."""

    def __init__(self):
        self.config = {}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def body(self):
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))

            def reply(self, value):
                content = json.dumps(value).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                with contextlib.suppress(BrokenPipeError):  # who asked was killed
                    self.wfile.write(content)

            def do_POST(self):
                self.body()
                self.reply({"access_token": "access", "refresh_token": "refresh", "expires_in": 28800})

            def do_PATCH(self):
                parts = self.path.split("/")
                outer.config[parts[2], "/".join(parts[4:])] = {
                    one["name"]: one["value"] for one in json.loads(self.body())["config"]}
                self.reply([])

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Provider:
    def __init__(self, name, data, platform, environment):
        self.name, self.data, self.platform, self.environment = name, pathlib.Path(data), platform, environment
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [RENGA, "provider", self.name, "--data", str(self.data)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, env=dict(os.environ, **self.environment), start_new_session=True)
        line = json.dumps({"password": "secret-of-this-test", "sso_salt": "salt", "client_secret": "client",
                           "api_url": self.platform.url})
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        self.manifest = json.loads(self.process.stdout.readline())
        self.address = self.manifest["api"]["production"]["base_url"].split("/")[2]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=harness.PATIENCE)
        self.process.stdout.close()

    def call(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(self.address, timeout=harness.PATIENCE)
        try:
            secret = base64.b64encode(f"{self.manifest['id']}:secret-of-this-test".encode()).decode()
            connection.request(method, path, json.dumps(body) if body is not None else None,
                               {"Authorization": "Basic " + secret, **(headers or {})})
            answer = connection.getresponse()
            content = answer.read()
            return answer.status, json.loads(content) if content else None
        finally:
            connection.close()

    def provision(self, plan, resource=None, options=None):
        resource = resource or str(uuid.uuid4())
        status, answer = self.call("POST", "/heroku/resources", {
            "uuid": resource, "name": f"addon-{resource[:5]}", "plan": plan, "region": "renga::local", "options": options or {},
            "callback_url": f"{self.platform.url}/addons/{resource}",
            "oauth_grant": {"code": "code", "type": "authorization_code"}})
        return resource, status, answer


class ProviderStory(harness.StoryTest):
    """A provider beside a server whose dynos use it: its partner API is driven by hand."""

    provider_name = None
    provider_environment = {}

    def setUp(self):
        super().setUp()
        self.platform = Platform()
        self.addCleanup(self.platform.close)
        # Below the server's own directory, so that server:stop --dynos ends its servers too.
        data = self.server.data / "providers" / (self.provider_name + "-of-test")
        data.parent.mkdir(exist_ok=True)
        self.provider = Provider(self.provider_name, data, self.platform, self.provider_environment)
        self.addCleanup(self.end_provider)

    def end_provider(self):
        if self.provider.process.poll() is None:
            self.provider.stop()

    def made(self, plan, resource=None):
        """Its uuid and URL, which may have been promised for later."""
        resource, status, answer = self.provider.provision(plan, resource)
        self.assertIn(status, (201, 202), answer)
        config = answer["config"] if status == 201 else self.config(resource)
        return resource, next(value for name, value in config.items() if name.endswith("_URL"))

    def push_app(self, name="shell"):
        self.create(name)
        self.server.push(self.repository({"Procfile": "worker: sleep 1000\n"}, name), name)

    def in_dyno(self, command, app="shell"):
        """What a one-off dyno says, to its end."""
        dyno = self.server.api("POST", f"/apps/{app}/dynos", {"command": command + "; echo the-end", "attach": False})

        def lines():
            said = [line.split(": ", 1)[1] for line in self.server.logs(app).splitlines()
                    if f"app[{dyno['name']}]" in line]
            return said[:-1] if said and said[-1] == "the-end" else None

        return "\n".join(harness.wait_until(lambda: (lines() or [""]) if lines() is not None else None,
                                            what=f"the end of {command}"))

    def config(self, resource, namespace=""):
        return harness.wait_until(lambda: self.platform.config.get((resource, namespace)), what="news of config vars")
