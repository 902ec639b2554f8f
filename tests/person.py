"""Somebody at a terminal in front of a command."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time


class Person:
    def __init__(self, test, arguments, environment, columns=90, rows=30):
        self.test = test
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execve(arguments[0], arguments, environment)
        self.resize(columns, rows)
        self.seen = b""

    def resize(self, columns, rows):
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.terminal, text.encode() if isinstance(text, str) else text)

    def sees(self, pattern, limit=60):
        end = time.monotonic() + limit
        while not (found := re.search(pattern.encode(), self.seen)):
            if not select.select([self.terminal], [], [], max(0.0, end - time.monotonic()))[0]:
                self.test.fail(f"no {pattern} in {self.seen!r}")
            try:
                self.seen += os.read(self.terminal, 65536)
            except OSError:
                self.test.fail(f"over before {pattern}: {self.seen!r}")
        self.seen = self.seen[found.end():]

    def leave(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)

    def ends(self):
        while select.select([self.terminal], [], [], 60)[0]:
            try:
                if not os.read(self.terminal, 65536):
                    break
            except OSError:
                break
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
