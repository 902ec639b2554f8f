"""An operator's dyno sizes, what is said of too many dynos, and what dynos use of the machine."""

import os
import re
import subprocess

from harness import RENGA, Failed, StoryTest, main, needs_root, wait_until, web_files

SIZES = """# NAME  MEMORY  COMPUTE  PROCESSES
Tiny    96MB    1        64
Report  192MB   4        128
Vast    40960GB 1        64
"""


@needs_root
class Sizes(StoryTest):
    dyno_sizes = SIZES

    def renga(self, *words):
        environment = dict(os.environ, RENGA_DATA=str(self.server.data), RENGA_APP="small")
        return subprocess.run([RENGA, *words], capture_output=True, text=True, timeout=120, env=environment)

    def run_and_read(self, command, **more):
        """What a detached one-off writes."""
        dyno = self.server.api("POST", "/apps/small/dynos", {"command": command, **more})
        self.ended(dyno)
        return [line.split(": ", 1)[1] for line in self.server.logs("small").splitlines() if f"app[{dyno['name']}]" in line]

    def ended(self, dyno):
        wait_until(lambda: f"heroku[{dyno['name']}]: Process exited" in self.server.logs("small"), limit=60, what="its end")

    def test_sizes_one_offs_and_metrics(self):
        server = self.server
        self.create("small")
        server.push(self.repository(web_files()), "small")
        server.wait_for_page("small", " one ")
        self.assertEqual(server.api("GET", "/apps/small/formation/web")["size"], "Tiny")
        listed = self.renga("ps:sizes").stdout
        self.assertIn("Report", listed)
        self.assertNotIn("Standard", listed)

        typed = self.renga("ps:type", "web=report")
        self.assertEqual((typed.returncode, typed.stderr.count("Warning")), (0, 0), typed.stderr)
        wait_until(lambda: [d["size"] for d in server.dynos("small") if d["state"] == "up"] == ["Report"], limit=60,
                   what="a dyno of the new size")
        with self.assertRaises(Failed) as refused:
            server.api("PATCH", "/apps/small/formation/web", {"size": "standard-2x"})
        self.assertEqual(refused.exception.status, 422)

        # Promised more than there is: said to whoever scaled, and in the log.
        typed = self.renga("ps:type", "web=vast")
        self.assertEqual(typed.returncode, 0, typed.stderr)
        self.assertIn("Warning: The dynos of all apps may use 40960.0 GB of memory together", typed.stderr)
        self.assertIn("heroku[api]: Warning: The dynos of all apps", server.logs("small"))
        self.assertEqual(self.renga("ps:type", "web=tiny").returncode, 0)

        # One-off dynos: their size, their own environment, their time.
        self.assertEqual(self.run_and_read("cat /sys/fs/cgroup/memory.max; echo $DYNO_RAM $MINE", size="report",
                                           env={"MINE": "own"}), [str(192 << 20), "192 own"])
        self.assertEqual(self.run_and_read("cat /sys/fs/cgroup/memory.max; echo -$MINE-"), [str(96 << 20), "--"])
        said = self.renga("run:detached", "--time-to-live", "5", "--size", "report", "--env", "MINE=own", "--",
                          "sh", "-c", "echo $MINE $DYNO_RAM; sleep 1000")
        self.assertEqual(said.returncode, 0, said.stderr)
        name = re.search(r"done, (run\.\d+)", said.stderr)[1]
        self.ended({"name": name})
        self.assertIn(f"app[{name}]: own 192\n", server.logs("small"))
        self.assertIn(f"heroku[{name}]: Stopping the process: its time to live is over\n", server.logs("small"))
        with self.assertRaises(Failed) as refused:
            server.api("POST", "/apps/small/dynos", {"command": "x" * 70_000})
        self.assertEqual(refused.exception.status, 422)

        # A dyno is looked at every 20 seconds, and three of these are a point; it is kept through a kill.
        wait_until(lambda: server.api("GET", "/apps/small/dyno-metrics")["dynos"], limit=90, pause=0.5, what="a point")
        server.kill()
        server.start()
        dyno = server.api("GET", "/apps/small/dyno-metrics?hours=24&step=60")["dynos"][0]
        self.assertEqual(dyno["name"], "web.1")
        point = dyno["points"][0]
        self.assertGreater(point["memory_rss"], 1 << 20)
        self.assertEqual(point["memory_total"], point["memory_rss"] + point["memory_cache"] + point["memory_swap"])
        self.assertIn(point["memory_quota"], (96 << 20, 192 << 20, 40 << 40))
        shown = self.renga("ps:metrics", "--hours", "2")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn("web.1", shown.stdout)
        self.assertEqual(self.renga("ps:metrics", "--hours", "25").returncode, 1)


@needs_root
class Overcommit(StoryTest):
    options = ("--overcommit", "1")

    def test_scaling_beyond_what_the_operator_lets_dynos_have_is_refused(self):
        self.create("strict")
        self.server.push(self.repository(web_files()), "strict")
        with self.assertRaises(Failed) as refused:
            self.server.api("PATCH", "/apps/strict/formation", {"updates": [{"type": "web", "quantity": 100}]})
        self.assertEqual(refused.exception.status, 422)
        self.assertIn("lets them have 1 % of the machine's", refused.exception.body["message"])
        self.assertEqual(self.server.api("GET", "/apps/strict/formation/web")["quantity"], 1)


if __name__ == "__main__":
    main()
