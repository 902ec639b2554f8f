"""What dynos are limited to, from the kernel's own counts, and how their ends are told."""

import re

from harness import StoryTest, main, needs_root, wait_until, web_files

SIZES = "Standard-1X  96MB  1  32\n"
DEAF = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf', flush=True)\ntime.sleep(1000)\n"
MEMORY = """
taken = []
while True:
    taken.append(bytearray(1 << 20))
    taken[-1][::4096] = b"x" * len(taken[-1][::4096])
"""
FORKS = """
import os, signal
children = 0
try:
    while children < 1000:
        if os.fork() == 0:
            signal.pause()
        children += 1
except BlockingIOError:
    print("refused after", children, flush=True)
"""


@needs_root
class Limits(StoryTest):
    dyno_sizes = SIZES

    def run_dyno(self, command):
        return self.server.api("POST", "/apps/limits/dynos", {"command": command})["name"]

    def logged(self, dyno, pattern, limit=90):
        return wait_until(lambda: re.search(rf"\[{dyno}\]: {pattern}", self.server.logs("limits")), limit=limit, pause=0.2,
                          what=f"{pattern!r} of {dyno}")

    def test_limits_and_ends(self):
        server = self.server
        self.create("limits")
        server.push(self.repository({**web_files(procfile="web: python3 web.py\ndeaf: python3 deaf.py\n"), "deaf.py": DEAF,
                                     "memory.py": MEMORY, "forks.py": FORKS}), "limits")
        server.wait_for_page("limits", " one ")
        web = [dyno["id"] for dyno in server.dynos("limits")]

        # What the platform asks to end has half a minute: that runs while the rest is looked at.
        server.api("PATCH", "/apps/limits/formation/deaf", {"quantity": 1})
        self.logged("deaf.1", "deaf")
        server.api("PATCH", "/apps/limits/formation/deaf", {"quantity": 0})

        # Ends: by itself, by a signal, by the kernel.
        for command, status in (("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", 137), ("kill -TERM $$", 143),
                                ("no-such-program", 127)):
            self.logged(self.run_dyno(command), rf"Process exited with status {status}\n")
        hog = self.run_dyno("python3 memory.py")
        self.logged(hog, r"Process exited with status 137\n")
        self.logged(hog, r"Error R15 \(Memory quota vastly exceeded\)\n")

        # What a process beside the command did is seen within twenty seconds.
        beside = self.run_dyno("python3 memory.py; sleep 1000")
        self.logged(beside, r"Error R15 \(Memory quota vastly exceeded\)\n")
        self.assertIn(int(self.logged(self.run_dyno("python3 forks.py"), r"refused after (\d+)")[1]), range(20, 32))
        states = {dyno["name"]: dyno["state"] for dyno in server.dynos("limits")}
        self.assertEqual(states[beside], "up")

        # 2.4 and R12, in this order.
        self.logged("deaf.1", r"Process exited with status 137\n")
        said = [line.split("]: ", 1)[1] for line in server.logs("limits").splitlines() if "heroku[deaf.1]" in line]
        self.assertEqual(said[2:], [
            "State changed from up to down", "Stopping all processes with SIGTERM",
            "Error R12 (Exit timeout) -> Process failed to exit within 30 seconds of SIGTERM",
            "Stopping remaining processes with SIGKILL", "Process exited with status 137"])
        self.assertEqual([dyno["id"] for dyno in server.dynos("limits") if dyno["type"] == "web"], web, "nobody else noticed")
        self.assertEqual(server.get("limits")[0], 200)


if __name__ == "__main__":
    main()
