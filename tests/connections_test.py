#!/usr/bin/env python3
"""A hundred thousand connections that ask for nothing: the router keeps as many as it has descriptors for, and still serves."""

import http.client
import pathlib
import re
import resource
import select
import subprocess
import sys
import time

from harness import PATIENCE, StoryTest, main, needs_root, web_files

CONNECTIONS = 100_000
LIMIT = 30  # seconds: on a machine that has much else to do there are fewer

# Opens so many connections from an address of its own, which has its own ports, says how many it got, and waits to be told
# to go. Those that the router has closed meanwhile stay: they have been offered.
CLIENT = '''
import resource, select, socket, sys, time
port, count, source = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
ready, waiting, kept, failed, end = select.epoll(), {}, [], 0, time.monotonic() + float(sys.argv[4])
while len(kept) + failed < count and time.monotonic() < end:
    while len(waiting) < 256 and len(kept) + failed + len(waiting) < count:
        one = socket.socket()
        one.setblocking(False)
        one.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT: chosen when it is known where to
        one.bind((source, 0))
        one.connect_ex(("127.0.0.1", port))
        waiting[one.fileno()] = one
        ready.register(one, select.EPOLLOUT | select.EPOLLONESHOT)
    for number, _ in ready.poll(1):
        one = waiting.pop(number)
        if one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
            kept.append(one)
        else:
            failed += 1
            one.close()
print(len(kept), flush=True)
sys.stdin.read()
'''


@needs_root
class Connections(StoryTest):
    def test_a_hundred_thousand_that_ask_for_nothing(self):
        self.create("shop")
        self.server.push(self.repository(web_files("served all the same")), "shop")
        self.server.wait_for_page("shop", "served all the same")
        port = self.server.http.rsplit(":", 1)[1]
        router = pathlib.Path("/proc") / (self.server.data / "router/router.lock").read_text().strip()

        # It has raised its own limit to what it may have.
        soft, hard = re.search(r"^Max open files\s+(\d+)\s+(\d+)", (router / "limits").read_text(), re.M).groups()
        self.assertEqual(soft, hard)
        # And the kernel has room for many before they come: while it makes more, a loop would stand still.
        room = int(re.search(r"^FDSize:\s+(\d+)", (router / "status").read_text(), re.M)[1])
        self.assertGreaterEqual(room, min(int(soft), 64 * 1024))

        each = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 1_000, 25_000)
        clients, left = [], CONNECTIONS
        while left > 0:
            count = min(each, left)
            clients.append(subprocess.Popen([sys.executable, "-c", CLIENT, port, str(count), f"127.0.1.{len(clients) + 1}", str(LIMIT)],
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            left -= count
        for client in clients:
            self.addCleanup(client.wait)
            self.addCleanup(client.stdin.close)
            self.addCleanup(client.stdout.close)

        most, slowest, served = 0, 0, 0
        while any(client.poll() is None and not self.has_said(client) for client in clients):
            begin = time.monotonic()
            self.assertIn("served all the same", self.page())
            slowest, served = max(slowest, time.monotonic() - begin), served + 1
            most = max(most, self.resident(router))
            time.sleep(0.05)
        opened = sum(int(client.stdout.readline()) for client in clients)
        most = max(most, self.resident(router))
        kept = len(list((router / "fd").iterdir()))
        print(f"{opened} connections, {kept} descriptors, {most:.0f} MB, {served} pages, the slowest {slowest:.1f} s", file=sys.stderr)
        self.assertGreater(opened, CONNECTIONS // 10)
        self.assertLess(kept, int(hard))
        self.assertLess(most, 40 + kept * 0.002, "MB of the router: 2 KB for each that it keeps")
        self.assertLess(slowest, 30)
        self.assertIn("served all the same", self.page())
        self.assertTrue(router.exists(), "it is the same router")

    def has_said(self, client):
        return bool(select.select([client.stdout], [], [], 0)[0])

    def page(self):
        # A connection of its own each time: it has to get in beside all the others.
        address, port = self.server.http.rsplit(":", 1)
        connection = http.client.HTTPConnection(address, int(port), timeout=PATIENCE)
        try:
            connection.request("GET", "/", headers={"Host": "shop.localhost", "Connection": "close"})
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def resident(self, process):
        return int(re.search(r"^VmRSS:\s+(\d+)", (process / "status").read_text(), re.M)[1]) / 1024


if __name__ == "__main__":
    main()
