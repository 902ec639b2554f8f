"""Clients that ask all the time, for tests and benchmarks of what must not fail meanwhile."""

import http.client
import threading
import time


class Load:
    """Clients on keep-alive connections that ask as fast as they are answered, and count what is not 200.

    A connection that the router closed between two requests is opened again; one that closes in the
    middle of a request counts as a failure. With `tls`, an ssl.SSLContext, over TLS; with `fresh`
    each request over a connection of its own.
    """

    def __init__(self, address, host, clients, tls=None, fresh=False):
        self.host, self.port = address.rsplit(":", 1)
        self.name, self.tls, self.fresh = host, tls, fresh
        self.failures, self.answers, self.bodies = [], 0, set()
        self.lock = threading.Lock()
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def open(self):
        connection = http.client.HTTPConnection(self.host, int(self.port), timeout=100)
        if self.tls:
            connection.connect()
            connection.sock = self.tls.wrap_socket(connection.sock, server_hostname=self.name)
        return connection

    def run(self):
        connection = None
        while not self.ending.is_set():
            try:
                if connection is None:
                    connection = self.open()
                connection.request("GET", "/", headers={"Host": self.name})
                answer = connection.getresponse()
                body = answer.read().decode()
                with self.lock:
                    self.answers += 1
                    self.bodies.add(body.split(" ")[0])
                    if answer.status != 200:
                        self.failures.append((answer.status, body[:200]))
                if answer.will_close or self.fresh:
                    connection.close()
                    connection = None
            except Exception as error:  # every way to fail counts
                with self.lock:
                    self.failures.append(repr(error))
                connection = None
                time.sleep(0.01)
        if connection:
            connection.close()

    def end(self):
        self.ending.set()
        for thread in self.threads:
            thread.join()
        return self
