#!/usr/bin/env python3
"""A dyno's lines survive a control that is killed while they are on their way: all of them, in their order."""

import re
import subprocess

import harness
from harness import RENGA, StoryTest, needs_root, wait_until

KILLS = 6
# About two a millisecond, whether anybody hears them or not.
COUNT = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); echo n$i; [ $((i%20)) -ne 0 ] || sleep 0.01; done; echo stopped"


@needs_root
class Lines(StoryTest):
    def log(self, app, last=False):
        """Every line that there is of it, or the newest number alone."""
        session = self.server.api("POST", f"/apps/{app}/log-sessions",
                                  {"lines": 1, "dyno": "run"} if last else {"since": "2000-01-01T00:00:00Z"})
        path = "/" + session["logplex_url"].split("/", 3)[3]
        return self.server.request("GET", path, headers={"Accept": "text/plain", "Authorization": None})[2].decode()

    def newest(self):
        found = re.search(r"app\[run\.\d+\]: n(\d+)\n", self.log("counted", last=True))
        return int(found[1]) if found else 0

    def test_control_is_killed_again_and_again(self):
        self.create("counted")
        self.server.push(self.repository({"Procfile": "worker: sleep 1000\n", "text": "hello\n"}), "counted")
        dyno = self.server.api("POST", "/apps/counted/dynos", {"command": COUNT})
        seen = wait_until(self.newest)
        for turn in range(KILLS):
            # Every second time somebody follows, and lines are on their way all the time.
            tail = turn % 2 and subprocess.Popen(
                [RENGA, "logs", "--tail", "-a", "counted"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env=dict(self.server.environment, RENGA_DATA=str(self.server.data)))
            seen = wait_until(lambda: max(self.newest() - seen - 500, 0), what="more lines") + seen + 500
            self.server.kill()
            if tail:
                tail.kill()
                tail.wait()
            self.server.start()
        wait_until(lambda: self.newest() > seen, what="lines after the last kill")
        self.server.api("POST", f"/apps/counted/dynos/{dyno['name']}/actions/stop")
        wait_until(lambda: dyno["name"] not in [one["name"] for one in self.server.dynos("counted")])

        log = self.log("counted")
        self.assertNotIn("Error L1", log)
        numbers = [int(n) for n in re.findall(r"app\[run\.\d+\]: n(\d+)\n", log)]
        self.assertEqual(sorted(set(numbers)), list(range(1, max(numbers) + 1)), "lines are missing")
        # What was written and not released in the few milliseconds before a kill comes again, once, as it was.
        repeated = len(numbers) - len(set(numbers))
        self.assertLess(repeated, KILLS * 1500)
        steps = [b - a for a, b in zip(numbers, numbers[1:]) if b != a + 1]
        self.assertLessEqual(len(steps), KILLS)
        self.assertTrue(all(step <= 0 for step in steps), steps)


if __name__ == "__main__":
    harness.main()
