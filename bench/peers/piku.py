"""piku (https://piku.github.io), a small self-hosted platform, set up beside renga as its documentation says.

For benchmarks that are given a copy of its one program in PIKU=PATH/piku.py; wants Debian's uwsgi-core, nginx and
python3-click. Where an installation has systemd reload nginx when piku has written its configuration, a thread does
here. It listens on port 80 of loopback, as piku insists on, and runs as a user "piku" that is made when missing.
"""

import http.client
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
import time

PACKAGES = ("uwsgi-core", "nginx-light", "python3-click", "python3-setuptools")


class Piku:
    address = "127.0.0.1:80"

    def __init__(self, program, app):
        self.app = app
        self.host = f"{app}.localhost"
        subprocess.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", *PACKAGES], check=True,
                       capture_output=True)
        try:
            pwd.getpwnam("piku")
        except KeyError:
            subprocess.run(["useradd", "--create-home", "piku"], check=True)
        self.home = pathlib.Path("/home/piku")
        self.home.chmod(0o755)
        shutil.rmtree(self.home / ".piku", ignore_errors=True)
        shutil.copy(program, self.home / "piku.py")
        (self.home / "piku.py").chmod(0o755)
        self.as_piku = ["env", "-i", f"HOME={self.home}", "USER=piku", "LC_ALL=C.UTF-8", "PATH=/usr/bin:/bin:/usr/sbin:/sbin",
                        "setpriv", "--reuid=piku", "--regid=piku", "--init-groups", "--"]
        self.piku("setup")
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="piku-"))
        self.scratch.chmod(0o755)
        self.ssh = self.scratch / "ssh"
        command = " ".join(self.as_piku)
        self.ssh.write_text(f"#!/bin/sh\ncd {self.home}\nexec {command} /usr/bin/python3 {self.home}/piku.py "
                            f"git-receive-pack {app}\n")
        self.ssh.chmod(0o755)
        configuration = self.scratch / "nginx.conf"
        configuration.write_text(
            f"user root; worker_processes auto; pid {self.scratch}/pid; error_log {self.scratch}/errors;\n"
            f"events {{ worker_connections 1024; }}\nhttp {{ access_log off; include {self.home}/.piku/nginx/*.conf; }}\n")
        self.nginx = ["nginx", "-c", str(configuration)]
        self.emperor = subprocess.Popen([*self.as_piku, "uwsgi", "--ini", str(self.home / ".piku/uwsgi/uwsgi.ini")],
                                        cwd=self.home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.proxy = subprocess.Popen([*self.nginx, "-g", "daemon off;"], stderr=subprocess.DEVNULL)
        self.ending = threading.Event()
        self.reloader = threading.Thread(target=self.reload)
        self.reloader.start()

    def piku(self, *words):
        subprocess.run([*self.as_piku, "/usr/bin/python3", str(self.home / "piku.py"), *words], cwd=self.home, check=True,
                       capture_output=True)

    def reload(self):
        seen = None
        while not self.ending.wait(0.01):
            found = [(path.name, path.stat().st_mtime_ns) for path in (self.home / ".piku/nginx").glob("*.conf")]
            if seen is not None and found != seen:
                subprocess.run([*self.nginx, "-s", "reload"], capture_output=True)
            seen = found

    def files(self):
        """What the app has beside its own files. Without a release line piku does not know what it is."""
        return {"Procfile": "release: true\nweb: python3 web.py\n",
                "ENV": f"NGINX_SERVER_NAME={self.host}\nNGINX_IPV4_ADDRESS=127.0.0.1\nDISABLE_IPV6=true\nDYNO=web.1\n"}

    def push(self, repository):
        subprocess.run(["git", "-C", str(repository), "push", "-q", f"piku@localhost:{self.app}", "main"], check=True,
                       capture_output=True, env=dict(os.environ, GIT_SSH_COMMAND=str(self.ssh)))

    def page(self):
        connection = http.client.HTTPConnection("127.0.0.1", 80, timeout=10)
        try:
            connection.request("GET", "/", headers={"Host": self.host})
            answer = connection.getresponse()
            body = answer.read().decode(errors="replace")
            return body if answer.status == 200 else None
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def close(self):
        self.ending.set()
        self.reloader.join()
        self.piku("stop", self.app)
        self.proxy.terminate()
        self.proxy.wait()
        self.emperor.send_signal(signal.SIGINT)
        self.emperor.wait(30)
        shutil.rmtree(self.scratch)
        shutil.rmtree(self.home / ".piku", ignore_errors=True)
