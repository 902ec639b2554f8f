"""People leave in the middle: the build goes on without them, and ends once."""

import os
import signal
import subprocess

from harness import PATIENCE, StoryTest, git, main, needs_root, wait_until, web_files


@needs_root
class Interrupted(StoryTest):
    def test_ctrl_c_in_a_push_does_not_stop_the_build(self):
        self.create("left")
        # The hook of the Python buildpack makes a build long enough to leave it; nothing is downloaded.
        app = self.repository(web_files() | {"requirements.txt": "\n", "bin/pre_compile": "echo slow step; sleep 3\n"})
        url = f"http://renga:{self.server.token}@{self.server.listen}/left.git"
        push = subprocess.Popen(["git", "-C", str(app), "push", url, "main"], stderr=subprocess.PIPE, text=True,
                                start_new_session=True, env=dict(os.environ, GIT_TERMINAL_PROMPT="0"))
        for line in push.stderr:
            if "slow step" in line:
                break
        else:
            self.fail("the push ended before its slow step")
        os.killpg(push.pid, signal.SIGINT)
        push.wait(timeout=PATIENCE)
        push.stderr.close()
        self.assertNotEqual(push.returncode, 0)
        self.assertEqual(len(self.server.releases("left")), 2)

        self.server.wait_for_page("left", "v3 one")
        sha = git(app, "rev-parse", "HEAD").stdout.strip()
        wait_until(lambda: sha in git(app, "ls-remote", url, "refs/heads/main").stdout, what="the ref")
        [build] = self.server.api("GET", "/apps/left/builds")
        self.assertEqual((build["status"], build["source_blob"]["version"]), ("succeeded", sha))


main()
