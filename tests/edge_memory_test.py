#!/usr/bin/env python3
"""What a stranger can make the router remember with few bytes: it stays small, and still serves."""

import pathlib
import re
import resource
import socket
import ssl
import struct

from harness import StoryTest, main, needs_root

MEGABYTE = 1024 * 1024


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


@needs_root
class EdgeMemory(StoryTest):
    options = ("--https", "127.0.0.1:0")

    def setUp(self):
        super().setUp()
        self.router = pathlib.Path("/proc") / (self.server.data / "router/router.lock").read_text().strip()
        self.https = int(self.server.words["https"].rsplit(":", 1)[1])
        self.http = int(self.server.http.rsplit(":", 1)[1])
        self.before = self.resident()

    def resident(self):
        return int(re.search(r"^VmRSS:\s+(\d+)", (self.router / "status").read_text(), re.M)[1]) * 1024

    def serves(self):
        with socket.create_connection(("127.0.0.1", self.http), timeout=60) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: nobody.localhost\r\nConnection: close\r\n\r\n")
            return client.makefile("rb").read()

    def http2(self):
        context = ssl._create_unverified_context()
        context.set_alpn_protocols(["h2"])
        client = context.wrap_socket(socket.create_connection(("127.0.0.1", self.https), timeout=60),
                                     server_hostname="nobody.localhost")
        self.addCleanup(client.close)
        # Streams get no window: their answers stay where they are.
        client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, struct.pack(">HI", 4, 0)) + frame(4, 1, 0))
        return client

    def test_requests_of_sixty_kilobytes_that_take_twenty_bytes_each(self):
        """HPACK: a field of 4 KB that is sent once, and named 14 times by each of a hundred streams."""
        line = b"\x82\x87\x84\x01\x10nobody.localhost"
        field = b"\x40\x01a\x7f\xa1\x1e" + b"v" * 4_000
        for _ in range(40):
            client = self.http2()
            client.sendall(b"".join(frame(1, 5, 2 * n + 1, line + (field if n == 0 else b"") + b"\xbe" * 14)
                                    for n in range(100)))
            client.sendall(frame(6, 0, 0, b"all read"))
            said = b""
            while b"all read" not in said:
                said += client.recv(65_536)
        self.assertLess(self.resident() - self.before, 60 * MEGABYTE, "they were 240 MB")
        self.assertIn(b" 404 ", self.serves())

    def test_heads_that_are_never_whole(self):
        """Of 60 KB each: 64 MB are kept of them (twice that with what was freed between them), and who has been at it
        longest is told to go."""
        part = b"GET / HTTP/1.1\r\nHost: nobody.localhost\r\n" + b"".join(
            b"A%d: %s\r\n" % (n, b"x" * 7_900) for n in range(7))
        clients, (few, most) = [], resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (few, most))
        for _ in range(6_000):
            client = socket.create_connection(("127.0.0.1", self.http), timeout=60)
            self.addCleanup(client.close)
            client.sendall(part)
            clients.append(client)
        self.assertIn(b" 404 ", self.serves())
        self.assertIn(b" 408 ", clients[0].recv(65_536))
        self.assertLess(self.resident() - self.before, 200 * MEGABYTE, "they were 330 MB")


if __name__ == "__main__":
    main()
