"""What an app needs without a platform, to be taken off what it needs with one."""

import os
import socket
import subprocess
import time


def boot(directory):
    """Seconds until the app itself accepts a connection when it is started by hand."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    began = time.monotonic()
    app = subprocess.Popen(["python3", "web.py"], cwd=directory, stdout=subprocess.DEVNULL,
                           env=dict(os.environ, PORT=str(port), DYNO="web.1"))
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return time.monotonic() - began
            except OSError:
                time.sleep(0.001)
    finally:
        app.kill()
        app.wait()
